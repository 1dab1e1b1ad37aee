"""Frames by number: exact in every container and codec, at the least decoding."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import pickle
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cineloop.errors import VideoError
from cineloop.video import FrameRef, Video
from cineloop.video import file as file_module
from cineloop.video import packets as packets_module
from cineloop.video.container import Medium
from cineloop.video.index import plan
from cineloop.video.parallel import ParallelDecoder
from video_codes import coded_picture, read_code, variable_times, write_coded_video

FRAMES = 48
ALL = [
    "b-frames",
    "no-b-frames",
    "open-gop",
    "open-gop-ts",
    "matroska",
    "h264-avi",
    "variable-rate",
    "variable-rate-late",
    "late-start",
    "mpeg4",
    "mpeg4-avi",
    "mpeg2-ts",
    "mpeg2-ps",
    "motion-jpeg",
    "gif",
    "vp8",
    "vp9",
    "hevc",
    "rotated-90",
    "rotated-180",
    "rotated-270",
    "odd-size",
    "ten-bit",
    "grey",
    "interlaced-ts",
]
index_lists = st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=20)


@pytest.mark.parametrize("variant", ALL)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(indices=index_lists)
def test_frames_are_the_ones_asked_for(coded, variant, indices):
    with Video(coded(variant), threads=1) as video:
        frames = video.frames(indices)
    assert [read_code(pixels) for pixels in frames.pixels] == indices
    assert [ref.index for ref in frames.refs] == indices


@pytest.mark.parametrize("variant", ALL)
def test_a_frame_has_the_same_pixels_however_it_is_reached(coded, variant):
    path = coded(variant)
    streamed = [frame.pixels for frame in Video(path, threads=1).stream()]
    assert [read_code(pixels) for pixels in streamed] == list(range(FRAMES))
    video = Video(path, threads=3)
    for i in [47, 0, 13, 12, 11, 30, 29, 1]:
        np.testing.assert_array_equal(video.frames([i]).pixels[0], streamed[i], err_msg=f"frame {i}")
    np.testing.assert_array_equal(video.frames([2, 25, 40]).pixels, np.stack([streamed[i] for i in (2, 25, 40)]))


@pytest.mark.parametrize("variant", ["b-frames", "open-gop", "matroska", "open-gop-ts", "mpeg4", "hevc", "vp9", "gif"])
def test_a_random_frame_costs_its_keyframe_distance(coded, variant):
    video = Video(coded(variant), threads=1)
    index = video._source._survey.index
    reorder = 3
    for i in np.random.default_rng(0).permutation(FRAMES):
        before = video.decoded_frames
        fresh = Video(coded(variant), threads=1)
        fresh.frames([int(i)])
        cost = fresh.decoded_frames - before
        assert cost <= index.packet[i] - index.entry[i] + 1 + reorder


@pytest.mark.parametrize("variant", sorted(set(ALL) - {"gif"}))
def test_groups_decoded_side_by_side_are_the_same(coded, variant, monkeypatch):
    monkeypatch.setattr("cineloop.video.parallel._WORTH", 1)
    used = []
    run = ParallelDecoder.pictures
    monkeypatch.setattr(ParallelDecoder, "pictures", lambda *words: used.append(1) or run(*words))
    path = coded(variant)
    asked = [1, 3, 16, 17, 30, 46, 44]
    alone, together = Video(path, threads=1), Video(path, threads=3)
    np.testing.assert_array_equal(together.frames(asked).pixels, alone.frames(asked).pixels)
    assert together.decoded_frames <= alone.decoded_frames + len(asked)
    groups = len(set(np.searchsorted(alone.keyframes, asked, side="right").tolist()))
    assert used or groups < 2
    # A stream afterwards, and side by side again after a fork's and a pickle's way of starting over.
    assert [read_code(frame.pixels) for frame in together.stream(28, 32)] == [28, 29, 30, 31]
    again = pickle.loads(pickle.dumps(together))
    np.testing.assert_array_equal(again.frames(asked).pixels, alone.frames(asked).pixels)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("variant", ["b-frames", "open-gop", "mpeg2-ts", "vp9", "gif"])
def test_sorted_requests_decode_no_frame_twice(coded, variant, threads):
    video = Video(coded(variant), threads=threads)
    video.frames(range(0, FRAMES, 3))
    assert video.decoded_frames <= FRAMES
    video = Video(coded(variant), threads=threads)
    assert len(list(video.stream())) == FRAMES
    assert video.decoded_frames == FRAMES


@pytest.mark.parametrize("variant", ["b-frames", "open-gop", "hevc", "vp9", "gif"])
def test_frames_asked_for_one_call_after_the_other_are_decoded_once(coded, variant):
    video = Video(coded(variant), threads=1)
    for i in range(FRAMES):
        assert read_code(video.frames([i]).pixels[0]) == i
    # The first frame is drained, so the second call starts over; from then on the decoder keeps running.
    assert video.decoded_frames <= FRAMES + 1


@pytest.mark.parametrize("variant", ["b-frames", "mpeg4", "mpeg2-ts"])
def test_pictures_that_no_other_refers_to_are_passed_over(coded, variant):
    video = Video(coded(variant), threads=1)
    index = video._source._survey.index
    target = int(np.argmax(index.packet - index.entry))
    video.frames([target])
    assert video.decoded_frames < index.packet[target] - index.entry[target] + 1


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.sets(st.integers(0, FRAMES - 1), min_size=1))
def test_a_plan_covers_the_request_with_disjoint_stretches(coded, wanted):
    index = Video(coded("open-gop"), threads=1)._source._survey.index
    stretches = plan(index, np.array(sorted(wanted)))
    assert [int(i) for stretch in stretches for i in stretch.wanted] == sorted(wanted)
    for stretch in stretches:
        assert (index.entry[stretch.wanted] >= stretch.start).all()
        assert (index.last[stretch.wanted] < stretch.stop).all()
        assert stretch.start in index.packets.keys
    for earlier, later in itertools.pairwise(stretches):
        assert earlier.stop <= later.start


def test_opening_again_reads_nothing(coded, monkeypatch):
    path = coded("b-frames")
    assert len(Video(path)) == FRAMES

    def refuse(*_):
        raise AssertionError("the file was read again")

    monkeypatch.setattr(file_module, "read_packets", refuse)
    assert len(Video(path)) == FRAMES
    with path.open("rb") as stream:
        stream.seek(0)
    path.touch()
    with pytest.raises(AssertionError, match="read again"):
        Video(path)


def test_names_carry_the_files_own_times(coded):
    video = Video(coded("late-start"))
    assert video.refs[3] == FrameRef(3, 7 * 90_000 + 3 * 3600, Fraction(1, 90_000))
    assert video.refs[3].seconds == pytest.approx(7.12)
    assert video.frames([3]).refs == (video.refs[3],)
    assert len(video.refs) == FRAMES
    assert video.refs[-1].index == FRAMES - 1
    assert [ref.index for ref in video.refs[10:13]] == [10, 11, 12]


def test_variable_rate_times_are_kept_and_told(coded):
    video = Video(coded("variable-rate-late"))
    times = variable_times(FRAMES, 5.0)
    assert [ref.seconds for ref in video.refs] == pytest.approx([float(time) for time in times])
    assert video.info.variable_rate
    assert video.info.fps == pytest.approx(47 / float(times[-1] - times[0]), rel=1e-3)
    assert not Video(coded("late-start")).info.variable_rate
    assert Video(coded("late-start")).info.fps == 25


def test_at_gives_the_frame_on_screen(coded):
    video = Video(coded("variable-rate"))
    times = [ref.seconds for ref in video.refs]
    for i, time in enumerate(times):
        assert video.at(time) == i
        if i:
            assert video.at(time - 0.005) == i - 1
    late = Video(coded("late-start"))
    assert late.at(0.0) == 0
    assert late.at(7.059) == 1
    with pytest.raises(VideoError, match="ends at"):
        late.at(60.0)
    with pytest.raises(VideoError, match="ends at"):
        late.at(float("nan"))


@pytest.mark.parametrize(("start", "stop", "step"), [(0, None, 1), (3, 40, 4), (13, 14, 1), (-5, None, 2), (40, 3, 1)])
def test_stream_is_a_slice(coded, start, stop, step):
    codes = [read_code(frame.pixels) for frame in Video(coded("b-frames")).stream(start, stop, step=step)]
    assert codes == list(range(FRAMES))[start:stop:step]


def test_stream_at_a_rate_gives_what_is_on_screen(coded):
    video = Video(coded("variable-rate"), threads=1)
    times = np.array([ref.seconds for ref in video.refs])
    expected = sorted({video.at(float(t)) for t in np.arange(0, video.info.duration_seconds, 0.25)})
    assert [frame.ref.index for frame in video.stream(rate=4)] == expected
    assert [frame.ref.index for frame in video.stream(rate=1000)] == list(range(FRAMES))
    inner = [frame.ref.index for frame in video.stream(10, 20, rate=4)]
    assert inner[0] == 10
    assert (np.diff(times[inner]) > 0.1).all()


def test_an_abandoned_stream_leaves_the_reader_exact(coded):
    video = Video(coded("b-frames"), threads=1)
    for frame in video.stream(step=5):
        if frame.ref.index >= 20:
            break
    assert [read_code(p) for p in video.frames([21, 22, 26, 3]).pixels] == [21, 22, 26, 3]


def test_two_streams_at_once_do_not_disturb_each_other(coded):
    video = Video(coded("open-gop"), threads=1)
    other = video.stream(20)
    for frame in video.stream(0, 20):
        assert read_code(frame.pixels) == frame.ref.index
        ahead = next(other)
        assert read_code(ahead.pixels) == ahead.ref.index == frame.ref.index + 20


def test_a_far_frame_is_sought_not_read_up_to(coded, monkeypatch):
    video = Video(coded("b-frames"), threads=1)
    index = video._source._survey.index
    assert index.entry[-1] > packets_module._NEAR, "reading on is cheaper than a seek"
    read, plain = [], packets_module.PacketReader.read
    monkeypatch.setattr(packets_module.PacketReader, "read", lambda reader: read.append(1) or plain(reader))
    video.frames([len(video) - 1])
    assert len(read) < index.entry[-1]


def test_the_duration_is_of_the_packet_that_is_shown_last(tmp_path):
    def packet(pts, duration, *, hidden=False):
        return SimpleNamespace(
            size=1, pts=pts, dts=pts, pos=pts, is_keyframe=True, is_corrupt=False, is_discard=hidden, duration=duration
        )

    stream = SimpleNamespace(codec_context=SimpleNamespace(name="h264"))
    sent = [packet(0, 1), packet(9, 5), packet(4, 2), packet(12, 7, hidden=True)]
    found = packets_module.read_packets(Medium(tmp_path), SimpleNamespace(demux=lambda _: sent), stream)
    assert found.duration == 5
    assert found.pts.tolist() == [0, 9, 4, 12]
    assert found.shown.tolist() == [True, True, True, False]


@pytest.mark.parametrize("variant", ["b-frames", "rotated-90"])
def test_a_picture_is_freed_when_it_is_let_go(coded, variant):
    gc.collect()
    gc.disable()
    try:
        with Video(coded(variant), threads=1) as video:
            assert sum(1 for _ in video.stream()) == FRAMES
        left = sum(isinstance(held, av.VideoFrame) for held in gc.get_objects())
    finally:
        gc.enable()
    assert left == 0, "decoded pictures wait for the garbage collector"


def test_scaling_keeps_the_picture(coded):
    video = Video(coded("b-frames"))
    small = video.frames([5, 9], size=(80, 60))
    assert small.pixels.shape == (2, 60, 80, 3)
    assert [read_code(p) for p in small.pixels] == [5, 9]
    turned = Video(coded("rotated-90")).frames([5], size=(60, 80))
    assert turned.pixels.shape == (1, 80, 60, 3)
    assert read_code(turned.pixels[0]) == 5


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("rotated-90", {"width": 120, "height": 160, "rotation": 270}),
        ("rotated-180", {"width": 160, "height": 120, "rotation": 180}),
        ("rotated-270", {"width": 120, "height": 160, "rotation": 90}),
        ("odd-size", {"width": 161, "height": 121, "codec": "h264"}),
        ("ten-bit", {"bit_depth": 10, "pixel_format": "yuv420p10le"}),
        ("interlaced-ts", {"interlaced": True, "container": "mpegts"}),
        ("h264-avi", {"container": "avi", "interlaced": False}),
        ("matroska", {"container": "matroska", "duration_seconds": 1.92, "fps": 25}),
        ("b-frames", {"declared_frames": FRAMES, "frames": FRAMES, "kind": "video", "has_audio": False}),
    ],
)
def test_info_describes_the_file(coded, variant, expected):
    info = Video(coded(variant)).info
    assert {name: getattr(info, name) for name in expected} == expected


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotation_gives_the_upright_picture(coded, turns):
    pixels = Video(coded(f"rotated-{90 * turns}")).frames([9]).pixels[0]
    expected = coded_picture(9, (pixels.shape[1], pixels.shape[0]))
    assert np.abs(pixels.astype(int) - expected).mean() < 8


@pytest.mark.parametrize("indices", [[-1], [FRAMES], [0, 99], [], [1.5], [[1]], ["1"]])
def test_frames_that_do_not_exist_are_refused(coded, indices):
    with pytest.raises(VideoError) as caught:
        Video(coded("b-frames")).frames(indices)
    assert str(coded("b-frames")) in str(caught.value)


@pytest.mark.parametrize(
    "arguments", [{"step": 0}, {"step": -1}, {"rate": 0}, {"rate": float("nan")}, {"rate": 2, "step": 2}]
)
def test_impossible_streams_are_refused(coded, arguments):
    with pytest.raises(VideoError, match="cannot be streamed"):
        list(Video(coded("b-frames")).stream(**arguments))


def test_a_video_survives_pickling_and_closing(coded):
    video = Video(coded("b-frames"), threads=1)
    video.frames([4])
    again = pickle.loads(pickle.dumps(video))
    video.close()
    assert read_code(again.frames([7]).pixels[0]) == read_code(video.frames([7]).pixels[0]) == 7


def _code_in_child(video: Video, queue: multiprocessing.Queue) -> None:
    queue.put(read_code(video.frames([30]).pixels[0]))


def test_a_video_works_after_a_fork(coded):
    video = Video(coded("b-frames"), threads=2)
    video.frames([3])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_code_in_child, args=(video, queue))
    child.start()
    assert queue.get(timeout=60) == 30
    child.join(60)
    assert child.exitcode == 0
    assert read_code(video.frames([4]).pixels[0]) == 4


def _collect_in_child(queue: multiprocessing.Queue) -> None:
    gc.collect()
    queue.put("done")


def test_garbage_with_decoder_threads_does_not_hang_a_fork(coded):
    container = av.open(str(coded("b-frames")))
    container.streams.video[0].thread_type = "FRAME"
    container.streams.video[0].codec_context.thread_count = 2
    cycle = [container, next(container.decode(video=0))]
    cycle.append(cycle)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_collect_in_child, args=(queue,))
    gc.disable()
    try:
        del container, cycle
        child.start()
        assert queue.get(timeout=20) == "done"
    finally:
        gc.enable()
        child.kill()
        child.join()


def test_a_changed_file_is_noticed(tmp_path):
    path = write_coded_video(tmp_path / "a.mp4", 30, keyint=5)
    video = Video(path, threads=1)
    write_coded_video(path, 12, keyint=4)
    with pytest.raises(VideoError):
        video.frames([29])


def test_gradual_refresh_has_no_keyframe_to_trust(tmp_path):
    path = write_coded_video(
        tmp_path / "refresh.ts", 60, bframes=0, options={"x264-params": "intra-refresh=1:keyint=12:scenecut=0"}
    )
    whole = [frame.pixels for frame in Video(path, threads=1).stream()]
    for i in (50, 31, 13, 59):
        np.testing.assert_array_equal(Video(path, threads=1).frames([i]).pixels[0], whole[i])


def test_a_recording_cut_out_of_a_longer_one_begins_where_it_can_be_decoded(coded, tmp_path):
    data = coded("open-gop-ts").read_bytes()
    path = tmp_path / "cut.ts"
    tables = data[: 188 * 3]
    path.write_bytes(tables + data[188 * 40 :])
    codes = [read_code(frame.pixels) for frame in Video(path, threads=1).stream()]
    assert codes == list(range(codes[0], FRAMES))
    assert codes[0] > 0
    video = Video(path, threads=1)
    assert read_code(video.frames([len(video) - 3]).pixels[0]) == FRAMES - 3


def test_frames_that_an_edit_list_hides_do_not_count(tmp_path, coded):
    import av

    path = tmp_path / "edited.mp4"
    with av.open(str(coded("b-frames"))) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        shift = 5 * 512
        for packet in source.demux(stream):
            if packet.size:
                packet.pts -= shift
                packet.dts -= shift
                packet.stream = copy
                target.mux(packet)
    video = Video(path, threads=1)
    codes = [read_code(frame.pixels) for frame in video.stream()]
    assert codes == list(range(5, FRAMES))
    assert read_code(video.frames([0]).pixels[0]) == 5


def test_a_path_that_looks_like_a_protocol_is_a_file(tmp_path, monkeypatch):
    write_coded_video(tmp_path / "concat:a.mp4", 5)
    monkeypatch.chdir(tmp_path)
    assert len(Video(Path("concat:a.mp4"))) == 5
