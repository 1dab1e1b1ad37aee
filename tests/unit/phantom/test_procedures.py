"""Phantom procedures: deterministic, patient-disjoint, true to their pixels, and read back like any other folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

from cineloop import phantom
from cineloop.cohort import Cohort
from cineloop.errors import CohortError
from cineloop.phantom.procedures import writer
from cineloop.phantom.procedures.film import VISIBLE, Film, plan, states
from cineloop.phantom.procedures.roster import roster
from cineloop.phantom.procedures.script import PHASES
from cineloop.phantom.procedures.tables import landmark_lost
from cineloop.timeline.quality import STATES, code_of
from cineloop.video import Video

CONFIG = phantom.ProcedureConfig(
    train=2, val=1, test=1, height=64, seconds=(20, 24), rates=(4,), stills=("uihnj", "inbody-tree")
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return phantom.write(tmp_path_factory.mktemp("procedures") / "out", CONFIG, workers=1)


@pytest.fixture(scope="module")
def truth(written):
    return pl.read_parquet(written / "truth.parquet")


@pytest.fixture(scope="module")
def filmed():
    """A whole procedure with its frames in memory."""
    film = Film(CONFIG, roster(CONFIG)[0])
    chunks = list(film.chunks())
    join = {name: np.concatenate([getattr(one, name) for one in chunks]) for name in ("frames", "landmark", "residue")}
    return film, chunks, join


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet")
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_pixels_and_truth_follow_from_the_seed(filmed):
    _, chunks, _ = filmed
    again = next(Film(CONFIG, roster(CONFIG)[0]).chunks())
    assert np.array_equal(again.frames, chunks[0].frames)
    assert np.array_equal(again.residue, chunks[0].residue)
    other = CONFIG.model_copy(update={"seed": 1})
    different = next(Film(other, roster(other)[0]).chunks()).frames
    assert different.shape != again.frames.shape or not np.array_equal(different, again.frames)


def test_chunks_are_bounded_and_in_order(filmed):
    film, chunks, join = filmed
    assert max(len(chunk.frames) for chunk in chunks) <= 32
    assert [chunk.first for chunk in chunks] == np.cumsum([0, *(len(chunk.frames) for chunk in chunks)])[:-1].tolist()
    assert len(join["frames"]) == len(film.plan.script)


def test_states_are_legal_and_follow_from_what_is_measured(truth):
    assert set(truth["state"]) <= set(STATES)
    for row in truth.iter_rows(named=True):
        outside = row["phase"] == "outside"
        assert (row["state"] == "outside") == outside
        assert (row["segment"] is None) == (row["depth"] is None) == outside
        if row["state"] in ("outside", "nonsense"):
            continue
        code = code_of(row["state"])
        assert code[2] == (row["landmark"] >= 0.06)
        # The bands of the score, written out once more.
        score = 3 if row["residue"] < 0.06 else 2 if row["residue"] < 0.18 else 1 if row["residue"] < 0.33 else 0
        assert code[3 + score] == 1


def test_truth_has_a_row_a_frame(written, truth):
    for (name,), rows in truth.group_by("procedure"):
        with Video(written / "videos" / name.split("_")[0] / f"{name}.mp4") as video:
            assert rows["frame"].sort().to_list() == list(range(len(video)))
            seconds = [float(ref.seconds) for ref in video.refs]
        assert rows.sort("frame")["seconds"].to_list() == pytest.approx(seconds)


def test_shares_are_those_of_the_pixels(filmed):
    """What is painted where residue lies, and only there, is what the truth counts."""
    film, _, join = filmed
    script = film.plan.script
    frames = np.flatnonzero((script.scene < 0) & (film.plan.course.spell < 0))[::9]
    assert len(frames) > 3
    wall = film._gut.wall
    seen = wall.words.view(np.uint8).reshape(-1, 8).copy()
    residue = (seen[:, 6] & 4) > 0
    # No light but the surface's own, which is white on residue and black elsewhere.
    seen[:, 1], seen[:, 5] = np.where(residue, 255, 0), 0
    painted = replace(wall, words=seen.reshape(-1).view(np.uint64))
    film._gut = replace(film._gut, wall=painted)
    try:
        for frame in frames:
            _, view = film._inside(np.array([frame]))
            lit = painted.look_up(view.texel)[0, :, 1].reshape(film._shown.shape)[film._shown] > 0
            assert lit.mean() == pytest.approx(join["residue"][frame], abs=1e-6)
    finally:
        film._gut = replace(film._gut, wall=wall)


def test_the_landmark_is_seen_at_the_caecum_only(truth):
    seen = truth.filter(pl.col("landmark") > 0)
    assert len(seen) > 0
    lengths = {f"{one.name}_p1": plan(CONFIG, one).anatomy.length for one in roster(CONFIG)}
    for name, depth in seen.select("procedure", "depth").iter_rows():
        assert lengths[name] - depth < 8.5


def test_trouble_changes_the_picture(filmed):
    """Blur and contact leave less fine structure than readable frames have; bubbles and fluid cover the frame."""
    film, _, join = filmed
    hidden = film.plan.course.unreadable()
    grey = join["frames"].astype(float).mean(-1)[:, 8:-8, 8:-8]
    fine = np.abs(np.diff(grey, axis=1)).mean((1, 2))
    readable = fine[(film.plan.script.scene < 0) & (film.plan.course.spell < 0)]
    soft = fine[hidden & np.isin(film.plan.course.kind, (1, 2))]
    assert hidden.any()
    assert len(soft) == 0 or soft.max() < np.median(readable)


def test_the_course_of_a_procedure():
    config = phantom.ProcedureConfig(train=40, val=0, test=0)
    plans = [plan(config, one) for one in roster(config)]
    reached = np.mean([one.script.reached for one in plans])
    assert 0.7 <= reached <= 0.97
    for one in plans:
        script = one.script
        inside = script.scene >= 0
        assert np.isnan(script.depth[inside]).all()
        assert (script.depth[~inside] >= 0).all()
        assert (script.depth[~inside] < one.anatomy.length).all()
        assert not one.course.unreadable()[inside].any()
        caecum = np.flatnonzero(script.phase == PHASES.index("caecum"))
        assert script.reached == bool(len(caecum))
        withdrawal = script.withdrawal()
        assert (withdrawal is None) == (not script.reached)
        if withdrawal is not None:
            assert script.main[0] <= caecum[0] < caecum[-1] < withdrawal[0] + 1
            assert withdrawal[0] <= withdrawal[1] <= len(script)
    share = np.mean(np.concatenate([one.course.unreadable()[one.script.scene < 0] for one in plans]))
    assert share == pytest.approx(config.trouble, abs=0.06)


def test_the_landmark_is_lost_after_the_scope_has_begun_to_leave():
    config = phantom.ProcedureConfig(train=10, val=0, test=0, rates=(4,))
    planned = next(one for one in (plan(config, who) for who in roster(config)) if one.script.reached)
    first = planned.script.withdrawal()[0]
    landmark = np.full(len(planned.script), VISIBLE)
    landmark[first:] = 0
    assert landmark_lost(planned, landmark) == first
    landmark[first + 2 : first + 8] = VISIBLE
    assert landmark_lost(planned, landmark) == first + 8
    # Out of view for a second and a frame: what is seen then is a glimpse.
    landmark[first + 13] = VISIBLE
    assert landmark_lost(planned, landmark) == first + 8
    landmark[first + 12] = VISIBLE
    assert landmark_lost(planned, landmark) == first + 14
    astray = next(one for one in (plan(config, who) for who in roster(config)) if not one.script.reached)
    assert landmark_lost(astray, np.zeros(len(astray.script))) is None


def test_the_table_tells_when_the_landmark_is_lost(written, truth):
    table = pl.read_csv(written / "procedures.csv")
    reached = table.filter(pl.col("caecum_reached"))
    assert len(reached)
    for row in reached.iter_rows(named=True):
        frames = truth.filter(pl.col("procedure") == row["procedure"]).sort("frame")
        seen = frames.filter((pl.col("seconds") >= row["withdrawal_start"]) & (pl.col("landmark") >= VISIBLE))[
            "seconds"
        ]
        lost = row["withdrawal_start"]
        for second in seen.to_list():
            if second - lost > 1:
                break
            lost = second + 1 / row["rate"]
        assert row["landmark_lost"] == pytest.approx(lost)
    assert table.filter(~pl.col("caecum_reached"))["landmark_lost"].null_count() == len(table) - len(reached)


def test_a_textbook_procedure_goes_in_once_and_out_once():
    config = phantom.preset("textbook")
    for one in roster(config)[:20]:
        script = plan(config, one).script
        runs = script.phase[np.flatnonzero(np.diff(script.phase, prepend=-1))].tolist()
        assert runs == [PHASES.index(name) for name in ("outside", "insertion", "caecum", "withdrawal", "outside")]
        assert script.main[1] == np.flatnonzero(script.phase != 0)[-1] + 1


def test_classes_and_splits_are_dealt_evenly(truth):
    people = roster(phantom.preset("procedures"))
    numbers = np.array([one.number for one in people])
    training = np.array([one.split == "train" for one in people])
    assert {split: sum(one.split == split for one in people) for split in ("train", "val", "test")} == {
        "train": 240,
        "val": 24,
        "test": 60,
    }
    assert abs(np.corrcoef(numbers, training)[0, 1]) < 0.2


def test_frames_read_back_as_an_ordinary_cohort(written, truth):
    index = pl.read_csv(written / "frames.csv")
    assert index.columns == ["path", "frame", "label", "body", "patient", "procedure", "split"]
    known = dict(zip(truth.select("procedure", "frame").rows(), truth["state"], strict=True))
    for column in ("label", "body"):
        cohort = Cohort.read(format="table", root=written, path="frames.csv", columns={"label": column})
        items = {(item.media, item.start): item for item in cohort.items_of()}
        assert len(items) == len(index)
        for row in index.iter_rows(named=True):
            item = items[row["path"], row["frame"]]
            state = known[row["procedure"], row["frame"]]
            assert (item.patient, item.procedure, item.stop) == (row["patient"], row["procedure"], row["frame"] + 1)
            assert item.label == (state if column == "label" else "out_of_body" if state == "outside" else "in_body")
        patients = {split: {item.patient for item in cohort.items_of(split)} for split in cohort.split_names}
        assert {split: len(found) for split, found in patients.items()} == {"train": 2, "val": 1, "test": 1}
        assert not patients["train"] & patients["test"] | patients["train"] & patients["val"]


def test_listed_frames_are_keyframes_at_an_even_pace(written):
    index = pl.read_csv(written / "frames.csv")
    for (path,), rows in index.group_by("path"):
        with Video(written / path) as video:
            assert np.diff(rows["frame"].sort()).tolist() == [4] * (len(rows) - 1)
            keyframes = set(video.keyframes)
        assert set(rows["frame"]) <= keyframes


def test_stills_are_the_frames_in_published_layouts(written, truth):
    known = dict(zip(truth.select("procedure", "frame").rows(), truth["state"], strict=True))
    index = pl.read_csv(written / "frames.csv")
    cohort = Cohort.read(format="uihnj", root=written / "UIHNJMuLv3Split", patient={"regex": r"(P\d+)_"})
    assert len(cohort.items_of()) == len(index)
    raw = json.loads((written / "UIHNJMuLv3Split" / "fold_train_validation_test.json").read_text())
    assert list(raw) == ["code", "idmap", "train", "validation", "test"]
    for item in cohort.items_of():
        procedure, frame = item.path.stem.rsplit("_", 1)
        assert item.label == known[procedure, int(frame)]
    tree = Cohort.read(format="inbody-tree", root=written / "inbody-tree", patient={"regex": r"(P\d+)_"})
    assert {(item.path.stem, item.label) for item in tree.items_of()} == {
        (f"{row['procedure']}_{row['frame']:06}", row["body"]) for row in index.iter_rows(named=True)
    }
    labels = pl.read_csv(written / "inbody-tree" / "labels.csv")
    assert all((written / "inbody-tree" / path).is_file() for path in labels["path"])
    item = tree.items_of()[0]
    procedure, frame = item.path.stem.rsplit("_", 1)
    with Video(written / "videos" / item.patient / f"{procedure}.mp4") as video:
        decoded = video.frames([int(frame)]).pixels[0].astype(float)
    assert np.abs(decoded - np.asarray(Image.open(item.path))).mean() < 8


def test_an_interrupted_phantom_goes_on(written, tmp_path, monkeypatch):
    done = []

    def fail_later(task):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        writer._write_patient(*task)

    monkeypatch.setattr(writer, "_work", fail_later)
    with pytest.raises(KeyboardInterrupt):
        phantom.write(tmp_path / "out", CONFIG, workers=1)
    assert not (tmp_path / "out" / "phantom.json").exists()
    monkeypatch.undo()
    phantom.write(tmp_path / "out", CONFIG, workers=1)
    assert digest(tmp_path / "out") == digest(written)
    assert pl.read_parquet(tmp_path / "out" / "truth.parquet").equals(pl.read_parquet(written / "truth.parquet"))


def test_nothing_is_overwritten(written, tmp_path):
    before = digest(written)
    assert phantom.write(written, CONFIG) == written
    with pytest.raises(CohortError, match="another description"):
        phantom.write(written, CONFIG.model_copy(update={"seed": 5}))
    with pytest.raises(CohortError, match="another description"):
        phantom.write(written, phantom.PhantomConfig())
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CohortError, match="not empty"):
        phantom.write(tmp_path, CONFIG)
    assert digest(written) == before


def test_any_rate_is_filmed():
    config = CONFIG.model_copy(update={"rates": (25,)})
    film = Film(config, roster(config)[0])
    assert film.plan.script.rate == 25
    assert len(film.plan.script) >= 20 * 25
    first = next(film.chunks())
    assert first.frames.dtype == np.uint8


def test_states_need_no_pixels():
    one = plan(CONFIG, roster(CONFIG)[0])
    zeros = np.zeros(len(one.script), dtype=np.float32)
    assert {state for state in states(one, zeros, zeros) if state not in ("outside", "nonsense")} == {"bbps3"}
