"""MONAI bundles from elsewhere, read as data: nothing in them is evaluated, and no program in them is run.

A bundle's configuration may hold Python and may name any class. What is needed is the network, which must be one that
is known here, and the preparation, which must be a list of transforms that are known here. Anything else is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from cineloop.errors import WeightsError
from cineloop.models.passport import Head, Passport
from cineloop.models.registry import MODELS
from cineloop.models.seresnet import PUBLISHED_INPUT, SEResNetConfig
from cineloop.models.weights import load_into
from cineloop.schema import parse_yaml
from cineloop.video.frame_input import FrameInput

_CONFIGS = ("inference.json", "inference.yaml", "inference.yml", "train.json", "train.yaml", "train.yml")
_TASK = "frame-classification"
_NETWORK = "SEResNet50"
# What changes neither values nor axes.
_PLAIN = {"EnsureTyped", "ToTensord", "CastToTyped", "ToDeviced"}
_CHANNEL_FIRST = {"EnsureChannelFirstd", "AsChannelFirstd"}


def is_bundle(path: Path) -> bool:
    """Tell whether a folder is a MONAI bundle."""
    return (path / "configs" / "metadata.json").is_file()


def open_bundle(path: Path) -> tuple[Passport, Mapping[str, Tensor]]:
    """Return the passport and the tensors of a bundle's classifier.

    Args:
        path: The folder.

    Raises:
        WeightsError: There are no weights but TorchScript, the network or its preparation is none that is known here,
            or the weights do not fit.
    """
    config, where = _config(path)
    network = _network(config, where)
    prepared = _preparation(config, where)
    weights = path / "models" / "model.pt"
    if not weights.is_file():
        scripted = sorted(file.name for file in (path / "models").glob("*.ts"))
        raise WeightsError(
            f"The bundle's only weights are a program: {', '.join(scripted)}"
            if scripted
            else "The bundle holds no weights",
            where=path / "models",
            mend="TorchScript runs code of its own and is not opened. Put the state dict there, as model.pt.",
        )
    spec = MODELS.get("seresnet50-inbody")
    module = spec.build(network)
    load_into(module, weights, spec=spec)
    tensors = module.state_dict()
    classes = _classes(path, network.num_classes)
    guessed = next((name for name in classes if "out" in name.split("_")), None) if len(classes) == 2 else None
    head = {
        "labels": "exclusive",
        "stride": 1.0,
        "crop": "none",
        "input": prepared.model_dump(mode="json"),
        "positive": next(iter(decision_of(path, classes)), guessed),
    }
    passport = Passport.of(spec, network).model_copy(
        update={
            "classes": classes,
            "head": Head(task=_TASK, prefix="", activation="softmax", config=head),
            "origin": f"MONAI bundle {path.name}",
        }
    )
    return passport.sealed(tensors), tensors


def decision_of(path: Path, classes: Sequence[str]) -> dict[str, float]:
    """Return the threshold of the positive class that a bundle's metadata names, by that class; empty without one."""
    decision = _mapping(path / "configs" / "metadata.json").get("decision")
    if not isinstance(decision, Mapping):
        return {}
    positive, threshold = decision.get("positive"), decision.get("threshold")
    if len(classes) != 2 or not isinstance(positive, str) or positive not in classes:
        return {}
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        return {}
    return {positive: float(threshold)} if 0 <= threshold <= 1 else {}


def _config(path: Path) -> tuple[Mapping[str, Any], Path]:
    for name in _CONFIGS:
        file = path / "configs" / name
        if file.is_file():
            return _mapping(file), file
    raise WeightsError(
        "The bundle has no configuration of inference or training",
        where=path / "configs",
        mend=f"One of {', '.join(_CONFIGS)} is needed.",
    )


def _mapping(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        plain = json.loads(text) if file.suffix == ".json" else parse_yaml(text, where=file)
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"The bundle's configuration cannot be read: {type(error).__name__}", where=file, mend="Copy it again."
        ) from None
    if not isinstance(plain, Mapping):
        raise WeightsError("The bundle's configuration is no mapping", where=file, mend="Copy it again.")
    return plain


def _target(step: Any) -> str:
    """Return the last part of the class that a piece of configuration names; empty where it names none."""
    name = step.get("_target_") if isinstance(step, Mapping) else None
    return name.rpartition(".")[2] if isinstance(name, str) else ""


def _evaluated(value: Any) -> bool:
    """Tell whether a value is an expression, or refers to another, and so means nothing as data."""
    if isinstance(value, str):
        return value.startswith(("$", "@", "%"))
    if isinstance(value, Mapping):
        return any(_evaluated(item) for item in value.values())
    return isinstance(value, Sequence) and any(_evaluated(item) for item in value)


def _network(config: Mapping[str, Any], where: Path) -> SEResNetConfig:
    found = config.get("network_def")
    options = {key: value for key, value in found.items() if key != "_target_"} if isinstance(found, Mapping) else {}
    if _target(found) != _NETWORK or _evaluated(options):
        raise WeightsError(
            f"The bundle's network is {_target(found) or 'not named as data'}; {_NETWORK} can be read",
            where=f"{where}: network_def",
            mend="Run other bundles with MONAI. Expressions in a bundle are never evaluated here.",
        )
    fixed = {"spatial_dims": 2, "in_channels": 3}
    wrong = [name for name, value in fixed.items() if options.get(name, value) != value]
    classes = options.get("num_classes", 1000)
    unknown = sorted(options.keys() - {*fixed, "num_classes", "pretrained", "progress"})
    if wrong or unknown or not isinstance(classes, int) or isinstance(classes, bool) or classes < 2:
        named = ", ".join([*wrong, *unknown]) or "num_classes"
        raise WeightsError(
            f"The bundle's network has options that are not known here: {named}",
            where=f"{where}: network_def",
            mend="Frames of three channels and two or more classes can be read.",
        )
    return SEResNetConfig(num_classes=classes)


def _steps(value: Any) -> list[Any] | None:
    """Return the first list of transforms below a configuration that begins by reading a file."""
    if isinstance(value, Mapping):
        return next((found for item in value.values() if (found := _steps(item)) is not None), None)
    if isinstance(value, list):
        if any(_target(step) == "LoadImaged" for step in value):
            return value
        return next((found for item in value if (found := _steps(item)) is not None), None)
    return None


def _preparation(config: Mapping[str, Any], where: Path) -> FrameInput:
    """Return how the bundle prepares a frame.

    Raises:
        WeightsError: A transform is not known here, or has an option that is not.
    """
    steps = _steps(config.get("preprocessing")) or _steps(config)
    if steps is None:
        raise WeightsError(
            "The bundle does not say as data how it prepares a frame",
            where=where,
            mend="A list of transforms that begins with LoadImaged is needed.",
        )
    plain = PUBLISHED_INPUT.model_dump()
    plain |= {"values": None, "size": None}
    for step in steps:
        _take(step, plain, where)
    size = plain["size"]
    if size is None or plain["values"] is None:
        raise WeightsError(
            f"The bundle's preparation has no {'Resized' if size is None else 'NormalizeIntensityd'}",
            where=where,
            mend="It resizes a picture and normalises its values, or its weights cannot be used here.",
        )
    # MONAI's reader gives [W, H]: the first of the two sides runs along the picture's width.
    plain["size"] = (size[1], size[0]) if plain["transposed"] else tuple(size)
    return FrameInput.model_validate(plain)


def _take(step: Any, plain: dict[str, Any], where: Path) -> None:
    """Enter one transform into the preparation."""
    name = _target(step)
    options = {
        key: value
        for key, value in (step.items() if isinstance(step, Mapping) else ())
        if key not in ("_target_", "keys", "allow_missing_keys", "_disabled_", "_desc_")
    }
    allowed: Mapping[str, Any] = {}
    if name in _PLAIN:
        return
    if name == "LoadImaged":
        allowed = {"image_only": options.get("image_only"), "reader": "PILReader", "ensure_channel_first": False}
        allowed = {**allowed, "dtype": options.get("dtype")}
    elif name in _CHANNEL_FIRST:
        allowed = {"channel_dim": options.get("channel_dim")}
    elif name == "Transposed" and options == {"indices": [0, 2, 1]} and plain["size"] is None:
        plain["transposed"] = False
        return
    elif name == "Resized":
        allowed = {"mode": "bilinear", "align_corners": False, "anti_aliasing": False, "size_mode": "all"}
        allowed = {**allowed, "spatial_size": options.get("spatial_size")}
        plain["size"] = options.get("spatial_size")
    elif name == "NormalizeIntensityd" and options.get("nonzero") is True:
        allowed = {"nonzero": True, "channel_wise": True}
        plain["values"] = "z-score"
    elif name == "NormalizeIntensityd" and {"subtrahend", "divisor"} <= options.keys():
        allowed = {**options, "nonzero": False, "channel_wise": True}
        plain |= {"values": "scaled", "mean": [value / 255 for value in options["subtrahend"]]}
        plain["std"] = [value / 255 for value in options["divisor"]]
    else:
        raise _unknown(name or str(step)[:60], where)
    wrong = [
        key for key, value in options.items() if key not in allowed or (value != allowed[key] and value is not None)
    ]
    if wrong or _evaluated(options):
        raise _unknown(f"{name} with {', '.join(sorted(wrong)) or 'an expression'}", where)


def _unknown(what: str, where: Path) -> WeightsError:
    return WeightsError(
        f"The bundle's preparation has a transform that is not known here: {what}",
        where=where,
        mend="Run this bundle with MONAI: weights mean something under their own preparation only.",
    )


def _classes(path: Path, count: int) -> tuple[str, ...]:
    """Return the names of the classes from the metadata, or numbers where it names none."""
    plain: Any = _mapping(path / "configs" / "metadata.json")
    for key in ("network_data_format", "outputs", "pred", "channel_def"):
        plain = plain.get(key) if isinstance(plain, Mapping) else None
    if isinstance(plain, Mapping):
        names = [str(plain.get(str(place), "")).strip().lower().replace(" ", "_") for place in range(count)]
        if all(names) and len(set(names)) == count:
            return tuple(names)
    return tuple(f"class_{place}" for place in range(count))
