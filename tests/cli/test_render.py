"""``cineloop render`` as a user calls it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from cineloop.timeline.published import write_model_log, write_post_log
from cineloop.video import Video
from program import call
from sounds import sound_of, with_sound
from timelines import made_timeline
from typefaces import make_font
from video_codes import write_coded_video


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("render")
    write_coded_video(folder / "a.mp4", 30, size=(64, 48))
    write_coded_video(folder / "b.mkv", 10, size=(64, 48))
    made_timeline(30).write(folder / "a.parquet")
    return folder


@pytest.fixture
def project(sources, tmp_path):
    """A video and its timeline in a folder of their own."""
    for name in ("a.mp4", "a.parquet"):
        shutil.copy(sources / name, tmp_path)
    return tmp_path


def states_only(frames, **options):
    """Return a timeline without probabilities, which is soon drawn."""
    return replace(made_timeline(frames, **options), scores={})


def refused(project, *words):
    before = sorted(project.rglob("*"))
    done = call("render", *words, cwd=project)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(project.rglob("*")) == before
    return done.stderr


def test_what_a_new_filter_cannot_make_is_told(project):
    plain = made_timeline(30)
    results = {"course": plain.signals["bbps"], **plain.signals}
    replace(plain, filtered=results).write(project / "b.parquet")
    for words in (("b.parquet", "a.mp4"), ("b.parquet", "--plot", "b.svg")):
        done = call("render", *words, "--filter", "causal", cwd=project)
        assert (done.returncode, "left out: course" in done.stderr) == (0, True), done.stderr
    (project / "a-rendered.mp4").unlink()
    assert "left out" not in call("render", "b.parquet", "a.mp4", cwd=project).stderr


def test_a_video_and_a_plot(project):
    done = call("render", "a.parquet", "a.mp4", "--plot", "a.svg", "--language", "zh", cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "video  a-rendered.mp4  30 frames\nplot   a.svg\n"
    assert len(Video(project / "a-rendered.mp4")) == 30
    assert "回盲部" in (project / "a.svg").read_text(encoding="utf-8")
    again = refused(project, "a.parquet", "a.mp4")
    assert "a-rendered.mp4" in again
    assert "already there" in again


def test_a_plot_alone_needs_no_video(project):
    done = call("render", "a.parquet", "--plot", "a.svg", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"video": None, "plot": "a.svg", "notes": []}
    ElementTree.fromstring((project / "a.svg").read_text())
    assert "No video is named" in refused(project, "a.parquet")


def test_published_logs_are_shown(project):
    write_model_log(made_timeline(30), project / "a_model_pred.json")
    write_post_log(made_timeline(33), project / "a_post_label.json")
    words = ("--layout", "upstream", "--filter", "published", "--kernels", "5,3,3,3", "--json")
    done = call("render", "a_model_pred.json", "a.mp4", *words, cwd=project)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["video"] == {
        "path": "a-rendered.mp4",
        "frames": 30,
        "notes": [],
        "lost": [],
    }
    done = call("render", "a_post_label.json", "a.mp4", "--layout", "upstream", "--out", "b.mp4", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "note: the timeline has 33 frames and the video 30: the first 30 are shown" in done.stderr
    assert "33 frames" in refused(project, "a_post_label.json", "a.mp4", "--out", "c.mp4")
    assert "no times" in refused(project, "a_post_label.json", "--plot", "p.svg")
    assert "no raw signals" in refused(project, "a_post_label.json", "a.mp4", "--filter", "causal", "--out", "c.mp4")


def test_filters_change_what_is_shown(project):
    states_only(30, filtered=False).write(project / "raw.csv")
    plots = {}
    for name, words in {
        "as it is": (),
        "causal": ("--filter", "causal"),
        "published": ("--filter", "published"),
        "small": ("--kernels", "3 3 3 3"),
        "none": ("--filter", "none"),
    }.items():
        done = call("render", "raw.csv", "--plot", f"{name}.svg", *words, cwd=project)
        assert done.returncode == 0, done.stderr
        plots[name] = (project / f"{name}.svg").read_bytes()
    assert plots["as it is"] == plots["none"]
    assert len(set(plots.values())) == 4


def test_folders_are_matched_by_name_and_gone_on_with(project, sources):
    for name in ("p1/x", "p1/y", "p2/x"):
        (project / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        states_only(10).write(project / "t" / f"{name}.csv")
    for name in ("p1/x", "p2/x", "p2/z"):
        (project / "v" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources / "b.mkv", project / "v" / f"{name}.mkv")
    done = call("render", "t", "v", "--plot", "plots", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "no video for the timeline p1/y" in done.stderr
    assert "no timeline for the video p2/z" in done.stderr
    made = sorted(path.relative_to(project).as_posix() for path in project.glob("rendered/**/*.mp4"))
    assert made == ["rendered/p1/x.mp4", "rendered/p2/x.mp4"]
    assert len(list(project.glob("plots/p*/x.png"))) == 2
    (project / "rendered/p2/x.mp4").unlink()
    before = (project / "rendered/p1/x.mp4").stat().st_mtime_ns
    again = call("render", "t", "v", "--json", cwd=project)
    assert again.returncode == 0, again.stderr
    answer = json.loads(again.stdout)
    assert [one["path"] for one in answer["videos"]] == ["rendered/p2/x.mp4"]
    assert answer["kept"] == ["rendered/p1/x.mp4"]
    assert answer["timelines_without_video"] == ["p1/y"]
    assert (project / "rendered/p1/x.mp4").stat().st_mtime_ns == before


def test_what_cannot_be_rendered_stops_or_is_listed(project, sources):
    for name in ("bad", "good"):
        (project / "t").mkdir(exist_ok=True)
        made_timeline(10).write(project / "t" / f"{name}.csv")
    (project / "v").mkdir()
    (project / "v" / "bad.mp4").write_text("no video")
    shutil.copy(sources / "b.mkv", project / "v" / "good.mkv")
    assert "bad.mp4" in refused(project, "t", "v")
    done = call("render", "t", "v", "--skip-errors", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "skipped bad" in done.stderr
    assert done.stdout == "video  rendered/good.mp4  10 frames\n"


def test_a_broken_middle_stops_or_is_reported_and_survived(project, sources):
    data = bytearray((sources / "a.mp4").read_bytes())
    middle = len(data) // 3
    data[middle : middle + 200] = bytes(200)
    (project / "a.mp4").write_bytes(data)
    message = refused(project, "a.parquet", "a.mp4")
    assert re.search(r"Frame \d+ cannot be decoded", message)
    assert "where: a.mp4" in message
    assert "--skip-errors" in message
    done = call("render", "a.parquet", "a.mp4", "--skip-errors", cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "video  a-rendered.mp4  30 frames\n"
    told = re.search(
        r"note: (\d+) of 30 frames cannot be decoded .* (\d+) to (\d+), ([\d.]+) s to ([\d.]+) s", done.stderr
    )
    count, first, last = (int(number) for number in told.groups()[:3])
    assert 0 < count == last - first + 1 < 30
    assert [float(one) for one in told.groups()[3:]] == pytest.approx([first / 25, (last + 1) / 25])
    for name in ("t", "v"):
        (project / name).mkdir()
    (project / "a.parquet").rename(project / "t" / "a.parquet")
    (project / "a.mp4").rename(project / "v" / "a.mp4")
    answer = json.loads(call("render", "t", "v", "--skip-errors", "--json", cwd=project).stdout)
    assert [(one["start"], one["stop"]) for one in answer["videos"][0]["lost"]] == [(first, last + 1)]
    assert answer["failed"] == []


def test_sound_is_copied_or_refused_where_it_is_asked_for(project):
    heard = with_sound(project / "a.mp4", project / "heard.mp4")
    done = call("render", "a.parquet", "heard.mp4", "--audio", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    assert sound_of(project / "heard-rendered.mp4") == sound_of(heard)
    with_sound(project / "a.mp4", project / "b.mov", codec="pcm_u8")
    message = refused(project, "a.parquet", "b.mov", "--audio")
    assert "The sound is pcm_u8, which .mp4 cannot hold without encoding it anew" in message
    assert "voices identify people" in " ".join(call("render", "--help").stdout.split())


def test_names_in_other_scripts_are_drawn_with_a_font_of_ones_own(project):
    timeline = states_only(30)
    replace(timeline, signals={"息肉": timeline.signals["outside"]}, filtered={}).write(project / "own.parquet")
    make_font(project / "own.ttf", "息肉")
    done = call("render", "own.parquet", "a.mp4", "--plot", "own.png", "--font", "own.ttf", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "note" not in done.stderr
    assert "findfont" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("absent.csv", "a.mp4"), "absent.csv"),
        (("a.parquet", "absent.mp4"), "absent.mp4"),
        (("a.mp4", "a.parquet"), "A timeline is no .mp4"),
        (("a.parquet", "a.mp4", "--layout", "left"), "strip, corner, upstream"),
        (("a.parquet", "a.mp4", "--language", "fr"), "en, zh"),
        (("a.parquet", "a.mp4", "--filter", "mean"), "published, causal, none"),
        (("a.parquet", "a.mp4", "--kernels", "3,x"), "Not kernels"),
        (("a.parquet", "a.mp4", "--kernels", "3,3"), "4 whole numbers"),
        (("a.parquet", "a.mp4", "--kernels", "3,3,3,3", "--filter", "none"), "none is asked for"),
        (("a.parquet", "a.mp4", "--out", "a.gif"), "not written as .gif"),
        (("a.parquet", "a.mp4", "--out", "a.mp4"), "already there"),
        (("a.parquet", "a.mp4", "--plot", "a.txt"), "not written as .txt"),
        (("a.parquet", "--plot", "b.svg", "--font", "absent.ttf"), "no such font"),
        (("a.parquet", "--plot", "b.svg", "--font", "a.mp4"), "no font that can be drawn with"),
        (("a.parquet", "--plot", "a.svg", "--audio"), "A plot alone has no sound"),
        (("a.parquet", "--plot", "a.svg", "--skip-errors"), "A plot alone decodes no frame"),
        ((".", "a.mp4"), "two folders"),
        ((".", ".", "--out", "."), "names of the recordings"),
        ((".",), "No video is named"),
    ],
)
def test_mistakes_are_one_message(project, words, told):
    assert told in refused(project, *words)


def test_folders_without_partners_are_refused(project):
    (project / "v").mkdir()
    (project / "v" / "other.mp4").write_text("")
    message = refused(project, ".", "v")
    assert "No timeline and no video have the same name: timelines a; videos other" in message
