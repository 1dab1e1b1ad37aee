"""What an exported graph is: its inputs, outputs, classes and thresholds, for whoever builds on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cineloop._version import __version__
from cineloop.exports.graph import Answer, Kind
from cineloop.inference.engines import INPUT
from cineloop.inference.load import Loaded
from cineloop.report.furniture import DISCLAIMER
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.frame_classification.predictor import FramePredictor

SCHEMA = 1


def preparation_plain(loaded: Loaded) -> dict[str, Any]:
    """Return, as plain data, how the graph prepares pixels."""
    predictor = loaded.predictor
    if isinstance(predictor, FramePredictor):
        return predictor.head.input.model_dump(mode="json")
    assert isinstance(predictor, ClipPredictor)
    return predictor.input.spatial.model_dump(mode="json")


def frames_of(loaded: Loaded) -> int:
    """Return how many frames an input has."""
    predictor = loaded.predictor
    return predictor.input.sampling.frames if isinstance(predictor, ClipPredictor) else 1


def contract(loaded: Loaded, kind: Kind, answer: Answer, *, form: str, precision: str) -> dict[str, Any]:
    """Return the contract of an export.

    Args:
        loaded: The model.
        kind: What the graph reads.
        answer: The graph.
        form: ``onnx``, ``openvino``, ``torchscript`` or ``tensorrt``.
        precision: Of the arithmetic: ``fp32``, ``bf16``, ``int8``.
    """
    predictor, passport = loaded.predictor, loaded.passport
    outputs = list(passport.classes)
    frames = frames_of(loaded)
    shape: list[Any] = ["batch", "height", "width", 3] if kind == "frame" else ["batch", frames, "height", "width", 3]
    sigmoid = answer.activation == "sigmoid"
    decision: dict[str, Any]
    if sigmoid:
        names = ("outside", "nonsense", "ileocecal")
        thresholds: Mapping[str, float] = dict(zip(names, answer.thresholds, strict=True))
        decision = {
            "shape": ["batch", len(outputs)],
            "meaning": "0 or 1 for each output: outside excludes all others, nonsense excludes ileocecal and BBPS, "
            "and of the BBPS scores the most probable one is set",
        }
    else:
        positive = outputs[answer.positive] if len(outputs) == 2 else None
        thresholds = {positive: answer.thresholds[0]} if positive is not None else {}
        decision = {"shape": ["batch"], "meaning": "the place of the decided class in `classes`"}
    return {
        "schema": SCHEMA,
        "software": {"name": "cineloop", "version": __version__},
        "format": form,
        "precision": precision,
        "task": passport.head.task if passport.head is not None else None,
        "architecture": passport.architecture,
        "weights_sha256": passport.sha256,
        "trained_on": passport.corpus,
        "licence": passport.licence,
        "passport": passport.model_dump(mode="json"),
        "classes": outputs,
        "judged_classes": list(predictor.classes),
        "thresholds": dict(thresholds),
        "input": {
            "name": INPUT[kind],
            "dtype": "uint8",
            "shape": shape,
            "colour": "RGB",
            "range": [0, 255],
            "meaning": "frames as decoded, upright, of any height and width"
            if kind == "frame"
            else "the frames of a clip as decoded, upright, in order, of any height and width",
        },
        "outputs": {
            "probabilities": {
                "dtype": "float32",
                "shape": ["batch", len(outputs)],
                "activation": answer.activation,
            },
            "decision": {"dtype": "int64", **decision},
            "logits": {"dtype": "float32", "shape": ["batch", len(outputs)]},
        },
        "inside_the_graph": {"preparation": preparation_plain(loaded), "activation": answer.activation},
        "notice": DISCLAIMER,
    }
