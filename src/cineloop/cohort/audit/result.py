"""What an audit found: frozen findings, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cineloop.cohort.cohort import Count
from cineloop.cohort.stills import counted

Severity = Literal["error", "warning", "info"]

#: Findings that let a model be tested on what it was trained on.
LEAKS = ("patient-leak", "procedure-leak", "video-leak", "identical-bytes", "near-duplicate")

_SHOWN = 8
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
_WORDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "remark"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that a finding is about.

    Attributes:
        one: Media id.
        other: Media id.
        how: In what they agree, in words.
        moments: Seconds in both at which they show the same; None when that is not known.
    """

    one: str
    other: str
    how: str
    moments: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit found.

    Attributes:
        kind: A stable word: ``patient-leak``, ``near-duplicate``, ``unreadable``, ...
        severity: ``error`` for what makes figures wrong, ``warning`` for what may, ``info`` for what to know.
        message: One sentence or two.
        items: Media or item ids concerned, or patients; with a remark after a colon where there is one to make.
        pairs: Pairs of media concerned.
    """

    kind: str
    severity: Severity
    message: str
    items: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def lines(self) -> list[str]:
        """Return the finding as lines of text, long lists cut short."""
        lines = [f"{self.severity.upper():<7} {self.kind}: {self.message}"]
        rows = [*self.items, *(f"{pair.one}  ~  {pair.other}  ({pair.how})" for pair in self.pairs)]
        lines += [f"          {row}" for row in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            lines.append(f"          ... and {len(rows) - _SHOWN} more")
        return lines


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of a technical property over the files.

    Attributes:
        name: ``duration``, ``frames``, ``fps``, ``width``, ``height``, ``size``.
        unit: Its unit.
        lowest: Minimum.
        median: Median.
        highest: Maximum.
    """

    name: str
    unit: str
    lowest: float
    median: float
    highest: float


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        cohort: The cohort's name.
        fingerprint: The cohort's fingerprint.
        media: Files looked at.
        stills: Those of them that are pictures.
        videos: Those that are videos; the rest cannot be read.
        items: Items.
        patients: Patients (or files, where those are unknown).
        compared: Whether pictures were compared for near-duplicates.
        counts: Items by split and label.
        spreads: Distributions of technical properties.
        findings: What was found, errors first.
    """

    cohort: str
    fingerprint: str
    media: int
    stills: int
    videos: int
    items: int
    patients: int
    compared: bool
    counts: tuple[Count, ...]
    spreads: tuple[Spread, ...]
    findings: tuple[Finding, ...]

    def of(self, *kinds: str, severity: Severity | None = None) -> list[Finding]:
        """Return the findings of some kinds (all kinds, when none is named) and of one severity, if given."""
        return [
            finding
            for finding in self.findings
            if (not kinds or finding.kind in kinds) and (severity is None or finding.severity == severity)
        ]

    @property
    def errors(self) -> list[Finding]:
        """The findings that make figures wrong."""
        return self.of(severity="error")

    @property
    def leaks(self) -> list[Finding]:
        """The findings that let a model be tested on what it was trained on."""
        return self.of(*LEAKS, severity="error")

    @property
    def kinds(self) -> str:
        """Of which kinds the files are, in parentheses; empty where all are videos."""
        if not self.stills:
            return ""
        return " (pictures)" if self.stills == self.media else f" ({counted(self.stills, self.videos)})"

    def text(self) -> str:
        """Return the audit for a terminal."""
        lines = [
            f"{self.cohort}: {self.media} files{self.kinds}, {self.items} items, {self.patients} patients "
            f"(fingerprint {self.fingerprint[:12]})",
            "",
            *_table(
                ("split", "label", "items", "files", "patients"),
                [
                    (row.split or "-", row.label or "unlabelled", row.items, row.media, row.patients)
                    for row in self.counts
                ],
            ),
            "",
            *_table(
                ("property", "lowest", "median", "highest", "unit"),
                [
                    (row.name, f"{row.lowest:g}", f"{row.median:g}", f"{row.highest:g}", row.unit)
                    for row in self.spreads
                ],
            ),
            "",
        ]
        for finding in self.findings:
            lines += finding.lines()
        found = {severity: len(self.of(severity=severity)) for severity in _ORDER}
        lines.append("")
        lines.append(
            ", ".join(_counted(found[severity], word) for severity, word in _WORDS.items())
            + ("" if self.compared else "; pictures were not compared")
        )
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the audit as plain data for JSON."""
        return {"schema": 1, "clean": not self.errors, **asdict(self)}


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, in their own order otherwise."""
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    cells = [header, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
