"""``--privacy-audit``: labelled tables in, what blanking would leave out."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import cineloop
from cineloop.analysis import passing
from cineloop.analysis.privacy.labelled import read_labelled
from cineloop.api import audit_privacy
from cineloop.errors import CineloopError, ModelError, PrivacyError, VideoError
from cineloop.video.recording import Recording
from frame_models import frame_weights
from moving_clips import clip, surface, write
from program import cineloop as program

FPS = 10
LIGHT = {"padding": 0.1, "least_inside": 0.0, "outside_picture": False, "find_text": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two procedures: one of two files, one of one."""
    folder = tmp_path_factory.mktemp("labelled")
    for number, name in enumerate(("Mueller-1.mkv", "Mueller-2.mkv", "b.mkv")):
        write(folder / name, clip(surface(number), number, frames=60, size=(96, 80)), fps=FPS, codec="ffv1")
    return folder


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return frame_weights(
        tmp_path_factory.mktemp("gate") / "gate.safetensors",
        img_size=32,
        widths=(8, 8, 16, 16),
        labels="exclusive",
        positive="out_of_body",
    )


def table(folder, rows, *, name="labels.csv", columns=("path", "frame", "outside", "procedure", "patient")):
    text = "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)])
    path = folder / name
    path.write_text(text + "\n")
    return path


def usual(folder, name="labels.csv"):
    rows = [(f"Mueller-{part}.mkv", frame, int(part == 2), "Mueller", "p1") for part in (1, 2) for frame in range(60)]
    rows += [("b.mkv", frame, int(frame < 30), "b", "p2") for frame in range(60)]
    return table(folder, rows, name=name)


def test_parts_follow_each_other_on_one_clock(folder):
    (first, second), notes = read_labelled(usual(folder))
    assert notes == ()
    assert [path.name for path in first.paths] == ["Mueller-1.mkv", "Mueller-2.mkv"]
    assert (first.name, first.patient, second.patient) == ("Mueller", "p1", "p2")
    with Recording(first.paths) as recording:
        seconds, outside = first.on_clock(recording)
    np.testing.assert_allclose(seconds, np.arange(120) / FPS, atol=1e-6)
    assert outside.tolist() == [False] * 60 + [True] * 60


def test_seconds_and_other_orders_say_the_same(folder):
    rows = [("b.mkv", 3.0, "outside"), ("b.mkv", 0.5, "in body"), ("b.mkv", 1.5, "Out-Of-Body"), ("b.mkv", 4, "bbps2")]
    ((found,), _) = read_labelled(table(folder, rows, name="s.csv", columns=("video", "seconds", "label")))
    with Recording(found.paths) as recording:
        seconds, outside = found.on_clock(recording)
    assert seconds.tolist() == [0.5, 1.5, 3.0, 4.0]
    assert outside.tolist() == [False, True, True, False]
    assert (found.name, found.patient) == ("b.mkv", None)


def test_only_the_test_split_is_used_and_this_is_told(folder):
    rows = [("b.mkv", 0, 1, "test"), ("b.mkv", 5, 0, "test"), ("Mueller-1.mkv", 0, 1, "train")]
    found, notes = read_labelled(table(folder, rows, name="t.csv", columns=("path", "frame", "outside", "split")))
    assert [each.name for each in found] == ["b.mkv"]
    assert "2 of 3 rows" in notes[0]


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        (("path", "frame", "body"), [("b.mkv", 0, "outsid")], "'outsid'"),
        (("path", "frame", "label"), [("b.mkv", 0, 1)], "'1'"),
        (("path", "frame", "outside"), [("b.mkv", -1, 1)], "'-1'"),
        (("path", "frame", "outside"), [("b.mkv", "x", 1)], "'x'"),
        (("path", "frame", "outside"), [("b.mkv", "", 1)], "nothing in the column 'frame'"),
        (("path", "outside"), [("b.mkv", 1)], "'seconds' or 'frame'"),
        (("file", "frame", "kind"), [("b.mkv", 0, 1)], "'outside'"),
        (("path", "frame", "outside"), [], "no row"),
        (
            ("path", "frame", "outside", "procedure", "patient"),
            [("b.mkv", 0, 1, "b", "p1"), ("b.mkv", 1, 1, "b", "p2")],
            "patients p1 and p2",
        ),
    ],
)
def test_what_is_not_understood_is_refused_and_nothing_is_guessed(tmp_path, columns, rows, told):
    with pytest.raises(PrivacyError, match=told):
        read_labelled(table(tmp_path, rows, columns=columns))


@pytest.mark.parametrize(("column", "value"), [("frame", 60), ("seconds", 6.0)])
def test_a_row_after_the_end_of_its_file_is_refused(folder, column, value):
    ((found,), _) = read_labelled(
        table(folder, [("b.mkv", value, 1)], name="end.csv", columns=("path", column, "outside"))
    )
    with Recording(found.paths) as recording, pytest.raises(VideoError, match="the file has"):
        found.on_clock(recording)


def test_it_tells_what_deidentification_leaves(tmp_path, folder, gate):
    """The frames that the audit calls left are those that the written video has left."""
    done = audit_privacy(usual(folder), inbody=gate, out=tmp_path / "audit", privacy=LIGHT, plain_names=True)
    sources = {"Mueller": [folder / "Mueller-1.mkv", folder / "Mueller-2.mkv"], "b": [folder / "b.mkv"]}
    truth = {each.name: each.outside for each in read_labelled(usual(folder))[0]}
    for each in done.audit.procedures:
        out = tmp_path / each.name
        cineloop.analyze(sources[each.name], inbody=gate, out=out, privacy=LIGHT)
        blanked = np.zeros(len(truth[each.name]), dtype=bool)
        for row in pl.read_csv(out / "audit.csv").filter(pl.col("first_frame").is_not_null()).iter_rows(named=True):
            first = 60 * row["part"]
            blanked[first + row["first_frame"] : first + row["last_frame"] + 1] = True
        assert each.missed_rows == (truth[each.name] & ~blanked).sum()
        assert blanked.sum() > 0
    assert json.loads((tmp_path / "audit" / "privacy_audit.json").read_text())["procedures"][1]["name"] == "b"
    assert {path.name for path in done.folder.iterdir()} == {"privacy_audit.json", "privacy_audit.html"}


def test_an_audit_says_of_which_model_it_is_and_a_listener_of_which_procedure(tmp_path, folder, gate):
    told = []

    class Listener:
        def start(self, total, label):
            told.append(label)

        def advance(self, n=1, **fields):
            pass

        def close(self):
            pass

    out = tmp_path / "audit"
    audit_privacy(usual(folder), inbody=gate, out=out, privacy=LIGHT, plain_names=True, progress=Listener())
    assert {label.split(":")[0] for label in told} == {"1/2 Mueller", "2/2 b"}
    content, html = json.loads((out / "privacy_audit.json").read_text()), (out / "privacy_audit.html").read_text()
    assert content["model"]["architecture"] == "resnet10-csra"
    assert content["model"]["thresholds"] == {"out_of_body": 0.5}
    assert content["model"]["tuned"] is False
    assert content["software"] == {"cineloop": cineloop.__version__}
    for said in (
        "resnet10-csra",
        content["model"]["weights_sha256"],
        "out_of_body ≥ 0.5, untuned",
        content["made"][:10],
    ):
        assert said in html, said
    assert any("untuned" in text for text in content["notes"])


def test_files_that_are_not_there_are_missed_before_any_is_looked_at(tmp_path, folder, gate):
    rows = [(name, 0, 1, name, "p") for name in ("b.mkv", "c.mkv")]
    with pytest.raises(PrivacyError, match="1 of the table's files"):
        audit_privacy(table(folder, rows, name="gone.csv"), inbody=gate, out=tmp_path / "audit")
    assert not (tmp_path / "audit").exists()


def test_what_a_model_learned_from_is_said_or_that_it_is_not_known(tmp_path, folder, gate):
    done = audit_privacy(usual(folder), inbody=gate, out=tmp_path / "audit")
    assert any("cannot be checked" in note for note in done.notes)


def test_names_stand_in_no_output_unless_asked_for(tmp_path, folder, gate):
    done = audit_privacy(usual(folder), inbody=gate, out=tmp_path / "audit")
    assert not any(b"Mueller" in path.read_bytes() for path in done.folder.iterdir())


def test_an_interrupted_audit_goes_on(tmp_path, folder, gate, monkeypatch):
    whole = audit_privacy(usual(folder), inbody=gate, out=tmp_path / "whole").audit
    written, original = [], passing.Store.write

    def failing(self, span, arrays):
        if len(written) == 1:
            raise KeyboardInterrupt
        original(self, span, arrays)
        written.append(self.folder)

    monkeypatch.setattr(passing.Store, "write", failing)
    with pytest.raises(KeyboardInterrupt):
        audit_privacy(usual(folder), inbody=gate, out=tmp_path / "cut")
    assert len(written) == 1

    def counting(self, span, arrays):
        original(self, span, arrays)
        written.append(self.folder)

    monkeypatch.setattr(passing.Store, "write", counting)
    assert audit_privacy(usual(folder), inbody=gate, out=tmp_path / "cut").audit == whole
    assert len(written) == 2


def test_another_folder_and_no_model_are_refused(tmp_path, folder, gate):
    with pytest.raises(ModelError, match="No model"):
        audit_privacy(usual(folder), out=tmp_path / "audit")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(CineloopError, match="not empty"):
        audit_privacy(usual(folder), inbody=gate, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").exists()


def test_the_command_prints_and_refuses(tmp_path, folder, gate):
    labels = usual(folder)
    done = program("analyze", "--privacy-audit", labels, "--inbody", gate.path, "--out", "audit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "procedures with any" in done.stdout
    assert "privacy_audit.html" in done.stdout
    for words in ([folder / "b.mkv", "--privacy-audit", labels], ["--inbody", gate.path]):
        refused = program("analyze", *words, cwd=tmp_path)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
