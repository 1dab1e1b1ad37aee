"""Results that can be computed again, one small file each, safe when several processes share the folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from cineloop.files import cache_folder, fingerprint

_DIGEST = 16


class Cache:
    """Bytes by key, under the user's cache folder.

    An entry is written beside its place and renamed, and carries a digest, so a reader sees a whole entry or none.
    A folder that cannot be written to costs the cache, not the work.

    Args:
        kind: Folder of the entries: ``probe``. Its name carries a version; another version starts afresh.
    """

    def __init__(self, kind: str) -> None:
        self._folder = cache_folder() / kind

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def get(self, key: str) -> bytes | None:
        """Return an entry, or None when there is none that is whole."""
        try:
            data = self._path(key).read_bytes()
        except OSError:
            return None
        digest, payload = data[:_DIGEST], data[_DIGEST:]
        return payload if hashlib.blake2b(payload, digest_size=_DIGEST).digest() == digest else None

    def put(self, key: str, payload: bytes) -> None:
        """Write an entry; the last writer wins."""
        path = self._path(key)
        temporary: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
            temporary = Path(name)
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.blake2b(payload, digest_size=_DIGEST).digest() + payload)
            temporary.replace(path)
        except OSError:
            # A full disk or a read-only home: the result stands, it will be computed again.
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)


def file_key(path: Path, *parts: str | int) -> str:
    """Return a key of a file's place, length and time of change, and of ``parts``."""
    status = path.stat()
    return fingerprint([str(Path(os.path.abspath(path))), status.st_size, status.st_mtime_ns, *parts])  # noqa: PTH100
