from __future__ import annotations

import errno
import importlib.machinery
import os
import subprocess
import sys
import types
from typing import Annotated

import pytest
import typer

from cineloop import plugins
from cineloop.cli import main as program
from cineloop.cli.main import main
from cineloop.errors import RecipeError


def register(monkeypatch: pytest.MonkeyPatch, name: str, **attributes) -> None:
    """Put a verb into the program whose module has the given attributes."""
    module = types.ModuleType(f"cineloop.cli.{name}")
    module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(program.VERBS, name, "A verb for tests.")


@pytest.fixture
def verb(monkeypatch):
    """Install ``cineloop try`` whose work is the function given."""

    def install(work):
        def command(ctx: typer.Context, name: str = "") -> None:
            """Try something."""
            work(ctx, name)

        register(monkeypatch, "try", command=command)

    return install


def fail(error):
    def work(ctx, name):
        raise error

    return work


def run(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cineloop.cli.main", *words], capture_output=True, text=True, check=False, **options
    )


def test_a_mistake_is_one_message_and_exit_code_2(verb, capsys):
    verb(fail(RecipeError("The recipe is not valid", where="r.yaml", mend="Write it anew.")))
    assert main(["try"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: The recipe is not valid\n  where: r.yaml\n  mend:  Write it anew.\n"


@pytest.mark.parametrize("words", [["try", "--debug"], ["--debug", "try"]])
def test_debug_shows_the_traceback_before_the_message(verb, capsys, words):
    verb(fail(RecipeError("The recipe is not valid")))
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in work" in err
    assert err.endswith("error: The recipe is not valid\n")


def test_an_interruption_says_how_to_go_on(verb, capsys):
    def work(ctx, name):
        ctx.obj.resume = "cineloop train r.yaml --resume"
        raise KeyboardInterrupt

    verb(work)
    assert main(["try"]) == 130
    assert capsys.readouterr().err.endswith("to go on: cineloop train r.yaml --resume\n")
    verb(fail(KeyboardInterrupt()))
    assert main(["try"]) == 130
    assert "run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "no space left"), (errno.EACCES, "Permission denied"), (errno.EROFS, "read-only")],
)
def test_what_the_system_refuses_is_the_users_to_mend(verb, capsys, number, told):
    verb(fail(OSError(number, os.strerror(number), "runs/a/last.ckpt")))
    assert main(["try"]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "runs/a/last.ckpt" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [ValueError("odd"), FileNotFoundError(errno.ENOENT, "odd"), BrokenPipeError("odd")])
def test_a_defect_asks_for_a_report(verb, capsys, error):
    verb(fail(error))
    assert main(["try"]) == 1
    err = capsys.readouterr().err
    assert "internal error" in err
    assert "odd" in err
    assert "--debug" in err
    assert "Traceback" not in err
    assert main(["try", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_verb_may_choose_its_exit_code(verb):
    verb(fail(typer.Exit(7)))
    assert main(["try"]) == 7


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["predit"], "Did you mean 'predict'"),
        (["try", "--nme", "x"], "--name"),
        (["try", "x"], "extra argument"),
        (["--nonsense"], "--nonsense"),
        (["--plugin"], "--plugin needs a value"),
        (["try", "--plugin", "--debug"], "--plugin needs a value"),
        ([], "Usage"),
    ],
)
def test_wrong_usage_is_exit_code_2(verb, capsys, words, told):
    verb(lambda ctx, name: None)
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_a_refused_value_is_wrong_usage(verb, capsys):
    verb(fail(typer.BadParameter("no such colour")))
    assert main(["try"]) == 2
    assert "no such colour" in capsys.readouterr().err


@pytest.fixture
def enabled(monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(plugins, "enable_all", lambda wanted: seen.extend(wanted))
    return seen


@pytest.mark.parametrize(
    "words",
    [
        ["--plugin", "acme", "--plugin=./x.py", "try"],
        ["try", "--plugin", "acme", "--plugin", "./x.py"],
        ["--plugin", "acme", "try", "--name", "n", "--plugin=./x.py"],
    ],
)
def test_plugins_are_enabled_before_the_work_wherever_they_are_named(verb, enabled, words):
    at_work: list[list[str]] = []
    verb(lambda ctx, name: at_work.append(list(enabled)))
    assert main(words) == 0
    assert at_work == [["acme", "./x.py"]]


def test_a_plugin_file_is_enabled(verb, tmp_path, capsys):
    file = tmp_path / "acme.py"
    file.write_text(
        "from cineloop.errors import ModelError\n"
        "from cineloop.registry import Registry, Spec\n"
        "class Thing(Spec):\n    pass\n"
        "Thing.registry = Registry('thing', ModelError)\n"
        "spec = Thing(name='acme/one')\n"
    )
    verb(lambda ctx, name: print(plugins.enabled()[-1].names))
    assert main(["try", "--plugin", str(file)]) == 0
    assert "thing:acme/one" in capsys.readouterr().out
    assert main(["try", "--plugin", str(tmp_path / "absent.py")]) == 2
    assert "no plug-in at this path" in capsys.readouterr().err


def test_nothing_is_taken_after_a_double_dash(monkeypatch, enabled):
    seen: list[list[str]] = []

    def command(words: Annotated[list[str], typer.Argument()]) -> None:
        seen.append(words)

    register(monkeypatch, "try", command=command)
    assert main(["try", "--", "--plugin", "acme", "--debug"]) == 0
    assert seen == [["--plugin", "acme", "--debug"]]
    assert enabled == []


def test_an_app_is_a_group_even_with_one_sub_verb(monkeypatch, enabled, capsys):
    app = typer.Typer()

    @app.command()
    def check(folder: str) -> None:
        """Check a folder."""
        if folder == "bad":
            raise RecipeError("It is bad")
        print("checked", folder, enabled)

    register(monkeypatch, "things", app=app)
    assert main(["things", "--plugin", "a", "check", "here", "--plugin", "b"]) == 0
    assert capsys.readouterr().out == "checked here ['a', 'b']\n"
    assert main(["things", "check", "bad"]) == 2
    assert capsys.readouterr().err == "error: It is bad\n"
    assert main(["things"]) == 2
    assert "A verb for tests." in capsys.readouterr().err


def test_a_verb_that_cannot_be_imported_is_a_defect(monkeypatch, capsys):
    register(monkeypatch, "broken")
    monkeypatch.setattr(program, "load", lambda *_: (_ for _ in ()).throw(ImportError("no such module")))
    assert main(["broken"]) == 1
    assert "no such module" in capsys.readouterr().err


def test_version_and_help_as_programs_see_them():
    shown = run("--version")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("cineloop ")
    shown = run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    for words in ("--plugin NAME_OR_PATH", "--debug", "--version", "doctor"):
        assert words in shown.stdout


def test_help_pages_import_nothing_heavy():
    # What keeps them fast; benchmarks measure the time.
    program_text = (
        "import contextlib, io, sys\n"
        "from cineloop.cli.main import load, main, program\n"
        "from cineloop.cli.common import Invocation\n"
        "pages = [[]]\n"
        "for verb in program().commands:\n"
        "    pages.append([verb])\n"
        "    below = getattr(load(verb, Invocation()), 'commands', {})\n"
        "    pages.extend([verb, name] for name in below)\n"
        "heavy = 'torch numpy polars pydantic rich yaml av cineloop.schema cineloop.plugins'.split()\n"
        "for page in pages:\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "        code = main([*page, '--help'])\n"
        "    assert code == 0 and 'Usage: cineloop ' + ' '.join(page) in out.getvalue(), page\n"
        "    found = [name for name in heavy if name in sys.modules]\n"
        "    assert not found, (page, found)\n"
        "print(len(pages))\n"
    )
    done = subprocess.run([sys.executable, "-c", program_text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 6


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["train", "--help"], ["recipes"]])
def test_a_reader_that_goes_away_is_no_error(words):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "cineloop.cli.main", *words],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
def test_output_to_a_full_disk_is_reported_once():
    with open("/dev/full", "w") as output:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "cineloop.cli.main", "--version"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 2
    assert "no space left" in done.stderr
