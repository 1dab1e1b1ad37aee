"""Columns of integers as short text for a page's data; ``templates/shared/unpack.js`` reads them."""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt


def pack(values: npt.NDArray[np.integer]) -> str:
    """Return integers as Base64 of variable-length bytes: seven bits a byte, lowest first, signs folded in.

    Args:
        values: [N], each within 53 bits.
    """
    plain = values.astype(np.int64)
    folded = ((plain << 1) ^ (plain >> 63)).astype(np.uint64)
    width = max(1, -(-int(folded.max(initial=0)).bit_length() // 7))
    shifted = folded[:, None] >> (7 * np.arange(width, dtype=np.uint64))
    more = np.zeros(shifted.shape, bool)
    more[:, :-1] = shifted[:, 1:] > 0
    used = np.ones(shifted.shape, bool)
    used[:, 1:] = more[:, :-1]
    octets = (shifted & np.uint64(127)).astype(np.uint8) | (more.astype(np.uint8) << 7)
    return base64.b64encode(octets[used].tobytes()).decode("ascii")


def unpack(text: str) -> npt.NDArray[np.int64]:
    """Return what :func:`pack` was given, int64 [N]."""
    octets = np.frombuffer(base64.b64decode(text), np.uint8)
    last = octets < 128
    of = np.concatenate([[0], np.cumsum(last)[:-1]]).astype(np.int64) if len(octets) else np.zeros(0, np.int64)
    begins = np.flatnonzero(np.concatenate([[True], last[:-1]])) if len(octets) else of
    shift = (np.arange(len(octets)) - begins[of]).astype(np.uint64) * np.uint64(7)
    folded = np.zeros(int(last.sum()), np.uint64)
    np.add.at(folded, of, (octets & 127).astype(np.uint64) << shift)
    return (folded >> np.uint64(1)).astype(np.int64) ^ -(folded & np.uint64(1)).astype(np.int64)
