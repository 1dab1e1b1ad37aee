"""Finding the network's tensors in the many forms in which training scripts save them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor

from cineloop.errors import WeightsError

# In order of preference. A teacher is the running mean of its student and is what self-supervised work publishes.
WRAPPERS = ("teacher", "student", "state_dict", "model_state_dict", "model_state", "model", "backbone")
_PAIR = ("backbone_state_dict", "state_dict")
_DEEPEST = 3


@dataclass(frozen=True)
class Unwrapped:
    """The tensors of one network.

    Attributes:
        tensors: By the checkpoint's own keys. Of a pair of backbone and classifier, the classifier's ``linear`` is
            called ``head``.
        form: Where they were found: ``"teacher"``, ``"model > state_dict"``, ``"tensors"`` when nothing wrapped them.
        beside: The other top-level keys, which are not used.
    """

    tensors: Mapping[str, Tensor]
    form: str
    beside: tuple[str, ...]


def _is_state(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping) and any(isinstance(item, Tensor) for item in value.values())


def _tensors(state: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {str(key): value.detach() for key, value in state.items() if isinstance(value, Tensor)}


def _pair(raw: Mapping[Any, Any]) -> Unwrapped | None:
    backbone, classifier = (raw.get(key) for key in _PAIR)
    if not _is_state(backbone) or not _is_state(classifier):
        return None
    head: dict[str, Tensor] = {}
    for key, value in _tensors(classifier).items():
        name = key.removeprefix("module.")
        head[f"head.{name.removeprefix('linear.')}"] = value
    return Unwrapped(
        {**_tensors(backbone), **head},
        " + ".join(_PAIR),
        tuple(str(key) for key in raw if key not in _PAIR),
    )


def _check_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    size = path.stat().st_size
    for key, value in tensors.items():
        if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
            raise WeightsError(
                f"The tensor {key!r} is not a plain dense one", where=path, mend="Save dense float tensors."
            )
        # An expanded view of few bytes would take any amount of memory once it is copied.
        if value.numel() * value.element_size() > size:
            raise WeightsError(
                f"The tensor {key!r}, {'x'.join(map(str, value.shape))}, is larger than the file that holds it",
                where=path,
                mend="Save contiguous tensors.",
            )


def unwrap(raw: Any, path: Path) -> Unwrapped:
    """Find the network's tensors in what a checkpoint file holds.

    Args:
        raw: The file's contents: tensors by key, alone or inside known wrappers.
        path: The file, for messages.

    Raises:
        WeightsError: There are no tensors by name, or one that is sparse, quantised or larger than the file.
    """
    steps: list[str] = []
    top = value = raw
    found: Unwrapped | None = None
    for _ in range(_DEEPEST):
        if not isinstance(value, Mapping):
            break
        found = _pair(value)
        if found is not None:
            break
        step = next((name for name in WRAPPERS if isinstance(value.get(name), Mapping) and value[name]), None)
        if step is None:
            break
        steps.append(step)
        value = value[step]
    if found is None:
        if not _is_state(value):
            raise WeightsError(
                "The file holds no tensors by name",
                where=path,
                mend=f"Known forms: tensors by name, alone or under {', '.join(WRAPPERS)}.",
            )
        beside = tuple(str(key) for key in top if not steps or key != steps[0])
        found = Unwrapped(_tensors(value), " > ".join(steps) or "tensors", beside if steps else ())
    _check_tensors(found.tensors, path)
    return found
