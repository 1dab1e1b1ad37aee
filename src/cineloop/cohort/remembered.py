"""What was found of files before: an entry of the cache for a large file, one for all the small files of a folder.

Writing an entry costs more than looking at a picture, and there may be tens of thousands of pictures.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from cineloop.cohort.cache import Cache, file_key
from cineloop.files import fingerprint

# Bytes up to which a file is small.
_SMALL = 1 << 20
# Small files, at least, after which a folder's entry is written though more may come: an interruption loses little.
_FLUSH = 2000

_Known = dict[str, list[Any]]


class Remembered:
    """Plain values by file, valid while the file's place, size and time of change are the same.

    May be used by several threads. Of two processes that write one folder's entry, the later wins and the other's
    findings are looked up again.

    Args:
        cache: Where the entries are.
        version: Another version starts afresh.
    """

    def __init__(self, cache: Cache, version: str) -> None:
        self._cache = cache
        self._version = version
        self._folders: dict[str, _Known] = {}
        self._new: dict[str, int] = {}
        self._lock = threading.Lock()

    def get(self, path: Path, status: os.stat_result) -> dict[str, Any] | None:
        """Return what was found of a file, or None."""
        if status.st_size > _SMALL:
            stored = self._cache.get(file_key(path, self._version))
            return json.loads(stored) if stored is not None else None
        folder, name = os.path.split(path)
        with self._lock:
            known = self._folder(folder).get(name)
        return known[2] if known is not None and known[:2] == [status.st_size, status.st_mtime_ns] else None

    def put(self, path: Path, status: os.stat_result, value: dict[str, Any]) -> None:
        """Remember what was found of a file."""
        if status.st_size > _SMALL:
            self._cache.put(file_key(path, self._version), json.dumps(value).encode())
            return
        folder, name = os.path.split(path)
        with self._lock:
            known = self._folder(folder)
            known[name] = [status.st_size, status.st_mtime_ns, value]
            self._new[folder] = self._new.get(folder, 0) + 1
            # A share of what is there, so that all the writing together stays in proportion.
            if self._new[folder] >= max(_FLUSH, len(known) // 4):
                self._write(folder)

    def write(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            for folder in list(self._new):
                self._write(folder)

    def _key(self, folder: str) -> str:
        return fingerprint([os.path.abspath(folder), self._version, "folder"])  # noqa: PTH100

    def _folder(self, folder: str) -> _Known:
        if folder not in self._folders:
            stored = self._cache.get(self._key(folder))
            self._folders[folder] = json.loads(stored) if stored is not None else {}
        return self._folders[folder]

    def _write(self, folder: str) -> None:
        self._cache.put(self._key(folder), json.dumps(self._folders[folder], separators=(",", ":")).encode())
        del self._new[folder]
