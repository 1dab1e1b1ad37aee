"""Weights files that want to do harm, or are broken: refused with one clear error, and nothing of them is run."""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from cineloop import models
from cineloop.errors import WeightsError
from cineloop.models.passport import Passport
from cineloop.models.weights import load_into, open_weights, read_passport, save_weights


class _Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


class _System:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.system, (f"touch '{self.marker}'",))


class _Evaluated:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (eval, (f"open({str(self.marker)!r}, 'w')",))


class _StateSetter:
    """Runs through ``__setstate__``: a plain object of a class of its own."""

    def __init__(self, marker):
        self.marker = marker

    def __setstate__(self, state):
        Path(state["marker"]).touch()


def _tensors():
    return {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "it-ran"


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("payload", [_Payload, _System, _Evaluated, _StateSetter])
@pytest.mark.parametrize("where", ["beside", "inside", "alone"])
def test_a_hostile_pickle_is_refused_and_nothing_runs(tmp_path, marker, payload, where, legacy):
    bomb = payload(marker)
    contents = {
        "beside": {"state_dict": _tensors(), "args": bomb},
        "inside": {**_tensors(), "extra": bomb},
        "alone": bomb,
    }[where]
    path = tmp_path / "hostile.pth"
    torch.save(contents, path, _use_new_zipfile_serialization=not legacy)
    module = nn.Linear(3, 2)
    before = module.weight.clone()
    with pytest.raises(WeightsError, match="code to be run") as caught:
        load_into(module, path, min_match=0.0, allow_unexpected=True)
    assert not marker.exists()
    assert torch.equal(module.weight, before)
    assert "torch.save(model.state_dict()" in caught.value.mend


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_plain_hostile_pickle_is_refused_quietly_and_nothing_runs(tmp_path, marker, protocol, recwarn):
    path = tmp_path / "hostile.pkl"
    path.write_bytes(pickle.dumps(_System(marker), protocol=protocol))
    with pytest.raises(WeightsError):
        open_weights(path)
    assert not marker.exists()
    assert not recwarn.list


@pytest.mark.parametrize("name", [b"argparse\nNamespace", b"numpy\ndtype", b"numpy.core.multiarray\nscalar"])
def test_a_published_name_does_not_smuggle_a_call(tmp_path, marker, name):
    # {"weight": NAME(os.system("touch MARKER"))}: the call stands in the arguments of what is let through.
    command = f"touch '{marker}'".encode()
    call = b"cposix\nsystem\n" + b"X" + struct.pack("<I", len(command)) + command + b"\x85R"
    data = b"\x80\x02}" + b"X\x06\x00\x00\x00weight" + b"c" + name + b"\n" + call + b"\x85R" + b"s."
    path = tmp_path / "hostile.pth"
    path.write_bytes(_zip({"a/data.pkl": data, "a/version": "3"}))
    with pytest.raises(WeightsError, match=r"code to be run \(posix\.system\)"):
        open_weights(path)
    assert not marker.exists()
    # The payload is a real one: Python's own unpickler runs it before it stumbles.
    with pytest.raises(TypeError):
        pickle.loads(data)
    assert marker.exists()


def test_a_stand_in_keeps_nothing_and_does_not_outlive_the_load(tmp_path):
    options = argparse.Namespace(keys=list(range(10)), state_dict={"a": torch.zeros(1)})
    torch.save({"state_dict": _tensors(), "args": options}, tmp_path / "a.pth")
    checkpoint = open_weights(tmp_path / "a.pth")
    assert checkpoint.tensors.keys() == _tensors().keys()
    assert not [entry for entry in torch.serialization.get_safe_globals() if isinstance(entry, tuple)]


def _zip(entries, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _saved(contents):
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    return buffer.getvalue()


def _packed(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return _zip(entries, compression=zipfile.ZIP_DEFLATED)


def _lying_header(header, body=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _expanded():
    return torch.zeros(1).expand(1_000_000, 1_000_000)


BROKEN = {
    "empty": b"",
    "garbage": bytes(range(256)) * 8,
    "text": b"not weights at all, just words",
    "html": b"<!DOCTYPE html><html>Sign in</html>",
    "a zip of something": _zip({"hello.txt": "hi"}),
    "numpy archive": (lambda b: (np.savez(b, a=np.zeros(3)), b.getvalue())[1])(io.BytesIO()),
    "zip bomb": _packed(_saved({"weight": torch.zeros(1_000_000)})),
    "truncated zip": _saved(_tensors())[:-200],
    "half a zip": _saved({"w": torch.zeros(1000)})[:2000],
    "no tensors": _saved({"epoch": 3, "loss": [1.0, 2.0]}),
    "only numbers": _saved([1, 2, 3]),
    "an empty wrapper": _saved({"state_dict": {}, "epoch": 1}),
    "a lone tensor": _saved(torch.zeros(3)),
    "sparse tensor": _saved({"weight": torch.eye(3).to_sparse()}),
    "expanded tensor": _saved({"weight": _expanded()}),
    "meta tensor": _saved({"weight": torch.empty(3, device="meta")}),
    "truncated pickle": pickle.dumps({"a": 1}, protocol=2)[:-4],
    "pickle of plain data": pickle.dumps({"a": [1, 2, 3]}, protocol=2),
    "header longer than the file": struct.pack("<Q", 10**9) + b"{}",
    "header of nothing": struct.pack("<Q", 0) + b"{",
    "header without end": struct.pack("<Q", 30) + b'{"weight": {"dtype": "F32", "s',
    "offsets beyond the end": _lying_header(
        {"weight": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}, b"1234"
    ),
    "offsets that overlap": _lying_header(
        {
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
        },
        bytes(12),
    ),
    "a shape that overflows": _lying_header(
        {"weight": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, bytes(4)
    ),
    "a shape that lies": _lying_header({"weight": {"dtype": "F32", "shape": [3], "data_offsets": [0, 4]}}, bytes(4)),
    "an unknown type": _lying_header({"weight": {"dtype": "F7", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "no tensors in safetensors": _lying_header({"__metadata__": {"cineloop": "no json"}}),
    "a passport for other tensors": None,
}


# What the message says; of the others, that the file is damaged.
SAID = {
    "empty": "is empty",
    "garbage": "not a weights file",
    "text": "not a weights file",
    "html": "not a weights file",
    "a zip of something": "no data.pkl",
    "numpy archive": "no data.pkl",
    "zip bomb": "could expand to any size",
    "no tensors": "no tensors by name",
    "only numbers": "no tensors by name",
    "an empty wrapper": "no tensors by name",
    "a lone tensor": "no tensors by name",
    "sparse tensor": "not a plain dense one",
    "meta tensor": "not a plain dense one",
    "expanded tensor": "larger than the file",
    "no tensors in safetensors": "passport in the weights file is not JSON",
    "a passport for other tensors": "not those that the file's passport describes",
}


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_broken_file_is_one_clear_error(tmp_path, case):
    path = tmp_path / "broken.pth"
    path.write_bytes(BROKEN[case] if BROKEN[case] is not None else _swapped(tmp_path))
    with pytest.raises(WeightsError, match=SAID.get(case, "damaged")) as caught:
        load_into(nn.Linear(3, 2), path)
    assert caught.value.mend
    assert str(path) in caught.value.where


def _swapped(tmp_path):
    """Return a file whose tensors changed after its passport was written."""
    passport = Passport.of(models.spec("timesformer-tiny"), models.configure("timesformer-tiny", {}))
    save_weights(tmp_path / "honest.safetensors", _tensors(), passport)
    text = read_passport(tmp_path / "honest.safetensors").to_json()
    save_file({**_tensors(), "bias": torch.ones(2)}, tmp_path / "forged.safetensors", metadata={"cineloop": text})
    return (tmp_path / "forged.safetensors").read_bytes()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_program_is_refused(tmp_path):
    path = tmp_path / "program.pt"
    torch.jit.save(torch.jit.trace(nn.Linear(3, 2), torch.zeros(1, 3)), path)
    with pytest.raises(WeightsError, match="TorchScript"):
        open_weights(path)


@pytest.mark.parametrize("place", ["missing.pth", "."])
def test_what_is_not_a_file_is_named(tmp_path, place):
    with pytest.raises(WeightsError, match="cannot be read"):
        open_weights(tmp_path / place)


_ZIP = _saved({"state_dict": _tensors(), "epoch": 3})


def _legacy():
    buffer = io.BytesIO()
    torch.save({"state_dict": _tensors(), "epoch": 3}, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def _safetensors(tmp):
    save_file(_tensors(), tmp)
    return tmp.read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["zip", "legacy", "safetensors"]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    kept=st.floats(0.2, 1.0),
)
def test_flipped_and_missing_bytes_give_tensors_or_the_one_error(tmp_path, kind, changes, kept):
    whole = {"zip": lambda: _ZIP, "legacy": _legacy, "safetensors": lambda: _safetensors(tmp_path / "whole")}[kind]()
    data = bytearray(whole[: max(1, int(len(whole) * kept))])
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path / "mutated"
    path.write_bytes(data)
    try:
        checkpoint = open_weights(path)
    except WeightsError:
        return
    assert all(isinstance(value, torch.Tensor) for value in checkpoint.tensors.values())
    assert sum(value.sum(dtype=torch.float64) is not None for value in checkpoint.tensors.values()) > 0
