"""Which arithmetic ``train.precision: auto`` takes, and that a run stays in it."""

from __future__ import annotations

import pytest

from cineloop import runs
from cineloop.training import precision
from cineloop.training.schema import TrainSection
from cineloop.training.train import execute
from toy_learner import ToyLearner


def config(asked):
    return TrainSection.model_validate(
        {
            "epochs": 1,
            "batch_size": 8,
            "workers": 0,
            "threads": 1,
            "accelerator": "cpu",
            "precision": asked,
            "select": {"metric": "accuracy"},
            "log": {"tensorboard": False},
        }
    )


def processor(monkeypatch, *instructions):
    monkeypatch.setattr(precision.torch.cpu, "get_capabilities", lambda: dict.fromkeys(instructions, True))


def trained(folder, asked, **options):
    said = []
    execute(ToyLearner(), config(asked), {}, out=folder, ledger=dict, warn=said.append, **options)
    return runs.Run(folder).ledger()["precision"], said


@pytest.mark.parametrize(
    ("instructions", "taken"), [(["avx2"], "32-true"), (["avx512_bf16"], "bf16-mixed"), (["bf16"], "bf16-mixed")]
)
def test_auto_takes_what_the_processor_multiplies(monkeypatch, instructions, taken):
    processor(monkeypatch, *instructions)
    assert precision.resolve("auto", "cpu") == taken
    assert precision.resolve("32-true", "cpu") == "32-true"
    assert precision.resolve("auto", "mps") == "32-true"


def test_a_run_records_it_and_goes_on_in_it_elsewhere(monkeypatch, tmp_path):
    processor(monkeypatch, "avx512_bf16")
    assert trained(tmp_path / "run", "auto", resume=False) == ("bf16-mixed", [])
    processor(monkeypatch, "avx2")
    assert trained(tmp_path / "run", "auto", resume=True) == ("bf16-mixed", [precision.EMULATED])
    assert trained(tmp_path / "other", "auto", resume=False) == ("32-true", [])


def test_emulated_arithmetic_is_told(monkeypatch, tmp_path):
    processor(monkeypatch, "avx2")
    assert trained(tmp_path / "run", "bf16-mixed", resume=False)[1] == [precision.EMULATED]
