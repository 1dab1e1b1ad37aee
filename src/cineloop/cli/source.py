"""Where the data is, as the verbs on cohorts ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cineloop.cli.common import progress
from cineloop.errors import RecipeError

if TYPE_CHECKING:
    from cineloop.cohort import Cohort, DataSection

SourceArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE", help="A folder of data, a recipe (file or name), or a file with a `data` section."
    ),
]
RootOption = Annotated[Path | None, typer.Option("--root", help="The folder of the data, in place of SOURCE.")]
OverridesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Laid over the data section, e.g. patient.regex='(P\\d+)'."),
]
FormatOption = Annotated[str | None, typer.Option("--format", help="The layout; without it, it is looked for.")]
PathOption = Annotated[str | None, typer.Option("--path", help="The one file that describes the data.")]
PatientOption = Annotated[
    str | None,
    typer.Option("--patient", help="Where the patient is written: column:NAME, regex:PATTERN, mapping:FILE."),
]
ProcedureOption = Annotated[str | None, typer.Option("--procedure", help="Where the procedure is written, likewise.")]


@dataclass(frozen=True)
class DataSource:
    """What the options say of where the data is."""

    source: str | None = None
    root: Path | None = None
    overrides: list[str] | None = None
    layout: str | None = None
    path: str | None = None
    patient: str | None = None
    procedure: str | None = None

    def section(self, **fixed: Any) -> DataSection:
        """Return the data section that the options describe; ``fixed`` keys win."""
        from cineloop.cohort.schema import DataSection
        from cineloop.schema import parse_override, set_dotted, validate

        where, overrides = self.where()
        plain = self._plain(where)
        plain |= {key: value for key, value in (("format", self.layout), ("path", self.path)) if value is not None}
        for key, text in (("patient", self.patient), ("procedure", self.procedure)):
            if text is not None:
                plain[key] = place(text, f"--{key}")
        for text in overrides:
            key, value = parse_override(text)
            set_dotted(plain, key.removeprefix("data."), value)
        return validate(DataSection, {**plain, **fixed}, where=where, prefix="data")

    @property
    def saved(self) -> bool:
        """Whether a saved cohort is meant."""
        where, overrides = self.where()
        said = overrides or self.layout or self.path or self.patient or self.procedure
        return not said and (Path(where) / "cohort.json").is_file()

    def read(self, **fixed: Any) -> Cohort:
        """Read the cohort."""
        from cineloop.cohort import Cohort

        return Cohort.load(self.where()[0]) if self.saved else Cohort.read(self.section(**fixed), progress=progress())

    def where(self) -> tuple[str, list[str]]:
        """Return the folder, file or name, and the ``key=value`` texts."""
        if self.root is None and self.source is None:
            raise RecipeError(
                "No data is named", where="command line", mend="Give a folder, a recipe, or --format and --root."
            )
        if self.root is None:
            assert self.source is not None
            return self.source, self.overrides or []
        # With --root the first word is an override like the rest.
        return str(self.root), [word for word in (self.source, *(self.overrides or ())) if word is not None]

    def _plain(self, where: str) -> dict[str, Any]:
        from cineloop.cohort.schema import DataSection
        from cineloop.cohort.source import completed, section_of
        from cineloop.runs import is_run, open_run, refuse_packed
        from cineloop.tasks.recipe import compose, find_recipe

        if is_run(where):
            run = open_run(where)
            if not any(text.startswith(("root=", "data.root=")) for text in self.where()[1]):
                refuse_packed(run)
            where = str(run.recipe_file)
        if Path(where).is_dir() or self.root is not None:
            if self.layout is not None:
                return {"format": self.layout, "root": where}
            return {"format": "table", "root": where} if self.path is not None else section_of(Path(where))
        content = compose(find_recipe(where))
        section = content.get("data", content)
        if not isinstance(section, dict):
            raise RecipeError("The file has no data section", where=where, mend="Write `data:` with format and root.")
        # What a recipe's task adds to the section (how frames are sampled) does not concern the cohort.
        return completed({key: value for key, value in section.items() if key in DataSection.model_fields})


def place(text: str, option: str) -> dict[str, str]:
    """Return the section of where an identity is written, of a text such as ``column:NAME``."""
    means, separator, value = text.partition(":")
    if not separator or means not in ("column", "regex", "mapping") or not value:
        raise RecipeError(
            f"Not a place where an identity is written: {text!r}",
            where=option,
            mend="Write column:NAME, regex:PATTERN or mapping:FILE.",
        )
    return {means: value}
