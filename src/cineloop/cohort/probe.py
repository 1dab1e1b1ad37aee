"""Looking at every file once: its hash, and what the decoder says of it. In parallel, and remembered."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cineloop._version import __version__
from cineloop.cohort.cache import Cache
from cineloop.cohort.remembered import Remembered
from cineloop.errors import TruncatedVideoError, VideoError
from cineloop.files import sha256_file
from cineloop.progress import Progress, silent, stage

if TYPE_CHECKING:
    from cineloop.video import VideoInfo


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of a file.

    Attributes:
        sha256: Of its bytes; for a folder of pictures, of their names and bytes. None when it is missing.
        size: Bytes.
        frames: Frames that can be shown; None when unreadable, like all that follows.
        fps: Mean frames a second.
        width: Pixels across, as shown.
        height: Pixels down, as shown.
        duration: Seconds.
        codec: The codec's short name.
        variable_rate: Frames are shown for different times.
        truncated: The file ends before what its header promises.
        error: Why the file cannot be used; None for a usable one.
    """

    sha256: str | None = None
    size: int | None = None
    frames: int | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    codec: str | None = None
    variable_rate: bool = False
    truncated: bool = False
    error: str | None = None


_FIELDS = [each.name for each in fields(Probe)]
_HANDFUL = 32


def inspect(path: Path) -> Probe:
    """Open a file with the decoder and return what it says; the hash and size are left out."""
    from cineloop.video import Video

    try:
        with Video(path, threads=1) as video:
            return _describe(video.info)
    except TruncatedVideoError as error:
        reason = error.what
    except VideoError as error:
        return Probe(error=error.what)
    try:
        with Video(path, threads=1, allow_truncated=True) as video:
            return replace(_describe(video.info), truncated=True, error=reason)
    except VideoError:
        return Probe(truncated=True, error=reason)


def _describe(info: VideoInfo) -> Probe:
    return Probe(
        frames=info.frames,
        fps=float(info.fps) if info.fps is not None else info.frames / info.duration_seconds,
        width=info.width,
        height=info.height,
        duration=info.duration_seconds,
        codec=info.codec,
        variable_rate=info.variable_rate,
    )


def _hash(path: Path) -> tuple[str, int]:
    """Return the SHA-256 and size of a file, or of a folder of pictures."""
    if path.is_file():
        return sha256_file(path), path.stat().st_size
    digest = hashlib.sha256()
    size = 0
    for file in sorted(child for child in path.iterdir() if child.is_file()):
        digest.update(f"{file.name}\0{sha256_file(file)}\n".encode())
        size += file.stat().st_size
    return digest.hexdigest(), size


def _probe(path: Path, remembered: Remembered, look: Callable[[Path], Probe]) -> Probe:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        return Probe(error=f"the file cannot be opened: {getattr(error, 'strerror', error)}")
    regular = stat.S_ISREG(status.st_mode)
    if not (regular or stat.S_ISDIR(status.st_mode)):
        # A pipe or a device would wait for ever.
        return Probe(error="this is neither a file nor a folder of pictures")
    if regular:
        known = remembered.get(path, status)
        if known is not None:
            return Probe(**known)
    try:
        sha256, size = _hash(path)
    except OSError as error:
        return Probe(error=f"the file cannot be read: {error.strerror}")
    result = replace(look(path), sha256=sha256, size=size)
    # What cannot be read is looked at again: another build of the decoder may read it.
    if regular and result.error is None:
        remembered.put(path, status, {name: getattr(result, name) for name in _FIELDS})
    return result


def probe(
    paths: Sequence[Path],
    *,
    progress: Progress = silent,
    workers: int | None = None,
    look: Callable[[Path], Probe] = inspect,
) -> list[Probe]:
    """Probe files, several at a time. What was found before is taken from the cache while place, size and time agree.

    Args:
        paths: Files, or folders of pictures.
        progress: Told of every file.
        workers: Threads; decoders and hashing let go of the interpreter, so threads suffice.
        look: What opens a file.

    Returns:
        One result a path, in order. A file that cannot be used is a result with an ``error``, not an exception.
    """
    remembered = Remembered(Cache("probe-2"), __version__)
    workers = workers or default_workers()
    # Of thousands of pictures each is looked at faster than it is handed to a thread.
    share = max(1, min(_HANDFUL, len(paths) // (_HANDFUL * workers)))
    handfuls = [paths[start : start + share] for start in range(0, len(paths), share)]
    results: list[Probe] = []
    with stage(progress, len(paths), "looking at files"), ThreadPoolExecutor(workers) as pool:
        try:
            for found in pool.map(lambda some: [_probe(path, remembered, look) for path in some], handfuls):
                results += found
                progress.advance(len(found))
        finally:
            remembered.write()
    return results


def default_workers() -> int:
    """Return the number of threads for looking at files: one a usable core, at most 8."""
    return max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))
