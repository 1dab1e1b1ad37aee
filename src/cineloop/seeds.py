"""Randomness that is a function of names and numbers, never of process, worker or order.

Python's own ``hash`` is salted per process, so seeds are drawn from BLAKE2 of the parts.
"""

from __future__ import annotations

import hashlib

import numpy as np

Part = str | int


def stable_seed(*parts: Part) -> int:
    """Return a 63-bit seed that depends on ``parts`` alone (their types count: ``1`` is not ``"1"``)."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        text = f"{type(part).__name__}:{part}"
        digest.update(f"{len(text)}:{text}".encode())
    return int.from_bytes(digest.digest(), "big") >> 1


def generator(*parts: Part) -> np.random.Generator:
    """Return a NumPy generator seeded by :func:`stable_seed` of ``parts``."""
    return np.random.Generator(np.random.PCG64(stable_seed(*parts)))
