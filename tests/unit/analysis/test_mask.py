"""What is filled in each frame: found from the frames that are kept."""

from __future__ import annotations

import numpy as np
import pytest

from cineloop.analysis.privacy.box import Region
from cineloop.analysis.privacy.mask import find_mask
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.video import Video, VideoWriter
from privacy_scenes import moving, round_picture, write_on

SIZE = (320, 240)


def written(path, frames, fps=5):
    with VideoWriter(path, fps, frames.shape[2:0:-1], keyint=10) as writer:
        for frame in frames:
            writer.write(frame)
    return Video(path)


def all_of(video):
    return np.arange(len(video))


def test_everything_outside_of_the_picture_is_filled(tmp_path):
    frames = round_picture(moving(60))
    for frame in frames:
        letters = write_on(frame, "SMITH", (2, 4))
    video = written(tmp_path / "a.mp4", frames)
    mask = find_mask(video, all_of(video), PrivacySettings(find_text=False))
    assert mask.content.shape == "circle"
    assert mask.filled[letters].all()
    inside = round_picture(np.full((1, *SIZE[::-1], 3), 255, np.uint8), 0.43)[0, ..., 0] > 0
    assert not mask.filled[inside].any()
    kept = find_mask(video, all_of(video), PrivacySettings(find_text=False, outside_picture=False))
    assert kept.empty


def test_filling_leaves_black_and_touches_nothing_else(tmp_path):
    frames = moving(20)
    video = written(tmp_path / "a.mp4", frames)
    settings = PrivacySettings(find_text=False, masks=(Region.parse("10,20,30,40"), Region.parse("0.5,0.9,0.5,0.1")))
    mask = find_mask(video, all_of(video), settings)
    assert [each.origin for each in mask.boxes] == ["given", "given"]
    filled = mask.fill(frames[0])
    expected = np.zeros(SIZE[::-1], dtype=bool)
    expected[20:60, 10:40] = expected[216:, 160:] = True
    assert (filled[expected] == 0).all()
    assert (filled[~expected] == frames[0][~expected]).all()


def test_text_inside_of_the_picture_is_found_and_scaled_to_the_frame(tmp_path):
    frames = moving(40, (1600, 900))
    for frame in frames:
        letters = write_on(frame, "MUELLER 1957-03-12", (600, 400), size=30)
    video = written(tmp_path / "a.mp4", frames[:24])
    mask = find_mask(video, all_of(video), PrivacySettings())
    assert mask.size == (1600, 900)
    assert mask.filled[letters].all()
    assert mask.filled.mean() < 0.1


def test_only_frames_that_are_kept_are_looked_at(tmp_path):
    frames = moving(120)
    for frame in frames[:60]:
        write_on(frame, "Room 4, Dr. Okonkwo", (40, 100))
    video = written(tmp_path / "a.mp4", frames)
    assert find_mask(video, np.arange(60), PrivacySettings()).found_share > 0
    assert find_mask(video, np.arange(60, 120), PrivacySettings()).found_share == 0
    assert find_mask(video, np.arange(0), PrivacySettings()).empty


def test_text_of_one_part_is_filled_in_the_others(tmp_path):
    frames = moving(30)
    video = written(tmp_path / "a.mp4", frames)
    for frame in frames:
        write_on(frame, "SMITH", (40, 100))
    named = written(tmp_path / "b.mp4", frames)
    masks = [find_mask(each, all_of(each), PrivacySettings()) for each in (video, named)]
    both = masks[0].with_text_of(masks[1])
    assert masks[0].empty
    assert (both.filled == masks[1].filled).all()


def test_frames_that_cannot_be_decoded_are_left_out_of_the_look(tmp_path, monkeypatch):
    frames = moving(30)
    for frame in frames:
        letters = write_on(frame, "SMITH 1957", (40, 100))
    video = written(tmp_path / "a.mp4", frames)
    whole = video.frames

    def broken(indices, **options):
        from cineloop.errors import FrameDecodeError

        if any(index % 7 == 0 for index in list(indices)):
            raise FrameDecodeError("damaged")
        return whole(indices, **options)

    monkeypatch.setattr(video, "frames", broken)
    assert find_mask(video, all_of(video), PrivacySettings()).filled[letters].all()


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_few_frames_are_no_error(tmp_path, frames):
    video = written(tmp_path / "a.mp4", moving(frames))
    assert find_mask(video, all_of(video), PrivacySettings()).size == SIZE
