"""Fixtures of the published implementations: their cases, and the rule that made weights and inputs."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from types import ModuleType
from typing import Any

import torch

from support import ROOT, shared

PARITY = ROOT.parent / "shared" / "parity"


@cache
def rule() -> ModuleType:
    """Return the module that makes deterministic weights and inputs; skip the test where it is absent."""
    spec = importlib.util.spec_from_file_location("parity_weights", shared("parity", "weights.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def fixtures() -> dict[str, Any]:
    """Return what describes the fixtures; empty where they are absent, so that tests can be collected."""
    path = PARITY / "fixtures.json"
    return json.loads(path.read_text()) if path.exists() else {"groups": {}, "suggested_tolerance": {}}


def cases(group: str) -> list[dict[str, Any]]:
    """Return the cases of a group; where fixtures are absent one that skips."""
    return fixtures()["groups"].get(group, {}).get("cases") or [{"id": "absent"}]


def input_of(case: dict[str, Any]) -> torch.Tensor:
    """Return the input that a case names."""
    given = case["input"]
    value = rule().input_for(given["name"], tuple(given["shape"]))
    return {"none": lambda x: x, "times 2": lambda x: 2 * x, "sigmoid": torch.sigmoid}[given["then"]](value)
