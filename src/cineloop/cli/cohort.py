"""``cineloop cohort``: audit, division, merging, conversion, statistics, sampling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cineloop.cli.common import JsonOption, note, print_json, print_table, progress, say
from cineloop.cli.sampling import sampling
from cineloop.cli.source import (
    DataSource,
    FormatOption,
    OverridesArgument,
    PathOption,
    PatientOption,
    ProcedureOption,
    RootOption,
    SourceArgument,
)
from cineloop.errors import CineloopError, CohortError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cineloop.cohort import Cohort
    from cineloop.cohort.pseudonyms import Meaning

app = typer.Typer()


def _print_counts(cohort: Cohort) -> None:
    rows = [(row.split, row.label, row.items, row.media, row.patients) for row in cohort.counts()]
    print_table(["split", "class", "items", "files", "patients"], rows)


@app.command()
def check(
    source: SourceArgument = None,
    overrides: OverridesArgument = None,
    root: RootOption = None,
    layout: FormatOption = None,
    path: PathOption = None,
    patient: PatientOption = None,
    procedure: ProcedureOption = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the audit as a page to this file.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Look for copies, which decodes every video once.")
    ] = True,
    json: JsonOption = False,
) -> None:
    """Audit a cohort: leaks, copies, broken files, balance, shortcuts.

    The exit code is 0 when there are no errors (or every error is a leak that data.allow_leakage accepts), 1 when
    there are, and 2 when the data cannot be read as a cohort at all.
    """
    from cineloop.cohort import Cohort
    from cineloop.cohort.audit import audit

    reviewed: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    origin = DataSource(source, root, overrides, layout, path, patient, procedure)
    if origin.saved:
        cohort, told = origin.read(), "a saved cohort"
    else:
        data = origin.section(on_error="skip")
        reviewed, reason = data.reviewed_pairs, data.allow_leakage
        cohort, told = Cohort.read(data, progress=progress()), data.format
    found = audit(cohort, reviewed_pairs=reviewed, compare_pictures=pictures, progress=progress())
    if html is not None:
        from cineloop.report.cohort_page import page

        page(cohort, found, allow_leakage=reason).write(html)
    if json:
        print_json({"format": told, **found.to_json(), "allow_leakage": reason})
    else:
        say(f"read as  {told}")
        say(found.text())
    if html is not None:
        note(f"page: {html}")
    if found.leaks and reason is not None:
        note(f"leaks are accepted: {reason}")
    if len(found.errors) > (len(found.leaks) if reason is not None else 0):
        raise typer.Exit(1)


@app.command()
def split(
    out: Annotated[Path, typer.Option("--out", help="The split lock to write (JSON); with --folds one for each fold.")],
    source: SourceArgument = None,
    overrides: OverridesArgument = None,
    root: RootOption = None,
    layout: FormatOption = None,
    path: PathOption = None,
    patient: PatientOption = None,
    procedure: ProcedureOption = None,
    test: Annotated[float, typer.Option("--test", help="Share of the items for testing.")] = 0.2,
    val: Annotated[float, typer.Option("--val", help="Share of the items for validation.")] = 0.2,
    folds: Annotated[int | None, typer.Option("--folds", help="Make folds in place of one test split.")] = None,
    by: Annotated[str, typer.Option("--by", help="What is not divided: patient, procedure or video.")] = "patient",
    keep: Annotated[list[str] | None, typer.Option("--keep", help="A split of the layout that stays as it is.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another division.")] = 0,
    json: JsonOption = False,
) -> None:
    """Divide the patients into splits or folds, stratified by class, and fix the division in a split lock."""
    from cineloop.cohort import Cohort
    from cineloop.cohort.division import divide
    from cineloop.cohort.lock import write_lock
    from cineloop.cohort.schema import SplitSection
    from cineloop.schema import validate

    plain = {"test": test, "val": val, "seed": seed, "folds": folds, "by": by, "keep": keep or []}
    section = validate(SplitSection, plain, where="command line")
    data = DataSource(source, root, overrides, layout, path, patient, procedure).section()
    # A division made before, by the recipe, is what this one replaces.
    cohort = Cohort.read(data.model_copy(update={"split": None, "lock": None}), progress=progress())
    written = []
    for fold in range(folds or 1):
        divided = divide(cohort, section.model_copy(update={"fold": fold}))
        target = out if folds is None else out.with_name(f"{out.stem}-fold{fold}{out.suffix or '.json'}")
        write_lock(divided, target)
        written.append((target, divided))
    if json:
        print_json(
            [
                {
                    "lock": str(target),
                    "fingerprint": divided.fingerprint,
                    "counts": [
                        {"split": row.split, "label": row.label, "items": row.items, "patients": row.patients}
                        for row in divided.counts()
                    ],
                }
                for target, divided in written
            ]
        )
        return
    for target, divided in written:
        _print_counts(divided)
        say(f"lock  {target}")
        for name, classes in divided.lacking().items():
            note(f"WARNING: the split {name!r} of {target.name} has no item of {', '.join(map(repr, classes))}")
    if not cohort.identity_known.patient:
        note("The patients are not known: each procedure or file counts as one. Say where they are: --patient ...")


@app.command()
def merge(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCES", help="Folders, recipes, or files with a `data` section.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the table of the merged cohort.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Of the merged cohort; the folder's name without it.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", metavar="COHORT:OLD=NEW", help="Rename a class of one cohort; an empty NEW leaves it out."
        ),
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balance", help="Leave out items until all classes of a split are of equal size.")
    ] = False,
    by_dataset: Annotated[
        bool, typer.Option("--by-dataset", help="With --balance: of equal size within each cohort too.")
    ] = False,
    same_patients: Annotated[
        bool, typer.Option("--same-patients", help="Equal patient names in two cohorts are one person.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another choice of what balancing leaves out.")] = 0,
) -> None:
    """Put several cohorts together as one table; the recordings stay where they are."""
    from cineloop.cohort.merge import balance
    from cineloop.cohort.merge import merge as merge_cohorts

    renamed: dict[str, dict[str, str | None]] = {}
    for text in label or ():
        cohort_name, colon, rest = text.partition(":")
        old, equals, new = rest.partition("=")
        if not (colon and equals and cohort_name and old):
            raise RecipeError(f"Not a renaming: {text!r}", where="--label", mend="Write COHORT:OLD=NEW.")
        renamed.setdefault(cohort_name, {})[old] = new or None
    merged = merge_cohorts(
        [DataSource(source).read() for source in sources],
        name=name or out.resolve().name,
        labels=renamed,
        same_patients=same_patients,
    )
    if balanced:
        merged = balance(merged, seed=seed, by_dataset=by_dataset)
    _write(merged, out)


@app.command()
def convert(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    source: SourceArgument = None,
    overrides: OverridesArgument = None,
    root: RootOption = None,
    layout: FormatOption = None,
    path: PathOption = None,
    patient: PatientOption = None,
    procedure: ProcedureOption = None,
    to: Annotated[
        str, typer.Option("--to", help="`table`: a CSV that recipes read; `saved`: Parquet with everything known.")
    ] = "table",
) -> None:
    """Write a cohort of any layout as a table or a saved cohort; the recordings stay where they are."""
    if to not in ("table", "saved"):
        raise RecipeError(f"Unknown target {to!r}", where="--to", mend="Write table or saved.")
    cohort = DataSource(source, root, overrides, layout, path, patient, procedure).read()
    if to == "table":
        _write(cohort, out)
        return
    if (out / "cohort.json").exists():
        raise CohortError("A saved cohort stands here", where=out, mend="Write to another folder, or remove it.")
    cohort.save(out)
    _print_counts(cohort)
    say(f"saved  {out}")


def _write(cohort: Cohort, out: Path) -> None:
    from cineloop.cohort.merge import write_table
    from cineloop.files import write_text
    from cineloop.schema import dump_yaml

    section = write_table(cohort, out)
    plain = section.model_dump(mode="json", exclude_defaults=True)
    write_text(out / "data.yaml", dump_yaml({"data": plain}))
    _print_counts(cohort)
    say(f"table  {out / 'cohort.csv'}")
    say(f"data   {out / 'data.yaml'}")


@app.command()
def find(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A run, a recipe, or a folder of data; a recording, or a folder of them."
        ),
    ],
    names: Annotated[list[str], typer.Argument(metavar="PSEUDONYMS", help="As a page or a table shows them.")],
    json: JsonOption = False,
) -> None:
    """Turn pseudonyms of outputs back into items, files, recordings and patients, on the machine that made them."""
    from dataclasses import asdict

    from cineloop.cohort.format import MEDIA_SUFFIXES
    from cineloop.cohort.pseudonyms import among_files, behind
    from cineloop.runs import is_run

    place = Path(source)
    recording = place.is_file() and place.suffix.lower() in MEDIA_SUFFIXES
    folder = place.is_dir() and not is_run(place)
    # Analyses need no cohort: they are of recordings, wherever these lie.
    found = among_files(names, place) if recording or folder else []
    unknown = [name for name in names if name not in {one.pseudonym for one in found}]
    why = ""
    if not found and not recording:
        try:
            cohort = DataSource(source).read()
        except CineloopError as error:
            if not folder:
                raise
            why = f", and it is no cohort: {error.what}"
        else:
            found, unknown = behind(names, cohort), []
    if json:
        print_json([asdict(meaning) for meaning in found])
    elif found:
        _print_meanings(found)
    if unknown:
        raise CohortError(
            f"Nothing {'below this folder' if folder else 'here'} has the pseudonym "
            f"{', '.join(map(repr, unknown))}{why}",
            where=source,
            mend="Name the folder where the recordings lie, on the machine and as the user that made the output; of a "
            "cohort ask for these alone.",
        )


def _print_meanings(found: Sequence[Meaning]) -> None:
    print_table(
        ["pseudonym", "is", "name", "file"],
        [
            (one.pseudonym, f"a{'n' * (one.kind == 'item')} {one.kind}", one.name, path)
            for one in found
            for path in one.files
        ],
    )


@app.command()
def stats(
    source: SourceArgument = None,
    overrides: OverridesArgument = None,
    root: RootOption = None,
    layout: FormatOption = None,
    path: PathOption = None,
    patient: PatientOption = None,
    procedure: ProcedureOption = None,
    json: JsonOption = False,
) -> None:
    """Tell how many items, files and patients there are, how large pictures and videos are, and how long and fast."""
    from dataclasses import asdict

    from cineloop.cohort.audit.quality import spreads
    from cineloop.cohort.stills import still

    cohort = DataSource(source, root, overrides, layout, path, patient, procedure).read()
    found = spreads(cohort)
    seconds = cohort.media.filter(~still())["duration"].sum()
    pictures = cohort.media.select(still().sum()).item()
    if json:
        print_json(
            {
                "name": cohort.name,
                "fingerprint": cohort.fingerprint,
                "classes": list(cohort.classes),
                "files": cohort.media.height,
                "items": cohort.items.height,
                "patients": cohort.media["patient"].n_unique(),
                "patients_known": cohort.identity_known.patient,
                "pictures": pictures,
                "seconds": seconds,
                "counts": [asdict(row) for row in cohort.counts()],
                "properties": [asdict(row) for row in found],
            }
        )
        return
    known = "" if cohort.identity_known.patient else " (not known; each file counts as one)"
    kinds = [f"{pictures} pictures"] if pictures else []
    if pictures < cohort.media.height:
        kinds.append(f"{seconds:.0f} s of video")
    say(
        f"{cohort.name}: {cohort.media.height} files, {cohort.items.height} items, "
        f"{cohort.media['patient'].n_unique()} patients{known}, {', '.join(kinds)}"
    )
    say()
    _print_counts(cohort)
    say()
    print_table(
        ["property", "lowest", "median", "highest", "unit"],
        [(row.name, f"{row.lowest:g}", f"{row.median:g}", f"{row.highest:g}", row.unit) for row in found],
    )


app.command()(sampling)
