"""The audit of a cohort as a page, with pictures of the pairs that look alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from cineloop.cohort.audit import Audit, Finding, Pair, Severity
from cineloop.cohort.cohort import Cohort
from cineloop.cohort.stills import still
from cineloop.errors import VideoError
from cineloop.report.gallery import FrameStrip, Pixels, gallery
from cineloop.report.html import (
    Banner,
    Block,
    Bullets,
    Card,
    Cards,
    Cell,
    Column,
    Details,
    Fact,
    Page,
    Section,
    Table,
    Tone,
    count,
)
from cineloop.video import Video

_PAIRS, _EXAMPLES, _LISTED, _OPEN = 40, 3, 200, 12
_SIDE = 240
_KINDS: tuple[tuple[Severity, str, Tone], ...] = (
    ("error", "Errors", "bad"),
    ("warning", "Warnings", "warn"),
    ("info", "Remarks", "muted"),
)


def page(cohort: Cohort, audit: Audit, *, allow_leakage: str | None = None) -> Page:
    """Return the page of an audit.

    Args:
        cohort: What was audited; its videos are opened for pictures.
        audit: What was found.
        allow_leakage: The reason for which a leak is accepted.
    """
    sections = [Section("Summary", (_cards(audit), _counts(audit), _spreads(audit)))]
    for severity, title, tone in _KINDS:
        found = audit.of(severity=severity)
        if found:
            sections.append(Section(title, (_table(found, tone), *_lists(found))))
    pairs = [pair for finding in audit.findings for pair in finding.pairs]
    if pairs:
        more = f" The first {_PAIRS} of {len(pairs)}." if len(pairs) > _PAIRS else ""
        moment = "." if not audit.videos else " at the moment at which they show the same."
        intro = f"Both files{moment}{more}"
        sections.append(Section("Pairs", (gallery([*_pairs(cohort, pairs[:_PAIRS])]),), intro=intro))
    examples = [*_examples(cohort)]
    if examples:
        shown = {
            (True, False): "Pictures of each class.",
            (False, True): "Middle frames of videos of each class.",
        }.get((audit.stills > 0, audit.videos > 0), "Pictures, and middle frames of videos, of each class.")
        sections.append(Section("Examples", (gallery(examples),), intro=shown))
    media, items, splits = cohort.table_fingerprints
    return Page(
        title=audit.cohort,
        kicker="Cohort audit",
        subtitle=str(cohort.root),
        chips=(
            Fact("files", f"{audit.media:,}{audit.kinds}"),
            Fact("items", f"{audit.items:,}"),
            Fact("patients", f"{audit.patients:,}" if cohort.identity_known.patient else "not known"),
        ),
        banners=tuple(_banners(audit, allow_leakage)),
        watermark=allow_leakage if audit.leaks else None,
        sections=tuple(sections),
        provenance=(
            Fact("cohort", audit.fingerprint),
            Fact("media", media),
            Fact("items", items),
            Fact("splits", splits),
        ),
    )


def _banners(audit: Audit, allow_leakage: str | None) -> Iterator[Banner]:
    if audit.leaks and allow_leakage is None:
        yield Banner("This cohort leaks: a model trained on it is tested on what it has seen.", "bad")
    elif audit.errors and not audit.leaks:
        yield Banner("Some files cannot be used.", "bad")
    for finding in audit.of("patients-unknown", "class-absent"):
        yield Banner(finding.message, "warn")
    if not audit.compared:
        yield Banner("Pictures were not compared: only copies that are identical in bytes were looked for.", "info")


def _cards(audit: Audit) -> Cards:
    return Cards(tuple(Card(label=title, value=str(len(audit.of(severity=severity)))) for severity, title, _ in _KINDS))


def _counts(audit: Audit) -> Table:
    return Table(
        "Items by split and class.",
        (
            Column("Split"),
            Column("Class"),
            Column("Items", numeric=True),
            Column("Files", numeric=True),
            Column("Patients", numeric=True),
        ),
        tuple(
            (row.split or "–", row.label or "unlabelled", f"{row.items:,}", f"{row.media:,}", f"{row.patients:,}")
            for row in audit.counts
        ),
    )


def _spreads(audit: Audit) -> Table:
    return Table(
        "Technical properties of the files.",
        (
            Column("Property"),
            Column("Lowest", numeric=True),
            Column("Median", numeric=True),
            Column("Highest", numeric=True),
            Column("Unit"),
        ),
        tuple(
            (row.name, f"{row.lowest:,.6g}", f"{row.median:,.6g}", f"{row.highest:,.6g}", row.unit)
            for row in audit.spreads
        ),
    )


def _table(found: Sequence[Finding], tone: Tone) -> Table:
    return Table(
        "What was found.",
        (Column("Finding"), Column("What it means"), Column("Concerns", numeric=True)),
        tuple(
            (Cell(finding.kind, tone), finding.message, f"{len(finding.items) + len(finding.pairs) or '–'}")
            for finding in found
        ),
    )


def _lists(found: Sequence[Finding]) -> Iterator[Block]:
    for finding in found:
        rows = [*finding.items, *(f"{pair.one} ~ {pair.other} ({pair.how})" for pair in finding.pairs)]
        if rows:
            more = [f"and {len(rows) - _LISTED:,} more"] if len(rows) > _LISTED else []
            yield Details(
                f"{finding.kind}: {count(len(rows), 'entry', 'entries')}", (Bullets((*rows[:_LISTED], *more)),)
            )


def _pairs(cohort: Cohort, pairs: Sequence[Pair]) -> Iterator[FrameStrip]:
    known = {media: (path, is_still) for media, path, is_still in cohort.media.select("id", "path", still()).rows()}
    for pair in pairs:
        files = (known[pair.one], known[pair.other])
        moments = pair.moments or (0.0, 0.0)
        try:
            frames = [_frame(cohort.root / path, at) for (path, _), at in zip(files, moments, strict=True)]
        except VideoError:
            # A file that cannot be shown is among the findings already.
            continue
        yield FrameStrip(
            title=f"{pair.one} ~ {pair.other}",
            frames=np.stack(frames),
            captions=tuple(
                "picture" if is_still else f"{at:.1f} s" for (_, is_still), at in zip(files, moments, strict=True)
            ),
            detail=pair.how,
        )


def _examples(cohort: Cohort) -> Iterator[FrameStrip]:
    usable = cohort.rows.filter(pl.col("error").is_null())
    for label in [*cohort.classes, None]:
        here = usable.filter(pl.col("label").eq_missing(pl.lit(label, pl.String)))
        # One a patient, in an order that does not follow the file names.
        chosen = here.sort(pl.col("sha256")).unique("patient", keep="first", maintain_order=True).head(_EXAMPLES)
        frames, captions = [], []
        for media, path, duration in chosen.select("media", "path", "duration").iter_rows():
            try:
                frames.append(_frame(cohort.root / path, duration / 2))
            except VideoError:
                continue
            captions.append(Path(media).name)
        if frames:
            yield FrameStrip(title=label or "unlabelled", frames=np.stack(frames), captions=tuple(captions))


def _frame(path: Path, seconds: float) -> Pixels:
    """Return the frame on screen some time after the first, fitted into a black square: uint8 RGB [S, S, 3]."""
    with Video(path, threads=1, allow_truncated=True) as video:
        start = video.refs[0].seconds
        index = min(video.at(min(start + seconds, video.refs[-1].seconds)), len(video) - 1)
        scale = _SIDE / max(video.info.width, video.info.height)
        width, height = (max(1, round(side * scale)) for side in (video.info.width, video.info.height))
        pixels = video.frames([index], size=(width, height)).pixels[0]
    square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    top, left = (_SIDE - height) // 2, (_SIDE - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square
