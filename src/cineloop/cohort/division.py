"""Which split an item belongs to: what the layout says, what the recipe asks for, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cineloop.cohort.cohort import Cohort, split_table
from cineloop.cohort.schema import SplitSection
from cineloop.cohort.split import deal, join
from cineloop.errors import CohortError

_COLUMNS = {"patient": "patient", "procedure": "procedure", "video": "media"}


@dataclass(frozen=True, slots=True)
class _Rows:
    """The items of a cohort, with what decides where they may go."""

    ids: list[str]
    groups: list[str]
    labels: list[str | None]


def _rows(cohort: Cohort, by: str) -> _Rows:
    """Return items and their groups: patients (or procedures, or files), joined where they share identical bytes."""
    rows = cohort.rows
    column = _COLUMNS[by]
    keys = [
        [f"g {group}"] + ([f"h {sha256}"] if sha256 else [])
        for group, sha256 in rows.select(column, "sha256").iter_rows()
    ]
    return _Rows(rows["id"].to_list(), join(keys), rows["label"].to_list())


def divide(cohort: Cohort, section: SplitSection) -> Cohort:
    """Return the cohort divided as ``section`` asks, by patient; splits named in ``keep`` stay.

    Raises:
        CohortError: There are too few patients, a kept split does not exist, or a kept patient stands elsewhere too.
    """
    rows = _rows(cohort, section.by)
    kept: dict[int, str] = {}
    if section.keep:
        kept = _kept(cohort, section.keep, rows.groups)
    free = [at for at in range(len(rows.ids)) if at not in kept]
    if not free:
        raise CohortError("Every split is kept; nothing is left to divide", where="data.split.keep", mend="Keep fewer.")
    splits: list[str | None] = [kept.get(at) for at in range(len(rows.ids))]
    folds: list[int | None] = [None] * len(rows.ids)
    groups = [rows.groups[at] for at in free]
    labels = [rows.labels[at] for at in free]
    if section.folds is not None:
        names = {str(fold): 1 / section.folds for fold in range(section.folds)}
        _check_enough(cohort, rows, free, section, len(names))
        dealt = deal(groups, labels, names, seed=section.seed, where="data.split.folds")
        for at, fold in zip(free, dealt, strict=True):
            folds[at] = int(fold)
        _from_folds(splits, folds, rows, section)
        note = (
            f"divided into {section.folds} folds by {section.by} (seed {section.seed}); fold {section.fold} is held out"
        )
    else:
        wanted = {
            "train": 1 - section.test - section.val,
            "val": section.val,
            "test": section.test,
        }
        shares = {name: share for name, share in wanted.items() if share > 0 and name not in section.keep}
        _check_enough(cohort, rows, free, section, len(shares))
        total = sum(shares.values())
        shares = {name: share / total for name, share in shares.items()}
        for at, name in zip(free, deal(groups, labels, shares, seed=section.seed), strict=True):
            splits[at] = name
        note = f"divided by {section.by} (seed {section.seed})"
    return cohort.with_splits(split_table(rows.ids, splits, folds), note)


def _check_enough(cohort: Cohort, rows: _Rows, free: Sequence[int], section: SplitSection, parts: int) -> None:
    """Say so where there are patients enough, and identical files join them to too few groups."""
    names = cohort.rows[_COLUMNS[section.by]]
    people = {names[at] for at in free}
    if len({rows.groups[at] for at in free}) >= parts or len(people) < parts:
        return
    shared = (
        cohort.rows.filter(pl.col("sha256").is_not_null())
        .group_by("sha256")
        .agg(pl.col(_COLUMNS[section.by]).n_unique().alias("people"), pl.col("media").unique().sort())
        .filter(pl.col("people") > 1)
        .sort("people", "sha256", descending=[True, False])
    )
    examples = " ~ ".join(shared["media"][0].to_list()[:3])
    raise CohortError(
        f"{len(people)} patients are bound together by files with identical bytes, and cannot fill {parts} splits: "
        f"{examples}",
        where=cohort.root,
        mend="Remove what is there twice, such as black pictures; `cineloop cohort check` lists it.",
    )


def _kept(cohort: Cohort, keep: Sequence[str], groups: Sequence[str]) -> dict[int, str]:
    unknown = [name for name in keep if name not in cohort.split_names]
    if unknown:
        raise CohortError(
            f"The layout has no split {unknown[0]!r} to keep",
            where="data.split.keep",
            mend=f"Its splits: {', '.join(cohort.split_names) or 'none'}.",
        )
    names = cohort.rows["split"].to_list()
    kept = {at: name for at, name in enumerate(names) if name in keep}
    inside = {groups[at] for at in kept}
    for at, group in enumerate(groups):
        if at not in kept and group in inside:
            item = cohort.rows["id"][at]
            raise CohortError(
                f"A patient of a kept split stands outside it too: item {item!r}",
                where="data.split.keep",
                mend="Do not keep that split, or correct the patients.",
            )
    return kept


def _from_folds(splits: list[str | None], folds: Sequence[int | None], rows: _Rows, section: SplitSection) -> None:
    """Make the fold asked for the test split, carve validation from the others, and leave the rest to train."""
    rest = [at for at, fold in enumerate(folds) if fold is not None and fold != section.fold]
    for at, fold in enumerate(folds):
        if fold == section.fold:
            splits[at] = "test"
    parts = ["train"] * len(rest)
    if section.val > 0:
        share = min(0.9, section.val * sum(fold is not None for fold in folds) / max(1, len(rest)))
        parts = deal(
            [rows.groups[at] for at in rest],
            [rows.labels[at] for at in rest],
            {"train": 1 - share, "val": share},
            seed=section.seed,
            where="data.split.val",
        )
    for at, part in zip(rest, parts, strict=True):
        splits[at] = part


def use_folds(cohort: Cohort, section: SplitSection) -> Cohort:
    """Return a cohort whose splits are numbers divided by them: they are folds, and ``section.fold`` is held out.

    Raises:
        CohortError: There is no such fold.
    """
    numbers = [int(name) for name in cohort.rows["split"].to_list()]
    if section.fold not in numbers:
        raise CohortError(
            f"The layout has no fold {section.fold}",
            where="data.split.fold",
            mend=f"Its folds: {', '.join(map(str, sorted(set(numbers))))}.",
        )
    rows = _rows(cohort, section.by)
    splits: list[str | None] = [None] * len(numbers)
    _from_folds(splits, numbers, rows, section)
    return cohort.with_splits(
        split_table(rows.ids, splits, numbers), f"the layout's fold {section.fold} is held out as test"
    )


def carve(cohort: Cohort, *, share: float, source: str = "train", name: str = "val", seed: int = 0) -> Cohort:
    """Return the cohort with a share of one split's items, whole patients, made a split of its own.

    Args:
        cohort: A divided cohort without a split ``name``.
        share: Share of the items of ``source``.
        source: The split to carve from.
        name: The new split.
        seed: Another seed, another choice.

    Raises:
        CohortError: ``name`` exists already, or ``source`` has fewer than two patients.
    """
    if name in cohort.split_names:
        raise CohortError(f"The split {name!r} exists already", where=cohort.root, mend="Use it.")
    rows = _rows(cohort, "patient")
    splits = cohort.rows["split"].to_list()
    inside = [at for at, split in enumerate(splits) if split == source]
    dealt = deal(
        [rows.groups[at] for at in inside],
        [rows.labels[at] for at in inside],
        {source: 1 - share, name: share},
        seed=seed,
        where=f"{name} carved from {source}",
    )
    for at, part in zip(inside, dealt, strict=True):
        splits[at] = part
    table = split_table(rows.ids, splits, cohort.rows["fold"].to_list())
    return cohort.with_splits(table, f"{name} was carved from {source} by patient (share {share:g}, seed {seed})")


def numbered(splits: pl.Series) -> bool:
    """Say whether all splits are whole numbers, and so folds."""
    names = splits.drop_nulls().unique().to_list()
    return bool(names) and all(name.isascii() and name.isdigit() for name in names)
