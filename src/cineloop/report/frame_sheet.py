"""A sheet of frames as one picture: what a model looked at in a video, when, and what it said."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from cineloop.files import atomic_path
from cineloop.report.drawing import INK, LINE, PALETTE, SOFT
from cineloop.report.html import Bar, Tone

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CELL, _GAP, _MARGIN, _BAR = 190, 12, 24, 22
_TONES: dict[Tone, str] = {"good": "#1a7046", "bad": "#b3261e"}


@dataclass(frozen=True, eq=False)
class FrameSheet:
    """Frames of one video with their places in it.

    Attributes:
        title: The video, and what chose the frames.
        detail: A line below it.
        total: Frames in the video.
        start: The first of them in the file.
        indices: The frames' places from ``start``, [T].
        seconds: Their times, [T]; None where they are not known.
        frames: uint8 RGB [T, H, W, 3].
        bars: Probabilities, above the time line.
        columns: Frames beside each other.
        watermark: The reason of a leak that was allowed.
    """

    title: str
    detail: str
    total: int
    start: int
    indices: tuple[int, ...]
    seconds: tuple[float, ...] | None
    frames: npt.NDArray[np.uint8]
    bars: tuple[Bar, ...] = ()
    columns: int = 6
    watermark: str | None = None


def write_frame_sheet(sheet: FrameSheet, path: Path) -> Path:
    """Write a sheet as a PNG: a time line with a mark and a time for each frame, above a grid of the frames."""
    image = draw_frame_sheet(sheet)
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG")
    return path


def draw_frame_sheet(sheet: FrameSheet) -> Image.Image:
    """Return the picture of a sheet."""
    height, width = sheet.frames.shape[1:3]
    tall = max(1, round(_CELL * height / width))
    lines = -(-len(sheet.indices) // sheet.columns)
    wide = 2 * _MARGIN + sheet.columns * _CELL + (sheet.columns - 1) * _GAP
    warned = textwrap.wrap(f"Not a valid result: {sheet.watermark}", wide // 9) if sheet.watermark else []
    above = _BAR * len(sheet.bars) + (10 if sheet.bars else 0) + _BAR * len(warned)
    image = Image.new("RGB", (wide, _MARGIN + above + 132 + lines * (tall + 34) + _MARGIN), "white")
    draw = ImageDraw.Draw(image)
    big, small = ImageFont.load_default(17), ImageFont.load_default(13)
    draw.text((_MARGIN, _MARGIN - 6), sheet.title, INK, big)
    draw.text((_MARGIN, _MARGIN + 18), sheet.detail, SOFT, small)
    for number, text in enumerate(warned):
        draw.text((_MARGIN, _MARGIN + 42 + _BAR * number), text, _TONES["bad"], small)
    _bars(draw, sheet.bars, _MARGIN + 46 + _BAR * len(warned), wide, small)
    _time_line(draw, sheet, _MARGIN + above + 84, wide, small)
    for place, (index, frame) in enumerate(zip(sheet.indices, sheet.frames, strict=True)):
        x = _MARGIN + place % sheet.columns * (_CELL + _GAP)
        y = _MARGIN + above + 132 + place // sheet.columns * (tall + 34)
        image.paste(Image.fromarray(frame).resize((_CELL, tall), Image.Resampling.LANCZOS), (x, y))
        draw.rectangle((x, y + tall, x + _CELL - 1, y + tall + 4), PALETTE[place % len(PALETTE)])
        time = _when(sheet.seconds, place, index)
        said = f"frame {sheet.start + index}" + (f", {time}" if sheet.seconds is not None else "")
        draw.text((x, y + tall + 8), said, INK, small)
    return image


def _bars(draw: ImageDraw.ImageDraw, bars: Sequence[Bar], top: int, wide: int, font: Font) -> None:
    left, length = _MARGIN + 190, min(360, wide - 2 * _MARGIN - 190 - 190)
    for number, bar in enumerate(bars):
        y = top + _BAR * number
        label = bar.label
        while draw.textlength(label, font) > 180 and len(label) > 1:
            label = f"{label.rstrip('…')[:-1]}…"
        draw.text((_MARGIN, y), label, INK, font)
        draw.rectangle((left, y + 3, left + length, y + 13), LINE)
        if bar.share > 0:
            draw.rectangle((left, y + 3, left + max(1, round(length * bar.share)), y + 13), _TONES.get(bar.tone, SOFT))
        draw.text((left + length + 10, y), f"{bar.share:.3f}  {bar.note}".rstrip(), SOFT, font)


def _time_line(draw: ImageDraw.ImageDraw, sheet: FrameSheet, base: int, wide: int, font: Font) -> None:
    left, right = _MARGIN, wide - _MARGIN
    draw.rectangle((left, base - 9, right, base + 9), LINE)
    ends = [-1e9, -1e9]
    for place, index in enumerate(sheet.indices):
        x = left + (index + 0.5) / sheet.total * (right - left)
        draw.rectangle((x - 2, base - 15, x + 2, base + 15), PALETTE[place % len(PALETTE)])
        text = _when(sheet.seconds, place, index)
        length = draw.textlength(text, font)
        at = min(max(x - length / 2, left), right - length)
        # Two heights of labels; one that fits at neither is left to the grid below.
        for level in (0, 1):
            if at > ends[level] + 6:
                draw.text((at, base - 34 if level else base + 18), text, SOFT, font)
                ends[level] = at + length
                break


def _when(seconds: Sequence[float] | None, place: int, index: int) -> str:
    return f"{index}" if seconds is None else f"{seconds[place]:.2f} s"
