"""A mistake of the user's: exit code 2, one message that names it, nothing half-written."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys

import pytest
import torch

from cineloop.schema import dump_yaml
from program import call
from tiny_cohort import tiny_recipe, write_video


@pytest.fixture
def project(tmp_path, tiny_cohort):
    """A copy of the cohort that a test may spoil, and its recipe."""
    root = tmp_path / "data"
    shutil.copytree(tiny_cohort, root)
    (tmp_path / "recipe.yaml").write_text(dump_yaml(tiny_recipe(root)))
    return tmp_path


def refused(project, *words, overrides=(), files=True):
    before = sorted(path for path in project.rglob("*"))
    done = call("train", "recipe.yaml", *overrides, "--out", "run", cwd=project)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert [line.startswith("error: ") for line in done.stderr.splitlines()].count(True) == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert sorted(path for path in project.rglob("*")) == before
    return done


def split_file(project, name="train"):
    return project / "data" / "splits" / f"{name}.txt"


def test_a_missing_recipe(project):
    done = call("train", "absent.yaml", cwd=project)
    assert done.returncode == 2
    assert "absent.yaml" in done.stderr


def test_a_missing_video(project):
    with split_file(project).open("a") as stream:
        stream.write("P999/gone.mp4,1\n")
    refused(project, "P999/gone.mp4", "train.txt:11")


def test_an_empty_split(project):
    split_file(project).write_text("")
    refused(project, "train")


def test_an_unknown_label(project):
    text = split_file(project).read_text().replace(",1", ",7", 1)
    split_file(project).write_text(text)
    refused(project, "7", "train.txt:2")


def test_one_class_only(project):
    lines = [line for line in split_file(project).read_text().splitlines() if line.endswith(",0")]
    split_file(project).write_text("\n".join(lines) + "\n")
    refused(project, "one class only", "dark")


def test_a_selection_metric_and_a_positive_class_that_are_not_there(project):
    refused(project, "auc", "train.select.metric", "auroc", overrides=["train.select.metric=auc"])
    refused(project, "lesion", "evaluate.positive", "dark, bright", overrides=["evaluate.positive=lesion"])


def test_weights_with_nan(project):
    from cineloop import models

    config = {key: value for key, value in tiny_recipe(project)["model"].items() if key != "name"}
    state = models.create("timesformer-tiny", **config).state_dict()
    state["norm.weight"][3] = float("nan")
    torch.save(state, project / "nan.pth")
    refused(project, "not finite", "norm.weight", "nan.pth", overrides=["model.weights=nan.pth"])


def test_weights_of_another_model(project):
    torch.save({"fc.weight": torch.zeros(3, 3)}, project / "other.pth")
    refused(project, "other.pth", "made for", overrides=["model.weights=other.pth"])


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (self.marker, "w"))


def test_a_hostile_pickle(project):
    marker = project / "ran"
    (project / "evil.pth").write_bytes(pickle.dumps({"state_dict": Hostile(str(marker))}))
    refused(project, "evil.pth", overrides=["model.weights=evil.pth"])
    torch.save({"state_dict": Hostile(str(marker))}, project / "evil.pt")
    marker.unlink(missing_ok=True)
    refused(project, "evil.pt", overrides=["model.weights=evil.pt"])
    assert not marker.exists()


def test_a_truncated_video(project):
    path = project / "data" / "videos" / "P003" / "clip.mp4"
    path.write_bytes(path.read_bytes()[:-200])
    refused(project, "P003/clip.mp4")


def test_a_text_file_named_mp4(project):
    (project / "data" / "videos" / "P003" / "clip.mp4").write_text("not a video")
    refused(project, "P003/clip.mp4")


def test_a_wrong_key(project):
    refused(project, "train.epoch", "epochs", overrides=["train.epoch=3"])


def test_a_wrong_override(project):
    refused(project, "key=value", overrides=["train.epochs"])


def test_an_existing_run(project):
    (project / "run").mkdir()
    (project / "run" / "mine.txt").write_text("mine")
    refused(project, "not empty", "--out")
    assert (project / "run" / "mine.txt").read_text() == "mine"


def test_a_patient_in_two_splits(project):
    write_video(project / "data" / "videos" / "P000" / "again.mp4", 0, seed=999)
    with split_file(project, "test").open("a") as stream:
        stream.write("P000/again.mp4,0\n")
    refused(project, "P000", "patient", "allow_leakage")


def test_the_same_bytes_in_two_splits(project):
    videos = project / "data" / "videos"
    (videos / "P777").mkdir()
    shutil.copy(videos / "P001" / "clip.mp4", videos / "P777" / "clip.mp4")
    with split_file(project, "test").open("a") as stream:
        stream.write("P777/clip.mp4,1\n")
    refused(project, "P777", "allow_leakage")


def test_an_unknown_class_count(project):
    refused(project, "classes", overrides=["data.classes=[dark]"])


def test_a_plugin_that_is_not_there(project):
    refused(project, "acme/net", "--plugin acme", overrides=["model={name: acme/net}"])


def test_prediction_without_a_run(project):
    for words in (["predict", "nowhere", "data"], ["evaluate", "nowhere"]):
        done = call(*words, cwd=project)
        assert done.returncode == 2
        assert "nowhere" in done.stderr


def test_what_is_not_there_is_missed_before_torch_is_loaded():
    mistakes = [
        ["analyze", "none.mp4", "--inbody", "none"],
        ["predict", "none", "none.mp4"],
        ["evaluate", "none"],
        ["export", "none"],
        ["features", "none", "none.mp4", "--json"],
        ["pack", "none"],
    ]
    code = (
        "import sys; from cineloop.cli.main import main\n"
        f"codes = {{main(words) for words in {mistakes!r}}}\n"
        "assert codes == {2}, codes\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("This does not exist") == len(mistakes)
