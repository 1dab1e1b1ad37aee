"""Contract suites: what every registered spec must do, whether built in or brought by a plug-in.

A plug-in's tests call them on its specs; the project's tests call them on every built-in one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cineloop.models import ModelIO, ModelSpec
    from cineloop.tasks.recipe import Recipe

_BATCH = 2
_NOISE = 0.02
_PASSES = 4


def _input(io: ModelIO, **changes: Any) -> Tensor:
    """Return a standard-normal input, always the same for the same shape."""
    import torch

    return torch.randn(io.shape(_BATCH, **changes), generator=torch.Generator().manual_seed(0))


def _check_shape(output: Tensor, io: ModelIO, what: str) -> None:
    expected = (_BATCH, io.width)
    assert tuple(output.shape) == expected, f"{what}: output is {tuple(output.shape)}, the contract says {expected}"
    assert output.isfinite().all(), f"{what}: the output is not finite"


def _check_gradients(module: nn.Module, inputs: Tensor, silent: Sequence[str]) -> None:
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        # A branch that starts at zero passes no gradient on; that is a matter of the start, not of the wiring.
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=_NOISE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        # Several passes, as stochastic depth leaves branches out.
        for _ in range(_PASSES):
            output = module(inputs)
            (output * torch.randn(output.shape, generator=generator)).sum().backward()
    reached = {
        name: parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
    }
    module.zero_grad(set_to_none=True)
    excepted = {name for name in reached if any(fnmatchcase(name, pattern) for pattern in silent)}
    unreached = [name for name, hit in reached.items() if not hit and name not in excepted]
    assert not unreached, f"no gradient reaches {', '.join(unreached)}"
    needless = [name for name in excepted if reached[name]]
    assert not needless, f"named as silent, but gradients reach {', '.join(sorted(needless))}"


def _check_layers(spec: ModelSpec, config: Any, module: nn.Module) -> None:
    if spec.layers is None:
        return
    layers = spec.layers(config)
    found = {name: layers.of(name) for name, _ in module.named_parameters()}
    wrong = [name for name, layer in found.items() if not 0 <= layer < layers.count]
    assert not wrong, f"layers outside 0..{layers.count - 1}: {', '.join(wrong)}"
    empty = set(range(layers.count)) - set(found.values())
    assert not empty, f"layers without parameters: {sorted(empty)}"


def check_model(spec: ModelSpec, config: Mapping[str, Any] | None = None, *, silent: Sequence[str] = ()) -> None:
    """Check that a model keeps the contract of its spec.

    It is built; takes what ``spec.io`` says and gives what it says; is finite; gives the same twice in evaluation,
    and the same for a sample alone and in a batch; passes gradients to every trainable parameter (after a little
    noise on all of them, as branches may start at zero); survives a weights file bit for bit; takes other frame
    counts and sizes where it says so; and places every parameter in the depth order, leaving no layer empty.

    Args:
        spec: The spec to check.
        config: Options that make a large model small; its defaults when None.
        silent: Patterns (``fnmatch``) of parameters that, by the architecture, no gradient reaches.

    Raises:
        AssertionError: The contract is broken; the message says where.
        ModelError: ``config`` is not valid.
    """
    import torch

    from cineloop.errors import ModelError
    from cineloop.models.passport import Passport
    from cineloop.models.weights import load_into, save_weights
    from cineloop.schema import validate

    options = validate(spec.Config, config or {}, where=f"model {spec.name}", error=ModelError, subject="The model")
    io = spec.io(options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = spec.build(options)
        other = spec.build(options)
    inputs = _input(io)

    module.eval()
    with torch.no_grad():
        first = module(inputs)
        _check_shape(first, io, "the contract's input")
        assert torch.equal(first, module(inputs)), "two evaluations of one input differ"
        alone = module(inputs[:1])
        assert torch.allclose(first[:1], alone, rtol=1e-3, atol=1e-4), "a sample's output depends on its batch"
        if io.any_frames:
            for frames in {1, io.frames + 1, 2 * io.frames}:
                _check_shape(module(_input(io, frames=frames)), io, f"{frames} frames")
        if io.any_size:
            height, width = (side + io.size_step for side in io.size)
            _check_shape(module(_input(io, size=(height, width))), io, f"frames of {height} x {width}")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        passport = Passport.of(spec, options)
        written = save_weights(path, module, passport)
        load_into(other, path, spec=spec)
        again = save_weights(path, other, passport)
        assert written == again, "the weights changed on their way through a file"
    other.eval()
    with torch.no_grad():
        assert torch.equal(first, other(inputs)), "the same weights give another output after a round trip"

    module.train()
    _check_gradients(module, inputs, silent)
    _check_layers(spec, options, module)


def shrink(recipe: Recipe, root: str | Path, *, patient: str = r"(P\d+)") -> dict[str, Any]:
    """Return a recipe, as plain data, that does the same in seconds on a small cohort.

    Frames, sizes, batches, epochs and replicates become few; the task, the format, the model, the loss and every
    switch stay, and a model gets the smallest options that its own test suite uses, and random first weights.

    Args:
        recipe: A resolved recipe.
        root: The folder of a small cohort in the recipe's format.
        patient: Where the patient's identity is in its paths.
    """
    from cineloop.models import configure, spec

    plain = recipe.plain()
    name = plain["model"]["name"]
    known = spec(name).Config.model_fields
    side = 32 - 32 % plain["model"].get("patch_size", 1)
    small = {"img_size": side, "num_frames": 4, "embed_dim": 32, "depth": 2, "num_heads": 2, "blocks": [1]}
    small |= {"depths": [1, 1, 1, 1], "width": 8, "widths": [8, 8, 16, 16]}
    plain["model"] |= {key: value for key, value in small.items() if key in known}
    network = {key: value for key, value in plain["model"].items() if key in known}
    plain["model"]["weights"] = None
    io = spec(name).io(configure(name, network))
    plain["data"] |= {"root": str(root), "patient": {"regex": patient}, "classes": None, "name": None}
    if io.input == "clip":
        plain["data"]["sampling"]["frames"] = io.frames
        plain["data"]["spatial"] |= {"size": min(io.size), "short_side": None}
        plain["evaluate"]["temporal_views"] = min(2, plain["evaluate"]["temporal_views"])
    else:
        plain["data"]["input"] |= {"size": list(io.size), "resize_to": None}
        if plain["data"]["resample"] is not None:
            plain["data"]["resample"]["counts"] = 4
    plain["train"] |= {"epochs": 1, "max_steps": 2, "batch_size": 4, "workers": 0, "devices": 1, "accelerator": "cpu"}
    plain["train"]["log"]["tensorboard"] = False
    plain["evaluate"] |= {"positive": None, "replicates": 100}
    return plain
