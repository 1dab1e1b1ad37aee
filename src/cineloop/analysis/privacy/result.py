"""What came of a de-identification: everything that its audit log and review sheet are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cineloop.analysis.privacy.blanking import REASONS, Reason, Span
from cineloop.analysis.privacy.mask import Mask
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.words import Said


@dataclass(frozen=True)
class Scores:
    """What the gate said within a stretch.

    Attributes:
        rows: Rows of the gate in it.
        unknown: Those of them without a probability.
        low: The smallest probability; None where none is known.
        mean: Their mean.
        high: The largest.
    """

    rows: int
    unknown: int
    low: float | None
    mean: float | None
    high: float | None


@dataclass(frozen=True)
class RemovedRange:
    """Frames of a part that were blanked for one reason.

    Attributes:
        part: Number of the part, from 0.
        first: The first frame, by its index in the part.
        last: The last one, inclusive.
        start: When the first appears, on the procedure's clock.
        stop: When the last disappears.
        reason: Why.
        scores: What the gate said.
    """

    part: int
    first: int
    last: int
    start: float
    stop: float
    reason: Reason
    scores: Scores


@dataclass(frozen=True)
class PartOutcome:
    """What became of a part.

    Attributes:
        number: From 0.
        sha256: Of the original file.
        file: Name of the file it is in.
        start: When it begins, on the procedure's clock.
        seconds: How long it lasts.
        frames: Frames in it.
        removed: Those of them that are blanked.
        undecodable: Those of the blanked ones that could not be decoded.
        truncated: Whether the original ends before what its header promises; what is missing is missing here, too.
        mask: What is filled in the others.
    """

    number: int
    sha256: str
    file: str
    start: float
    seconds: float
    frames: int
    removed: int
    undecodable: int
    truncated: bool
    mask: Mask


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written.

    Attributes:
        name: Its name, which says nothing of the original's.
        kind: ``video`` or ``dicom``.
        sha256: Of its bytes.
        frames: In it.
    """

    name: str
    kind: Literal["video", "dicom"]
    sha256: str
    frames: int


@dataclass(frozen=True, kw_only=True)
class PrivacyResult:
    """A de-identified procedure.

    Attributes:
        folder: Where its files are.
        settings: How it was de-identified.
        threshold: Of the gate.
        parts: In order.
        files: In order.
        spans: What is blanked, on the procedure's clock.
        removed: The same in frames, and what could not be decoded.
        warnings: What a reader must know.
        versions: Of the software.
        audit: The audit log.
        sheet: The review sheet.
    """

    folder: Path
    settings: PrivacySettings
    threshold: float
    parts: tuple[PartOutcome, ...]
    files: tuple[WrittenFile, ...]
    spans: tuple[Span, ...]
    removed: tuple[RemovedRange, ...]
    warnings: tuple[Said, ...]
    versions: Mapping[str, str]
    audit: Path
    sheet: Path

    @property
    def seconds(self) -> float:
        """How long the procedure lasts."""
        return sum(part.seconds for part in self.parts)

    @property
    def removed_share(self) -> float:
        """Share of the frames that are blanked, in [0, 1]."""
        return sum(part.removed for part in self.parts) / max(1, sum(part.frames for part in self.parts))

    @property
    def removed_by_reason(self) -> dict[Reason, int]:
        """How many frames are blanked for each reason, in the order in which reasons are named."""
        frames = dict.fromkeys(REASONS, 0)
        for each in self.removed:
            frames[each.reason] += each.last - each.first + 1
        return frames
