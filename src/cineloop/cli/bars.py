"""Two listeners to long work: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


def format_fields(fields: dict[str, float | str]) -> str:
    """Return ``fields`` as ``name=value`` words, numbers with four significant digits."""
    return " ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in fields.items()
    )


def format_seconds(seconds: float) -> str:
    """Return a duration as ``45 s``, ``3:05`` or ``2:03:05``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_rate(rate: float) -> str:
    """Return steps per second, or seconds per step when they are slow."""
    return f"{rate:.3g}/s" if rate >= 1 or rate == 0 else f"{1 / rate:.3g} s each"


class LineProgress:
    """Writes a line at the start of a stage, at most one every ``interval`` seconds, and one at its end.

    Args:
        stream: Where to write; standard error by default.
        interval: Seconds between two lines.
        clock: A monotonic clock in seconds.
    """

    def __init__(
        self, stream: TextIO | None = None, *, interval: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._interval = interval
        self._clock = clock
        self._label: str | None = None
        self._total: int | None = None
        self._done = 0
        self._fields: dict[str, float | str] = {}
        self._began = self._written = 0.0

    def start(self, total: int | None, label: str) -> None:
        """Begin a stage and say so."""
        self.close()
        self._label, self._total, self._done, self._fields = label, total, 0, {}
        self._began = self._written = self._clock()
        self._write(f"{label}: {total} to do" if total is not None else label)

    def advance(self, n: int = 1, **fields: float | str) -> None:
        """Count ``n`` more steps, and write a line when the last one is old enough."""
        self._done += n
        self._fields.update(fields)
        now = self._clock()
        if now - self._written >= self._interval:
            self._written = now
            self._write(self._status(now, ended=False))

    def close(self) -> None:
        """End the stage and say how far it came."""
        if self._label is not None:
            self._write(self._status(self._clock(), ended=True))
            self._label = None

    def _status(self, now: float, *, ended: bool) -> str:
        seconds = now - self._began
        rate = self._done / seconds if seconds > 0 else 0.0
        words = [f"{self._done}/{self._total}" if self._total is not None else f"{self._done}"]
        if ended:
            words.append(f"in {format_seconds(seconds)}")
        if self._done and rate:
            words.append(format_rate(rate))
        if not ended and self._total is not None and rate:
            words.append(f"{format_seconds(max(self._total - self._done, 0) / rate)} left")
        text = f"{self._label}: {', '.join(words)}"
        return f"{text}  {format_fields(self._fields)}" if self._fields else text

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


class TerminalProgress:
    """Draws a bar with the count, the rate and the time left."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None
        self._fields: dict[str, float | str] = {}

    def start(self, total: int | None, label: str) -> None:
        """Begin a stage and draw its bar."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class RateColumn(ProgressColumn):
            """Steps per second, as the recent steps went."""

            def render(self, task: Task) -> Text:
                speed = task.finished_speed or task.speed
                return Text(format_rate(speed) if speed else "", style="progress.data.speed")

        self.close()
        self._fields = {}
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[shown]}", markup=False),
            console=Console(stderr=True),
        )
        self._bar.start()
        self._task = self._bar.add_task(label, total=total, shown="")

    def advance(self, n: int = 1, **fields: float | str) -> None:
        """Move the bar by ``n`` steps."""
        if self._bar is None or self._task is None:
            return
        self._fields.update(fields)
        self._bar.update(self._task, advance=n, shown=format_fields(self._fields))

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None
