"""From the records of a layout to a cohort: files found and looked at, people named, labels numbered."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from cineloop.cohort import tables
from cineloop.cohort.clips import Clip, File, clips_of, place_of
from cineloop.cohort.cohort import Cohort, split_table
from cineloop.cohort.division import divide, numbered, use_folds
from cineloop.cohort.format import FORMATS, FormatRequest, Record, present
from cineloop.cohort.identity import relative, resolver
from cineloop.cohort.labels import resolve
from cineloop.cohort.probe import Probe, inspect, probe
from cineloop.cohort.schema import ATTRIBUTES, DataSection, ProcedureSource, Source, SplitSection
from cineloop.cohort.tables import ITEMS, MEDIA
from cineloop.errors import CohortError
from cineloop.progress import Progress, silent

_SHOWN = 5
# Fewer patients do not tell whether procedures are numbered anew for each.
_ENOUGH_PATIENTS = 6
# What is no name by itself, only with the patient's.
_SMALL_NUMBER = re.compile(r"\d{1,2}")


def build(data: DataSection, *, progress: Progress = silent, look: Callable[[Path], Probe] = inspect) -> Cohort:
    """Read a cohort; see :meth:`cineloop.cohort.Cohort.read`.

    Args:
        data: Where the recordings lie and what is known of them.
        progress: Told of every file.
        look: What opens a file.
    """
    root = data.root
    if not root.is_dir():
        raise CohortError("The folder of the data does not exist", where=root, mend="Correct data.root.")
    request = FormatRequest(root=root, path=_path(data), columns=data.columns, options=data.options())
    layout = FORMATS.get(data.format)
    records = list(layout.read(request))
    notes = request.notes
    if not records:
        raise CohortError("The data holds no items", where=request.path or root, mend="Correct data.root or data.path.")
    records = _without_repeats(records, notes)
    files = _files(records)
    _check_present(files, root, skip=data.on_error == "skip")
    classes, targets = resolve(records, data.classes, fixed=layout.classes)
    probes = probe([file.path for file in files], progress=progress, look=look)
    _check_readable(files, probes, skip=data.on_error == "skip")
    clips = clips_of(records, files, probes, targets)
    cohort = Cohort(
        name=data.name or root.resolve().name,
        root=root.resolve(),
        classes=classes,
        media=_media(data, files, probes, clips),
        items=_items(clips, files, classes),
        splits=split_table([clip.id for clip in clips], [clip.record.split for clip in clips], [None] * len(clips)),
        notes=tuple(notes),
    )
    return _divided(cohort, data, records)


def _divided(cohort: Cohort, data: DataSection, records: Sequence[Record]) -> Cohort:
    without = [record for record in records if record.split is None]
    if without and len(without) < len(records) and data.split is None:
        raise CohortError(
            f"{len(without)} of {len(records)} rows have no split, among them {without[0].name!r}",
            where=without[0].place,
            mend="Give every row a split, or none and data.split.",
        )
    folds = not without and numbered(cohort.splits["split"])
    if folds and (data.split is None or data.split.folds is None):
        cohort = use_folds(cohort, data.split or SplitSection(val=0))
    elif data.split is not None:
        cohort = divide(cohort, data.split)
    if data.lock is not None:
        from cineloop.cohort.lock import apply, read_lock

        cohort = apply(cohort, read_lock(data.lock))
    return cohort


def _path(data: DataSection) -> Path | None:
    if data.path is None:
        return None
    for candidate in (data.path, data.root / data.path):
        if candidate.exists():
            return candidate
    raise CohortError("The file that describes the data does not exist", where=data.path, mend="Correct data.path.")


def _without_repeats(records: Sequence[Record], notes: list[str]) -> list[Record]:
    """Drop rows that repeat another word for word; refuse those that contradict it."""
    first: dict[tuple[object, ...], Record] = {}
    repeats = 0
    for record in records:
        key = (place_of(record.path), record.start, record.stop, record.start_seconds, record.stop_seconds)
        known = first.setdefault(key, record)
        if known is record:
            continue
        if known.split != record.split:
            raise CohortError(
                f"{record.name!r} stands in two splits: {known.split} and {record.split}",
                where=f"{known.place} and {record.place}",
                mend="Leave it in one.",
            )
        if known.label != record.label:
            raise CohortError(
                f"{record.name!r} has two labels: {known.label!r} and {record.label!r}",
                where=f"{known.place} and {record.place}",
                mend="Leave the right one.",
            )
        repeats += 1
    if repeats:
        notes.append(f"{repeats} repeated row{'s were' if repeats > 1 else ' was'} read once")
    return list(first.values())


def _files(records: Sequence[Record]) -> list[File]:
    """Return the different files, in order of first mention; the first name is the id."""
    files: dict[str, File] = {}
    names: dict[str, File] = {}
    for record in records:
        key = place_of(record.path)
        if key in files:
            continue
        name = os.path.normpath(record.name).replace(os.sep, "/")
        file = files[key] = File(name, record.path, record)
        other = names.setdefault(name, file)
        if other is not file:
            raise CohortError(
                f"Two files are called {name!r}: {other.path} and {file.path}",
                where=f"{other.record.place} and {record.place}",
                mend="Write their paths relative to the root.",
            )
    return list(files.values())


def _listed(files: Sequence[tuple[File, str]]) -> str:
    lines = [f"{file.record.place}: {file.id[:200]}{f' ({why})' if why else ''}" for file, why in files[:_SHOWN]]
    more = len(files) - _SHOWN
    return "\n         ".join([*lines, f"and {more} more"] if more > 0 else lines)


def _check_present(files: Sequence[File], root: Path, *, skip: bool) -> None:
    missing = [(file, "") for file in files if not present(file.path)]
    if missing and (not skip or len(missing) == len(files)):
        raise CohortError(
            f"{len(missing)} of {len(files)} files do not exist",
            where=_listed(missing),
            mend=f"Check data.root ({root}) and the names, or leave them out with data.on_error: skip.",
        )


def _check_readable(files: Sequence[File], probes: Sequence[Probe], *, skip: bool) -> None:
    bad = [(file, found.error) for file, found in zip(files, probes, strict=True) if found.error is not None]
    if bad and (not skip or len(bad) == len(files)):
        raise CohortError(
            f"{len(bad)} of {len(files)} files cannot be read",
            where=_listed(bad),
            mend="Mend or remove them, or leave them out with data.on_error: skip.",
        )


def _media(data: DataSection, files: Sequence[File], probes: Sequence[Probe], clips: Sequence[Clip]) -> pl.DataFrame:
    root = data.root.resolve()
    extra = [name for name in data.attributes if name not in ATTRIBUTES]
    values = {
        name: _property(name, source, files, clips, data.root)
        for name, source in (
            ("patient", data.patient),
            ("procedure", data.procedure),
            ("dataset", None),
            *((name, data.attributes.get(name)) for name in (*ATTRIBUTES, *extra)),
        )
    }
    procedures = _procedures(values["procedure"], values["patient"], [file.id for file in files], source=data.procedure)
    ages = [_age(value, file.record) for value, file in zip(values["age"], files, strict=True)]
    columns: dict[str, Sequence[object]] = {
        **values,
        "id": [file.id for file in files],
        "path": [_below(file.path, data.root) for file in files],
        "dataset": [value or data.name or root.name for value in values["dataset"]],
        # Whoever is not known is told apart by the procedure, so that no division parts it.
        "patient": [value or procedure for value, procedure in zip(values["patient"], procedures, strict=True)],
        "patient_known": [value is not None for value in values["patient"]],
        "procedure": procedures,
        "procedure_known": [value is not None for value in values["procedure"]],
        "age": ages,
    }
    for name in ("sha256", "size", "frames", "fps", "width", "height", "duration", "codec", "truncated", "error"):
        columns[name] = [getattr(found, name) for found in probes]
    return tables.make(MEDIA, columns, extra=extra)


def _below(path: Path, root: Path) -> str:
    """Return a path relative to the root; one that climbs out is followed through links first."""
    inside = relative(path, root)
    return inside if not inside.startswith("..") else relative(path.resolve(), root.resolve())


def _property(
    name: str, source: Source | None, files: Sequence[File], clips: Sequence[Clip], root: Path
) -> list[str | None]:
    """Return a property of each file, after checking that all rows of a file agree on it."""
    find = resolver(name, source, [clip.record for clip in clips], root=root)
    values: list[str | None] = [None] * len(files)
    if find is None:
        return values
    for clip in clips:
        value = find(clip.record)
        known = values[clip.file]
        if value is not None and known is not None and value != known:
            raise CohortError(
                f"{files[clip.file].id!r} has two values of {name}: {known!r} and {value!r}",
                where=clip.record.place,
                mend="Leave the right one.",
            )
        values[clip.file] = known if value is None else value
    return values


def _procedures(
    values: Sequence[str | None],
    patients: Sequence[str | None],
    media: Sequence[str],
    *,
    source: ProcedureSource | None,
) -> list[str]:
    """Return each file's procedure under a name that is unique in the cohort."""
    within = (source is not None and source.within == "patient") or _numbered_within_patients(values, patients)

    def named(value: str | None, patient: str | None, media: str) -> str:
        if value is None:
            return media
        if patient is None or value == patient or value.startswith(f"{patient}/"):
            return value
        return f"{patient}/{value}" if within or _SMALL_NUMBER.fullmatch(value) else value

    return [named(*each) for each in zip(values, patients, media, strict=True)]


def _numbered_within_patients(values: Sequence[str | None], patients: Sequence[str | None]) -> bool:
    """Return whether procedures are evidently numbered anew for each patient: most patients share names with others.

    A few shared names are not that: then a patient stands under two names, which is a leak to be told.
    """
    holders: dict[str, set[str]] = {}
    for value, patient in zip(values, patients, strict=True):
        if value is not None and patient is not None:
            holders.setdefault(value, set()).add(patient)
    people = set().union(*holders.values())
    sharing = set().union(*(held for held in holders.values() if len(held) > 1))
    return len(people) >= _ENOUGH_PATIENTS and 2 * len(sharing) > len(people)


def _age(text: str | None, record: Record) -> float | None:
    if text is None:
        return None
    try:
        # DICOM writes 063Y.
        age = float(text[:-1] if text[-1:] in "yY" else text)
    except ValueError:
        age = math.nan
    if not 0 <= age <= 130:
        raise CohortError(
            f"Not an age in years: {text[:40]!r}", where=record.place, mend="Write years, or leave it blank."
        )
    return age


def _items(clips: Sequence[Clip], files: Sequence[File], classes: Sequence[str]) -> pl.DataFrame:
    return tables.make(
        ITEMS,
        {
            "id": [clip.id for clip in clips],
            "media": [files[clip.file].id for clip in clips],
            "start": [clip.start for clip in clips],
            "stop": [clip.stop for clip in clips],
            "label": [classes[clip.target] if clip.target is not None else None for clip in clips],
            "target": [clip.target for clip in clips],
        },
    )
