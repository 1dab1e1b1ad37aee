"""The entry point: the table of verbs, and the options and the exit codes that all of them share."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from cineloop._version import __version__
from cineloop.cli.common import Invocation, say
from cineloop.cli.failures import DEFECT, PIPE_CLOSED, ends_tidily, reader_is_gone, reported
from cineloop.errors import CineloopError

# Name and help line, in the order of the help page. The module of a verb is cineloop.cli.NAME.
VERBS = {
    "train": "Run a recipe: train a model on a cohort and leave a run folder.",
    "evaluate": "Judge a run on a split: figures with intervals, tables, a report.",
    "predict": "Run a trained model on videos, images, folders or DICOM.",
    "features": "Features and tokens of videos, and where a model looked.",
    "analyze": "Analyse a whole procedure in one pass: timeline, indicators, report.",
    "render": "Show a timeline over its video, and as a plot.",
    "summary": "Sum up procedures: the indicators of a unit, with intervals.",
    "export": "Write a model for ONNX, OpenVINO, TorchScript or TensorRT.",
    "pack": "Write a run as an archive to share, without identifiers or pixels.",
    "recipes": "List the shipped recipes, or print one, resolved and commented.",
    "demo": "Train, evaluate and report on a built-in synthetic cohort.",
    "cohort": "Check, split and merge cohorts.",
    "weights": "Inspect, convert and fetch weights files.",
    "phantom": "Write a synthetic cohort with exact ground truth.",
    "doctor": "Tell what works on this machine and what does not.",
}


def _print_version(asked: bool) -> None:
    if asked:
        say(f"cineloop {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, expose_value=False, is_eager=True, help="Print the version."),
]


def _cineloop(version: VersionOption = False) -> None:
    """Cohorts that cannot leak, models that are proven, reports a clinician can read: from procedure video."""


def _shared(
    debug: Annotated[bool, typer.Option("--debug", expose_value=False, help="Show tracebacks of errors.")] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin",
            expose_value=False,
            metavar="NAME_OR_PATH",
            help="Enable a plug-in, by its name or path; may be repeated.",
        ),
    ] = None,
) -> None:
    """Describe the options that :func:`take_shared` reads, for help pages and completion."""


def take_shared(arguments: Sequence[str], invocation: Invocation) -> list[str]:
    """Read the options that every verb shares, wherever they stand before a ``--``, into ``invocation``.

    Typer reads an option only behind the command that declares it, and doing so at the level of the program would
    load pydantic for every help page.

    Returns:
        The other words, in order.

    Raises:
        CineloopError: ``--plugin`` stands without a value.
    """
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        option, separator, value = word.partition("=")
        if word == "--debug":
            invocation.debug = True
        elif option == "--plugin":
            named = value if separator else next(words, "")
            if not named or named.startswith("-"):
                raise CineloopError(
                    "--plugin needs a value",
                    where="command line",
                    mend="Name an installed plug-in, or a file or folder: --plugin ./net.py.",
                )
            invocation.plugins.append(named)
        else:
            rest.append(word)
            if word == "--":
                rest.extend(words)
    return rest


def _as_typer(function: Callable[..., None], name: str) -> typer.Typer:
    # Plain help pages: importing rich would take half of the time that a help page may take.
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    return app


def _shared_params() -> list[Any]:
    return list(get_command(_as_typer(_shared, "shared")).params)


def _guard(work: Callable[..., Any], invocation: Invocation) -> Callable[..., Any]:
    """Return ``work``, run with its plug-ins enabled and its failures reported."""

    @functools.wraps(work)
    def guarded(**values: Any) -> Any:
        with reported(invocation):
            if invocation.plugins:
                from cineloop.plugins import enable_all

                enable_all(invocation.plugins)
            return work(**values)

    return guarded


def _settle_flags(group: TyperGroup) -> None:
    """Give the flags that Typer itself adds a value of False instead of None, which it would load pydantic to read."""
    for option in (*group.params, group.get_help_option(typer.Context(group))):
        if option is not None and getattr(option, "is_flag", False) and option.default is None:
            option.default = False


def _equip(command: TyperCommand | TyperGroup, invocation: Invocation) -> None:
    """Give a command, and all below it, plain help, the shared options and reported failures."""
    command.rich_markup_mode = None
    if isinstance(command, TyperGroup):
        command.no_args_is_help = True
        _settle_flags(command)
        for below in command.commands.values():
            _equip(below, invocation)  # type: ignore[arg-type]
    elif command.callback is not None:
        command.params.extend(_shared_params())
        command.callback = _guard(command.callback, invocation)


class _Group(TyperGroup):
    """A verb with verbs below it."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Show the shared options too, which :func:`take_shared` has read."""
        self.params.extend(_shared_params())
        super().format_options(ctx, formatter)


def load(verb: str, invocation: Invocation) -> TyperCommand | TyperGroup:
    """Import the module of a verb and return its command, as the package's contract describes it."""
    module = importlib.import_module(f"cineloop.cli.{verb}")
    command: Any
    if hasattr(module, "app"):
        module.app.info.cls = _Group
        command = get_group(module.app)
        command.name, command.help = verb, VERBS[verb]
    else:
        command = get_command(_as_typer(module.command, verb))
    _equip(command, invocation)
    return command  # type: ignore[no-any-return]


class _Root(_Group):
    """The program itself: its help page lists the verbs from the table, and only the one called is imported."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Replace the listed stand-in of a verb by its real command."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, stand_in, rest
        return name, load(name, ctx.obj if isinstance(ctx.obj, Invocation) else Invocation()), rest


def program() -> TyperGroup:
    """Return the program as one command group, with a stand-in for each verb."""
    app = typer.Typer(cls=_Root, rich_markup_mode=None, no_args_is_help=True)
    app.callback()(_cineloop)
    for verb, line in VERBS.items():
        app.command(verb, help=line)(lambda: None)
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    _settle_flags(command)
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Args:
        arguments: The words after the program's name; those of this process by default.

    Returns:
        0; 2 for a mistake of the user's; 130 after an interruption, 143 after SIGTERM; 141 when the reader of the
        output went away; 1 for a defect; or what a verb chose.
    """
    invocation = Invocation()
    try:
        with ends_tidily(), reported(invocation):
            try:
                words = take_shared(sys.argv[1:] if arguments is None else arguments, invocation)
                program().main(args=words, prog_name="cineloop", obj=invocation)
            finally:
                sys.stdout.flush()
    except SystemExit as ending:
        code = int(ending.code or 0)
        # Click turns a broken pipe into a failure of its own before it is reported here.
        return PIPE_CLOSED if code == DEFECT and reader_is_gone() else code
    return 0


if __name__ == "__main__":
    sys.exit(main())
