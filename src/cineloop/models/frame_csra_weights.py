"""Published checkpoints of ViT and residual attention, and of bare ViTs, fitted to a frame classifier."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from pydantic import JsonValue
from torch import Tensor, nn
from torch.nn import functional

from cineloop.models.registry import Adapted

BACKBONE = "backbone.main_module."
_POSITIONS = f"{BACKBONE}pos_embed"
_HEAD = re.compile(r"classify_head\.multi_head\.(\d+)\.head\.weight")


def resize_positions(table: Tensor, places: int) -> Tensor | None:
    """Resize a position table [1, 1 + n, D] of a square grid to ``places``, bicubic with antialiasing, as timm does.

    Returns None when either grid is not square.
    """
    old, new = math.isqrt(table.shape[1] - 1), math.isqrt(places)
    if old * old != table.shape[1] - 1 or new * new != places:
        return None
    grid = table[:, 1:].float().transpose(1, 2).reshape(1, -1, old, old)
    resized = functional.interpolate(grid, size=(new, new), mode="bicubic", antialias=True)
    return torch.cat((table[:, :1], resized.flatten(2).transpose(1, 2).to(table.dtype)), dim=1)


def adapt(tensors: Mapping[str, Tensor], module: nn.Module) -> Adapted:
    """Fit published tensors to ``module``.

    A checkpoint of the colonoscopy quality control has the module's own names. A ViT of timm, whose keys stand without
    a prefix, is taken for the backbone. Position tables of another length are resized.
    """
    own = module.state_dict()
    result = dict(tensors)
    if "cls_token" in result and not any(key.startswith("classify_head.") for key in result):
        result = {f"{BACKBONE}{key}" if f"{BACKBONE}{key}" in own else key: value for key, value in result.items()}
    resized: dict[str, str] = {}
    given, wanted = result.get(_POSITIONS), own.get(_POSITIONS)
    if given is not None and wanted is not None and given.ndim == 3 and given.shape[1] != wanted.shape[1]:
        new = resize_positions(given, wanted.shape[1] - 1)
        if new is not None:
            resized[_POSITIONS] = f"{given.shape[1] - 1} -> {wanted.shape[1] - 1} places, bicubic"
            result[_POSITIONS] = new
    return Adapted(result, resized)


def infer(tensors: Mapping[str, Tensor]) -> dict[str, JsonValue]:
    """Return the options that a checkpoint's tensors tell; attention heads and lambda are not among them."""
    bare = {key.removeprefix(BACKBONE): value for key, value in tensors.items()}
    positions, patches = bare.get("pos_embed"), bare.get("patch_embed.proj.weight")
    blocks = {int(key.split(".")[1]) for key in bare if re.match(r"blocks\.\d+\.", key)}
    if positions is None or patches is None or not blocks:
        return {}
    patch = patches.shape[-1]
    found: dict[str, JsonValue] = {
        "img_size": patch * math.isqrt(max(positions.shape[1] - 1, 0)),
        "patch_size": patch,
        "embed_dim": positions.shape[2],
        "depth": max(blocks) + 1,
        "pre_norm": "norm_pre.weight" in bare,
    }
    heads = [tensors[key] for key in tensors if _HEAD.fullmatch(key)]
    if heads:
        found |= {"csra_heads": len(heads), "num_classes": heads[0].shape[0]}
    return found
