from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cineloop import models
from cineloop.errors import WeightsError
from cineloop.models.passport import Head, Passport, tensor_digest

FILE = Path("weights.safetensors")


def _passport(**changes):
    passport = Passport.of(models.spec("timesformer-tiny"), models.configure("timesformer-tiny", {}))
    return passport.model_copy(update=changes)


def test_json_round_trip():
    passport = _passport(
        classes=("normal", "lesion é"),
        head=Head(task="clip-classification", activation="softmax", config={"threshold": 0.25}),
        licence="CC-BY-4.0",
        origin="here",
        corpus="ab" * 32,
    ).sealed({"a": torch.zeros(3)})
    assert Passport.from_json(passport.to_json(), where=FILE) == passport


def test_json_is_canonical():
    text = _passport().to_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_it_records_the_whole_configuration_and_contract():
    passport = Passport.of(
        models.spec("timesformer-tiny"), models.configure("timesformer-tiny", {"embed_dim": 64, "img_size": 64})
    )
    assert passport.config.keys() == models.spec("timesformer-tiny").Config.model_fields.keys()
    assert (passport.config["embed_dim"], passport.io.width, passport.io.size) == (64, 64, (64, 64))
    assert passport.plugin is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda plain: "no json", "not JSON"),
        (lambda plain: "[" * 100_000, "not JSON"),
        (lambda plain: json.dumps([plain]), "Expected a mapping"),
        (lambda plain: json.dumps({**plain, "format": 2}), "format 2"),
        (lambda plain: json.dumps({**plain, "surprise": 1}), "unknown key 'surprise'"),
        (lambda plain: json.dumps({**plain, "sha256": "short"}), "sha256"),
        (lambda plain: json.dumps({**plain, "io": {**plain["io"], "frames": 0}}), "io.frames"),
        (lambda plain: json.dumps({k: v for k, v in plain.items() if k != "architecture"}), "'architecture'"),
    ],
)
def test_what_is_no_passport_is_refused(change, what):
    plain = json.loads(_passport().to_json())
    with pytest.raises(WeightsError, match=what) as caught:
        Passport.from_json(change(plain), where=FILE)
    assert caught.value.where.startswith(str(FILE))


def test_sealing_counts_and_digests():
    tensors = {"b": torch.ones(2, 3), "a": torch.zeros((), dtype=torch.int64), "empty": torch.zeros(0)}
    sealed = _passport().sealed(tensors)
    assert (sealed.tensors, sealed.parameters) == (3, 7)
    assert sealed.sha256 == tensor_digest(dict(reversed(tensors.items())))


def test_the_digest_sees_names_types_shapes_and_values():
    base = {"a": torch.zeros(4)}
    others = [
        {"b": torch.zeros(4)},
        {"a": torch.zeros(2, 2)},
        {"a": torch.zeros(4, dtype=torch.int32)},
        {"a": torch.tensor([0.0, 0.0, 0.0, -0.0])},
        {"a": torch.zeros(4), "b": torch.zeros(0)},
    ]
    digests = {tensor_digest(tensors) for tensors in (base, *others)}
    assert len(digests) == 1 + len(others)
    assert tensor_digest({"a": torch.zeros(4, 2)[:, 0]}) == tensor_digest(base)
