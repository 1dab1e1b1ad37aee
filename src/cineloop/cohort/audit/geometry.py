"""Whether the features that two videos share lie as those of a copy do: one scale and shift for all pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cineloop.cohort.audit.features import Codes, Floats
from cineloop.cohort.audit.fingerprint import Fingerprint
from cineloop.seeds import generator

# Bits of 128 in which the codes of one place differ at most; unrelated places differ in about 64.
_BITS = 20
_MATCHES = 4000
_TRIALS = 400
_NEAR = 0.025
_SMALLEST, _STRETCH = 0.55, 1.6


@dataclass(frozen=True)
class Fit:
    """How one video's picture maps onto another's.

    Attributes:
        mirrored: Whether the first is mirrored first.
        scale: Float [2], x and y: shares of the second's scene per share of the first's.
        shift: Float [2], in shares of the second's scene.
        places: Features that agree, each place of the first counted once.
        pictures: Sampled pictures of the first, and of the second, with at least three features that agree.
        times: Float [M, 2], the times of agreeing features in both videos.
    """

    mirrored: bool
    scale: Floats
    shift: Floats
    places: int
    pictures: tuple[int, int]
    times: Floats


def matches(one: Codes, other: Codes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the pairs of rows whose codes nearly agree."""
    differing = np.bitwise_count(one[:, None, 0] ^ other[None, :, 0]) + np.bitwise_count(
        one[:, None, 1] ^ other[None, :, 1]
    )
    first, second = np.nonzero(differing <= _BITS)
    if len(first) > _MATCHES:
        keep = np.argsort(differing[first, second], kind="stable")[:_MATCHES]
        first, second = first[keep], second[keep]
    return first, second


def fit(one: Fingerprint, other: Fingerprint, *, mirrored: bool) -> Fit | None:
    """Find the scale and shift that most shared features agree on; None when too few are shared."""
    first, second = matches(one.mirrored if mirrored else one.codes, other.codes)
    if len(first) < 4:
        return None
    start = one.places[first].astype(np.float64)
    if mirrored:
        start[:, 0] = 1 - start[:, 0]
    end = other.places[second].astype(np.float64)
    ratio = other.scales[second] / one.scales[first]
    pair = one.picture[first].astype(np.int64) * 4096 + other.picture[second]
    trial = _trials(pair)
    if trial is None:
        return None
    a, b = trial
    span, reach = start[a] - start[b], end[a] - end[b]
    apart = (np.abs(span) > 0.1).all(axis=1) & (np.abs(reach) > 0.05).all(axis=1)
    a, b, span, reach = a[apart], b[apart], span[apart], reach[apart]
    scale = reach / span
    good = (
        (scale > _SMALLEST).all(axis=1)
        & (scale < 1 / _SMALLEST).all(axis=1)
        & (scale.max(axis=1) < _STRETCH * scale.min(axis=1))
    )
    if not good.any():
        return None
    scale, shift = scale[good], (end[a] - scale * start[a])[good]
    error = np.abs(
        scale[:, None, :].astype(np.float32) * start[None].astype(np.float32)
        + (shift[:, None, :] - end[None]).astype(np.float32)
    ).max(axis=2)
    agree = error < _NEAR
    best = int(np.argmax(agree.sum(axis=1)))
    inside = agree[best]
    best_scale, best_shift = scale[best], shift[best]
    for _ in range(3):
        best_scale, best_shift = _refit(start[inside], end[inside], best_scale, best_shift)
        inside = (np.abs(best_scale * start + best_shift - end).max(axis=1) < _NEAR) & (
            np.abs(np.log2(ratio / np.sqrt(best_scale.prod()))) < 0.7
        )
        if inside.sum() < 4:
            return None
    first, second = first[inside], second[inside]
    return Fit(
        mirrored=mirrored,
        scale=best_scale,
        shift=best_shift,
        places=min(len(np.unique(first)), len(np.unique(second))),
        pictures=(_supported(one.picture[first], first), _supported(other.picture[second], second)),
        times=np.stack([one.times[one.picture[first]], other.times[other.picture[second]]], axis=1),
    )


def _trials(pair: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] | None:
    """Draw pairs of matches that belong to the same two pictures."""
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    usable = sizes >= 2
    if not usable.any():
        return None
    starts, sizes = starts[usable], sizes[usable]
    rng = generator("copies", len(pair))
    group = rng.choice(len(starts), size=_TRIALS, p=sizes / sizes.sum())
    one = rng.integers(sizes[group])
    other = (one + 1 + rng.integers(sizes[group] - 1)) % sizes[group]
    return order[starts[group] + one], order[starts[group] + other]


def _refit(start: Floats, end: Floats, scale: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Return the least-squares scale and shift of each axis."""
    centre, goal = start.mean(axis=0), end.mean(axis=0)
    spread = ((start - centre) ** 2).sum(axis=0)
    if (spread < 1e-3).any():
        return scale, shift
    found = ((start - centre) * (end - goal)).sum(axis=0) / spread
    found = np.clip(found, scale / 1.2, scale * 1.2)
    return found, goal - found * centre


def _supported(picture: npt.NDArray[np.int16], row: npt.NDArray[np.intp]) -> int:
    """Count the pictures in which at least three different features agree."""
    _, keep = np.unique(row, return_index=True)
    _, counts = np.unique(picture[keep], return_counts=True)
    return int((counts >= 3).sum())
