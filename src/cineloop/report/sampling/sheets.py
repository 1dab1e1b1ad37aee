"""Sheets: the frames that a method chooses from a video, as small pictures for the page and as a file of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cineloop.cohort import Item
from cineloop.progress import Progress, silent, stage
from cineloop.report.frame_sheet import FrameSheet, write_frame_sheet
from cineloop.report.gallery import encode
from cineloop.report.sampling.samples import Samples
from cineloop.seeds import stable_seed
from cineloop.video import Video

_HEIGHT, _QUALITY = 120, 76


_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Sheet:
    """The frames of one row.

    Attributes:
        clip: The clip's position in the table.
        method: The method's.
        row: The row's.
        frames: uint8 RGB [T, H, W, 3].
        pictures: The frames as JPEG, [T].
        width: Of a picture, in pixels.
        height: Of a picture.
    """

    clip: int
    method: int
    row: int
    frames: npt.NDArray[np.uint8]
    pictures: tuple[bytes, ...]
    width: int
    height: int


def choose_clips(samples: Samples, items: Sequence[Item | None], count: int) -> list[int]:
    """Return ``count`` clips that have an item, in an order that does not follow names.

    They are spread over splits, training first, and within these over the classes.
    """
    groups: dict[tuple[int, str, str], list[int]] = {}
    for clip in np.unique(samples.clip).tolist():
        if items[clip] is not None:
            known = samples.clips[clip]
            order = _SPLITS.index(known.split) if known.split in _SPLITS else len(_SPLITS)
            groups.setdefault((order, known.split, known.label or ""), []).append(clip)
    for (_, _, label), clips in groups.items():
        clips.sort(key=lambda clip: (stable_seed("sheet", label, samples.clips[clip].name), clip))
    turns = [
        clips[turn]
        for turn in range(max(map(len, groups.values()), default=0))
        for _, clips in sorted(groups.items())
        if turn < len(clips)
    ]
    return turns[:count]


def decode_sheets(
    samples: Samples, items: Sequence[Item | None], count: int, *, progress: Progress = silent
) -> list[Sheet]:
    """Decode the first row of every method of ``count`` clips.

    Args:
        samples: The table, under the items' names.
        items: The item of each clip, [C]; those without are passed over.
        count: How many clips.
        progress: Told of each clip.

    Raises:
        VideoError: A file or a frame cannot be decoded.
    """
    if count < 1:
        return []
    sheets = []
    chosen = choose_clips(samples, items, count)
    with stage(progress, len(chosen), "decoding sheets") as listener:
        for clip in chosen:
            item = items[clip]
            assert item is not None
            rows = np.flatnonzero(samples.clip == clip)
            firsts = [int(rows[samples.method[rows] == method][0]) for method in np.unique(samples.method[rows])]
            with Video(item.path, threads=1) as video:
                for row in firsts:
                    indices = samples.clips[clip].start + np.array(samples.row(row).indices)
                    sheets.append(_sheet(clip, int(samples.method[row]), row, video.frames(indices).pixels))
            listener.advance()
    return sheets


def _sheet(clip: int, method: int, row: int, frames: npt.NDArray[np.uint8]) -> Sheet:
    encoded = [encode(frame, height=_HEIGHT, quality=_QUALITY) for frame in frames]
    _, width, height = encoded[0]
    return Sheet(clip, method, row, frames, tuple(data for data, _, _ in encoded), width, height)


def file_name(samples: Samples, sheet: Sheet) -> str:
    """Return ``{video}_{method}_sampling.png`` with nothing in the names that a file system minds."""
    names = samples.clips[sheet.clip].name, samples.methods[sheet.method]
    video, method = (re.sub(r"[^\w.-]+", "_", name).strip("._") or "video" for name in names)
    return f"{video}_{method}_sampling.png"


def write_sheet(samples: Samples, sheet: Sheet, folder: Path) -> Path:
    """Write a sheet as a PNG: a time line with a mark and a time for each frame, above a grid of the frames.

    Args:
        samples: The table; names stand as they are in it.
        sheet: What to draw.
        folder: Where to write ``{video}_{method}_sampling.png``.
    """
    clip, row = samples.clips[sheet.clip], samples.row(sheet.row)
    length = f"{clip.total} frames" + (f", {clip.total * clip.step:.1f} s" if clip.step is not None else "")
    drawn = FrameSheet(
        title=f"{clip.name}   {row.method}",
        detail=", ".join(filter(None, [clip.label, clip.split, length])),
        total=clip.total,
        start=clip.start,
        indices=tuple(row.indices),
        seconds=None if row.seconds is None else tuple(row.seconds),
        frames=sheet.frames,
    )
    return write_frame_sheet(drawn, folder / file_name(samples, sheet))
