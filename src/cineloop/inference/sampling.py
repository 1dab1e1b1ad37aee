"""Whatever a user names, as a table of samples: a run, records of samples, CSV files, a cohort or a recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from cineloop import plugins, runs
from cineloop.cohort import Cohort, Item
from cineloop.errors import CineloopError, SamplingError
from cineloop.files import atomic_path
from cineloop.progress import Progress, silent
from cineloop.report.html import Fact
from cineloop.report.sampling import Method, Origin, Samples, from_records, plan, read_csv, to_records
from cineloop.report.sampling.plan import describe
from cineloop.report.sampling.published import RECIPE, parse_name
from cineloop.runs import Run
from cineloop.schema import validate
from cineloop.tasks.recipe import Recipe, load_recipe
from cineloop.tasks.task import TASKS
from cineloop.video.records import are_planned, read_records, write_records
from cineloop.video.sampling import FrameSampler, RoundsConfig, SamplingConfig

MODES = ("uniform", "random", "random_window", "clip")
"""The methods that are planned when none is named."""

_STEADY = "frames and duration of the media table, as a steady clock"
_FILES = "*.parquet"
_CSV = "sampling_indices_*.csv"


@dataclass(frozen=True, eq=False)
class Looked:
    """What a source shows.

    Attributes:
        samples: Under the items' own names where they are planned, else as recorded.
        items: The item of each clip [C], None where it is not known.
        origin: Where it comes from.
        salt: The secret behind the pseudonyms that outputs shall show; None where names stand as they are.
        records: The records themselves, where the source is records.
    """

    samples: Samples
    items: tuple[Item | None, ...]
    origin: Origin
    salt: str | None = None
    records: pl.DataFrame | None = None

    def named(self) -> Looked:
        """Return the same under the names that outputs show."""
        if self.salt is None:
            return self
        samples, order = self.samples.salted(self.salt)
        return replace(self, samples=samples, items=tuple(self.items[place] for place in order.tolist()), salt=None)

    def within(self, splits: Sequence[str]) -> Looked:
        """Return the rows of some splits; none means all.

        Raises:
            SamplingError: There is no such split.
        """
        if not splits:
            return self
        missing = [split for split in splits if split not in self.samples.splits]
        if missing:
            raise SamplingError(
                f"There is no split {missing[0]!r}",
                where="--split",
                mend=f"There are: {', '.join(self.samples.splits)}.",
            )
        kept = np.array([clip.split in splits for clip in self.samples.clips])
        samples, items = self.samples.take(kept[self.samples.clip]).compact(), self.items
        records = None if self.records is None else self.records.filter(pl.col("split").is_in(list(splits)))
        return replace(
            self,
            samples=samples,
            items=tuple(item for item, keep in zip(items, kept, strict=True) if keep),
            records=records,
        )

    def write_records(self, path: Path) -> None:
        """Write the rows as Parquet: records as they are, else what would be decoded."""
        if self.records is None or self.origin.kind != "decoded":
            write_records(to_records(self.named().samples), path, planned=True)
            return
        with atomic_path(path) as temporary:
            self.records.write_parquet(temporary)


@dataclass(frozen=True)
class Choice:
    """What shall be planned. None takes the recipe's where there is one, else the default.

    Attributes:
        modes: The methods.
        frames: How many.
        rounds: Augmentation rounds of the training split.
        seed: Of every draw.
        epochs: Of methods that draw anew in every epoch.
        clock: See :func:`cineloop.report.sampling.plan`.
        splits: Which; none means all.
    """

    modes: tuple[str, ...] | None = None
    frames: int | None = None
    rounds: RoundsConfig | None = None
    seed: int | None = None
    epochs: int | None = None
    clock: Literal["auto", "true", "steady"] = "auto"
    splits: tuple[str, ...] = ()

    @property
    def said(self) -> bool:
        """Whether anything is chosen that only a plan heeds."""
        return replace(self, splits=()) != Choice()


def recorded(source: Path) -> bool:
    """Return whether a path names a run, records or CSV files, in place of data or a recipe."""
    return runs.is_run(source) or _records_at(source) is not None or bool(_csv_at(source))


def _records_at(source: Path) -> Path | None:
    if source.is_file():
        return source if source.suffix == ".parquet" else None
    if (source / "cohort.json").exists():
        return None
    if (source / "samples.parquet").is_file():
        return source / "samples.parquet"
    first = min(source.glob(_FILES), default=None)
    try:
        schema = pl.read_parquet_schema(first) if first is not None else {}
    except (OSError, pl.exceptions.PolarsError):
        # Not a folder of records, then; what reads it as data says what is wrong with it.
        return None
    return source if {"item", "indices", "mode"} <= set(schema) else None


def _csv_at(source: Path) -> list[Path]:
    if source.is_file():
        return [source] if source.suffix == ".csv" else []
    return sorted(source.glob(_CSV))


def look_back(source: Path) -> Looked:
    """Return what a run, records or CSV files show.

    Raises:
        SamplingError: CSV files are malformed.
        VideoError: Files of records are malformed, or there are none.
        RunError: The run's ledger cannot be read.
    """
    if runs.is_run(source):
        return of_run(runs.open_run(source))
    records = _records_at(source)
    if records is not None:
        found = read_records(records)
        samples, items = from_records(found)
        if not len(samples):
            raise SamplingError("The records hold no rows", where=source, mend="Name others.")
        planned = are_planned(records)
        origin = Origin(
            kind="planned" if planned else "decoded",
            title=source.resolve().stem,
            names="as recorded",
            clock="those of the plan" if planned else "each frame's own, as decoded",
            remarks=("Classes are not known: records hold none. Name the run, or the data, to see them.",),
        )
        return Looked(samples, items, origin, records=found)
    paths = _csv_at(source)
    samples = read_csv(paths)
    names = ", ".join(sorted({parse_name(path).dataset for path in paths}))
    origin = Origin(
        "read", names, "as recorded", "not known: the files hold none", facts=(Fact("files", str(len(paths))),)
    )
    return Looked(samples, (None,) * len(samples.clips), origin)


def of_run(run: Run, cohort: Cohort | None = None) -> Looked:
    """Return what training decoded, and the evaluations on the run's own cohort.

    Args:
        run: A run.
        cohort: Its cohort, which gives class names; by default it is read, and done without where it is gone.

    Raises:
        VideoError: There are no records.
    """
    ledger = run.ledger()
    name = str(ledger["cohort"]["name"])
    plugins.require(ledger.get("plugins", []), where=run.path)
    recipe = load_recipe(run.recipe_file)
    remarks: list[str] = []
    if cohort is None:
        try:
            cohort = Cohort.read(recipe.data)
        except CineloopError:
            # The run outlives its data, and what it recorded can be looked at without.
            remarks.append("Classes are not known: the data of this run cannot be read here.")
    paths = [run.samples, *sorted(run.path.glob(f"evaluation/{_quoted(name)}/*/samples.parquet"))]
    found = pl.concat([read_records(path) for path in paths]).unique(maintain_order=True)
    sampler = sampler_of(recipe)
    rounds = sampler("train").config.rounds if sampler is not None else None
    samples, items = from_records(
        found, cohort=cohort, salt=recipe.data.salt(), round_step=rounds.step if rounds is not None else None
    )
    facts = [Fact(f"sampling of {split}", describe(sampler(split))) for split in samples.splits] if sampler else []
    origin = Origin(
        kind="decoded",
        title=name,
        names="pseudonyms" if recipe.data.identifiers == "salted" else "plain",
        clock="each frame's own, as decoded",
        facts=(
            *facts,
            Fact("seed of training", str(recipe.train.seed)),
            Fact("recipe SHA-256", str(ledger["recipe_sha256"])),
            Fact("cohort fingerprint", str(ledger["cohort"]["fingerprint"])),
        ),
        remarks=tuple(remarks),
    )
    return Looked(samples, items, origin, records=found)


def _quoted(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def sampler_of(recipe: Recipe) -> Callable[[str], FrameSampler] | None:
    """Return a recipe's sampler of each split; None for tasks that sample no frames."""
    spec = TASKS.get(recipe.task)
    if spec.sampler is None:
        return None
    of_task = spec.sampler
    return lambda split: of_task(recipe, split)


def look_ahead(
    cohort: Cohort,
    choice: Choice,
    *,
    recipe: Recipe | None = None,
    salt: str | None = None,
    progress: Progress = silent,
) -> Looked:
    """Return what samplers would choose.

    Args:
        cohort: From what.
        choice: By what.
        recipe: Its own sampling is one method more, and gives what the choice leaves open.
        salt: The secret behind the pseudonyms of outputs; None for plain names.
        progress: Told of files that are opened.

    Raises:
        RecipeError: A mode is unknown, or a number is wrong.
        CohortError: There is no such split.
        VideoError: A file cannot be opened.
    """
    own = sampler_of(recipe) if recipe is not None else None
    base = own("train").config if own is not None else SamplingConfig()
    plain = {"frames": choice.frames or base.frames, "seed": base.seed if choice.seed is None else choice.seed}
    rounds = choice.rounds or base.rounds
    methods = [] if own is None else [Method(RECIPE, own)]
    for mode in dict.fromkeys(choice.modes if choice.modes is not None else MODES):
        config = validate(SamplingConfig, {"mode": mode, **plain}, where="sampling").model_copy(
            update={"clip": base.clip}
        )
        methods.append(Method(mode, _by_split(config, rounds)))
    if not methods:
        raise SamplingError("No method is named", where="--modes", mend=f"Write --modes {','.join(MODES)}.")
    planned = plan(
        cohort, methods, splits=choice.splits, epochs=choice.epochs or 1, clock=choice.clock, progress=progress
    )
    splits = planned.samples.splits
    notes = tuple((method.name, _words(method, splits)) for method in methods)
    clock = _STEADY if planned.clock != "true" else "the files' own frame times"
    if planned.clock == "steady":
        clock += "; a recording of variable rate would be sampled a little differently by `clip`"
    origin = Origin(
        kind="planned",
        title=cohort.name,
        names="plain" if salt is None else "pseudonyms",
        clock=clock,
        facts=(Fact("cohort fingerprint", cohort.fingerprint),),
        notes=notes,
        remarks=(f"{len(cohort.skipped)} unreadable files are left out.",) if cohort.skipped else (),
    )
    return Looked(planned.samples, planned.items, origin, salt)


def _by_split(config: SamplingConfig, rounds: RoundsConfig | None) -> Callable[[str], FrameSampler]:
    """Return one configuration for every split, with rounds for training, or for a cohort that is not divided."""
    plain, augmented = FrameSampler(config), FrameSampler(config.model_copy(update={"rounds": rounds}))
    return lambda split: augmented if split in ("train", "all") else plain


def _words(method: Method, splits: Sequence[str]) -> str:
    said: dict[str, list[str]] = {}
    for split in splits:
        said.setdefault(describe(method.sampler(split)), []).append(split)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{' and '.join(names)}: {words}" for words, names in said.items())
