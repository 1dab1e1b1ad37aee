"""What a bundle says of itself, and the shape of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cineloop._version import __version__
from cineloop.models.passport import Passport
from cineloop.video.frame_input import FrameInput

Config = dict[str, Any]

SCHEMA_URL = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20220324.json"
MADE_WITH = {"monai_version": "1.6.1", "pytorch_version": "2.13.0", "numpy_version": "2.4.6"}


def metadata(
    passport: Passport,
    config: FrameInput,
    classes: Sequence[str],
    accuracy: float | None,
    decision: tuple[str, float] | None = None,
) -> Config:
    """Return ``metadata.json``.

    Args:
        passport: Of the weights.
        config: How frames are prepared.
        classes: In the order of the logits.
        accuracy: On the run's own test split, where it was evaluated, at ``decision``.
        decision: The positive class and the probability from which on it is decided; None takes the likeliest class.
    """
    named = {str(place): name for place, name in enumerate(classes)}
    scored = config.values == "z-score"
    positive, threshold = decision or (None, None)
    said = (
        "float32, upright axes swapped ([W, H]), each channel's non-zero pixels with mean 0 and standard deviation 1"
        if scored and config.transposed
        else "float32, normalised"
    )
    return {
        "schema": SCHEMA_URL,
        "version": "0.1.0",
        "changelog": {"0.1.0": f"written by cineloop {__version__}"},
        **MADE_WITH,
        "required_packages_version": {"pytorch-ignite": "0.5.5", "pillow": "11.0.0"},
        "task": "In-body or out-of-body classification of endoscopic frames",
        "description": "An SE-ResNet-50 that tells frames inside of the body from frames outside of it. Input: "
        f"{said}; aspect ratio given up, resized bilinearly without smoothing. The network gives logits; the "
        "configurations turn them into probabilities. Research software, not a medical device.",
        "authors": "written by a run of Cineloop",
        "copyright": passport.licence or "the weights' licence is not stated",
        "intended_use": "Research only; not for clinical use.",
        "data_source": f"cohort fingerprint {passport.corpus}" if passport.corpus else "unknown",
        "data_type": "pictures (jpg, png)",
        "image_classes": "RGB frames of endoscopy and of what surrounds it",
        "label_classes": "; ".join(f"{place} = {name}" for place, name in named.items()),
        "pred_classes": "logits, one a class; probabilities after a softmax",
        "eval_metrics": {"accuracy": accuracy} if accuracy is not None else {},
        "decision": {"rule": "the likeliest class"}
        if decision is None
        else {"rule": "the positive class from the threshold on", "positive": positive, "threshold": threshold},
        "references": ["J. Hu, L. Shen and G. Sun, Squeeze-and-Excitation Networks, CVPR 2018"],
        "weights_sha256": passport.sha256,
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "endoscopy",
                    "num_channels": 3,
                    "spatial_shape": list(config.size),
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {"0": "R", "1": "G", "2": "B"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "tuples",
                    "format": "raw",
                    "num_channels": len(classes),
                    "spatial_shape": [1, len(classes)],
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": named,
                }
            },
            "post_processed_outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": len(classes),
                    "spatial_shape": [1, len(classes)],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": named,
                }
            },
        },
    }


_TENSOR: Config = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["image", "series", "tuples", "probabilities"]},
        "format": {"type": "string"},
        "modality": {"type": "string"},
        "num_channels": {"type": "integer", "minimum": 1},
        "spatial_shape": {"type": "array", "items": {"type": ["integer", "string"]}},
        "dtype": {"type": "string"},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "is_patch_data": {"type": "boolean"},
        "channel_def": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"],
}

_TENSORS: Config = {"type": "object", "minProperties": 1, "additionalProperties": _TENSOR}


def metadata_schema() -> Config:
    """Return a JSON Schema of the metadata that is written here, made from MONAI's description of the format.

    It is not MONAI's own schema file, and agreeing with it is no claim of official conformity.
    """
    texts = ("version", *MADE_WITH, "task", "description", "authors", "copyright")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Metadata of a bundle written by Cineloop; not MONAI's own schema",
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in texts},
            "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
            "network_data_format": {
                "type": "object",
                "properties": {
                    "inputs": {**_TENSORS, "required": ["image"]},
                    "outputs": {**_TENSORS, "required": ["pred"]},
                    "post_processed_outputs": _TENSORS,
                },
                "required": ["inputs", "outputs"],
            },
        },
        "required": [*texts, "required_packages_version", "network_data_format"],
    }
