"""Published TimeSformer and image-ViT checkpoints, fitted to a TimeSformer of another size."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cineloop.models.registry import Adapted


def resize_positions(table: Tensor, places: int) -> Tensor | None:
    """Resize a position table ``[1, 1 + n, D]`` of a square grid to ``places`` by nearest neighbour.

    Returns None when either grid is not square.
    """
    old, new = round((table.shape[1] - 1) ** 0.5), round(places**0.5)
    if old * old != table.shape[1] - 1 or new * new != places:
        return None
    grid = table[:, 1:].transpose(1, 2).reshape(1, -1, old, old)
    resized = F.interpolate(grid, size=(new, new), mode="nearest").flatten(2).transpose(1, 2)
    return torch.cat((table[:, :1], resized), dim=1)


def resize_times(table: Tensor, frames: int) -> Tensor:
    """Resize a time table ``[1, t, D]`` to ``frames`` by nearest neighbour."""
    return F.interpolate(table.transpose(1, 2), size=frames, mode="nearest").transpose(1, 2)


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))


def adapt(tensors: Mapping[str, Tensor], module: nn.Module) -> Adapted:
    """Fit published tensors to ``module``.

    Position and time tables of another length are resized by nearest neighbour, as the published forward pass does.
    A checkpoint without any temporal weights (an image ViT) gives its spatial attention to the temporal one, as
    published; what then has no source keeps its initial value and counts as derived, not as matched.
    """
    own = module.state_dict()
    result = dict(tensors)
    resized: dict[str, str] = {}
    derived: dict[str, str] = {}

    def replace(key: str, new: Tensor | None) -> None:
        if new is not None:
            resized[key] = f"{_shape(result[key])} -> {_shape(new)}, nearest"
            result[key] = new

    for key, fit in (("pos_embed", resize_positions), ("time_embed", resize_times)):
        if key in own and key in result and result[key].ndim == 3 and result[key].shape != own[key].shape:
            offset = 1 if key == "pos_embed" else 0
            if result[key].shape[1] != own[key].shape[1] and result[key].shape[2] == own[key].shape[2]:
                replace(key, fit(result[key], own[key].shape[1] - offset))

    if not any("temporal" in key or key == "time_embed" for key in result):
        for key, value in own.items():
            source = key.replace("temporal_attn", "attn").replace("temporal_norm1", "norm1")
            if source != key and source in result:
                result[key], derived[key] = result[source], f"copied from {source}"
            elif "temporal_fc" in key or key == "time_embed":
                result[key], derived[key] = value, "kept at its initial value"
    return Adapted(result, resized, derived)
