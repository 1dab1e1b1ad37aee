"""One message and an exit code for everything that can go wrong."""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cineloop.cli.common import Invocation, note
from cineloop.errors import CineloopError

DEFECT = 1
MISTAKE = 2
INTERRUPTED = 130
TERMINATED = 143
PIPE_CLOSED = 141

# What the system refuses and the user, not the program, can mend.
_SYSTEM = {
    errno.ENOSPC: ("There is no space left on the disk", "Free some space, then run the same command again."),
    errno.EDQUOT: ("The disk quota is used up", "Free some space, then run the same command again."),
    errno.EROFS: ("The file system is read-only", "Choose another folder to write to."),
    errno.EACCES: ("Permission denied", "Check the permissions of the file and its folder."),
    errno.EPERM: ("Operation not permitted", "Check the permissions of the file and its folder."),
    errno.ENAMETOOLONG: ("A name is too long for the file system", "Check the path, or choose a shorter one."),
    errno.ENOTDIR: ("A part of the path is a file", "Check the path."),
    errno.EIO: (
        "The disk or the network share cannot be read or written",
        "Check it, then run the same command again.",
    ),
    errno.EMFILE: ("Too many open files", "Raise the limit (`ulimit -n`) or use fewer workers."),
}


def print_error(error: CineloopError) -> None:
    """Print an error on standard error: what, where, how to mend it; in colour on a terminal."""
    if not sys.stderr.isatty():
        note(f"error: {error}")
        return
    from rich.console import Console
    from rich.text import Text

    text = Text.assemble(("error: ", "bold red"), (error.what, "bold"))
    if error.where:
        text.append("\n  where: ", "dim").append(error.where, "cyan")
    if error.mend:
        text.append("\n  mend:  ", "dim").append(error.mend)
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def reader_is_gone() -> bool:
    """Tell whether standard output is a pipe that nobody reads.

    A broken pipe may as well be that of a data worker that died, which is no reason to be silent.
    """
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), select.POLLOUT)
    except (OSError, ValueError):
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _drop_output() -> None:
    """Point standard output at nothing if it cannot be written, as Python would try once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _report_defect(error: BaseException, invocation: Invocation) -> None:
    if invocation.debug:
        traceback.print_exception(error)
    note(f"internal error: {type(error).__name__}: {error}")
    if invocation.debug:
        note("  This is a defect of cineloop: please report the lines above.")
    else:
        note("  This is a defect of cineloop: please run the command again with --debug and report what it prints.")


class Terminated(KeyboardInterrupt):
    """The system, a scheduler or a container asked the process to end."""


@contextmanager
def ends_tidily() -> Iterator[None]:
    """Run the body; take SIGTERM as an interruption, so that half-written files are removed.

    Processes that are forked off, as data workers are, end at once as they always did.
    """
    main = os.getpid()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def terminate(number: int, frame: object) -> None:
        if os.getpid() == main:
            raise Terminated
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def reported(invocation: Invocation) -> Iterator[None]:
    """Run the body; turn whatever it raises into a message on standard error and a ``SystemExit`` with its code.

    A :class:`CineloopError` gives its own exit code (2), a refusal of the system 2, an interruption 130 (by SIGTERM
    143), a reader of the output that went away 141 and no message, anything else 1. What Typer raises to steer itself
    passes through.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except CineloopError as error:
        if invocation.debug:
            traceback.print_exception(error)
        print_error(error)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt as stop:
        if invocation.debug:
            traceback.print_exc()
        go_on = invocation.resume or "run the same command again"
        note(f"\ninterrupted: what was finished is kept; to go on: {go_on}")
        raise SystemExit(TERMINATED if isinstance(stop, Terminated) else INTERRUPTED) from None
    except OSError as error:
        unread = isinstance(error, BrokenPipeError) and reader_is_gone()
        _drop_output()
        if unread:
            raise SystemExit(PIPE_CLOSED) from None
        if error.errno not in _SYSTEM:
            _report_defect(error, invocation)
            raise SystemExit(DEFECT) from None
        if invocation.debug:
            traceback.print_exception(error)
        what, mend = _SYSTEM[error.errno]
        print_error(CineloopError(what, where=error.filename, mend=mend))
        raise SystemExit(MISTAKE) from None
    except Exception as error:
        # The last resort of the whole program: nothing is swallowed, --debug shows all of it.
        _report_defect(error, invocation)
        raise SystemExit(DEFECT) from None
