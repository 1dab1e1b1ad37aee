"""Still images, pages and folders as recordings."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cineloop.errors import FrameDecodeError, TruncatedVideoError, VideoError
from cineloop.video import Video
from cineloop.video.info import ASSUMED_FPS
from video_codes import coded_picture, read_code


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
