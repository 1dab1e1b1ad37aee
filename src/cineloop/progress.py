"""How long work tells that it goes on, without knowing who listens.

Library code takes a :class:`Progress` and calls it; the command line gives one that draws a bar or writes lines, a
notebook may give its own, and :data:`silent` is the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """A listener to one stage of work after another.

    The calls come in the order ``start advance* close``; another ``start`` without a ``close`` ends the stage before.
    """

    def start(self, total: int | None, label: str) -> None:
        """Begin a stage of ``total`` steps (None when that is not known), named ``label``."""

    def advance(self, n: int = 1, **fields: float | str) -> None:
        """Count ``n`` more steps as done; ``fields`` (a loss, a file name) replace those shown before."""

    def close(self) -> None:
        """End the stage, whether or not all its steps were done."""


class Silent:
    """The listener that shows nothing."""

    def start(self, total: int | None, label: str) -> None:
        """Show nothing."""

    def advance(self, n: int = 1, **fields: float | str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


silent: Progress = Silent()


class Titled:
    """Passes everything on, and says before each stage what it is of.

    Args:
        listener: Who is told.
        title: Of what, such as ``3/64 P0003``.
    """

    def __init__(self, listener: Progress, title: str) -> None:
        self._listener, self._title = listener, title

    def start(self, total: int | None, label: str) -> None:
        """Begin a stage."""
        self._listener.start(total, f"{self._title}: {label}")

    def advance(self, n: int = 1, **fields: float | str) -> None:
        """Count steps."""
        self._listener.advance(n, **fields)

    def close(self) -> None:
        """End the stage."""
        self._listener.close()


@contextmanager
def stage(progress: Progress, total: int | None, label: str) -> Iterator[Progress]:
    """Run the body as one stage of ``progress``, closed also when the body raises."""
    progress.start(total, label)
    try:
        yield progress
    finally:
        progress.close()
