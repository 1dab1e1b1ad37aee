"""docs/export.md is true: what a folder holds, what goes in and comes out, and that it runs without torch."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from cineloop.schema import dump_yaml
from pages import blocks, text_of
from program import call
from tiny_frames import frame_recipe, write_index

PAGE = "docs/export.md"
# Nothing of torch or of Cineloop may be needed.
ALONE = """
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "cineloop"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.argv = ["run.py", *sys.argv[1:]]
runpy.run_path("run.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a small run of colonoscopy labels."""
    folder = tmp_path_factory.mktemp("export")
    recipe = frame_recipe(
        write_index(folder / "data", {"train": 2, "validation": 2, "test": 1}), epochs=1, figures="none"
    )
    recipe["evaluate"] |= {"figures": "none", "examples": 0, "worst": 0, "operating_points": []}
    (folder / "recipe.yaml").write_text(dump_yaml(recipe))
    done = call("train", "recipe.yaml", "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture(scope="module")
def exported(run):
    """Return the folder of the run's ONNX graph."""
    done = call("export", run)
    assert done.returncode == 0, done.stderr
    return run / "export" / "onnx"


def listed():
    """Return the files that the page says are in a folder."""
    tree = next(body for body in blocks(PAGE, "") if "contract.json" in body)
    return set(re.findall(r"^  (\S+)  ", tree, re.MULTILINE))


@pytest.mark.slow
def test_a_folder_holds_what_the_page_says(exported):
    assert {path.name for path in exported.iterdir()} == listed()


@pytest.mark.slow
def test_inputs_and_outputs_are_those_of_the_page(exported):
    contract = json.loads((exported / "contract.json").read_text())
    rows = re.findall(r"^\| (in, of frames|out) \| `(\w+)` \| (.+?) \| (\w+) \|$", text_of(PAGE), re.MULTILINE)
    named = {name: (shape, kind) for _, name, shape, kind in rows}
    given = contract["input"]
    assert named.pop("image") == (", ".join(map(str, given["shape"])), given["dtype"])
    assert named.keys() == contract["outputs"].keys()
    assert {name: kind for name, (_, kind) in named.items()} == {
        name: one["dtype"] for name, one in contract["outputs"].items()
    }
    assert named["decision"][0].endswith(", ".join(map(str, contract["outputs"]["decision"]["shape"])))


@pytest.mark.slow
def test_thresholds_are_those_that_the_evaluation_chose(run, exported):
    contract = json.loads((exported / "contract.json").read_text())
    metrics = json.loads(next(run.glob("evaluation/*/test/metrics.json")).read_text())
    chosen = {name: one["threshold"]["value"] for name, one in metrics["questions"].items() if one["threshold"]}
    assert contract["thresholds"] == pytest.approx(chosen)


@pytest.mark.slow
def test_it_runs_and_is_checked_without_torch(run, exported):
    def alone(*words):
        return subprocess.run(
            [sys.executable, "-c", ALONE, *map(str, words)], cwd=exported, capture_output=True, text=True, check=False
        )

    assert alone("--check").returncode == 0
    pictures = run.parent / "data" / "P000"
    done = alone(pictures)
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
    assert len(rows) == len(list(pictures.glob("*.png")))
    predicted = call("predict", run, pictures, "--stills", "--json")
    labels = {row["path"]: row["label"] for row in json.loads(predicted.stdout)["rows"]}
    assert {row[0]: row[1] for row in rows} == labels


@pytest.mark.slow
def test_a_check_notices_another_graph(exported, tmp_path):
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    vectors = dict(np.load(tmp_path / "test_vectors.npz"))
    vectors["probabilities_0"] = vectors["probabilities_0"] + 0.01
    np.savez(tmp_path / "test_vectors.npz", **vectors)
    done = subprocess.run([sys.executable, "run.py", "--check"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1


@pytest.mark.slow
def test_what_is_there_is_not_overwritten(run, exported):
    done = call("export", run)
    assert done.returncode == 2
    assert "already there" in done.stderr
