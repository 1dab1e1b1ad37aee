"""Networks by name, with their input and output contracts, and the one door for weights from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cineloop.errors import ModelError
from cineloop.models.registry import MODELS, Adapted, Layers, ModelIO, ModelSpec
from cineloop.schema import Section, validate

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MODELS", "Adapted", "Layers", "ModelIO", "ModelSpec", "configure", "create", "names", "spec"]


def names() -> list[str]:
    """Return the names of all models, sorted."""
    return MODELS.names()


def spec(name: str) -> ModelSpec:
    """Return the spec of the model called ``name``.

    Raises:
        ModelError: The name is unknown.
        PluginError: The name belongs to a plug-in that is not enabled.
    """
    return MODELS.get(name)


def configure(name: str, config: Mapping[str, Any]) -> Section:
    """Return the model's options: its defaults, with ``config`` over them.

    Raises:
        ModelError: A key is unknown (the nearest valid one is named) or a value does not do.
    """
    return validate(
        spec(name).Config, config, where=f"model {name}", error=ModelError, subject="The model's configuration"
    )


def create(name: str, weights: str | Path | None = None, **config: Any) -> nn.Module:
    """Build a model, with random weights or those of a file.

    Args:
        name: A registered name; :func:`names` lists them.
        weights: A checkpoint in any accepted form. Every parameter of the model must be in it. A file that carries a
            passport of this architecture also gives the options that ``config`` leaves out.
        **config: Options of the model that differ from its defaults.

    Returns:
        The module, in training mode, with float32 parameters on the CPU.

    Raises:
        ModelError: The name, an option or a combination of options is not valid.
        WeightsError: The file is unsafe, unreadable or does not fit.
    """
    entry = spec(name)
    if weights is None:
        return entry.build(configure(name, config))
    from cineloop.models.weights import load_into, open_weights

    source = open_weights(Path(weights))
    if source.passport is not None and source.passport.architecture == name:
        config = {**source.passport.config, **config}
    module = entry.build(configure(name, config))
    load_into(module, source, spec=entry)
    return module
