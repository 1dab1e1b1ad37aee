"""Copies of recordings: re-encoded, scaled, cropped, mirrored, trimmed. Found by features, judged by pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from threadpoolctl import threadpool_limits

from cineloop.cohort.audit.candidates import candidates
from cineloop.cohort.audit.fingerprint import VERSION, Fingerprint, fingerprint
from cineloop.cohort.audit.geometry import Fit, fit
from cineloop.cohort.audit.verify import Match, verify
from cineloop.cohort.cache import Cache
from cineloop.cohort.probe import default_workers
from cineloop.errors import VideoError
from cineloop.files import fingerprint as fingerprint_of
from cineloop.progress import Progress, silent, stage

# Features that lie as a copy's do, from which pictures are compared; unrelated videos share hardly any.
_PLACES = 7
# Features that a video needs to be comparable at all; a single picture needs those that must agree.
_COMPARABLE = 24

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Recording:
    """A file to compare.

    Attributes:
        id: Media id.
        path: Where it lies.
        sha256: Of its bytes.
        frames: Its frames.
        duration: Seconds.
        series: What it is one picture of. Pictures of one series look alike by nature and are not compared.
    """

    id: str
    path: Path
    sha256: str
    frames: int
    duration: float
    series: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Two files that show one recording.

    Attributes:
        one: Media id of the longer.
        other: Media id of the shorter.
        mirrored: Whether one is the other's mirror picture.
        match: How well they agree.
    """

    one: str
    other: str
    mirrored: bool
    match: Match

    def describe(self) -> str:
        """Return in what the two differ and agree, in words."""
        parts = ["mirrored"] if self.mirrored else []
        across, down = self.match.scale
        if max(abs(across - 1), abs(down - 1)) > 0.04:
            parts.append(f"cropped to {min(1 / across, across):.0%} x {min(1 / down, down):.0%}")
        if self.match.share < 0.9:
            parts.append(f"{self.match.overlap:.1f} s shared")
        elif abs(self.match.offset) > 0.2:
            parts.append(f"from {self.match.offset:.1f} s on")
        parts.append(f"pictures agree to {self.match.alike:.2f}")
        return ", ".join(parts)

    @property
    def moments(self) -> tuple[float, float]:
        """Seconds in both at which they show the same."""
        begin = max(0.0, -self.match.offset)
        middle = begin + self.match.overlap / 2
        return max(0.0, middle + self.match.offset), middle


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing recordings.

    Attributes:
        copies: Pairs that show one recording, by id.
        broken: Files whose frames cannot be decoded, with the reason.
        bare: Files without enough structure to be compared.
        candidates: Pairs that shared features.
        judged: Pairs whose pictures were compared.
    """

    copies: tuple[Copy, ...]
    broken: tuple[tuple[str, str], ...]
    bare: tuple[str, ...]
    candidates: int
    judged: int


def compare(
    recordings: Sequence[Recording],
    *,
    wanted: Callable[[Recording, Recording], bool] = lambda one, other: True,
    progress: Progress = silent,
    workers: int | None = None,
) -> Comparison:
    """Find the recordings among ``recordings`` that are copies of each other; equal bytes are not compared.

    Args:
        recordings: Files; of those with equal bytes the first stands for all.
        wanted: Whether a pair is of interest.
        progress: Told of every file and every pair judged.
        workers: Threads.
    """
    first = {recording.sha256: recording for recording in reversed(recordings)}
    distinct = sorted(first.values(), key=lambda recording: recording.id)
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.sha256, []).append(recording)
    workers = workers or default_workers()
    # The matrices are small: BLAS threads would only get in the way of ours.
    with threadpool_limits(1, user_api="blas"):
        looked = list(_spread(_describe, distinct, workers, progress, "looking for copies"))
        broken = [(each.id, found) for each, found in zip(distinct, looked, strict=True) if isinstance(found, str)]
        known = [(each, found) for each, found in zip(distinct, looked, strict=True) if not isinstance(found, str)]
        bare = [each.id for each, found in known if len(found.scales) < (_COMPARABLE if found.frames > 1 else _PLACES)]
        pairs = [
            (known[one], known[other])
            for one, other in candidates(
                [found for _, found in known], _series([groups[each.sha256] for each, _ in known])
            )
            if any(
                wanted(this, that) for this in groups[known[one][0].sha256] for that in groups[known[other][0].sha256]
            )
        ]
        judged = list(_spread(_judge, pairs, workers, progress, "comparing likely copies"))
    copies: list[Copy] = []
    for copy, (one, other) in zip(judged, pairs, strict=True):
        if copy is None or not copy.match.copy:
            continue
        long, short = (one, other) if copy.one == one[0].id else (other, one)
        copies.extend(
            Copy(this.id, that.id, copy.mirrored, copy.match)
            for this in groups[long[0].sha256]
            for that in groups[short[0].sha256]
            if this.series is None or this.series != that.series
        )
    copies.sort(key=lambda copy: (copy.one, copy.other))
    return Comparison(
        copies=tuple(copies),
        broken=tuple(broken),
        bare=tuple(bare),
        candidates=len(pairs),
        judged=sum(copy is not None for copy in judged),
    )


def _series(files: Sequence[Sequence[Recording]]) -> list[int]:
    """Return a number for the series of each set of files with equal bytes; -1 where they are of several, or none."""
    numbers: dict[str, int] = {}
    found = []
    for same in files:
        series = {recording.series for recording in same}
        name = series.pop() if len(series) == 1 else None
        found.append(-1 if name is None else numbers.setdefault(name, len(numbers)))
    return found


def _spread(work: Callable[[T], R], things: Sequence[T], workers: int, progress: Progress, label: str) -> Iterator[R]:
    with stage(progress, len(things), label), ThreadPoolExecutor(workers) as pool:
        for result in pool.map(work, things):
            progress.advance()
            yield result


def _describe(recording: Recording) -> Fingerprint | str:
    """Return a recording's fingerprint, or why it has none."""
    cache = Cache(f"video-fingerprint-{VERSION}")
    stored = cache.get(recording.sha256)
    if stored is not None:
        return Fingerprint.from_bytes(stored)
    try:
        found = fingerprint(recording.path, recording.frames, recording.duration)
    except VideoError as error:
        return error.what
    cache.put(recording.sha256, found.to_bytes())
    return found


def _judge(pair: tuple[tuple[Recording, Fingerprint], tuple[Recording, Fingerprint]]) -> Copy | None:
    """Return how well two recordings agree, or None when their features do not lie alike."""
    # The longer first; of equals the first by bytes, so that the cache's key is one.
    (long, long_print), (short, short_print) = sorted(pair, key=lambda each: (-each[1].duration, each[0].sha256))
    cache = Cache(f"video-match-{VERSION}")
    key = fingerprint_of([long.sha256, short.sha256])
    stored = cache.get(key)
    if stored is not None:
        return _restored(long.id, short.id, stored)
    fits = [found for mirrored in (False, True) if (found := fit(long_print, short_print, mirrored=mirrored))]
    best: Fit | None = max(fits, key=lambda found: found.places, default=None)
    copy = None
    if best is not None and best.places >= _PLACES:
        match = verify((long.path, long_print), (short.path, short_print), best)
        if match is not None:
            copy = Copy(long.id, short.id, best.mirrored, match)
    cache.put(key, json.dumps(asdict(copy) if copy is not None else None).encode())
    return copy


def _restored(one: str, other: str, stored: bytes) -> Copy | None:
    value = json.loads(stored)
    if value is None:
        return None
    match = Match(**{**value["match"], "scale": tuple(value["match"]["scale"])})
    return Copy(one, other, bool(value["mirrored"]), match)
