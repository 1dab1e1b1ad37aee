"""The frames that a model sees, from whatever a user names to the files that they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from cineloop.cohort import Cohort
from cineloop.cohort.schema import DataSection
from cineloop.cohort.source import completed
from cineloop.errors import SamplingError
from cineloop.identity import identity_salt
from cineloop.inference.sampling import Choice, Looked, look_ahead, look_back, recorded
from cineloop.progress import Progress, silent
from cineloop.report.sampling import Summary, decode_sheets, page, summarise, write_csv
from cineloop.report.sampling.published import Layout
from cineloop.report.sampling.sheets import write_sheet
from cineloop.schema import parse_override, set_dotted, validate
from cineloop.tasks.cohort import with_validation
from cineloop.tasks.recipe import Recipe, compose, find_recipe, load_recipe

RecipeSource: TypeAlias = str | Path | Mapping[str, Any]
Identifiers = Literal["salted", "plain"]


@dataclass(frozen=True)
class Sampled:
    """Which frames of which video a model sees.

    Attributes:
        kind: ``decoded`` by a run, ``planned``, or ``read`` from CSV files.
        summary: The figures of each method and split.
        files: What was written.
    """

    kind: Literal["decoded", "planned", "read"]
    summary: tuple[Summary, ...]
    files: tuple[Path, ...]


def sampling(
    source: RecipeSource | Cohort,
    overrides: Iterable[str] = (),
    choice: Choice | None = None,
    *,
    out: str | Path | None = None,
    csv: str | Path | None = None,
    csv_layout: Layout = "active",
    csv_dataset: str | None = None,
    parquet: str | Path | None = None,
    sheets: int = 0,
    sheet_files: str | Path | None = None,
    identifiers: Identifiers | None = None,
    progress: Progress = silent,
) -> Sampled:
    """Find out which frames of which video a model sees, from what was decoded or before anything is.

    Args:
        source: A run, a folder or file of sample records, published CSV files; or, to plan, a recipe, a folder of
            data, a saved cohort, or a cohort.
        overrides: ``key=value`` texts laid over the recipe or the ``data`` section.
        choice: What shall be planned, and which splits are wanted.
        out: The page to write, HTML.
        csv: A folder for files in a layout of the published tools.
        csv_layout: ``active`` or ``helper``.
        csv_dataset: The data set in the files' names; by default the cohort's name.
        parquet: A file for the rows.
        sheets: Decode the frames of this many videos for the page.
        sheet_files: A folder for a PNG of each sheet.
        identifiers: Whether names are written as they are (``plain``) or as pseudonyms (``salted``), of what is
            planned; None takes what the data section says. Records keep their names.
        progress: Told about files.

    Raises:
        SamplingError: The source is malformed, or options do not fit it.
        RecipeError: The recipe, a mode or a number is not valid.
        CohortError: The data does not form a cohort, or has no such split.
        VideoError: There are no records, or a file cannot be opened or decoded.
    """
    choice = choice or Choice()
    looked = _look(source, list(overrides), choice, identifiers, progress).within(choice.splits).named()
    if (sheets or sheet_files is not None) and all(item is None for item in looked.items):
        raise SamplingError(
            "The videos themselves are not known here, so there is nothing to decode for sheets",
            where=source if isinstance(source, str | Path) else None,
            mend="Name the run, on a machine that has its data, or the data.",
        )
    drawn = decode_sheets(looked.samples, looked.items, max(sheets, sheet_files is not None), progress=progress)
    written: list[Path] = []
    # First what may still be refused.
    if parquet is not None:
        looked.write_records(Path(parquet))
        written.append(Path(parquet))
    if out is not None:
        written.append(page(looked.samples, looked.origin, sheets=drawn if sheets else ()).write(Path(out)))
    if csv is not None:
        dataset = re.sub(r"[^\w.-]+", "-", csv_dataset or looked.origin.title).strip("-") or "data"
        written += write_csv(looked.samples, Path(csv), dataset, layout=csv_layout)
    if sheet_files is not None:
        written += [write_sheet(looked.samples, sheet, Path(sheet_files)) for sheet in drawn]
    return Sampled(looked.origin.kind, summarise(looked.samples), tuple(written))


def _look(
    source: RecipeSource | Cohort,
    overrides: Sequence[str],
    choice: Choice,
    identifiers: Identifiers | None,
    progress: Progress,
) -> Looked:
    if isinstance(source, str | Path) and recorded(Path(source)):
        if choice.said or overrides or identifiers is not None:
            raise SamplingError(
                "What was decoded or written is shown as it is; methods are chosen and names given in plans alone",
                where=source,
                mend="Leave out everything but the splits and the outputs, or name the data or a recipe.",
            )
        return look_back(Path(source))
    recipe: Recipe | None = None
    named = identifiers or "salted"
    if isinstance(source, Cohort):
        cohort = source
    elif not isinstance(source, Mapping) and (Path(source) / "cohort.json").is_file() and not overrides:
        cohort = Cohort.load(Path(source))
    elif (plain := _data_alone(source)) is not None:
        data = _section(plain, overrides, where="data" if isinstance(source, Mapping) else str(source))
        cohort, named = Cohort.read(data, progress=progress), identifiers or data.identifiers
    else:
        recipe = load_recipe(source, overrides)
        cohort, _ = with_validation(Cohort.read(recipe.data, progress=progress), recipe)
        named = identifiers or recipe.data.identifiers
    salt = identity_salt() if named == "salted" else None
    return look_ahead(cohort, choice, recipe=recipe, salt=salt, progress=progress)


def _data_alone(source: RecipeSource) -> dict[str, Any] | None:
    """Return the ``data`` section of a source that is data and no recipe, None for a recipe."""
    if not isinstance(source, Mapping) and Path(source).is_dir():
        return {"root": str(source)}
    content = source if isinstance(source, Mapping) else compose(find_recipe(str(source)))
    if "task" in content:
        return None
    section = content.get("data", content)
    if not isinstance(section, Mapping):
        raise SamplingError(
            "The file has no data section", where=str(source), mend="Write `data:` with format and root."
        )
    # How a task samples is said by a recipe of that task alone.
    return {key: value for key, value in section.items() if key in DataSection.model_fields}


def _section(plain: Mapping[str, Any], overrides: Iterable[str], *, where: str) -> DataSection:
    """Return a ``data`` section with ``key=value`` texts laid over it, written with or without ``data.``."""
    section = dict(plain)
    for text in overrides:
        key, value = parse_override(text)
        set_dotted(section, key.removeprefix("data."), value)
    if "path" in section and "format" not in section:
        section["format"] = "table"
    return validate(DataSection, completed(section), where=where, prefix="data")
