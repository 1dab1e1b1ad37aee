"""Still images, pages and folders as recordings."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from cineloop.errors import FrameDecodeError, TruncatedVideoError, VideoError
from cineloop.video import Video
from cineloop.video.info import ASSUMED_FPS
from video_codes import coded_picture, read_code


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, values):
    """Return a PNG file of raw values, for what Pillow reads but does not write."""
    row = len(values) // height
    raw = b"".join(b"\0" + values[start : start + row] for start in range(0, len(values), row))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "jpg", "jp2", "ppm"])
def test_a_still_is_a_video_of_one_frame(tmp_path, suffix):
    picture = coded_picture(7)
    options = {"webp": {"lossless": True}, "jpg": {"quality": 95, "subsampling": 0}}.get(suffix, {})
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}", **options)
    video = Video(tmp_path / f"a.{suffix}")
    assert len(video) == 1
    assert (video.info.kind, video.info.fps, video.info.width, video.info.height) == ("image", None, 160, 120)
    pixels = video.frames([0, 0]).pixels
    assert pixels.shape == (2, 120, 160, 3)
    assert np.abs(pixels[0].astype(int) - picture).max() <= (12 if suffix == "jpg" else 0)
    assert read_code(video.frames([0], size=(64, 48)).pixels[0]) == 7


def test_the_content_decides_and_not_the_name(tmp_path):
    Image.fromarray(coded_picture(3)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    assert read_code(Video(tmp_path / "a.mp4").frames([0]).pixels[0]) == 3


def test_modes_other_than_rgb(tmp_path):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "grey.png")
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    for name in ("grey.png", "deep.png"):
        pixels = Video(tmp_path / name).frames([0]).pixels[0]
        np.testing.assert_array_equal(pixels, np.repeat(ramp[..., None], 3, axis=2))
    assert Video(tmp_path / "deep.png").info.bit_depth == 16
    Image.fromarray(ramp).convert("1").save(tmp_path / "bits.png")
    assert set(np.unique(Video(tmp_path / "bits.png").frames([0]).pixels)) == {0, 255}
    Image.fromarray(ramp).convert("RGB").convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    assert np.abs(Video(tmp_path / "cmyk.jpg").frames([0]).pixels[0, ..., 0].astype(int) - ramp).max() <= 4


def test_transparency_is_laid_on_black(tmp_path):
    rgba = np.full((8, 8, 4), [200, 100, 50, 255], np.uint8)
    rgba[:, :4, 3] = 0
    rgba[:4, 4:, 3] = 128
    Image.fromarray(rgba).save(tmp_path / "a.png")
    pixels = Video(tmp_path / "a.png").frames([0]).pixels[0]
    assert (pixels[:, :4] == 0).all()
    assert np.abs(pixels[0, 7].astype(int) - [100, 50, 25]).max() <= 1
    assert (pixels[7, 7] == [200, 100, 50]).all()


def test_a_transparent_colour_is_laid_on_black(tmp_path):
    picture = np.full((6, 6, 3), [200, 10, 20], np.uint8)
    picture[:, 3:] = 90
    Image.fromarray(picture).save(tmp_path / "rgb.png", transparency=(200, 10, 20))
    Image.fromarray(picture[..., 0]).save(tmp_path / "grey.png", transparency=200)
    for name in ("rgb.png", "grey.png"):
        pixels = Video(tmp_path / name).frames([0]).pixels[0]
        assert (pixels[:, :3] == 0).all()
        assert (pixels[:, 3:] == 90).all()


@pytest.mark.parametrize("colour", [2, 6], ids=["rgb", "rgba"])
def test_sixteen_bits_a_colour_become_eight(tmp_path, colour):
    values = np.array([[0x1280, 0xFFFF, 0x00FF], [0x8000, 0x7FFF, 0x0100]])
    if colour == 6:
        values = np.concatenate([values, [[0xFFFF], [0xFFFF]]], axis=1)
    (tmp_path / "a.png").write_bytes(png(2, 1, 16, colour, values.astype(">u2").tobytes()))
    pixels = Video(tmp_path / "a.png").frames([0]).pixels[0, 0]
    assert np.abs(pixels.astype(int) - values[:, :3] / 257).max() <= 1


def test_an_orientation_that_cannot_be_read_is_none(tmp_path):
    Image.fromarray(coded_picture(9)).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(data[:2] + b"\xff\xe1\x00\x10Exif\0\0garbage!" + data[2:])
    assert read_code(Video(tmp_path / "b.jpg").frames([0]).pixels[0]) == 9
    exif = Image.Exif()
    exif[0x0112] = 99
    Image.fromarray(coded_picture(9)).save(tmp_path / "c.jpg", exif=exif)
    assert read_code(Video(tmp_path / "c.jpg").frames([0]).pixels[0]) == 9


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(tmp_path, suffix, orientation):
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](coded_picture(9))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"webp": {"lossless": True}, "jpg": {"quality": 95}}.get(suffix, {})
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / f"a.{suffix}", exif=exif, **options)
    video = Video(tmp_path / f"a.{suffix}")
    assert (video.info.width, video.info.height) == (160, 120)
    pixels = video.frames([0]).pixels[0]
    assert pixels.shape == (120, 160, 3)
    assert read_code(pixels) == 9


def test_an_orientation_after_the_pixels_counts(tmp_path):
    Image.fromarray(np.rot90(coded_picture(9)).copy()).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    end = data.rindex(b"IEND") - 4
    (tmp_path / "a.png").write_bytes(data[:end] + chunk(b"eXIf", exif.tobytes()[6:]) + data[end:])
    video = Video(tmp_path / "a.png")
    assert (video.info.width, video.info.height) == (160, 120)
    assert read_code(video.frames([0]).pixels[0]) == 9


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(coded_picture(9)).copy()).save(tmp_path / "a.jpg", exif=exif, quality=95)
    video = Video(tmp_path / "a.jpg")
    assert (video.info.width, video.info.height) == (160, 120)
    assert read_code(video.frames([0]).pixels[0]) == 9


def test_pages_are_frames_and_their_durations_times(tmp_path):
    pages = [Image.fromarray(coded_picture(i)) for i in range(4)]
    pages[0].save(
        tmp_path / "a.webp", save_all=True, append_images=pages[1:], duration=[40, 100, 40, 60], lossless=True
    )
    video = Video(tmp_path / "a.webp")
    assert [read_code(p) for p in video.frames([3, 0, 2]).pixels] == [3, 0, 2]
    assert [ref.seconds for ref in video.refs] == pytest.approx([0, 0.04, 0.14, 0.18])
    assert video.info.variable_rate
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert [read_code(frame.pixels) for frame in Video(tmp_path / "a.tif").stream()] == [0, 1, 2, 3]


def test_a_folder_is_read_in_natural_order(tmp_path):
    for number in range(12):
        Image.fromarray(coded_picture(number)).save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "._frame0.png").write_bytes(b"what macOS leaves")
    video = Video(tmp_path)
    assert (len(video), video.info.kind, video.info.fps) == (12, "images", None)
    assert [read_code(frame.pixels) for frame in video.stream()] == list(range(12))
    assert 1 / video.refs[0].time_base == ASSUMED_FPS
    assert list(video.keyframes) == list(range(12))


def test_images_of_other_sizes_need_a_size(tmp_path):
    Image.fromarray(coded_picture(0)).save(tmp_path / "0.png")
    Image.fromarray(coded_picture(1, (80, 60))).save(tmp_path / "1.png")
    with pytest.raises(VideoError, match="another size"):
        Video(tmp_path).frames([0, 1])
    assert [read_code(p) for p in Video(tmp_path).frames([0, 1], size=(96, 64)).pixels] == [0, 1]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "bmp"])
def test_damaged_images_are_told(tmp_path, suffix):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(
        tmp_path / f"a.{suffix}"
    )
    data = (tmp_path / f"a.{suffix}").read_bytes()
    for share in (0.2, 0.6, 0.95):
        (tmp_path / f"cut.{suffix}").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(VideoError) as caught:
            Video(tmp_path / f"cut.{suffix}").frames([0])
        assert "cut" in str(caught.value)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f"0.{suffix}").write_bytes(data)
    (folder / f"1.{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(FrameDecodeError, match="Frame 1"):
        Video(folder).frames([1])


def test_numbers_without_brightness_are_refused(tmp_path):
    Image.fromarray(np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(VideoError, match="no defined brightness"):
        Video(tmp_path / "a.tif")


def test_a_truncated_still_is_truncated(tmp_path):
    Image.fromarray(coded_picture(1)).save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-400])
    with pytest.raises(TruncatedVideoError):
        Video(tmp_path / "b.jpg", allow_truncated=True)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_is_cut_anywhere_is_truncated(tmp_path, progressive):
    picture = Image.fromarray(coded_picture(1))
    thumbnail = io.BytesIO()
    picture.resize((40, 30)).save(thumbnail, "JPEG")
    picture.save(tmp_path / "plain.jpg", progressive=progressive)
    plain = (tmp_path / "plain.jpg").read_bytes()
    # A thumbnail in a segment of its own holds a whole JPEG, end mark and all.
    inner = b"Exif\0\0" + thumbnail.getvalue()
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(inner) + 2) + inner + plain[2:]
    path = tmp_path / "a.jpg"
    for end in [*range(3, len(data), max(1, len(data) // 60)), len(data) - 1, 20 + len(thumbnail.getvalue())]:
        path.write_bytes(data[:end])
        with pytest.raises(VideoError):
            Video(path)
    for padding in (b"", bytes(500), b"the recorder's own words"):
        path.write_bytes(data + padding)
        assert read_code(Video(path).frames([0]).pixels[0]) == 1


def test_a_png_with_a_wrong_checksum_is_damaged(tmp_path):
    Image.fromarray(coded_picture(1)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(TruncatedVideoError, match="damaged"):
        Video(tmp_path / "a.png")


def test_a_whole_still_is_decoded_once(tmp_path, monkeypatch):
    decoded = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(
        ImageFile.ImageFile, "load", lambda self: (decoded.append(1) if self.tile else None, load(self))[1]
    )
    for suffix in ("jpg", "png"):
        Image.fromarray(coded_picture(5)).save(tmp_path / f"a.{suffix}")
        decoded.clear()
        video = Video(tmp_path / f"a.{suffix}")
        assert (len(video), video.info.width, video.info.height, decoded) == (1, 160, 120, [])
        assert read_code(video.frames([0]).pixels[0]) == 5
        assert decoded == [1]


def test_previews_in_a_camera_s_jpeg_are_no_frames(tmp_path):
    pages = [Image.fromarray(coded_picture(4)), Image.fromarray(coded_picture(6, (80, 60)))]
    pages[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=pages[1:])
    video = Video(tmp_path / "a.jpg")
    assert len(video) == 1
    assert read_code(video.frames([0]).pixels[0]) == 4
