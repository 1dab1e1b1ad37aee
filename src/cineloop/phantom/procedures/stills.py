"""Frames of phantom procedures as single pictures, in the layouts of published data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from cineloop import files
from cineloop.phantom.procedures.schema import Layout
from cineloop.phantom.procedures.tables import BODY
from cineloop.timeline.quality import LABELS, SCORES, code_of
from cineloop.video.frame import Pixels

UIHNJ = "UIHNJMuLv3Split"
"""The folder of the stills with codes of seven labels."""

INDEX = "fold_train_validation_test.json"
"""Their index."""

TREE = "inbody-tree"
"""The folder of the stills in two class folders."""

_FOLDERS = {"train": "data_train", "val": "data_validation", "test": "data_test"}
_KEYS = {"train": "train", "val": "validation", "test": "test"}
_CLASSES = dict(zip(BODY, ("inbody", "outbody"), strict=True))
_QUALITY = 92


def _file(procedure: str, frame: int) -> str:
    return f"{procedure}_{frame:06}.jpg"


def _coded(split: str, procedure: str, frame: int) -> str:
    """Return the path of a still with a code, below :data:`UIHNJ`."""
    return f"{_FOLDERS[split]}/{_file(procedure, frame)}"


def _classed(body: str, procedure: str, frame: int) -> str:
    """Return the path of a still in a class folder, below :data:`TREE`."""
    return f"{_CLASSES[body]}/{procedure}/{_file(procedure, frame)}"


def write_still(
    out: Path, layouts: Sequence[Layout], pixels: Pixels, *, split: str, procedure: str, frame: int, body: str
) -> None:
    """Write a frame as a JPEG into each layout.

    Args:
        out: The phantom.
        layouts: Which.
        pixels: RGB uint8 [H, W, 3], as it was before the video was compressed.
        split: ``train``, ``val`` or ``test``.
        procedure: Where it comes from.
        frame: Its number there.
        body: One of ``BODY``.
    """
    paths = []
    if "uihnj" in layouts:
        paths.append(out / UIHNJ / _coded(split, procedure, frame))
    if "inbody-tree" in layouts:
        paths.append(out / TREE / _classed(body, procedure, frame))
    for path in paths:
        with files.atomic_path(path) as temporary:
            Image.fromarray(pixels).save(temporary, format="JPEG", quality=_QUALITY)


def write_indices(out: Path, layouts: Sequence[Layout], index: pl.DataFrame) -> None:
    """Write what names the stills: an index of codes, and a list of classes.

    Args:
        out: The phantom.
        layouts: Which.
        index: The frames that are listed.
    """
    if "uihnj" in layouts:
        files.write_json(out / UIHNJ / INDEX, _codes(index), indent=None)
    if "inbody-tree" in layouts:
        paths = [_classed(*row) for row in index.select("body", "procedure", "frame").iter_rows()]
        rows = index.select(pl.Series("path", paths), pl.col("body").alias("label"), "patient", "procedure", "split")
        files.write_text(out / TREE / "labels.csv", rows.write_csv())


def _codes(index: pl.DataFrame) -> dict[str, Any]:
    """Return the frames as the published index writes them: an id and seven numbers a picture, by split and subset."""
    found: dict[str, Any] = {"code": list(LABELS), "idmap": {}, **{key: {} for key in _KEYS.values()}}
    for number, row in enumerate(index.iter_rows(named=True)):
        path = _coded(row["split"], row["procedure"], row["frame"])
        subset = next((score for score in SCORES if score in row["label"].split()), "nobbps")
        found["idmap"][str(number)] = path
        code = [float(bit) for bit in code_of(row["label"])]
        found[_KEYS[row["split"]]].setdefault(subset, {})[path] = [number, code]
    return found
