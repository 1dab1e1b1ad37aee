"""Pseudonyms: names that stay apart in what is written, and that cannot be read back from it."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cineloop.files import cache_folder


def identity_salt() -> str:
    """Return this machine's secret for pseudonyms, made on first use and readable by its user alone.

    It never stands in an output, so a pseudonym in a shared run cannot be guessed back from a list of names.
    """
    path = cache_folder() / "identity.salt"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two first users at once: whoever links first wins, and both read the winner's.
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()
    return path.read_text(encoding="ascii")


def pseudonym(name: str, salt: str) -> str:
    """Return a stable stand-in for ``name``, 12 hexadecimal digits, that cannot be guessed without ``salt``."""
    key = hashlib.blake2b(salt.encode("utf-8"), digest_size=32).digest()
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=6, key=key).hexdigest()
