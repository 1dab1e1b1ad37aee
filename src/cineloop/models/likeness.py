"""Which model a weights file seems to be of: by what it says of itself, else by the names and shapes of its tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cineloop.errors import WeightsError
from cineloop.models.match import MatchReport, match
from cineloop.models.passport import Passport
from cineloop.models.registry import MODELS, ModelSpec
from cineloop.registry import BUILTIN

# A last layer for other classes may differ.
_ALIKE = 0.8
_MEANT = 0.5
# Fewer tensors are a layer or two, which many networks have.
_ENOUGH = 12
# What a task sets by itself.
_OF_THE_TASK = "num_classes"


def advice(
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    report: MatchReport,
    *,
    spec: ModelSpec | None,
    passport: Passport | None = None,
) -> str | None:
    """Return which model and options would take a file's tensors, as a sentence; None where nothing tells.

    Args:
        module: What they do not fit.
        tensors: By the file's keys.
        report: How they fit.
        spec: The module's spec.
        passport: What the file says of itself.
    """
    if spec is None:
        return None
    given = _plain(getattr(module, "config", None) or spec.Config())
    if passport is not None:
        other = _differing(passport.config, given)
        return f"Their passport says {_said(other)}: give these options, in a recipe under `model`." if other else None
    told = (
        dict(spec.infer({key.removeprefix(report.prefix): value for key, value in tensors.items()}))
        if spec.infer
        else {}
    )
    other = _differing(told, given)
    if other:
        kin = (known for known in MODELS if known.name != spec.name and known.infer is spec.infer)
        name = next((known.name for known in kin if not _differing(told, _plain(known.Config()), strictly=True)), None)
        if name is not None:
            return f"They look like those of {name!r}: use that model."
        return f"They look like those of the model with {_said(other)}: give these options, in a recipe under `model`."
    # A search takes seconds, and who gives this much is meant for this model.
    name = lookalike(tensors) if report.share < _MEANT else None
    return f"They look like those of {name!r}: use that model." if name is not None and name != spec.name else None


def with_options(passport: Passport) -> str:
    """Return the model that a passport names, in quotes, with the options that are not its defaults."""
    if passport.architecture not in MODELS:
        return repr(passport.architecture)
    other = _differing(passport.config, _plain(MODELS.get(passport.architecture).Config()), strictly=True)
    return f"{passport.architecture!r}{f' with {_said(other)}' if other else ''}"


def lookalike(tensors: Mapping[str, Tensor]) -> str | None:
    """Return the built-in model, as it is by default, that takes nearly all of some tensors and is nearly filled."""
    if len(tensors) < _ENOUGH:
        return None
    # Shapes are all that is compared, so neither side needs numbers.
    shapes = {key: value.to("meta") for key, value in tensors.items()}
    best: tuple[float, str] | None = None
    for spec in MODELS:
        if MODELS.origin(spec.name) != BUILTIN:
            continue
        with torch.device("meta"):
            module = spec.build(spec.Config())
        try:
            report, _ = match(module, shapes, where=Path(), spec=spec)
        except WeightsError:
            continue
        fitting = len(report.matched) + len(report.resized)
        share = fitting / (report.total + len(report.unexpected))
        if share >= _ALIKE and (best is None or share > best[0]):
            best = share, spec.name
    return best[1] if best is not None else None


def _plain(config: Any) -> dict[str, Any]:
    plain: dict[str, Any] = config.model_dump(mode="json")
    return plain


def _differing(told: Mapping[str, Any], given: Mapping[str, Any], *, strictly: bool = False) -> dict[str, Any]:
    """Return the told options that differ from those given; the number of classes alone only unless ``strictly``."""
    other = {key: value for key, value in told.items() if key in given and given[key] != value}
    if strictly or len(other) > 1:
        other.pop(_OF_THE_TASK, None)
    return other


def _said(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in options.items()).replace('"', "")
