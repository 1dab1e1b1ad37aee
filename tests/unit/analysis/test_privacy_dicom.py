"""De-identified DICOM objects: an allow-list for attributes, and pixels written again."""

from __future__ import annotations

import csv

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import MPEG4HP41, UID, SecondaryCaptureImageStorage, generate_uid

from cineloop.analysis.privacy.blanking import Span
from cineloop.analysis.privacy.box import Box
from cineloop.analysis.privacy.card import card
from cineloop.analysis.privacy.dicom import write_dicom
from cineloop.analysis.privacy.dicom_table import rules
from cineloop.analysis.privacy.mask import Mask, MaskedBox
from cineloop.analysis.privacy.part import divided
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.errors import PrivacyError
from cineloop.video import Video
from dicom_files import dicom, shipped
from support import ROOT
from video_codes import read_code, write_coded_video

SALT = "a secret"
ADDED = {
    "PatientIdentityRemoved",
    "LongitudinalTemporalInformationModified",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "BurnedInAnnotation",
    "CodeValue",
    "CodingSchemeDesignator",
    "CodeMeaning",
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData"),
}


def deidentified(path, out, spans=(), box=None, salt=SALT, **settings):
    (part,) = divided([Video(path, allow_truncated=True)], tuple(spans), [""])
    if box is not None:
        part.mask = Mask(part.mask.size, (MaskedBox(Box(*box), "given"),))
    write_dicom(part, out, PrivacySettings(**settings), salt=salt)
    return pydicom.dcmread(out)


def every(dataset):
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from every(item)


@pytest.fixture
def cine(tmp_path):
    """Return a maker of small grey or colour cines with a header."""

    def make(frames=None, photometric="RGB", bits=8, name="a.dcm", **elements):
        if frames is None:
            frames = np.random.default_rng(0).integers(0, 255, (6, 16, 24, 3), dtype=np.uint8)
        return dicom(tmp_path / name, frames, photometric, bits, FrameTime="100", **elements)

    return make


def test_no_attribute_is_kept_against_the_basic_profile():
    with (ROOT / "tests/golden/ps3_15_table_e1_1.csv").open() as stream:
        table = {
            int(row["tag"], 16): row["action"] for row in csv.DictReader(line for line in stream if line[0] != "#")
        }
    assert len(table) > 640
    may = {"U": {"uid"}, "Z": {"empty", "pseudonym", "date"}, "D": {"pseudonym"}}
    for rule in rules():
        action = table.get(rule.tag)
        if action is None:
            continue
        allowed = set().union(*(may.get(each, set()) for each in action.split("/")))
        # A date is left out, which X allows, or moved, which the option for modified dates does.
        allowed |= {"date", "empty-if-there"} if "X" in action or "D" in action else set()
        assert rule.name in allowed, rule


def test_the_table_is_of_known_attributes_in_order():
    from pydicom.datadict import keyword_for_tag

    assert [rule.tag for rule in rules()] == sorted({rule.tag for rule in rules()})
    assert all(keyword_for_tag(rule.tag) == rule.keyword for rule in rules())
    assert {rule.name for rule in rules()} <= {
        *("keep", "uid", "pseudonym", "empty", "empty-if-there", "date", "items"),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("examples_ybr_color.dcm", "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm"),
        *("examples_palette.dcm", "examples_overlay.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_16bit_2frame.dcm"),
        *("SC_rgb_small_odd.dcm", "examples_rgb_color.dcm"),
    ],
)
def test_objects_of_all_kinds_show_the_same_with_nothing_else_in_them(tmp_path, name):
    original = shipped(name)
    found = deidentified(original, tmp_path / "out.dcm")
    known = {rule.keyword for rule in rules()} | ADDED
    assert {element.keyword for element in every(found)} <= known
    assert not any(element.tag.is_private for element in every(found))
    before, after = Video(original), Video(tmp_path / "out.dcm")
    assert len(before) == len(after)
    at = np.arange(len(before))
    assert np.abs(before.frames(at).pixels.astype(int) - after.frames(at).pixels).max() <= 1
    assert np.allclose(before.clock.pts, after.clock.pts)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_grey_values_stay_as_they_are_stored(tmp_path, name):
    original = pydicom.dcmread(shipped(name))
    found = deidentified(shipped(name), tmp_path / "out.dcm")
    assert np.array_equal(found.pixel_array, original.pixel_array)
    for keyword in ("RescaleSlope", "RescaleIntercept", "WindowCenter", "PixelSpacing"):
        assert found.get(keyword) == original.get(keyword)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_blank_and_filled_grey_is_black(tmp_path, cine, photometric, dtype):
    values = np.random.default_rng(0).integers(50, 2000, (6, 16, 24)).astype(dtype)
    path = cine(values, photometric, 12)
    found = deidentified(path, tmp_path / "out.dcm", [Span(0.2, 0.4, "outside")], box=(2, 3, 8, 5))
    kept = [0, 1, 4, 5]
    filled = np.zeros((16, 24), dtype=bool)
    filled[3:8, 2:10] = True
    assert np.array_equal(found.pixel_array[kept][:, ~filled], values[kept][:, ~filled])
    shown = Video(tmp_path / "out.dcm").frames(range(6)).pixels
    assert (shown[kept][:, filled] == 0).all()
    assert (shown[2:4] == 0).all()


def test_blank_and_filled_colour(tmp_path, cine):
    path = cine()
    original = Video(path).frames(range(6)).pixels
    deidentified(path, tmp_path / "out.dcm", [Span(0.2, 0.4, "outside")], box=(2, 3, 8, 5))
    shown = Video(tmp_path / "out.dcm").frames(range(6)).pixels
    assert (shown[2:4] == card((24, 16))).all()
    assert (shown[[0, 1, 4, 5], 3:8, 2:10] == 0).all()
    assert (shown[:2, 8:] == original[:2, 8:]).all()


def test_drawings_in_unused_bits_are_gone(tmp_path, cine):
    values = np.random.default_rng(0).integers(0, 4096, (2, 16, 24)).astype(np.uint16)
    drawn = values.copy()
    drawn[:, 4:9, 4:9] |= 0x7000
    found = deidentified(cine(drawn, "MONOCHROME2", 12), tmp_path / "out.dcm")
    assert np.array_equal(np.frombuffer(found.PixelData, np.uint16).reshape(values.shape), values)


def test_overlays_curves_and_private_groups_are_gone_at_every_depth(tmp_path, cine):
    group = Dataset()
    group.add_new(0x00091001, "LO", "PRIVATE")
    group.PatientComments = "NAME"
    measures = Dataset()
    measures.PixelSpacing = [0.5, 0.5]
    measures.add_new(0x00091001, "LO", "PRIVATE")
    group.PixelMeasuresSequence = Sequence([measures])
    path = cine(SharedFunctionalGroupsSequence=Sequence([group]), PatientComments="NAME")
    data = pydicom.dcmread(path)
    data.add_new(0x60003000, "OB", b"OVERLAY ")
    data.add_new(0x60004000, "LT", "COMMENT")
    data.add_new(0x50000010, "US", 1)
    data.add_new(0x00091001, "LO", "PRIVATE")
    data.save_as(path)
    found = deidentified(path, tmp_path / "out.dcm")
    (shared,) = found.SharedFunctionalGroupsSequence
    assert [element.keyword for element in shared] == ["PixelMeasuresSequence"]
    assert [element.keyword for element in shared.PixelMeasuresSequence[0]] == ["PixelSpacing"]
    assert not any(element.tag.is_private or element.tag.group >> 8 in (0x50, 0x60) for element in every(found))


def test_values_that_are_not_what_they_should_be_are_not_kept(tmp_path, cine):
    path = cine()
    data = pydicom.dcmread(path)
    data.Modality = "DOE"
    data.ImageType = ["ORIGINAL", "PRIMARY", "JOHN DOE"]
    data.add_new("KVP", "DS", "48213377")
    data.add_new("CineRate", "IS", "30")
    data.add_new("WindowCenter", "LO", "DOE")
    data.save_as(path)
    found = deidentified(path, tmp_path / "out.dcm")
    assert found.Modality == "OT"
    assert list(found.ImageType) == ["DERIVED", "PRIMARY"]
    assert "KVP" not in found
    assert "WindowCenter" not in found
    assert found.CineRate == 30


def test_uids_stand_for_the_same_everywhere_and_cannot_be_computed_without_the_secret(tmp_path, cine):
    study = generate_uid()
    first, second = (cine(name=f"{name}.dcm", StudyInstanceUID=study, SeriesInstanceUID=study) for name in "ab")
    one, two = deidentified(first, tmp_path / "1.dcm"), deidentified(second, tmp_path / "2.dcm")
    assert one.StudyInstanceUID == two.StudyInstanceUID == one.SeriesInstanceUID != study
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert all(UID(uid).is_valid and uid.startswith("2.25.") for uid in (one.StudyInstanceUID, one.SOPInstanceUID))
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    other = deidentified(first, tmp_path / "3.dcm", salt="another secret")
    assert other.StudyInstanceUID != one.StudyInstanceUID


def test_dates_are_removed_or_moved_together(tmp_path, cine):
    path = cine(
        PatientID="48213377",
        StudyDate="20240229",
        ContentDate="20240301",
        StudyTime="101500",
        AcquisitionDateTime="20240301120000.5+0100",
        PatientBirthDate="19570312",
        SeriesDate="MUELLER",
    )
    gone = deidentified(path, tmp_path / "1.dcm")
    assert (gone.StudyDate, gone.StudyTime, gone.PatientBirthDate) == ("", "", "")
    assert "AcquisitionDateTime" not in gone
    assert gone.LongitudinalTemporalInformationModified == "REMOVED"
    moved = deidentified(path, tmp_path / "2.dcm", dates="shift")
    days = np.datetime64("2024-02-29") - np.datetime64(
        f"{moved.StudyDate[:4]}-{moved.StudyDate[4:6]}-{moved.StudyDate[6:]}"
    )
    assert 1 <= int(days.astype(int)) <= 3650
    content = np.datetime64("2024-03-01") - days
    assert moved.ContentDate == str(content).replace("-", "")
    assert moved.AcquisitionDateTime == f"{moved.ContentDate}120000.5"
    assert moved.StudyTime == "101500"
    assert moved.PatientBirthDate == ""
    assert "SeriesDate" not in moved
    codes = [item.CodeValue for item in moved.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107"]


def test_what_was_done_is_stated_and_nothing_more(tmp_path, cine):
    plain = deidentified(cine(), tmp_path / "1.dcm")
    assert plain.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in plain.DeidentificationMethodCodeSequence] == ["113100"]
    assert "BurnedInAnnotation" not in plain
    stated = deidentified(cine(BurnedInAnnotation="YES"), tmp_path / "2.dcm")
    assert stated.BurnedInAnnotation == "YES"
    masked = deidentified(cine(BurnedInAnnotation="YES"), tmp_path / "3.dcm", box=(0, 0, 4, 4))
    assert masked.BurnedInAnnotation == "NO"
    assert [item.CodeValue for item in masked.DeidentificationMethodCodeSequence] == ["113100", "113101"]
    assert all(len(words) <= 64 for words in masked.DeidentificationMethod)


def test_patients_stay_apart_and_together(tmp_path, cine):
    names = [
        deidentified(cine(name=f"{at}.dcm", PatientID=number, PatientName="A^B"), tmp_path / f"o{at}.dcm").PatientID
        for at, number in enumerate(["1", "1", "2"])
    ]
    assert names[0] == names[1] != names[2]


def test_the_original_is_left_as_it_was(tmp_path, cine):
    path = cine(PatientName="A^B")
    before = path.read_bytes()
    deidentified(path, tmp_path / "out.dcm")
    assert path.read_bytes() == before


def test_a_video_inside_of_dicom_is_encoded_again(tmp_path):
    write_coded_video(tmp_path / "a.mp4", 20)
    data = (tmp_path / "a.mp4").read_bytes()
    path = dicom(
        tmp_path / "a.dcm",
        np.zeros((20, 120, 160, 3), np.uint8),
        "YBR_PARTIAL_420",
        syntax=MPEG4HP41,
        data=encapsulate([data]),
        FrameTime="40",
        PatientName="MUELLER^ANNA",
    )
    found = deidentified(path, tmp_path / "out.dcm", [Span(0.2, 0.4, "outside")])
    assert found.file_meta.TransferSyntaxUID == MPEG4HP41
    shown = Video(tmp_path / "out.dcm")
    blank = card((160, 120)).astype(int)
    for frame in shown.stream():
        if 5 <= frame.ref.index < 10:
            assert np.abs(frame.pixels - blank).mean() < 3
        else:
            assert read_code(frame.pixels) == frame.ref.index


def test_an_object_of_no_standard_class_is_refused(tmp_path, cine):
    path = cine()
    data = pydicom.dcmread(path)
    data.SOPClassUID = "1.2.826.0.1.3680043.10.1"
    data.save_as(path)
    with pytest.raises(PrivacyError, match="no class of the standard"):
        deidentified(path, tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()


def test_a_still_is_an_object_too(tmp_path, cine):
    path = cine(np.full((1, 16, 24, 3), 90, np.uint8))
    data = pydicom.dcmread(path)
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.save_as(path)
    found = deidentified(path, tmp_path / "out.dcm", box=(0, 0, 24, 4))
    assert found.SOPClassUID == SecondaryCaptureImageStorage
    assert (Video(tmp_path / "out.dcm").frames([0]).pixels[0, 4:] == 90).all()
