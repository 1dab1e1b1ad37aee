"""The preparation of frames in MONAI's transforms."""

from __future__ import annotations

from typing import Any

from cineloop.errors import ExportError
from cineloop.video.frame_input import FrameInput

Config = dict[str, Any]


def preparation(config: FrameInput) -> list[Config]:
    """Return MONAI's transforms that prepare a frame as ``config`` says.

    MONAI's reader gives a picture as [W, H]; where the model saw it upright, the axes are swapped back.

    Raises:
        ExportError: MONAI has no transform that computes the same.
    """
    if config.resize != "squash" or config.resize_to not in (None, config.size):
        raise _refused(f"resize: {config.resize}", "resize: squash")
    if config.antialias or config.arithmetic != "float":
        raise _refused("smoothing before shrinking", "antialias: false and arithmetic: float")
    steps: list[Config] = [
        {"_target_": "LoadImaged", "keys": "image", "image_only": True},
        {"_target_": "EnsureChannelFirstd", "keys": "image", "channel_dim": -1},
    ]
    if not config.transposed:
        steps.append({"_target_": "Transposed", "keys": "image", "indices": [0, 2, 1]})
    # A transposed network input has its height along the picture's width.
    size = [config.size[1], config.size[0]] if config.transposed else list(config.size)
    steps += [
        {"_target_": "Resized", "keys": "image", "spatial_size": size, "mode": "bilinear", "align_corners": False},
        {"_target_": "CastToTyped", "keys": "image", "dtype": "float32"},
    ]
    if config.values == "z-score":
        steps.append({"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True, "channel_wise": True})
    else:
        steps.append(
            {
                "_target_": "NormalizeIntensityd",
                "keys": "image",
                "subtrahend": [255 * value for value in config.mean],
                "divisor": [255 * value for value in config.std],
                "channel_wise": True,
            }
        )
    return [*steps, {"_target_": "EnsureTyped", "keys": "image"}]


def _refused(what: str, wanted: str) -> ExportError:
    return ExportError(
        f"MONAI has no transform that computes what this model was trained with ({what})",
        where="data.input",
        mend=f"Train with {wanted}, as the recipe inbody/upstream, or export as ONNX.",
    )


def augmentation() -> list[Config]:
    """Return the random transforms of training, as the published in-body bundle has them."""

    def step(name: str, probability: float, **options: Any) -> Config:
        return {"_target_": name, "keys": "image", "prob": probability, **options}

    return [
        step("RandRotated", 0.2, range_x=0.3, mode="bilinear"),
        step("RandScaleIntensityd", 0.5, factors=0.3),
        step("RandShiftIntensityd", 0.5, offsets=0.1),
        step("RandGaussianNoised", 0.15, std=0.01),
        step("RandFlipd", 0.5, spatial_axis=0),
        step("RandFlipd", 0.5, spatial_axis=1),
    ]
