"""Secrets planted wherever a recording has room for them are nowhere in what de-identification writes."""

from __future__ import annotations

import base64
import io
import json
import zlib
from fractions import Fraction

import av
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from cineloop.analysis.privacy.blanking import GateRows
from cineloop.analysis.privacy.box import Region
from cineloop.analysis.privacy.card import card
from cineloop.analysis.privacy.deidentify import deidentify
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.video import Video
from dicom_files import dicom
from privacy_scenes import moving, round_picture, write_on
from secrets_search import find_in_folder, find_secrets

NAME, FIRST, NUMBER, BORN, TOWN = "Quibbleworth", "Zephyrine", "48213377", "1957-03-12", "Ankh-Morpork"
SECRETS = [NAME, FIRST, NUMBER, BORN, BORN.replace("-", ""), TOWN]
SIZE = (320, 240)
OUTSIDE = range(20)
REMOVED = range(25)  # a second of padding more
COUNT = 60
BORDER, INSIDE = (4, 4), (110, 120)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return frames with names outside of the picture and in it, and large ones out of the body; and the letters."""
    frames = round_picture(moving(COUNT, SIZE))
    letters = np.zeros((COUNT, *SIZE[::-1]), dtype=bool)
    for number, frame in enumerate(frames):
        letters[number] |= write_on(frame, NAME, BORDER, size=11)
        letters[number] |= write_on(frame, NUMBER, INSIDE)
        if number in OUTSIDE:
            frame[:] = 150
            letters[number] |= write_on(frame, f"{FIRST} {BORN}", (60, 60), size=18)
    return frames, letters


def rows(fps: float, count: int = COUNT) -> GateRows:
    probability = np.where(np.isin(np.arange(count), list(OUTSIDE)), 0.97, 0.02)
    return GateRows(np.arange(count) / fps, probability, 0.5)


SETTINGS = PrivacySettings(gap=1.0)


def planted_video(path, frames, fps=5):
    """Write a video with secrets in every place that its container has for words."""
    container = av.open(str(path), "w")
    container.metadata.update(
        title=f"{NAME}, {FIRST}",
        comment=NUMBER,
        artist=TOWN,
        creation_time=f"{BORN}T10:00:00Z",
        description=f"{NAME} {BORN}",
    )
    stream = container.add_stream("libx264", rate=fps)
    stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
    stream.metadata.update(title=NAME, handler_name=NUMBER, language="eng")
    stream.codec_context.options = {"x264-params": "bframes=0"}
    sound = container.add_stream("aac", rate=48_000)
    sound.metadata["title"] = f"Dictated by {NAME}"
    if path.suffix == ".mkv":
        container.add_attachment(f"{NAME}.txt", "text/plain", f"{NAME} {NUMBER}".encode())
    container.set_chapters(
        [{"id": 1, "start": 0, "end": 5, "time_base": Fraction(1), "metadata": {"title": f"{NAME} {NUMBER}"}}]
    )
    container.start_encoding()
    message = "h264_metadata=sei_user_data=086f3693b7b34f2c965321492feee5b8+" + NAME + NUMBER
    planting = av.BitStreamFilterContext(message, stream)
    for number, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, fps)
        for packet in stream.encode(frame):
            container.mux(planting.filter(packet))
    for packet in stream.encode(None):
        container.mux(planting.filter(packet))
    container.mux(planting.filter(None))
    tone = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
    tone.sample_rate, tone.pts = 48_000, 0
    for each in (tone, None):
        for packet in sound.encode(each):
            container.mux(packet)
    container.close()
    with path.open("ab") as end:
        # A box that no reader needs, and bytes after all of them.
        words = f"{NAME} {FIRST} {NUMBER} {TOWN}".encode()
        end.write((8 + len(words)).to_bytes(4, "big") + b"free" + words + words)
    return path


def planted_dicom(path, frames):
    """Write a cine with secrets in known, unknown, private, nested and misused attributes, and around the dataset."""
    dicom(path, frames, "RGB", FrameTime="200")
    data = pydicom.dcmread(path)
    words = f"{NAME} {FIRST} {NUMBER} {TOWN}"
    data.PatientName, data.PatientID, data.PatientBirthDate = f"{NAME}^{FIRST}", NUMBER, BORN.replace("-", "")
    data.OtherPatientIDs = [NUMBER]
    data.StudyDate, data.ContentDate = BORN.replace("-", ""), BORN.replace("-", "")
    data.AcquisitionDateTime = BORN.replace("-", "") + "101500"
    data.StudyInstanceUID = data.SeriesInstanceUID = f"1.2.826.0.1.3680043.{NUMBER}"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.{NUMBER}.1"
    data.AccessionNumber, data.StudyID, data.InstitutionName = NUMBER, NUMBER, TOWN
    data.ReferringPhysicianName = f"{NAME}^{FIRST}"
    data.StudyDescription = data.ImageComments = data.SeriesDescription = words
    data.DeidentificationMethod = words
    data.ImageType = ["ORIGINAL", "PRIMARY", NAME.upper()]
    data.Modality = NAME.upper()
    data.ImageLaterality = NUMBER
    data.DeviceSerialNumber, data.ManufacturerModelName, data.Manufacturer = NUMBER, NAME, NAME
    data.KVP, data.InstanceNumber = NUMBER, NUMBER
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = NUMBER, NAME, words
    data.AnatomicRegionSequence = Sequence([code])
    deep = Dataset()
    deep.PatientName, deep.PatientComments = NAME, words
    deep.add_new(0x00110010, "LO", NAME)
    deep.add_new(0x00111001, "UT", words)
    region = Dataset()
    region.RegionFlags, region.PhysicalDeltaX = 0, 0.1
    region.TransducerFrequency = 0
    region.add_new("ImageComments", "LT", words)
    region.add_new(0x00111001, "UT", words)
    data.SequenceOfUltrasoundRegions = Sequence([region])
    referenced = Dataset()
    referenced.ReferencedSOPInstanceUID = f"1.2.{NUMBER}"
    referenced.PurposeOfReferenceCodeSequence = Sequence([deep])
    data.SourceImageSequence = Sequence([referenced])
    original = Dataset()
    original.ModifiedAttributesSequence = Sequence([deep])
    data.OriginalAttributesSequence = Sequence([original])
    data.add_new(0x00090010, "LO", f"{NAME} PRIVATE")
    data.add_new(0x00091001, "UN", words.encode("utf-16-le"))
    data.add_new(0x00091002, "OB", base64.b64encode(words.encode()) + b"  ")
    data.add_new(0x00091003, "SQ", Sequence([deep]))
    data.add_new(0x60000010, "US", 8)
    data.add_new(0x60003000, "OB", words.encode() + b" " * (len(words) % 2))
    data.add_new(0x60004000, "LT", words)
    data.add_new(0x50000040, "LO", NAME)
    data.add_new(0x00880200, "SQ", Sequence([deep]))
    data.add_new(0xFFFCFFFC, "OB", words.encode() + b" " * (len(words) % 2))
    data.file_meta.SourceApplicationEntityTitle = NAME
    data.file_meta.PrivateInformationCreatorUID = generate_uid()
    data.file_meta.PrivateInformation = words.encode() + b" " * (len(words) % 2)
    data.preamble = words.encode()[:128].ljust(128)
    data.save_as(path)
    return path


def seen(path, letters):
    """Fail where a written recording shows a trace of letters, or anything but the card in place of what is removed."""
    for frame in Video(path).stream():
        pixels = frame.pixels.astype(int)
        if frame.ref.index in REMOVED:
            assert np.abs(pixels - card(SIZE)).mean() < 3
            assert np.abs(pixels - card(SIZE)).max() < 60
            continue
        for x, y in (BORDER, INSIDE):
            rows_, columns = np.nonzero(letters[frame.ref.index])
            near = (abs(rows_ - y) < 40) & (abs(columns - x) < 140)
            box = pixels[rows_[near].min() : rows_[near].max() + 1, columns[near].min() : columns[near].max() + 1]
            # One colour, and black: within the rounding of the coding.
            assert box.size > 300
            assert box.max() < 20
            assert box.std() < 3


@pytest.fixture(scope="module")
def scenes():
    return pictures()


def test_the_secrets_are_there_to_be_found(tmp_path, scenes):
    frames, _ = scenes
    video = planted_video(tmp_path / "a.mkv", frames)
    found = find_secrets(video.read_bytes(), SECRETS)
    assert {f"{secret} as utf-8" for secret in (NAME, NUMBER, TOWN)} <= found
    # In the bitstream, in an attachment, in a chapter and behind the end.
    assert all(words.encode() in video.read_bytes() for words in (NAME + NUMBER, f"{NAME}.txt", f"{NAME} {NUMBER}"))
    assert video.read_bytes().endswith(TOWN.encode())
    cine = planted_dicom(tmp_path / "a.dcm", frames)
    found = find_secrets(cine.read_bytes(), SECRETS)
    assert {f"{NAME} as utf-8", f"{NAME} as utf-16-le", f"{NAME} as base64", f"{TOWN} as utf-8"} <= found


@pytest.mark.parametrize(
    "hidden",
    [
        NAME.encode(),
        NAME.upper().encode(),
        NAME.encode("utf-16-be"),
        b"?q=" + "".join(f"%{byte:02X}" for byte in NAME.encode()).encode(),
        *(base64.b64encode(b"x" * offset + NAME.encode() + b" and more") for offset in range(3)),
        base64.b64encode(b"-" * 60 + NAME.encode("utf-16-le")),
        b"junk" + zlib.compress(f"a {NAME} b".encode() * 3),
        "".join(f"\\u{ord(letter):04x}" for letter in NAME).encode(),
    ],
)
def test_the_search_finds_secrets_in_all_forms(hidden):
    assert find_secrets(b"before" + hidden + b"after", SECRETS)
    assert not find_secrets(b"nothing to be seen here" * 10, SECRETS)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_video_keeps_no_secret(tmp_path, scenes, suffix):
    frames, letters = scenes
    source = tmp_path / f"{TOWN} {NAME}"
    source.mkdir()
    path = planted_video(source / f"{NAME}_{NUMBER}{suffix}", frames)
    deidentify([path], rows(5), SETTINGS, tmp_path / "out")
    assert find_in_folder(tmp_path / "out", SECRETS) == set()
    seen(tmp_path / "out/deidentified.mp4", letters)
    with av.open(str(tmp_path / "out/deidentified.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert container.metadata.keys() <= {"major_brand", "minor_version", "compatible_brands"}
        assert container.chapters() == []
        assert container.streams.video[0].metadata.keys() <= {"language", "handler_name", "vendor_id"}
    data = (tmp_path / "out/deidentified.mp4").read_bytes()
    assert not any(word in data for word in (b"x264", b"Lavc", b"Lavf"))
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        # Version and flags, then when it was made and when it was changed.
        place = data.index(box) + 4
        assert data[place] == 0
        assert data[place + 4 : place + 12] == bytes(8)


def test_a_dicom_object_keeps_no_secret(tmp_path, scenes):
    frames, letters = scenes
    source = tmp_path / f"{TOWN} {NAME}"
    source.mkdir()
    path = planted_dicom(source / f"{NAME}_{NUMBER}.dcm", frames)
    for dates in ("remove", "shift"):
        settings = SETTINGS.model_copy(update={"dates": dates})
        deidentify([path], rows(5), settings, tmp_path / dates)
        assert find_in_folder(tmp_path / dates, SECRETS) == set()
        seen(tmp_path / dates / "deidentified.dcm", letters)


def test_parts_logs_and_sheets_keep_no_secret(tmp_path, scenes):
    frames, _ = scenes
    paths = [
        planted_video(tmp_path / f"{NAME}.mp4", frames),
        planted_video(tmp_path / f"{FIRST} {BORN}.mkv", frames),
    ]
    both = GateRows(np.arange(2 * COUNT) / 5, np.tile(rows(5).probability, 2), 0.5)
    for join in (False, True):
        settings = SETTINGS.model_copy(update={"join": join, "masks": (Region.parse("0,0,40,40"),)})
        deidentify(paths, both, settings, tmp_path / f"out{join}")
        assert find_in_folder(tmp_path / f"out{join}", SECRETS) == set()
        assert "deidentified" in json.loads((tmp_path / f"out{join}/audit.json").read_text())["files"][0]["name"]


def test_pictures_of_the_sheet_are_masked_like_the_recording(tmp_path, scenes):
    frames, _ = scenes
    deidentify([planted_video(tmp_path / f"{NAME}.mp4", frames)], rows(5), SETTINGS, tmp_path / "out")
    html = (tmp_path / "out/review.html").read_bytes()
    shown = [piece.split(b'"')[0] for piece in html.split(b"data:image/jpeg;base64,")[1:]]
    assert shown
    for coded in shown:
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))).convert("L")).astype(int)
        scale = picture.shape[1] / SIZE[0]
        corner = picture[: round(24 * scale), : round(60 * scale)]
        assert corner.max() < 30
        x, y = INSIDE
        inside = picture[
            round((y + 6) * scale) : round((y + 22) * scale), round((x + 4) * scale) : round((x + 60) * scale)
        ]
        assert inside.max() < 60
        assert not Image.open(io.BytesIO(base64.b64decode(coded))).getexif()
