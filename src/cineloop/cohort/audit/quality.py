"""What is wrong or odd with single files and with the make-up of the splits."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

import polars as pl

from cineloop.cohort.audit.result import Finding, Spread
from cineloop.cohort.cohort import Cohort
from cineloop.cohort.stills import still

_SHORT_FRAMES, _SHORT_SECONDS = 8, 0.5
_LONG_TIMES = 20
_FEW_PATIENTS = 10
_IMBALANCE = 10
_UNITS = {"duration": "s", "frames": "", "fps": "frames/s", "width": "pixels", "height": "pixels", "size": "bytes"}
# A decoder gives a picture a time and a rate, which nobody recorded.
_OF_VIDEOS = ("duration", "frames", "fps")


def spreads(cohort: Cohort) -> tuple[Spread, ...]:
    """Return the distributions of technical properties over the usable files that have them."""
    usable = cohort.media.filter(pl.col("error").is_null())
    videos = usable.filter(~still())
    found = []
    for name, unit in _UNITS.items():
        values = (videos if name in _OF_VIDEOS else usable)[name].drop_nulls().cast(pl.Float64)
        if len(values):
            lowest, median, highest = (values.quantile(share) or 0.0 for share in (0.0, 0.5, 1.0))
            found.append(Spread(name, unit, lowest, median, highest))
    return tuple(found)


def quality(cohort: Cohort) -> Iterator[Finding]:
    """Give what is wrong or odd, apart from leaks."""
    yield from _identity(cohort)
    yield from _files(cohort)
    yield from _kinds(cohort)
    yield from _classes(cohort)
    yield from _outliers(cohort)
    outside = cohort.media.filter(pl.col("path").str.starts_with("../") | pl.col("path").str.contains(r"^(/|\w:)"))
    if outside.height:
        yield Finding(
            "outside-root",
            "info",
            f"{outside.height} files lie outside the folder of the data ({cohort.root}).",
            items=tuple(outside["path"]),
        )
    for note in cohort.notes:
        yield Finding("note", "info", f"{note[0].upper()}{note[1:]}.")


def _identity(cohort: Cohort) -> Iterator[Finding]:
    unknown = cohort.media.filter(~pl.col("patient_known"))
    if unknown.height:
        each = "Each procedure" if unknown["procedure_known"].all() else "Each"
        yield Finding(
            "patients-unknown",
            "warning",
            f"THE PATIENT OF {unknown.height} OF {cohort.media.height} FILES IS NOT KNOWN. {each} counts as a patient "
            "of its own, so leaks by patient cannot be seen and intervals come out too narrow. Say where the patient "
            "is written: data.patient: {column: ...}, {regex: ...} or {mapping: FILE}.",
            items=tuple(unknown["id"]) if unknown.height < cohort.media.height else (),
        )
    elif not cohort.identity_known.procedure:
        yield Finding(
            "procedures-unknown",
            "info",
            "The procedure is not known for every file; each of those counts as a procedure of its own.",
        )


def _files(cohort: Cohort) -> Iterator[Finding]:
    bad = cohort.media.filter(pl.col("error").is_not_null())
    for truncated, kind, message in (
        (False, "unreadable", "Files cannot be read"),
        (True, "truncated", "Files end before what their header promises"),
    ):
        found = bad.filter(pl.col("truncated").fill_null(False) == truncated)
        if found.height:
            yield Finding(
                kind,
                "error",
                f"{message}: {found.height} of {cohort.media.height}.",
                items=tuple(f"{media}: {error}" for media, error in found.select("id", "error").iter_rows()),
            )


def _kinds(cohort: Cohort) -> Iterator[Finding]:
    """Give what there is to say of items that are pictures beside items of videos."""
    rows = cohort.rows.filter(pl.col("error").is_null()).with_columns(still=still())
    pictures = int(rows["still"].sum())
    if not 0 < pictures < rows.height:
        return
    kinds = {
        label: (stills, items - stills)
        for label, stills, items in rows.group_by("label").agg(pl.col("still").sum(), pl.len()).iter_rows()
    }
    named = [(label, *kinds[label]) for label in (*cohort.classes, None) if label in kinds]
    yield Finding(
        "mixed-kinds",
        "info",
        f"Of {rows.height:,} items {pictures:,} are pictures and {rows.height - pictures:,} are of videos.",
        items=tuple(
            f"{label or 'unlabelled'}: {stills:,} pictures, {videos:,} of videos" for label, stills, videos in named
        ),
    )
    alone = [[repr(label) for label, *numbers in named if label is not None and not numbers[other]] for other in (1, 0)]
    if all(alone):
        yield Finding(
            "shortcut",
            "warning",
            f"Of {', '.join(alone[0])} there are pictures only, and of {', '.join(alone[1])} videos only: the kind of "
            "file tells them apart, without a look at any picture. A model can learn that in place of the finding.",
        )


def _classes(cohort: Cohort) -> Iterator[Finding]:
    counts = cohort.counts()
    unlabelled = sum(count.items for count in counts if count.label is None)
    if unlabelled:
        yield Finding("unlabelled", "info", f"{unlabelled} items have no label; they take no part in training.")
    if not cohort.split_names:
        yield Finding("undivided", "info", "The cohort is not divided into splits; data.split divides it by patient.")
    present = {count.label for count in counts if count.label is not None}
    if cohort.classes and len(present) < 2:
        yield Finding("one-class", "warning", f"Only one class has items: {', '.join(sorted(present)) or 'none'}.")
    for split in cohort.split_names or (None,):
        here = {count.label: count for count in counts if count.split == split and count.label is not None}
        where = f"The split {split!r}" if split is not None else "The cohort"
        absent = [label for label in cohort.classes if label not in here]
        if here and absent:
            yield Finding("class-absent", "warning", f"{where} has no item of {', '.join(map(repr, absent))}.")
        if len(here) > 1:
            most, least = max(here.values(), key=attrgetter("items")), min(here.values(), key=attrgetter("items"))
            if most.items >= _IMBALANCE * least.items:
                yield Finding(
                    "imbalance",
                    "warning",
                    f"{where} has {most.items} items of {most.label!r} and {least.items} of {least.label!r}.",
                )
        if split in ("val", "test"):
            patients = cohort.rows.filter((pl.col("split") == split) & pl.col("error").is_null())["patient"].n_unique()
            if patients < _FEW_PATIENTS:
                yield Finding(
                    "few-patients", "warning", f"{where} has {patients} patients; its intervals will be wide."
                )


def _outliers(cohort: Cohort) -> Iterator[Finding]:
    usable = cohort.media.filter(pl.col("error").is_null())
    pictures, videos = usable.filter(still()), usable.filter(~still())
    short = videos.filter((pl.col("frames") < _SHORT_FRAMES) | (pl.col("duration") < _SHORT_SECONDS)).sort("frames")
    if short.height:
        yield Finding(
            "very-short",
            "warning",
            f"{short.height} videos have fewer than {_SHORT_FRAMES} frames or last less than {_SHORT_SECONDS:g} s.",
            items=tuple(
                f"{media}: {frames} frames, {duration:.2f} s"
                for media, frames, duration in short.select("id", "frames", "duration").iter_rows()
            ),
        )
    median = videos["duration"].median()
    if isinstance(median, float) and median > 0:
        long = videos.filter(pl.col("duration") > _LONG_TIMES * median).sort("duration", descending=True)
        if long.height:
            yield Finding(
                "very-long",
                "info",
                f"{long.height} videos last more than {_LONG_TIMES} times the median of {median:.1f} s.",
                items=tuple(f"{media}: {duration:.0f} s" for media, duration in long.select("id", "duration").rows()),
            )
    for files, of, column, name in (
        (videos, "videos", "fps", "frame rates"),
        (videos, "videos", "codec", "codecs"),
        (pictures, "pictures", "codec", "picture formats"),
    ):
        values = files[column].drop_nulls()
        if column == "fps":
            values = values.round(2).cast(pl.String)
        if values.n_unique() > 1:
            counts = values.value_counts().sort(["count", column], descending=[True, False])
            yield Finding(
                f"mixed-{name.replace(' ', '-')}",
                "info",
                f"The {of} have {values.n_unique()} different {name}.",
                items=tuple(f"{value}: {count}" for value, count in counts.rows()),
            )
