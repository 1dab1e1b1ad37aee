"""Auditing a cohort, and refusing one that leaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from cineloop.cohort.audit.copies import Comparison, Recording, compare
from cineloop.cohort.audit.leaks import apart, labels_of_media, leaks, splits_of_media
from cineloop.cohort.audit.quality import quality, spreads
from cineloop.cohort.audit.result import Audit, Finding, Pair, ordered
from cineloop.cohort.audit.shortcuts import shortcuts
from cineloop.cohort.cohort import Cohort
from cineloop.cohort.stills import still
from cineloop.errors import CohortError
from cineloop.progress import Progress, silent

_SHOWN = 5


def audit(
    cohort: Cohort,
    *,
    reviewed_pairs: Sequence[tuple[str, str]] = (),
    compare_pictures: bool = True,
    across_only: bool = False,
    progress: Progress = silent,
    workers: int | None = None,
) -> Audit:
    """Audit a cohort. What is learnt of a file or a pair is cached by the files' hashes.

    Args:
        cohort: The cohort; read it with ``on_error="skip"`` to have broken files reported and not raised.
        reviewed_pairs: Pairs of media ids that a person found not to be duplicates.
        compare_pictures: Look for near-duplicates, which decodes pictures of every video.
        across_only: Look for near-duplicates in different splits only, as training needs it.
        progress: Told of every file.
        workers: Threads.
    """
    findings = [*leaks(cohort)]
    if compare_pictures:
        findings += _near_duplicates(cohort, reviewed_pairs, across_only, progress, workers)
    findings += [*quality(cohort), *shortcuts(cohort)]
    usable = cohort.media.filter(pl.col("error").is_null())
    stills = usable.filter(still()).height
    return Audit(
        cohort=cohort.name,
        fingerprint=cohort.fingerprint,
        media=cohort.media.height,
        stills=stills,
        videos=usable.height - stills,
        items=cohort.items.height,
        patients=cohort.media["patient"].n_unique(),
        compared=compare_pictures,
        counts=tuple(cohort.counts()),
        spreads=spreads(cohort),
        findings=ordered(findings),
    )


def _near_duplicates(
    cohort: Cohort, reviewed: Sequence[tuple[str, str]], across_only: bool, progress: Progress, workers: int | None
) -> Iterator[Finding]:
    splits, labels = splits_of_media(cohort), labels_of_media(cohort)
    usable = cohort.media.filter(pl.col("error").is_null() & (pl.col("frames") > 0))
    recordings = [
        Recording(media, cohort.root / path, sha256, frames, duration, procedure if known and frames == 1 else None)
        for media, path, sha256, frames, duration, procedure, known in usable.select(
            "id", "path", "sha256", "frames", "duration", "procedure", "procedure_known"
        ).iter_rows()
    ]

    def wanted(one: Recording, other: Recording) -> bool:
        return not across_only or apart(splits[one.id], splits[other.id])

    found = compare(recordings, wanted=wanted, progress=progress, workers=workers)
    cleared = {frozenset(pair) for pair in reviewed}
    unknown = sorted({media for pair in reviewed for media in pair} - set(cohort.media["id"]))
    if unknown:
        raise CohortError(
            f"A reviewed pair names no file of the cohort: {unknown[0]!r}",
            where="data.reviewed_pairs",
            mend="Write media ids as `cineloop cohort check` prints them.",
        )
    across: list[Pair] = []
    within: list[Pair] = []
    passed: list[Pair] = []
    conflicts: list[Pair] = []
    for copy in found.copies:
        pair = Pair(copy.one, copy.other, copy.describe(), copy.moments)
        if frozenset((copy.one, copy.other)) in cleared:
            passed.append(pair)
            continue
        (across if apart(splits[copy.one], splits[copy.other]) else within).append(pair)
        if apart(labels[copy.one], labels[copy.other]):
            conflicts.append(pair)
    if across:
        yield Finding(
            "near-duplicate",
            "error",
            "Copies of one recording stand in several splits. If a person has looked and they are not copies, list the "
            "pair in data.reviewed_pairs.",
            pairs=tuple(across),
        )
    if within:
        yield Finding(
            "near-duplicate", "warning", "Copies of one recording weigh double in their split.", pairs=tuple(within)
        )
    if conflicts:
        message = "Copies of one recording have different labels."
        yield Finding("label-conflict", "warning", message, pairs=tuple(conflicts))
    if passed:
        yield Finding("reviewed", "info", "Pairs that look like copies were reviewed and passed.", pairs=tuple(passed))
    yield from _uncompared(found)


def _uncompared(found: Comparison) -> Iterator[Finding]:
    if found.broken:
        yield Finding(
            "undecodable",
            "error",
            "Frames of these files cannot be decoded.",
            items=tuple(f"{media}: {reason}" for media, reason in found.broken),
        )
    if found.bare:
        yield Finding(
            "featureless",
            "info",
            "These files show too little structure to be compared with others.",
            items=found.bare,
        )


def require_clean(cohort: Cohort, found: Audit, allow_leakage: str | None) -> str | None:
    """Refuse a cohort that leaks.

    Args:
        cohort: What was audited.
        found: Its audit.
        allow_leakage: The reason, in words, for which a leak is accepted.

    Returns:
        The reason, when there are leaks and they are accepted: it has to be printed on every figure. None otherwise.

    Raises:
        CohortError: There are leaks and no reason to accept them, or the audit is of another cohort.
    """
    if found.fingerprint != cohort.fingerprint:
        raise CohortError("The audit is of another cohort", where=cohort.root, mend="Audit the cohort again.")
    if not found.leaks:
        return None
    if allow_leakage is not None and allow_leakage.strip():
        return allow_leakage.strip()
    lines = []
    for finding in found.leaks:
        rows = [*finding.items, *(f"{pair.one} ~ {pair.other} ({pair.how})" for pair in finding.pairs)]
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        lines.append(f"{finding.kind}: {'; '.join(rows[:_SHOWN])}{more}")
    raise CohortError(
        "\n  ".join(["Training would see what it is tested on:", *lines]),
        where=cohort.root,
        mend="Divide by patient with data.split, remove the copies, list pairs that are none in data.reviewed_pairs, "
        "or accept the leak and say why: data.allow_leakage: 'one patient only; plumbing test'.",
    )
