"""Importing torchvision where its compiled operators cannot be loaded.

The torchvision of the package index is built for CUDA; beside a CPU-only torch its extension does not load, and its
import then fails because it describes operators that nobody declared. The video networks need none of them.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType

import torch

_OPERATORS = ("torchvision::nms", "torchvision::qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_FAILURE = "operator torchvision::nms does not exist"
_declared: list[str] = []


@cache
def load() -> ModuleType:
    """Import torchvision; only after that one failure, declare the two operators and import it again.

    The declared operators have no kernels: calling one still fails. A torchvision that works is never touched.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if str(error) != _FAILURE:
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    for name in _OPERATORS:
        torch.library.define(name, _SCHEMA)
        _declared.append(name)
    return importlib.import_module("torchvision")


def operators_declared() -> bool:
    """Tell whether torchvision's compiled operators are missing here and were declared in their place."""
    load()
    return bool(_declared)
