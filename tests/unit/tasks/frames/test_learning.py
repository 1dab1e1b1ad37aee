"""A frame classifier from the recipe to the answer."""

from __future__ import annotations

import json

import numpy as np
import pytest

import cineloop
from cineloop import runs
from cineloop.cohort import Cohort
from cineloop.errors import CineloopError, CohortError, ModelError, RecipeError
from cineloop.schema import merge
from cineloop.tasks.frame_classification.learner import FrameLearner
from cineloop.tasks.recipe import load_recipe
from tiny_frames import STATES, frame_recipe, write_index
from video_codes import write_coded_video


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return write_index(tmp_path_factory.mktemp("index"))


@pytest.fixture(scope="module")
def run(tmp_path_factory, index):
    plain = frame_recipe(index, epochs=6, keep={"best": ["label_cleansing_acc_nothresh"]})
    plain["evaluate"]["published"] = True
    return cineloop.train(plain, out=tmp_path_factory.mktemp("runs") / "run")


def learner(index, **changes):
    recipe = load_recipe(merge(frame_recipe(index), changes))
    return FrameLearner(recipe, Cohort.read(recipe.data))


def test_it_learns_what_the_colours_tell(run):
    validated = [line for line in runs.read_lines(run.metrics_file) if "val_quality" in line]
    assert validated[-1]["val_outside_auroc"] > 0.9
    assert {"val_thresh_mean_acc", "val_label_outside_acc", "val_bbps_quadratic_kappa"} <= validated[-1].keys()
    assert (run.checkpoints / "best-label_cleansing_acc_nothresh.safetensors").exists()


def test_an_evaluation_answers_each_question_in_a_folder_of_its_own(run):
    folder = next((run.path / "evaluation").glob("*/test"))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert list(metrics["questions"]) == ["outside", "nonsense", "ileocecal", "bbps"]
    assert metrics["classes"][0]["name"] == "outside"
    for name in metrics["questions"]:
        assert (folder / name / "report.html").exists()
        assert f'href="{name}/report.html"' in (folder / "report.html").read_text()
    assert metrics["questions"]["outside"]["threshold"]["tuned"]
    assert set(metrics["published"]) >= {"label_outside_acc", "label_cleansing_acc", "label_ileocecal_prec"}


def test_predictions_are_decided_at_the_thresholds_of_the_evaluation(run, index):
    folder = next((run.path / "evaluation").glob("*/test"))
    questions = json.loads((folder / "metrics.json").read_text())["questions"]
    thresholds = {name: questions[name]["threshold"]["value"] for name in ("outside", "nonsense", "ileocecal")}
    result = cineloop.predict(run.path, [index / "P011"], stills=True)
    assert dict(result.context.decision.questions) == pytest.approx(thresholds)
    assert result.classes == ("outside", "nonsense", "ileocecal", "bbps0", "bbps1", "bbps2", "bbps3")
    for row in result.rows:
        assert (row.label == "outside") == (row.probabilities[0] >= thresholds["outside"])


def test_a_video_becomes_frames_and_a_timeline(run, tmp_path):
    video = write_coded_video(tmp_path / "v.mp4", 50)
    result = cineloop.predict(run.path, [video], rate=5, timelines=tmp_path / "lines", published=None)
    assert [row.frames for row in result.rows] == [(index,) for index in (0, 5, 10, 15, 20, 25, 30, 35, 40, 45)]
    assert result.rows[1].id == "v.mp4#5"
    assert result.rows[1].seconds == pytest.approx((0.2,))
    from cineloop.timeline.storage import read_timeline

    timeline = read_timeline(tmp_path / "lines" / "v.parquet")
    assert timeline.frames.tolist() == [row.frames[0] for row in result.rows]
    np.testing.assert_allclose(timeline.scores["bbps2"], [row.probabilities[5] for row in result.rows], atol=1e-6)
    assert set(timeline.filtered) == {"outside", "nonsense", "ileocecal", "bbps"}


def test_the_published_files_have_names_that_do_not_collide(run, index, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        write_coded_video(tmp_path / "in" / name / "same.mp4", 6)
    cineloop.predict(run.path, [tmp_path / "in"], published=tmp_path / "out")
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.json")) == [
        f"{name}/same_{ending}.json" for name in "ab" for ending in ("model_pred", "post_label")
    ]
    cineloop.predict(run.path, [index / "P011"], stills=True, published=tmp_path / "stills")
    plain = json.loads((tmp_path / "stills" / "predictions.json").read_text())
    assert len(plain) == len(STATES)
    assert all(len(code) == 7 and set(code) <= {0, 1} for code in plain.values())


@pytest.mark.parametrize(
    ("given", "wanted", "complaint"),
    [
        ("pictures", {"timelines": "lines"}, "no frames of videos"),
        ("video", {"published": "theirs", "rate": 5.0}, "--rate leaves some out"),
        ("video", {"timelines": "taken"}, "already there"),
        ("video", {"published": "taken"}, "already there"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(run, index, tmp_path, monkeypatch, given, wanted, complaint):
    video = write_coded_video(tmp_path / "v.mp4", 10)
    (tmp_path / "taken").mkdir()
    for name in ("v.parquet", "v_post_label.json"):
        (tmp_path / "taken" / name).write_text("mine")
    loaded = cineloop.load(run.path)
    monkeypatch.setattr(loaded.predictor, "predict", lambda *_, **__: pytest.fail("it was predicted"))
    more = {name: value if name == "rate" else tmp_path / value for name, value in wanted.items()}
    with pytest.raises(CineloopError, match=complaint):
        cineloop.predict(loaded, [index / "P011"] if given == "pictures" else [video], stills=True, **more)
    assert not (tmp_path / "theirs").exists()
    assert (tmp_path / "taken" / "v.parquet").read_text() == "mine"


def test_frames_inside_videos_are_learned_from_in_place(tmp_path):
    rows = ["path,frame,label,patient,split"]
    for patient in range(6):
        write_coded_video(tmp_path / f"P{patient}.mp4", 30)
        split = ("train", "train", "train", "train", "val", "test")[patient]
        rows += [
            f"P{patient}.mp4,{frame},{'low' if frame < 15 else 'high'},P{patient},{split}" for frame in (2, 9, 17, 28)
        ]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    plain = merge(
        frame_recipe(tmp_path),
        {"data": {"format": "table", "labels": "exclusive", "patient": {"regex": None, "column": "patient"}}},
    )
    plain["data"]["patient"] = {"column": "patient"}
    plain["data"]["allow_leakage"] = "coded videos look alike"
    plain["train"] |= {"loss": "cross-entropy", "select": {"metric": "auroc"}, "epochs": 1}
    plain["evaluate"] |= {"selection": "auroc", "positive": "high", "confidence": 0.9}
    run = cineloop.train(plain, out=tmp_path / "run")
    table = next((run.path / "samples").glob("train-*.parquet"))
    import polars as pl

    assert set(pl.read_parquet(table)["indices"].explode().to_list()) <= {2, 9, 17, 28}
    metrics = json.loads(next(run.path.glob("evaluation/*/test/metrics.json")).read_text())
    assert metrics["missed"]["frames"]["of"] == 2
    assert metrics["missed"]["segments"]["of"] == 1
    # The bounds are of the recipe's confidence: of one patient, 0.9 where nothing was missed, else 1.
    assert metrics["missed"]["bound"] == "one-sided 90% upper bound"
    assert metrics["missed"]["patients"]["upper"] == pytest.approx(
        1 if metrics["missed"]["patients"]["missed"] else 0.9
    )


def test_resampling_counts_what_an_epoch_shows(index):
    attributes = {"subset": {"column": "subset"}}
    changes = {"data": {"attributes": attributes, "resample": {"by": "subset", "counts": {"nobbps": 3, "bbps2": 0.5}}}}
    made = learner(index, **changes)
    order = made.order(0)
    assert order.rows == 3 + 6 + 6 + 6 + 12
    labels = [made.train_items[key.item].label for key in order.keys(0)]
    assert sum(label in ("outside", "nonsense") for label in labels) == 3
    assert sum("bbps2" in label for label in labels) == 6


def test_the_published_sampler_shows_the_same_frames_in_every_epoch(index):
    changes = {"data": {"resample": {"counts": 2, "rule": "upstream"}}, "train": {"workers": 4}}
    order = learner(index, **changes).order(0)
    assert len({frozenset(key.item for key in order.keys(epoch)) for epoch in range(5)}) == 1
    changes["data"]["resample"]["rule"] = "walk"
    order = learner(index, **changes).order(0)
    shown = [key.item for epoch in range(3) for key in order.keys(epoch)]
    assert len(set(shown)) == len(shown) == 48


@pytest.mark.parametrize(
    ("changes", "error", "complaint"),
    [
        ({"train": {"loss": "cross-entropy"}}, RecipeError, "does not go with train.loss"),
        ({"train": {"select": {"metric": "qualty"}}}, RecipeError, "no metric called 'qualty'"),
        ({"train": {"keep": {"best": ["label_outside_acc"]}}}, RecipeError, "label_outside_acc"),
        ({"data": {"resample": {"by": "subset", "counts": 3}}}, RecipeError, "Nothing says the 'subset'"),
        ({"data": {"resample": {"counts": {"bbps9": 3}}}}, RecipeError, "no subset 'bbps9'"),
        ({"evaluate": {"positive": "insid"}}, RecipeError, "cannot be the positive class"),
        (
            {"data": {"input": {"size": [32, 48]}, "augment": {"quarter_turns": True}}},
            RecipeError,
            "as high as it is wide",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_an_epoch_is_spent(index, changes, error, complaint):
    with pytest.raises(error, match=complaint):
        learner(index, **changes).order(0)


def test_a_clip_network_is_refused_by_name(index):
    plain = frame_recipe(index)
    plain["model"] = {"name": "timesformer-tiny"}
    with pytest.raises(ModelError, match="frame classification needs pictures and logits"):
        FrameLearner(load_recipe(plain), Cohort.read(load_recipe(plain).data))


def test_first_weights_for_other_classes_keep_a_new_last_layer(run, tmp_path, index):
    plain = merge(frame_recipe(index), {"model": {"weights": str(run.weights_file)}})
    assert "100.0%" in FrameLearner(load_recipe(plain), Cohort.read(load_recipe(plain).data)).weights_report()


def test_labels_of_another_kind_are_refused(tmp_path):
    from tiny_frames import write_tree

    root = write_tree(tmp_path / "tree", patients=6)
    plain = merge(frame_recipe(root), {"data": {"format": "inbody-tree", "split": {"val": 0.2, "test": 0.2}}})
    with pytest.raises(
        CohortError, match=r"no states of a colonoscopy frame: '\w+' \(\d+ items\), '\w+' \(\d+ items\)"
    ):
        FrameLearner(load_recipe(plain), Cohort.read(load_recipe(plain).data))
