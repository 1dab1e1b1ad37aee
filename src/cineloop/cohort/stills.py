"""Which files of a cohort are pictures, and which are recordings with a duration and a rate."""

from __future__ import annotations

import polars as pl

from cineloop.video.info import IMAGE_SUFFIXES


def still() -> pl.Expr:
    """Return whether a row of ``media`` is a picture that can be read."""
    suffix = pl.col("path").str.extract(r"(\.[^./]+)$").str.to_lowercase()
    return ((pl.col("frames") == 1) & suffix.is_in(sorted(IMAGE_SUFFIXES))).fill_null(False)


def counted(pictures: int, videos: int) -> str:
    """Return numbers of pictures and of videos in words, leaving out a kind of which there is none."""
    kinds = [
        f"{number:,} {name}{'' if number == 1 else 's'}"
        for number, name in ((pictures, "picture"), (videos, "video"))
        if number
    ]
    return " and ".join(kinds) or "none"
