"""Mistakes on the command line of ``analyze``: exit code 2, one message, nothing written."""

from __future__ import annotations

import zipfile

import pytest
import torch

from frame_models import frame_weights
from moving_clips import clip, surface, write
from program import call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    write(folder / "a.mkv", clip(surface(1), 1, frames=30, size=(96, 80)), fps=10, codec="ffv1")
    frame_weights(
        folder / "gate.safetensors", img_size=32, widths=(8, 8, 16, 16), labels="exclusive", positive="out_of_body"
    )
    with zipfile.ZipFile(folder / "gate.zip", "w") as archive:
        archive.writestr("gate/run.json", "{}")
    return folder


def refused(folder, *words):
    before = sorted(folder.rglob("*"))
    done = call("analyze", "a.mkv", *words, cwd=folder)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == 1
    assert sorted(folder.rglob("*")) == before
    return done.stderr


GATE = ("--inbody", "gate.safetensors")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*GATE, "--padding", "2"), "no effect without --deidentify"),
        ((*GATE, "--mask", "0,0,9,9"), "no effect without --deidentify"),
        ((*GATE, "--no-find-text"), "no effect without --deidentify"),
        ((*GATE, "--alarm-class", "x"), "no effect without --classify"),
        ((*GATE, "--step", "1"), "no effect without --classify"),
        (("--quality", "gate.safetensors", "--outside-class", "x"), "no effect without --inbody"),
        (("--inbody", "gate.zip"), "This is an archive"),
        ((*GATE, "--out", "gate.zip/x"), "A part of the path is a file"),
        ((*GATE, "--pause", "0:02-0:01"), "a pause ends after it begins"),
        ((*GATE, "--deidentify", "--mask", "0,0,9"), "--mask"),
        ((*GATE, "--deidentify", "--mask", "90,0,9,9"), "not within 96x80"),
        ((*GATE, "--language", "fr"), "en or zh"),
        ((*GATE, "--guideline", "asge"), "asge"),
    ],
)
def test_it_is_refused_in_one_message(folder, words, told):
    assert told in refused(folder, *words)


def test_settings_are_not_taken_for_a_recipe(folder):
    assert "recipe" not in refused(folder, *GATE, "--pause", "0:02-0:01")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_a_device_that_is_not_here(folder):
    assert "No CUDA device is here" in refused(folder, *GATE, "--device", "cuda")
