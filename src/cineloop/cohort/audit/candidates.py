"""Which pairs of videos share enough features to be worth a closer look, among all pairs at once.

Each code gives six words of 21 bits; a sparse matrix of videos and words, weighed by how rare a word is, multiplied
by itself counts what every two videos share (Sivic and Zisserman, ICCV 2003). Words that many videos have, such as
those of a device's own lettering, count for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from cineloop.cohort.audit.features import Codes
from cineloop.cohort.audit.fingerprint import Fingerprint

_TABLES, _BITS = 6, 21
_BLOCK = 512
# Videos that have a word at most, before it says nothing.
_COMMON_SHARE, _COMMON_COUNT = 0.05, 12
# Words that two videos share at least, and standard deviations above what a video shares with any other.
_FEWEST, _ABOVE = 5, 4.5
# Fewer videos do not tell what is usual.
_CROWD = 12
_MOST = 24


def candidates(prints: Sequence[Fingerprint], groups: Sequence[int] | None = None) -> list[tuple[int, int]]:
    """Return pairs of positions (first below second) that may be copies, mirrored or not.

    Args:
        prints: What is kept of each recording.
        groups: A number for each; two of one number are no pair, and do not take the place of one. Those below 0 are
            in no group.
    """
    if len(prints) < 2:
        return []
    group = np.full(len(prints), -1) if groups is None else np.asarray(groups)
    words = [_words(each.codes) for each in prints] + [_words(each.mirrored) for each in prints]
    video = np.repeat(np.arange(len(words)), [len(each) for each in words])
    different, column = np.unique(np.concatenate(words), return_inverse=True)
    upright = video < len(prints)
    holders = np.bincount(column[upright], minlength=len(different))
    sought = np.bincount(column, minlength=len(different))
    # A word that occurs once links nothing, and one that everybody has tells nothing.
    useful = (holders > 0) & (sought > 1) & (holders <= max(_COMMON_COUNT, _COMMON_SHARE * len(prints)))
    holders = holders[useful]
    kept = useful[column]
    place = np.cumsum(useful)[column] - 1
    matrix = sparse.csr_array(
        (np.ones(int(kept.sum()), np.float32), (video[kept], place[kept])), shape=(len(words), len(holders))
    )
    straight, turned = matrix[: len(prints)], matrix[len(prints) :]
    weight = np.log1p(len(prints) / holders).astype(np.float32) / np.log1p(len(prints))
    target = sparse.csr_array((straight @ sparse.diags_array(weight)).T)
    found: set[tuple[int, int]] = set()
    for first in range(0, len(prints), _BLOCK):
        rows = slice(first, first + _BLOCK)
        for sides in (straight, turned):
            shared = sparse.csr_array(sides[rows] @ target)
            shared.sort_indices()
            for offset in range(shared.shape[0]):
                row, here = first + offset, slice(shared.indptr[offset], shared.indptr[offset + 1])
                others, scores = shared.indices[here], shared.data[here]
                free = (others != row) & ((group[others] < 0) | (group[others] != group[row]))
                found.update(_outstanding(row, others[free], scores[free], len(prints)))
    return sorted(found)


def _outstanding(
    video: int, others: npt.NDArray[np.integer], scores: npt.NDArray[np.float32], count: int
) -> list[tuple[int, int]]:
    """Return the pairs of a video with those that share more with it than chance has others share.

    Args:
        video: Its position.
        others: Positions of those that share anything, rising.
        scores: How much each shares.
        count: Videos in all; the rest share nothing.
    """
    limit = float(_FEWEST)
    if count >= _CROWD:
        # The square root of a count has the same spread, one half, whatever the count. The lower quartile tells what
        # is usual even where many are copies of each other.
        usual = 0.0
        if len(scores) > 0.7 * count:
            usual = float(np.quantile(np.sqrt(np.concatenate([scores, np.zeros(count - len(scores))])), 0.25))
        limit = max(limit, (usual + 0.5 * _ABOVE) ** 2)
    enough = scores >= limit
    others, scores = others[enough], scores[enough]
    best = others[np.argsort(-scores, kind="stable")[:_MOST]]
    return [(min(video, int(other)), max(video, int(other))) for other in best]


def _words(codes: Codes) -> npt.NDArray[np.int64]:
    """Return the different words of a video."""
    bits = np.unpackbits(codes.view(np.uint8), axis=1)[:, : _TABLES * _BITS].reshape(len(codes), _TABLES, _BITS)
    value = bits.astype(np.int64) @ (1 << np.arange(_BITS, dtype=np.int64))
    return np.unique(value + (np.arange(_TABLES, dtype=np.int64) << _BITS))
