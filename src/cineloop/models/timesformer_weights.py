"""Published TimeSformer and image-ViT checkpoints, fitted to a TimeSformer of another size."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import JsonValue
from torch import Tensor, nn

from cineloop.models.registry import Adapted

TimeResize = Literal["nearest", "linear"]


def resize_positions(table: Tensor, places: int, *, class_tokens: int = 1) -> Tensor | None:
    """Resize a position table ``[1, n + class_tokens, D]`` of a square grid to ``places`` by nearest neighbour.

    The first entry and, of two class tokens, the last one are theirs and stay. Returns None when either grid is not
    square.
    """
    count = table.shape[1] - class_tokens
    old, new = round(max(count, 0) ** 0.5), round(places**0.5)
    if old * old != count or new * new != places:
        return None
    grid = table[:, 1 : 1 + count].transpose(1, 2).reshape(1, -1, old, old)
    resized = F.interpolate(grid, size=(new, new), mode="nearest").flatten(2).transpose(1, 2)
    return torch.cat((table[:, :1], resized, table[:, 1 + count :]), dim=1)


def resize_times(table: Tensor, frames: int, how: TimeResize = "nearest") -> Tensor:
    """Resize a time table ``[1, t, D]`` to ``frames``: by nearest neighbour, or linearly with both ends in place."""
    rows = table.transpose(1, 2)
    if how == "linear":
        return F.interpolate(rows, size=frames, mode="linear", align_corners=True).transpose(1, 2)
    return F.interpolate(rows, size=frames, mode="nearest").transpose(1, 2)


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))


def adapt(tensors: Mapping[str, Tensor], module: nn.Module) -> Adapted:
    """Fit published tensors to ``module``.

    Position tables of another length are resized by nearest neighbour, as the published forward pass does, and time
    tables as the module's configuration says.
    A checkpoint without any temporal weights (an image ViT) gives its spatial attention to the temporal one, as
    published; what then has no source keeps its initial value and counts as derived, not as matched.
    """
    own = module.state_dict()
    result = dict(tensors)
    resized: dict[str, str] = {}
    derived: dict[str, str] = {}

    def replace(key: str, new: Tensor | None, how: str = "nearest") -> None:
        if new is not None:
            resized[key] = f"{_shape(result[key])} -> {_shape(new)}, {how}"
            result[key] = new

    def other_length(key: str) -> bool:
        if key not in own or key not in result or result[key].ndim != 3:
            return False
        return result[key].shape[1] != own[key].shape[1] and result[key].shape[2] == own[key].shape[2]

    class_tokens = 2 if "aux_cls_token" in own else 1
    if other_length("pos_embed") and ("aux_cls_token" in result) == (class_tokens == 2):
        places = own["pos_embed"].shape[1] - class_tokens
        replace("pos_embed", resize_positions(result["pos_embed"], places, class_tokens=class_tokens))
    if other_length("time_embed"):
        how: TimeResize = getattr(getattr(module, "config", None), "time_resize", "nearest")
        replace("time_embed", resize_times(result["time_embed"], own["time_embed"].shape[1], how), how)

    if not any("temporal" in key or key == "time_embed" for key in result):
        for key, value in own.items():
            source = key.replace("temporal_attn", "attn").replace("temporal_norm1", "norm1")
            if source != key and source in result:
                result[key], derived[key] = result[source], f"copied from {source}"
            elif "temporal_fc" in key or key == "time_embed":
                result[key], derived[key] = value, "kept at its initial value"
    return Adapted(result, resized, derived)


def infer(tensors: Mapping[str, Tensor]) -> dict[str, JsonValue]:
    """Return the options of a TimeSformer that a checkpoint's tensors tell; the number of heads is not among them."""
    cls, positions, times = (tensors.get(key) for key in ("cls_token", "pos_embed", "time_embed"))
    blocks = {int(key.split(".")[1]) for key in tensors if re.match(r"blocks\.\d+\.", key)}
    if cls is None or positions is None or not blocks:
        return {}
    two_token = "aux_cls_token" in tensors
    temporal = any(".temporal_attn." in key for key in tensors)
    found: dict[str, JsonValue] = {
        "embed_dim": cls.shape[-1],
        "depth": max(blocks) + 1,
        "two_token": two_token,
        "attention_type": "divided_space_time" if temporal else "space_only" if times is None else "joint_space_time",
    }
    if times is not None:
        found["num_frames"] = times.shape[1]
    projection = tensors.get("patch_embed.proj.weight")
    if projection is not None and "patch_embed.body.0.weight" not in tensors:
        patch, places = projection.shape[-1], positions.shape[1] - 1 - two_token
        found |= {"patch_size": patch, "img_size": patch * math.isqrt(max(places, 0))}
    return found
