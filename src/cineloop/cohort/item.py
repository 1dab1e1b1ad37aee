"""What a data worker is given: plain, small, cheap to send to another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a task sees: a video, or a clip of one.

    Attributes:
        id: Unique in the cohort and stable; seeds are drawn from it.
        media: The id of the file it is part of.
        path: Where the file lies.
        patient: Whom it shows; the unit of splits and of the bootstrap.
        procedure: The examination it belongs to.
        label: Class name; None when unlabelled.
        target: Class number; None when unlabelled.
        start: First frame, from 0; None for the first of the file.
        stop: The frame after the last; None for the end of the file.
        frames: Frames of the whole file.
        attributes: Known attributes (site, scope, age, sex, ...) as sorted pairs of name and value.
    """

    id: str
    media: str
    path: Path
    patient: str
    procedure: str
    label: str | None
    target: int | None
    start: int | None
    stop: int | None
    frames: int | None
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """How much is known about who is who.

    Attributes:
        patient: True when every video's patient is known; False when some or all count as patients of their own.
        procedure: The same for procedures.
    """

    patient: bool
    procedure: bool
