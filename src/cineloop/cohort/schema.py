"""The ``data`` section of a recipe: where the recordings lie and what is known about them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cineloop.cohort.format import FORMATS
from cineloop.identity import identity_salt
from cineloop.schema import Section, did_you_mean, validate

ATTRIBUTES = ("site", "scope", "age", "sex")


class Source(Section):
    """Where a property of a video is written: in a column, in its path, or in a file of its own. One of the three.

    Attributes:
        column: A column of the layout's table.
        regex: A regular expression searched in the path as the layout writes it, then in the path relative to the
            root; the group named like the property gives the value, else the first group.
        mapping: A CSV or Parquet file with a column of paths (or file names, or names without suffix) and a column
            of values.
        key: The mapping's column of paths; without it ``path``, ``file``, ``video`` and the like are looked for.
        value: The mapping's column of values; without it the one named like the property.
    """

    column: str | None = Field(default=None, min_length=1)
    regex: str | None = Field(default=None, min_length=1)
    mapping: Path | None = None
    key: str | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _one_means(self) -> Source:
        given = [name for name in ("column", "regex", "mapping") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("write exactly one of column, regex and mapping")
        if self.mapping is None and (self.key is not None or self.value is not None):
            raise ValueError("key and value belong to a mapping")
        if self.regex is not None:
            try:
                pattern = re.compile(self.regex)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
            if pattern.groups == 0:
                raise ValueError("the regular expression needs a group in parentheses around the value")
        return self

    def describe(self) -> str:
        """Return the source in words, as a run records it."""
        if self.column is not None:
            return f"column {self.column!r}"
        return f"regex {self.regex!r}" if self.regex is not None else f"mapping {self.mapping}"


class ProcedureSource(Source):
    """Where the procedure's identity is written.

    Attributes:
        within: ``patient`` says that procedures are numbered anew for each patient. Otherwise a name is one procedure,
            unless it is a number of one or two digits or most patients share names of procedures with others.
    """

    within: Literal["patient"] | None = None


class Columns(Section):
    """Names of a table's columns. Each one left out is looked for under its common names.

    Attributes:
        id: Name of the video in this cohort; without it, its path.
        path: Path of the video or picture, relative to the root (or to the table).
        label: Class name or number.
        split: ``train``, ``val``, ``test``, or a fold's name.
        start: First frame of a clip, from 0.
        stop: The frame after the last one of a clip.
        start_seconds: Beginning of a clip in seconds.
        stop_seconds: End of a clip in seconds.
        frame: The one frame of a video that the row means, from 0.
        pts: The time stamp of that frame in the file's own units; it is checked.
    """

    id: str | None = None
    path: str | None = None
    label: str | None = None
    split: str | None = None
    start: str | None = None
    stop: str | None = None
    start_seconds: str | None = None
    stop_seconds: str | None = None
    frame: str | None = None
    pts: str | None = None


class SplitSection(Section):
    """How to divide the patients; given, it replaces the splits that the layout has, but for those in ``keep``.

    Attributes:
        test: Share of the items for the test split; with ``folds`` the fold decides instead.
        val: Share of the items for validation.
        seed: Another seed, another division.
        folds: Make this many folds; the fold ``fold`` is the test split.
        fold: Which fold is held out, from 0.
        by: What must not be divided. Anything but ``patient`` leaks patients and needs ``allow_leakage``.
        keep: Splits of the layout that stay as they are, such as a published test set.
    """

    test: float = Field(default=0.2, ge=0, lt=1)
    val: float = Field(default=0.2, ge=0, lt=1)
    seed: int = 0
    folds: int | None = Field(default=None, ge=2)
    fold: int = Field(default=0, ge=0)
    by: Literal["patient", "procedure", "video"] = "patient"
    keep: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _possible(self) -> SplitSection:
        if self.folds is None and self.test + self.val >= 1:
            raise ValueError(f"test and val together take {self.test + self.val:g} of the data; nothing is left")
        if self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold {self.fold} of {self.folds} does not exist; they count from 0")
        if self.folds is not None and self.val + 1 / self.folds >= 1:
            raise ValueError(f"one fold of {self.folds} and val={self.val:g} leave nothing to train on")
        return self


class DataSection(Section):
    """The data of a recipe: what every task needs to know of it.

    Attributes:
        format: The on-disk layout, by its registered name.
        root: The folder of the data; a relative path is taken from the current folder.
        path: The one file that describes the data, for formats that need it; relative to the current folder, else
            to ``root``.
        name: What the cohort is called in reports; the root folder's name when left out.
        patient: Where the patient's identity is written. Without it each procedure counts as a patient of its own,
            and without that each file.
        procedure: Where the procedure's (examination's) identity is written.
        attributes: Where site, scope, age, sex and any further attribute for subgroups is written.
        columns: Names of a table's columns.
        classes: Class names in the order of their numbers.
        split: How to divide the patients, when the layout does not or its division shall not be used.
        lock: A split lock that the cohort must agree with; its splits are used.
        allow_leakage: Why a leak is accepted, in words; it is printed on every figure made from the data.
        reviewed_pairs: Pairs of media ids that a person has looked at and found not to be duplicates.
        identifiers: Whether outputs name items, files and patients by pseudonyms (``salted``, which
            ``cineloop cohort find`` turns back on the machine that made them) or as they are (``plain``).
        on_error: Whether a video that cannot be read ends the work or is skipped, counted and listed.
        format_options: The format's own options.
    """

    format: str
    root: Path
    path: Path | None = None
    name: str | None = Field(default=None, min_length=1)
    patient: Source | None = None
    procedure: ProcedureSource | None = None
    attributes: dict[str, Source] = Field(default_factory=dict)
    columns: Columns = Columns()
    classes: tuple[str, ...] | None = None
    split: SplitSection | None = None
    lock: Path | None = None
    allow_leakage: str | None = None
    reviewed_pairs: tuple[tuple[str, str], ...] = ()
    identifiers: Literal["salted", "plain"] = "salted"
    on_error: Literal["raise", "skip"] = "raise"
    format_options: dict[str, object] = Field(default_factory=dict)

    @field_validator("format")
    @classmethod
    def _registered(cls, value: str, info: ValidationInfo) -> str:
        # A plug-in's format is known only when the plug-in is enabled, so the names are no fixed list of the schema.
        where = (info.context or {}).get("where", "recipe")
        FORMATS.get(value, where=f"{where}: data.format")
        return value

    @field_validator("classes")
    @classmethod
    def _distinct(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (len(set(value)) != len(value) or not value or not all(value)):
            raise ValueError("class names must be different and not empty")
        return value

    @field_validator("allow_leakage")
    @classmethod
    def _in_words(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("give the reason in words; it is printed on every figure")
        return value.strip() if value is not None else None

    @field_validator("attributes")
    @classmethod
    def _attribute_names(cls, value: dict[str, Source]) -> dict[str, Source]:
        for name in value:
            if not name.isidentifier():
                raise ValueError(f"{name!r} is not a name for an attribute; use letters, digits and _")
            if name in ("patient", "procedure"):
                raise ValueError(f"{name} stands beside `attributes`, not in it")
        return value

    @model_validator(mode="after")
    def _format_options(self, info: ValidationInfo) -> DataSection:
        where = (info.context or {}).get("where", "recipe")
        config = FORMATS.get(self.format).Config
        unknown = set(self.format_options) - set(config.model_fields)
        if unknown:
            name = sorted(unknown)[0]
            raise ValueError(
                f"the format {self.format!r} has no option {name!r}; {did_you_mean(name, config.model_fields)}"
            )
        validate(config, self.format_options, where=where, prefix="data.format_options")
        return self

    def salt(self) -> str | None:
        """Return the secret behind the pseudonyms of outputs, None where names stand as they are."""
        return identity_salt() if self.identifiers == "salted" else None

    def options(self) -> Section:
        """Return the format's own options, validated."""
        return validate(
            FORMATS.get(self.format).Config, self.format_options, where="recipe", prefix="data.format_options"
        )
