"""Who or what stands on two sides of a division: patients, procedures, files, bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

import polars as pl

from cineloop.cohort.audit.result import Finding, Pair
from cineloop.cohort.cohort import Cohort


def splits_of_media(cohort: Cohort) -> Mapping[str, frozenset[str]]:
    """Return the splits that the items of each file stand in."""
    found: dict[str, set[str]] = defaultdict(set)
    for media, split in cohort.rows.select("media", "split").iter_rows():
        found[media].update([split] if split is not None else [])
    return {media: frozenset(splits) for media, splits in found.items()}


def labels_of_media(cohort: Cohort) -> Mapping[str, frozenset[str]]:
    """Return the labels that the whole-file items of each file have; none of a file of which only parts are items."""
    found: dict[str, set[str]] = {media: set() for media in cohort.media["id"]}
    whole = cohort.rows.filter(pl.col("start").is_null() & pl.col("stop").is_null())
    for media, label in whole.select("media", "label").iter_rows():
        found[media].update([label] if label is not None else [])
    return {media: frozenset(labels) for media, labels in found.items()}


def apart(one: frozenset[str], other: frozenset[str]) -> bool:
    """Say whether two files stand on different sides: some split of one is not some split of the other."""
    return bool(one and other) and len(one | other) > 1


def leaks(cohort: Cohort) -> Iterator[Finding]:
    """Give the leaks that names and bytes show, and files that are there twice."""
    rows = cohort.rows.filter(pl.col("split").is_not_null())
    yield from _shared(
        rows.filter(pl.col("patient_known")), "patient", "patient-leak", "Patients stand in several splits"
    )
    yield from _shared(
        rows.filter(pl.col("procedure_known")), "procedure", "procedure-leak", "Procedures stand in several splits"
    )
    yield from _shared(rows, "media", "video-leak", "Clips of one video stand in several splits")
    yield from _identical(cohort)


def _shared(rows: pl.DataFrame, column: str, kind: str, message: str) -> Iterator[Finding]:
    found = (
        rows.group_by(column)
        .agg(pl.col("split").unique().sort(), pl.len())
        .filter(pl.col("split").list.len() > 1)
        .sort(column)
    )
    if found.height:
        yield Finding(
            kind,
            "error",
            f"{message}: {found.height} of {rows[column].n_unique()}. A model is tested on what it was trained on.",
            items=tuple(f"{name}: {', '.join(splits)} ({count} items)" for name, splits, count in found.iter_rows()),
        )


def _identical(cohort: Cohort) -> Iterator[Finding]:
    splits, labels = splits_of_media(cohort), labels_of_media(cohort)
    groups = (
        cohort.media.filter(pl.col("sha256").is_not_null())
        .group_by("sha256")
        .agg(pl.col("id").sort())
        .filter(pl.col("id").list.len() > 1)
        .sort("id")
    )
    across: list[Pair] = []
    within: list[Pair] = []
    conflicts: list[Pair] = []
    for _, media in groups.iter_rows():
        for one, other in combinations(media, 2):
            pair = Pair(one, other, "identical bytes", moments=(0.0, 0.0))
            (across if apart(splits[one], splits[other]) else within).append(pair)
            if apart(labels[one], labels[other]):
                conflicts.append(pair)
    if across:
        yield Finding(
            "identical-bytes", "error", "Files with identical bytes stand in several splits.", pairs=tuple(across)
        )
    if within:
        yield Finding(
            "identical-bytes",
            "warning",
            "Files are there twice, byte for byte; they weigh double.",
            pairs=tuple(within),
        )
    if conflicts:
        yield Finding("label-conflict", "warning", "Identical files have different labels.", pairs=tuple(conflicts))
