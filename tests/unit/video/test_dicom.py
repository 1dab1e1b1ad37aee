"""DICOM: photometric interpretations, windows, times, compressed frames, wrapped videos."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import apply_windowing
from pydicom.uid import (
    MPEG4HP41,
    JPEGLosslessSV1,
)

from cineloop.errors import EmptyVideoError, FrameDecodeError, TruncatedVideoError
from cineloop.video import Video
from cineloop.video.info import ASSUMED_FPS
from dicom_files import dicom, shipped
from video_codes import coded_picture, read_code

RAMP = np.arange(4096, dtype=np.uint16).reshape(1, 64, 64)


def test_echo_cine_equals_pydicom():
    video = Video(shipped("examples_ybr_color.dcm"))
    assert len(video) == 30
    info = video.info
    assert (info.kind, info.width, info.height, info.pixel_format) == ("dicom", 320, 240, "YBR_FULL_422")
    assert float(info.fps) == pytest.approx(30, rel=1e-3)
    frames = video.frames([29, 0, 7])
    reference = pixel_array(video.path)
    assert np.abs(frames.pixels.astype(int) - reference[[29, 0, 7]]).max() <= 1
    assert frames.refs[2].seconds == pytest.approx(7 * 0.033333)
    assert video.decoded_frames == 3


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "SC_rgb_gdcm_KY.dcm",
        "SC_rgb_small_odd.dcm",
        "examples_jpeg2k.dcm",
        "examples_rgb_color.dcm",
        "ExplVR_BigEnd.dcm",
    ],
)
def test_colours_equal_pydicoms(name):
    reference = pixel_array(shipped(name))
    assert np.abs(Video(shipped(name)).frames([0]).pixels[0].astype(int) - reference).max() <= 1


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jls_lossy_line.dcm"])
def test_lossless_jpeg_and_jpeg_ls_show_the_same_picture_as_run_lengths(name):
    reference = Video(shipped("SC_rgb_rle.dcm")).frames([0]).pixels
    assert np.abs(Video(shipped(name)).frames([0]).pixels.astype(int) - reference).max() <= 6


def test_16_bit_jpeg_ls_equals_the_uncompressed_object():
    pixels = Video(shipped("MR_small_jpeg_ls_lossless.dcm")).frames([0]).pixels
    np.testing.assert_array_equal(pixels, Video(shipped("MR_small.dcm")).frames([0]).pixels)


def test_12_bit_jpeg_keeps_its_scale():
    # 244 is the value that other decoders give for row 420, column 140.
    path = shipped("JPGExtended.dcm")
    largest = pydicom.dcmread(path).LargestImagePixelValue
    assert Video(path).frames([0]).pixels[0, 420, 140, 0] == round(244 / largest * 255)


def test_what_cannot_be_decoded_is_an_error_and_not_black():
    video = Video(shipped("SC_rgb_jls_lossy_sample.dcm"))
    with pytest.raises(FrameDecodeError, match=r"interleaved samples"):
        video.frames([0])


def test_palette_colours():
    pixels = Video(shipped("examples_palette.dcm")).frames([0]).pixels[0]
    dataset = pydicom.dcmread(shipped("examples_palette.dcm"))
    table = np.frombuffer(dataset.RedPaletteColorLookupTableData, np.uint16)
    np.testing.assert_allclose(pixels[..., 0], table[dataset.pixel_array] / 257, atol=1)


def test_frames_of_colour_keep_their_order(tmp_path):
    frames = np.stack([coded_picture(i) for i in range(6)])
    video = Video(dicom(tmp_path / "a.dcm", frames, "RGB", FrameTime="40"))
    np.testing.assert_array_equal(video.frames([4, 1, 1]).pixels, frames[[4, 1, 1]])
    assert [read_code(frame.pixels) for frame in video.stream(size=(80, 60))] == list(range(6))


@pytest.mark.parametrize("function", [None, "LINEAR_EXACT", "SIGMOID"])
def test_windows_are_those_of_the_standard(tmp_path, function):
    elements = {"WindowCenter": "1500", "WindowWidth": "1000"}
    if function:
        elements["VOILUTFunction"] = function
    path = dicom(tmp_path / "a.dcm", RAMP, "MONOCHROME2", 12, **elements)
    reference = apply_windowing(RAMP[0], pydicom.dcmread(path)) / 4095 * 255
    np.testing.assert_allclose(Video(path).frames([0]).pixels[0, ..., 1], reference, atol=0.51)


def test_rescaling_comes_before_the_window_and_inversion_last(tmp_path):
    signed = (RAMP.astype(np.int16) - 2048).astype(np.int16)
    elements = {"RescaleSlope": "2", "RescaleIntercept": "100", "WindowCenter": "100.5", "WindowWidth": "2001"}
    path = dicom(tmp_path / "a.dcm", signed, "MONOCHROME1", 12, **elements)
    expected = 255 - np.rint(np.clip((signed[0] * 2.0 + 100 - 100) / 2000 + 0.5, 0, 1) * 255)
    np.testing.assert_array_equal(Video(path).frames([0]).pixels[0, ..., 0], expected)


def test_without_a_window_the_whole_range_is_shown(tmp_path):
    path = dicom(tmp_path / "a.dcm", RAMP, "MONOCHROME2", 12)
    np.testing.assert_array_equal(Video(path).frames([0]).pixels[0, ..., 2], np.rint(RAMP[0] / 4095 * 255))
    narrow = dicom(
        tmp_path / "b.dcm", RAMP, "MONOCHROME2", 12, SmallestImagePixelValue=1000, LargestImagePixelValue=2000
    )
    shown = Video(narrow).frames([0]).pixels[0, ..., 0].ravel()
    assert shown[999] == 0
    assert shown[1500] == 128
    assert shown[2001] == 255


def test_windows_of_single_frames_are_honoured(tmp_path):
    groups = []
    for centre in (500, 3000):
        voi, group = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 200
        group.FrameVOILUTSequence = [voi]
        groups.append(group)
    frames = np.full((2, 8, 8), 1000, np.uint16)
    path = dicom(tmp_path / "a.dcm", frames, "MONOCHROME2", 12, PerFrameFunctionalGroupsSequence=groups)
    pixels = Video(path).frames([0, 1]).pixels
    assert (pixels[0] == 255).all()
    assert (pixels[1] == 0).all()


@pytest.mark.parametrize(
    ("elements", "seconds", "fps"),
    [
        ({"FrameTime": "33.3"}, [0, 0.0333, 0.0666], Fraction(10_000, 333)),
        ({"CineRate": "15"}, [0, 1 / 15, 2 / 15], Fraction(15)),
        ({"RecommendedDisplayFrameRate": "8"}, [0, 0.125, 0.25], Fraction(8)),
        ({"FrameTimeVector": ["0", "100", "300"], "FrameTime": "50"}, [0, 0.1, 0.4], None),
        ({}, [0, 0.04, 0.08], "unknown"),
    ],
)
def test_times_come_from_the_object(tmp_path, elements, seconds, fps):
    video = Video(dicom(tmp_path / "a.dcm", RAMP.repeat(3, 0), "MONOCHROME2", 12, **elements))
    assert [ref.seconds for ref in video.refs] == pytest.approx(seconds, abs=2e-6)
    if fps == "unknown":
        assert video.info.fps is None
        assert 1 / video.refs[0].time_base == ASSUMED_FPS
    elif fps is None:
        assert video.info.variable_rate
    else:
        assert float(video.info.fps) == pytest.approx(float(fps), rel=1e-4)


def lossless_jpeg(values: np.ndarray, precision: int) -> bytes:
    """Encode grey values as lossless JPEG (process 14, first-order prediction), every code five bits long."""
    height, width = values.shape
    wide = values.astype(np.int64)
    predicted = np.empty_like(wide)
    predicted[:, 1:] = wide[:, :-1]
    predicted[1:, 0] = wide[:-1, 0]
    predicted[0, 0] = 1 << precision - 1
    bits: list[str] = []
    for difference in ((wide - predicted + 32768) % 65536 - 32768).ravel().tolist():
        category = abs(difference).bit_length()
        bits.append(f"{category:05b}")
        if category and category < 16:
            bits.append(f"{difference if difference > 0 else difference + (1 << category) - 1:0{category}b}")
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    packed = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    table = bytes([0, 0, 0, 0, 17]) + bytes(11) + bytes(range(17))
    segments = [
        b"\xff\xc3" + (11).to_bytes(2, "big") + bytes([precision]) + height.to_bytes(2, "big"),
        width.to_bytes(2, "big") + bytes([1, 1, 0x11, 0]),
        b"\xff\xc4" + (3 + len(table)).to_bytes(2, "big") + b"\0" + table,
        b"\xff\xda" + (8).to_bytes(2, "big") + bytes([1, 1, 0, 1, 0, 0]),
    ]
    return b"\xff\xd8" + b"".join(segments) + packed + b"\xff\xd9"


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg_of_angiograms(tmp_path, bits):
    values = np.random.default_rng(bits).integers(0, 1 << bits, (2, 24, 32)).astype(np.uint16 if bits > 8 else np.uint8)
    data = encapsulate([lossless_jpeg(frame, bits) for frame in values])
    path = dicom(tmp_path / "a.dcm", values, "MONOCHROME2", bits, syntax=JPEGLosslessSV1, data=data, CineRate="15")
    expected = np.rint(values / ((1 << bits) - 1) * 255)
    np.testing.assert_array_equal(Video(path).frames([0, 1]).pixels[..., 0], expected)


def test_a_wrapped_video_is_read_like_the_video(coded, tmp_path):
    data = coded("b-frames").read_bytes()
    blank = np.zeros((1, 120, 160, 3), np.uint8)
    path = dicom(tmp_path / "a.dcm", blank, "YBR_PARTIAL_420", syntax=MPEG4HP41, data=encapsulate([data]))
    video = Video(path, threads=1)
    assert (video.info.kind, video.info.codec, len(video)) == ("dicom", "MPEG4HP41", 48)
    assert [read_code(p) for p in video.frames([40, 3, 11]).pixels] == [40, 3, 11]


def test_a_bare_bitstream_takes_its_times_from_the_object(coded, tmp_path):
    import av

    with av.open(str(coded("b-frames"))) as source:
        stream = source.streams.video[0]
        bitstream = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        data = b"".join(
            bytes(out) for packet in source.demux(stream) if packet.size for out in bitstream.filter(packet)
        )
    blank = np.zeros((48, 120, 160, 3), np.uint8)
    path = dicom(
        tmp_path / "a.dcm", blank, "YBR_PARTIAL_420", syntax=MPEG4HP41, data=encapsulate([data]), FrameTime="50"
    )
    video = Video(path, threads=1)
    assert len(video) == 48
    assert [read_code(p) for p in video.frames([40, 3, 11, 47]).pixels] == [40, 3, 11, 47]
    assert video.refs[10].seconds == pytest.approx(0.5)
    assert video.info.fps == 20


def test_missing_frames_are_told(tmp_path):
    path = dicom(tmp_path / "a.dcm", RAMP.repeat(3, 0), "MONOCHROME2", 12, data=RAMP.repeat(2, 0).tobytes())
    with pytest.raises(TruncatedVideoError, match="2 of the 3 frames"):
        Video(path)
    video = Video(path, allow_truncated=True)
    assert len(video) == 2
    assert video.info.truncated


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_cut_file_is_told(tmp_path, share):
    data = shipped("examples_ybr_color.dcm").read_bytes()
    path = tmp_path / "cut.dcm"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(TruncatedVideoError):
        Video(path)


@pytest.mark.parametrize("name", ["reportsi.dcm", "waveform_ecg.dcm", "rtplan.dcm"])
def test_objects_without_pictures(name):
    with pytest.raises(EmptyVideoError, match="no pictures"):
        Video(shipped(name))
