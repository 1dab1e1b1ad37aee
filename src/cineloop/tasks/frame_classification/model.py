"""The network of a frame classifier: any registered one that turns a picture into logits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from cineloop import runs
from cineloop.errors import ModelError
from cineloop.models.match import match
from cineloop.models.registry import MODELS, ModelIO
from cineloop.models.weights import load_into, open_weights
from cineloop.named import Named
from cineloop.schema import Section
from cineloop.tasks.network import layers_of


def with_outputs(network: Named[Section], outputs: int) -> Named[Section]:
    """Return the network with as many logits as are needed.

    Raises:
        ModelError: It does not turn pictures into logits, or their number is fixed.
    """
    io = MODELS.get(network.name).io(network.config)
    if io.input != "image" or io.output != "logits":
        raise ModelError(
            f"{network.name!r} turns a {io.input} into {io.output}; frame classification needs pictures and logits",
            where="model.name",
            mend="Choose a frame classifier, such as resnet10-csra or seresnet50-inbody.",
        )
    if io.width == outputs:
        return network
    if "num_classes" not in type(network.config).model_fields:
        raise ModelError(
            f"{network.name!r} gives {io.width} logits; {outputs} are needed",
            where="model.name",
            mend="Choose a network whose number of classes can be set.",
        )
    return Named(network.name, network.config.model_copy(update={"num_classes": outputs}))


def contract(network: Named[Section]) -> ModelIO:
    """Return the contract of a network."""
    return MODELS.get(network.name).io(network.config)


def build(network: Named[Section], *, seed: int = 0) -> nn.Module:
    """Return a network with random weights that depend on ``seed`` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MODELS.get(network.name).build(network.config)


def head_of(network: Named[Section]) -> Callable[[str], bool]:
    """Return what tells the parameters of a network's last layer, by name; none where the model names no layers."""
    layers = layers_of(network)
    return lambda name: layers is not None and layers.of(name) == layers.count - 1


def load_first(module: nn.Module, source: Path, network: Named[Section], *, min_match: float) -> str:
    """Fill a network from a checkpoint or an earlier run; a last layer for other classes keeps its random weights.

    Args:
        module: Filled in place.
        source: A checkpoint in any accepted form, or the folder of a run.
        network: Its name and options.
        min_match: The share of the tensors below the last layer that the source must hold.

    Returns:
        The table of matched, missing, unexpected and resized keys.

    Raises:
        WeightsError: The source is unsafe, unreadable, or fits too little.
    """
    path = runs.open_run(source).weights_file if source.is_dir() else source
    checkpoint, spec, is_head = open_weights(path), MODELS.get(network.name), head_of(network)
    found, _ = match(module, checkpoint.tensors, where=path, spec=spec)
    below = [note.key for note in (*found.matched, *found.resized) if not is_head(note.key)]
    wanted = sum(not is_head(name) for name in module.state_dict())
    # Of what lies below the last layer so much must be there; if it is, the share of all is what there is.
    enough = len(below) >= min_match * wanted
    return load_into(module, checkpoint, spec=spec, min_match=found.share if enough else 1.0).table()
