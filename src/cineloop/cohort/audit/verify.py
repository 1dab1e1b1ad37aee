"""Whether two videos that share features show the same frames: picture against picture, once brought over each other.

Copies agree at one offset in time and under one scale and shift in all pictures. What does not move agrees between any
two recordings of one scene, so agreement is also asked of what changes: the pictures less their mean over time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cineloop.cohort.audit.features import Floats
from cineloop.cohort.audit.fingerprint import Fingerprint
from cineloop.cohort.audit.geometry import Fit
from cineloop.cohort.audit.overlay import Overlay, band, changes_of, normal
from cineloop.cohort.audit.pictures import Greys, grey_pictures
from cineloop.video import Video

_READ = 96
_PICTURES = 24
_ROUNDS = 3
# Pictures that agree less than this under the features' own placing are not worth a better one.
_HOPELESS = 0.25
_WINDOW = 6.0
_DENSE = 900
# Seconds by which the features' idea of the offset may be wrong, at most.
_SLACK = 12.0
# What must agree where one video holds all of the other, and where the two only overlap: then the end of a clip and
# the beginning of its neighbour must not be taken for shared frames.
_WHOLE, _PART = 0.9, 0.25
_ALIKE, _CHANGES = 0.7, 0.8
_PART_ALIKE, _PART_CHANGES, _PART_SECONDS = 0.93, 0.95, 1.0
# Pictures that do not change, within what a codec adds, are told apart by structure alone.
_MOVES, _STILL_ALIKE = 1.5, 0.9
# Of single pictures there is no second opinion; copies of stills agree to 0.97 and more.
_PICTURE_ALIKE = 0.95
_STRUCTURE = 2.0
# A video of at most so many frames is read once, as a whole, and kept for a while.
_SHORT = 300
_TIE = 0.002

Aligned = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


@dataclass(frozen=True, slots=True)
class Match:
    """How well two videos agree once aligned.

    Attributes:
        offset: Seconds of the first that stand where the second begins.
        overlap: Seconds that both show, in the second's time.
        share: The share of the second that the first shows too.
        alike: Correlation of the pictures' structure, -1 to 1: the median over pictures.
        changes: Correlation of what changes over time, -1 to 1; NaN where nothing does.
        motion: Grey levels by which pixels change, root mean square; the smaller of the two.
        structure: Grey levels of structure, root mean square; the smaller of the two.
        inside: Whether one scene lies within the other.
        scale: Shares of the second's scene per share of the first's, x and y.
    """

    offset: float
    overlap: float
    share: float
    alike: float
    changes: float
    motion: float
    structure: float
    inside: bool
    scale: tuple[float, float]

    @property
    def copy(self) -> bool:
        """Whether the two are copies of one recording."""
        if not self.inside or self.structure < _STRUCTURE:
            return False
        if self.share < _WHOLE:
            enough = self.share >= _PART and self.overlap >= _PART_SECONDS and self.motion >= _MOVES
            return enough and self.alike >= _PART_ALIKE and self.changes >= _PART_CHANGES
        if self.motion < _MOVES:
            return self.alike >= (_STILL_ALIKE if self.motion > 0 else _PICTURE_ALIKE)
        return self.alike >= _ALIKE and self.changes >= _CHANGES


def verify(long: tuple[Path, Fingerprint], short: tuple[Path, Fingerprint], found: Fit) -> Match | None:
    """Align two videos in time and place and compare them; None when they do not overlap in time.

    Args:
        long: The longer video.
        short: The shorter video.
        found: How the longer one's pictures map onto the shorter one's.
    """
    best: Match | None = None
    for rate, offset in _alignments(long[1], short[1], found):
        match = _compare(long, short, found, rate, offset)
        if match is not None and match.copy:
            return match
        if match is not None and (best is None or match.alike > best.alike):
            best = match
    return best


def _alignments(long: Fingerprint, short: Fingerprint, found: Fit) -> list[tuple[float, float]]:
    """Return likely (rate, offset), where time in the short one is ``rate * time in the long one + offset``."""
    rates = [1.0]
    if abs(long.frames - short.frames) <= 1 + 0.02 * long.frames and abs(long.duration / short.duration - 1) > 0.02:
        rates.append(short.duration / long.duration)
    width = max(0.25, _gap(long) / 2, _gap(short) / 2)
    ranked: list[tuple[float, float, float]] = []
    for rate in rates:
        offsets = found.times[:, 1] - rate * found.times[:, 0]
        bins = np.round(offsets / width).astype(int)
        values, counts = np.unique(bins, return_counts=True)
        # Longer lags have fewer pairs of pictures that could agree at all.
        possible = np.array([max(_overlap(long, short, rate, value * width), width) for value in values])
        for at in np.argsort(-counts / possible, kind="stable")[:3]:
            ranked.append((float(counts[at] / possible[at]), rate, float(values[at] * width)))
    ranked.sort(reverse=True)
    # What does not move agrees at any offset; then the one at which the short one lies within the long one counts.
    likely = [(rate, offset) for _, rate, offset in ranked[:2]]
    return likely if (1.0, 0.0) in likely else [*likely, (1.0, 0.0)]


def _gap(video: Fingerprint) -> float:
    return video.duration / max(1, len(video.times))


def _overlap(long: Fingerprint, short: Fingerprint, rate: float, offset: float) -> float:
    return float(min(short.duration, rate * long.duration + offset) - max(0.0, offset))


def _compare(
    long: tuple[Path, Fingerprint], short: tuple[Path, Fingerprint], found: Fit, rate: float, offset: float
) -> Match | None:
    (long_path, long_print), (short_path, short_print) = long, short
    slack = min(_SLACK, (_gap(long_print) + _gap(short_print)) / 2 + 0.3)
    begin = max(0.0, offset - slack)
    end = min(short_print.duration, rate * long_print.duration + offset + slack)
    if end <= begin:
        return None
    centre = float(np.clip(np.median(found.times[:, 1]), begin, end))
    low = float(np.clip(centre - _WINDOW / 2, begin, max(begin, end - _WINDOW)))
    high = min(end, low + _WINDOW)
    theirs = _between(short_print, low, high, _PICTURES)
    ours = _between(long_print, (low - offset - slack) / rate, (high - offset + slack) / rate, _DENSE)
    if len(theirs) == 0 or len(ours) == 0:
        return None
    short_grey, short_times = _pictures(short_path, short_print.frames, theirs)
    long_grey, long_times = _pictures(long_path, long_print.frames, ours)
    mapped_times = rate * long_times + offset
    start: tuple[float, Overlay, Aligned] | None = None
    for place in Overlay.starts(long_print, short_print, found):
        aligned, score = _seen(place, long_grey, short_grey, found.mirrored, short_times, mapped_times, slack)
        if aligned is not None and (start is None or score > start[0]):
            start = score, place, aligned
    if start is None or start[0] < _HOPELESS:
        return None
    _, place, (here, there) = start
    # Features say roughly where and when; each of the two is bettered by the other.
    for _ in range(_ROUNDS):
        place = place.refine(place.fixed(short_grey)[here], long_grey[there], found.mirrored)
        aligned, score = _seen(place, long_grey, short_grey, found.mirrored, short_times, mapped_times, slack)
        if aligned is None or score < _HOPELESS:
            return None
        settled = np.array_equal(aligned[0], here) and np.array_equal(aligned[1], there)
        here, there = aligned
        if settled:
            break
    moved = place.moving(long_grey[there], found.mirrored)
    lag = float(np.median(short_times[here] - mapped_times[there]))
    fixed = place.fixed(short_grey[here])
    one, other = band(moved), band(fixed)
    alike = float(np.median((normal(one) * normal(other)).sum(axis=1)))
    one_change, other_change = changes_of(moved), changes_of(fixed)
    motion = float(min(one_change.std(), other_change.std()))
    changes = float("nan")
    if motion > 0:
        changes = float((one_change * other_change).mean() / (one_change.std() * other_change.std()))
    total = offset + lag
    overlap = _overlap(long_print, short_print, rate, total)
    return Match(
        offset=-total / rate,
        overlap=overlap,
        share=overlap / short_print.duration,
        alike=alike,
        changes=changes,
        motion=motion,
        structure=float(min(one.std(), other.std())),
        inside=place.inside,
        scale=(float(place.scale[0]), float(place.scale[1])),
    )


def _seen(
    place: Overlay,
    long_grey: Greys,
    short_grey: Greys,
    mirrored: bool,
    short_times: Floats,
    long_times: Floats,
    slack: float,
) -> tuple[Aligned | None, float]:
    """Return the pairs of pictures at the lag at which they agree best from one place, and how well they do."""
    likeness = normal(band(place.fixed(short_grey))) @ normal(band(place.moving(long_grey, mirrored))).T
    chosen = _align(likeness, short_times, long_times, slack)
    return chosen, float(likeness[chosen].mean()) if chosen is not None else -1.0


def _pictures(path: Path, frames: int, indices: npt.NDArray[np.intp]) -> tuple[Greys, Floats]:
    """Return frames as luminance [T, S, S] and their times [T]."""
    if frames <= _SHORT:
        pictures, times = _whole(path, frames, path.stat().st_mtime_ns)
        return pictures[indices], times[indices]
    with Video(path, threads=1) as video:
        return grey_pictures(video, indices, _READ)


@lru_cache(maxsize=64)
def _whole(path: Path, frames: int, changed: int) -> tuple[Greys, Floats]:
    """Return all of a short video, which is compared in several places, and with several others.

    When it was last ``changed`` only tells apart what stood under one path in turn.
    """
    with Video(path, threads=1) as video:
        return grey_pictures(video, np.arange(frames), _READ)


def _between(video: Fingerprint, low: float, high: float, most: int) -> npt.NDArray[np.intp]:
    rate = video.frames / video.duration
    first, last = max(0, int(np.floor(low * rate))), min(video.frames, int(np.ceil(high * rate)))
    indices = np.arange(first, max(first, last))
    if len(indices) > most:
        indices = indices[np.linspace(0, len(indices) - 1, most).astype(int)]
    return indices


def _align(likeness: Floats, short_times: Floats, long_times: Floats, slack: float) -> Aligned | None:
    """Return the pairs of pictures at the lag with the highest mean likeness."""
    if likeness.size == 1:
        # Two single pictures have no lag.
        return np.zeros(1, np.intp), np.zeros(1, np.intp)
    step = float(np.median(np.diff(long_times))) if len(long_times) > 1 else 0.04
    best, choice = -np.inf, None
    for lag in np.arange(-slack, slack + step / 2, max(step / 2, 0.005)):
        at = np.searchsorted(long_times + lag, short_times)
        at = np.clip(at, 1, max(1, len(long_times) - 1))
        left, right = at - 1, np.minimum(at, len(long_times) - 1)
        nearest = np.where(
            np.abs(long_times[left] + lag - short_times) <= np.abs(long_times[right] + lag - short_times), left, right
        )
        near = np.abs(long_times[nearest] + lag - short_times) <= step * 0.75 + 1e-6
        if near.sum() < max(2, _PART * len(short_times)) and near.sum() < len(long_times):
            continue
        rows = np.flatnonzero(near)
        score = float(likeness[rows, nearest[rows]].mean())
        # Of lags that agree equally well, the one at which more is shared.
        if score > best + _TIE or (score > best - _TIE and choice is not None and len(rows) > len(choice[0])):
            best, choice = score, (rows, nearest[rows])
    return choice
