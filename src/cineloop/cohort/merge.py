"""Several data sets as one cohort, and classes of equal size in it."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from cineloop.cohort import tables
from cineloop.cohort.cohort import Cohort
from cineloop.cohort.identity import relative
from cineloop.cohort.labels import fold
from cineloop.cohort.schema import DataSection
from cineloop.cohort.tables import MEDIA
from cineloop.errors import CohortError
from cineloop.files import write_text
from cineloop.schema import validate

_TABLE = "cohort.csv"


def merge(
    cohorts: Sequence[Cohort],
    *,
    name: str,
    labels: Mapping[str, Mapping[str, str | None]] | None = None,
    classes: Sequence[str] | None = None,
    same_patients: bool = False,
) -> Cohort:
    """Put several cohorts together; every id begins with the name of the cohort it comes from.

    Args:
        cohorts: Cohorts of different names, all divided or none.
        name: Of the result.
        labels: For each cohort's name what its class names become; None leaves their items out. Names that are not
            mentioned stay.
        classes: Class names in the order of their numbers; without it, in order of first mention.
        same_patients: Equal patient names in two cohorts mean one person. Otherwise they are two.

    Raises:
        CohortError: Names repeat, a label is unknown, or some cohorts are divided and others are not.
    """
    names = [cohort.name for cohort in cohorts]
    if len(cohorts) < 2 or len(set(names)) != len(names):
        raise CohortError(
            f"Merging needs at least two cohorts of different names, not {', '.join(names)}",
            where=name,
            mend="Give each its own data.name.",
        )
    divided = [cohort.name for cohort in cohorts if cohort.split_names]
    if divided and len(divided) < len(cohorts):
        undivided = next(cohort.name for cohort in cohorts if not cohort.split_names)
        raise CohortError(
            f"{divided[0]!r} is divided into splits and {undivided!r} is not",
            where=name,
            mend="Divide both with data.split, or neither and the result.",
        )
    known = {
        cohort.name: _renamed(cohort, (labels or {}).get(cohort.name, {}), where=f"labels of {cohort.name}")
        for cohort in cohorts
    }
    for unknown in set(labels or {}) - set(known):
        raise CohortError(f"No cohort is called {unknown!r}", where="labels", mend=f"There are {', '.join(names)}.")
    order = _classes(known.values(), classes)
    root = Path(os.path.commonpath([cohort.root.resolve() for cohort in cohorts]))
    extra = sorted({column for cohort in cohorts for column in cohort.media.columns} - set(MEDIA))
    media, items, splits = [], [], []
    for cohort in cohorts:
        prefix = pl.lit(f"{cohort.name}/")
        kept = cohort.items.with_columns(
            label=pl.col("label").replace_strict(known[cohort.name], default=None, return_dtype=pl.String)
        ).filter(pl.col("label").is_not_null() | pl.col("target").is_null())
        items.append(
            kept.with_columns(
                id=prefix + pl.col("id"),
                media=prefix + pl.col("media"),
                target=pl.col("label").replace_strict(
                    {label: number for number, label in enumerate(order)}, default=None, return_dtype=pl.Int64
                ),
            )
        )
        splits.append(
            cohort.splits.filter(pl.col("item").is_in(kept["id"].implode())).with_columns(item=prefix + pl.col("item"))
        )
        media.append(
            _media(cohort.media.filter(pl.col("id").is_in(kept["media"].implode())), cohort, root, extra, same_patients)
        )
    return Cohort(
        name=name,
        root=root,
        classes=order,
        media=pl.concat(media).sort("id"),
        items=pl.concat(items).sort("id"),
        splits=pl.concat(splits).sort("item"),
        notes=(
            f"merged from {', '.join(names)}",
            *(f"{cohort.name}: {note}" for cohort in cohorts for note in cohort.notes),
        ),
    )


def _renamed(cohort: Cohort, changes: Mapping[str, str | None], *, where: str) -> dict[str, str | None]:
    """Return what each class name of a cohort becomes."""
    by_fold = {fold(label): label for label in cohort.classes}
    renamed: dict[str, str | None] = {label: label for label in cohort.classes}
    for old, new in changes.items():
        label = by_fold.get(fold(old))
        if label is None:
            raise CohortError(
                f"{cohort.name!r} has no class {old!r}", where=where, mend=f"Its classes: {', '.join(cohort.classes)}."
            )
        renamed[label] = new
    return renamed


def _classes(renamed: Iterable[Mapping[str, str | None]], classes: Sequence[str] | None) -> tuple[str, ...]:
    """Return the classes of the result, and make every name a spelling of one of them."""
    spelling = {fold(label): label for label in classes or ()}
    renamed = list(renamed)
    for names in renamed:
        for new in names.values():
            if new is None:
                continue
            if classes is not None and fold(new) not in spelling:
                raise CohortError(
                    f"The class {new!r} is not among those of the result",
                    where="classes",
                    mend=f"Rename it to one of {', '.join(classes)}, or add it.",
                )
            spelling.setdefault(fold(new), new)
    for names in renamed:
        assert isinstance(names, dict)
        names.update({old: spelling[fold(new)] for old, new in names.items() if new is not None})
    return tuple(classes) if classes is not None else tuple(spelling.values())


def _media(media: pl.DataFrame, cohort: Cohort, root: Path, extra: Sequence[str], same_patients: bool) -> pl.DataFrame:
    prefix = pl.lit(f"{cohort.name}/")
    own = prefix if not same_patients else pl.lit("")
    paths = [relative(cohort.root / path, root) for path in media["path"]]
    return media.with_columns(
        id=prefix + pl.col("id"),
        path=pl.Series(paths, dtype=pl.String),
        dataset=pl.lit(cohort.name),
        # Whoever is unknown is named by the file, which is this cohort's own.
        patient=pl.when("patient_known").then(own + pl.col("patient")).otherwise(prefix + pl.col("patient")),
        procedure=pl.when(pl.col("procedure_known") & pl.col("patient_known"))
        .then(own + pl.col("procedure"))
        .otherwise(prefix + pl.col("procedure")),
        **{column: pl.lit(None, pl.String) for column in extra if column not in media.columns},
    ).select([*MEDIA, *extra])


def balance(cohort: Cohort, *, seed: int = 0, by_dataset: bool = False) -> Cohort:
    """Return the cohort with classes of equal size in every split; what the larger ones have too much is left out.

    What stays is chosen by a hash of seed and id, taking one item of each patient before a second of any, so that it
    depends on neither row order nor machine. Unlabelled items are left out.

    Args:
        cohort: The cohort.
        seed: Another seed, another choice.
        by_dataset: Make classes equal within each data set, so that the data set does not tell the class.

    Raises:
        CohortError: A class is absent from a split (or data set), so that nothing would be left of it.
    """
    rows = cohort.rows.filter(pl.col("target").is_not_null() & pl.col("error").is_null())
    groups: dict[tuple[str, ...], dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for item, patient, label, split, dataset in rows.select("id", "patient", "label", "split", "dataset").iter_rows():
        groups[(split or "", *([dataset] if by_dataset else []))][label].append((item, patient))
    keep: set[str] = set()
    for place, by_label in sorted(groups.items()):
        absent = [label for label in cohort.classes if label not in by_label]
        if absent:
            raise CohortError(
                f"{' of '.join(filter(None, place)) or 'The cohort'} has no item of {absent[0]!r}; balancing would "
                "leave nothing",
                where=cohort.root,
                mend="Divide the cohort anew with data.split, or balance over all data sets together.",
            )
        size = min(len(items) for items in by_label.values())
        for items in by_label.values():
            keep.update(_chosen(items, size, seed))
    left_out = cohort.items.height - len(keep)
    return subset(cohort, keep, f"classes balanced (seed {seed}); {left_out} items were left out")


def _chosen(items: Sequence[tuple[str, str]], size: int, seed: int) -> list[str]:
    def drawn(text: str) -> bytes:
        return hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=16).digest()

    by_patient: dict[str, list[str]] = defaultdict(list)
    for item, patient in items:
        by_patient[patient].append(item)
    ranked = [
        (turn, drawn(patient), item)
        for patient, own in by_patient.items()
        for turn, item in enumerate(sorted(own, key=drawn))
    ]
    return [item for _, _, item in sorted(ranked)[:size]]


def subset(cohort: Cohort, items: Iterable[str], note: str) -> Cohort:
    """Return the cohort with only these items, and the files that they need."""
    wanted = pl.Series(sorted(items), dtype=pl.String).implode()
    kept = cohort.items.filter(pl.col("id").is_in(wanted))
    return Cohort(
        name=cohort.name,
        root=cohort.root,
        classes=cohort.classes,
        media=cohort.media.filter(pl.col("id").is_in(kept["media"].implode())),
        items=kept,
        splits=cohort.splits.filter(pl.col("item").is_in(wanted)),
        notes=(*cohort.notes, note),
    )


def write_table(cohort: Cohort, folder: Path | str) -> DataSection:
    """Write a cohort as ``cohort.csv``, with paths relative to ``folder``; the recordings stay where they are.

    Returns:
        The ``data`` section that reads it back: the same files, people, labels and splits under the same ids.

    Raises:
        CohortError: Another table stands there.
    """
    folder = Path(folder)
    path = folder / _TABLE
    attributes = tables.attributes_of(cohort.media)
    header = ["media_id", "path", "label", "split", "start", "stop", "patient", "procedure", "dataset", *attributes]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for row in cohort.rows.iter_rows(named=True):
        cells = {
            **row,
            "media_id": row["media"],
            "path": relative(cohort.root / row["path"], folder.resolve()),
            "patient": row["patient"] if row["patient_known"] else None,
            "procedure": row["procedure"] if row["procedure_known"] else None,
            "age": f"{row['age']:g}" if row["age"] is not None else None,
        }
        writer.writerow(["" if cells[column] is None else cells[column] for column in header])
    text = stream.getvalue()
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise CohortError("Another table stands here", where=path, mend="Write to another folder, or remove it.")
    write_text(path, text)
    return validate(
        DataSection,
        {
            "format": "table",
            "root": str(folder),
            "path": _TABLE,
            "name": cohort.name,
            "classes": list(cohort.classes),
            "attributes": {
                name: {"column": name} for name in attributes if name not in ("site", "scope", "age", "sex")
            },
        },
        where=str(path),
    )
