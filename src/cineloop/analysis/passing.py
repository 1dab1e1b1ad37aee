"""One pass over a procedure: every frame that anyone needs is decoded once, and given to whoever needs it."""

from __future__ import annotations

import ctypes
import math
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from cineloop.analysis.stages.stage import Arrays, Span, Stage, exact
from cineloop.analysis.store import Store
from cineloop.progress import Progress, silent, stage
from cineloop.video.recording import Recording
from cineloop.video.source import Integers, Picture

_AHEAD = 4
"""Frames that are decoded ahead; of a large picture a few are many megabytes."""
_TRIMMED_EVERY = 30.0
"""Seconds of the procedure."""


def spans_of(recording: Recording, length: float) -> list[Span]:
    """Return the spans of ``length`` seconds that a recording is worked through in."""
    step = exact(length)
    stop = exact(recording.duration) + Fraction(1, 1_000)
    count = max(1, -(-(stop.numerator * step.denominator) // (stop.denominator * step.numerator)))
    return [Span(number * step, (number + 1) * step) for number in range(count)]


def run_pass(
    recording: Recording, stages: Sequence[Stage], store: Store, *, length: float, progress: Progress = silent
) -> Arrays:
    """Give the stages their frames, span after span, and return what they found.

    A span that the store has is not looked at again. What stages find does not depend on where the pass began.

    Args:
        recording: The procedure.
        stages: Who looks at it.
        store: Keeps what is done.
        length: Seconds of a span.
        progress: Told about seconds of the procedure.

    Returns:
        The stages' arrays, and of frames that could not be decoded ``lost/frames`` int64 and ``lost/reasons`` as text.

    Raises:
        VideoError: A file can no longer be read.
    """
    spans = spans_of(recording, length)
    missing = [number for number, _ in enumerate(spans) if not store.has(number)]
    with stage(progress, int(recording.duration + 0.5), "analyse"):
        done = sum(_seconds(spans[number], recording) for number in range(len(spans)) if number not in missing)
        clock = _Clock(progress, done)
        before, memory = -2, _Memory()
        for number in missing:
            wanted = [one.needs(spans[number], onward=before == number - 1) for one in stages]
            frames = np.unique(np.concatenate(wanted)) if wanted else np.zeros(0, np.int64)
            lost: list[Picture] = []
            for picture in _ahead(recording, frames):
                if picture.pixels is None:
                    lost.append(picture)
                for one in stages:
                    one.take(picture)
                seconds = recording.appears(picture.index)
                clock.tell(seconds)
                memory.tell(seconds)
            arrays: Arrays = {}
            for one in stages:
                arrays |= one.answer()
            arrays["lost/frames"] = np.array([picture.index for picture in lost], dtype=np.int64)
            # What follows the colon is a library's own text, in which the path of a file may stand.
            reasons = [picture.error.what.partition(":")[0] if picture.error is not None else "" for picture in lost]
            arrays["lost/reasons"] = np.array(reasons, dtype=np.str_)
            store.write(number, arrays)
            before = number
        clock.tell(recording.duration + 0.5)
        memory.give_back()
    return store.read(range(len(spans)))


def _seconds(span: Span, recording: Recording) -> float:
    return min(float(span.stop), recording.duration) - float(span.start)


class _Memory:
    """Returns memory that is free to the system, every so often.

    Pictures and batches come and go by the thousand, and what stays between them keeps glibc from returning what is
    free: without this, an hour takes more of it than five minutes.
    """

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        self._due = -math.inf

    def tell(self, seconds: float) -> None:
        """Take note that the pass has come to a moment of the procedure."""
        if seconds >= self._due:
            self.give_back()
            self._due = seconds + _TRIMMED_EVERY

    def give_back(self) -> None:
        """Return what is free now."""
        if self._trim is not None:
            self._trim(0)


class _Clock:
    """Tells how much of a procedure is done, and how fast against its own time."""

    def __init__(self, progress: Progress, done: float) -> None:
        self._progress, self._told = progress, int(done)
        self._progress.advance(self._told)
        self._began, self._from = time.monotonic(), -1.0

    def tell(self, seconds: float) -> None:
        """Take note that the pass has come to a moment of the procedure."""
        if self._from < 0:
            self._from = seconds
        step = int(seconds) - self._told
        if step > 0:
            passed = max(time.monotonic() - self._began, 1e-3)
            self._progress.advance(step, speed=f"{(seconds - self._from) / passed:.1f}x")
            self._told += step


def _ahead(recording: Recording, frames: Integers) -> Iterator[Picture]:
    """Yield frames, some of them decoded ahead by another thread."""
    pictures: queue.Queue[Picture | BaseException | None] = queue.Queue(_AHEAD)
    over = threading.Event()

    def put(value: Picture | BaseException | None) -> None:
        while not over.is_set():
            try:
                pictures.put(value, timeout=0.1)
            except queue.Full:
                continue
            return

    def decode() -> None:
        try:
            for picture in recording.pictures(frames):
                put(picture)
                if over.is_set():
                    return
        except BaseException as error:
            put(error)
            return
        put(None)

    thread = threading.Thread(target=decode, name="decoder", daemon=True)
    thread.start()
    try:
        while (found := pictures.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        over.set()
        thread.join()
