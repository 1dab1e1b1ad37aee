"""What a pass has found so far, on disk: a file a span, so that an interruption loses one span at most."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cineloop import files
from cineloop.analysis.stages.stage import Arrays
from cineloop.errors import CineloopError

KEY = "analysis.json"
"""The file by which unfinished work is known."""


class Store:
    """The unfinished work of one analysis.

    Args:
        folder: Where it lies, within the analysis's own folder.
        key: What decides the result: files, settings, models. Another key, and the work is not ours.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self.folder = folder
        self._key = json.loads(json.dumps(key, allow_nan=False))

    def open(self) -> bool:
        """Begin, or go on; return whether there is work to go on with.

        Raises:
            CineloopError: Work of another analysis lies there.
        """
        file = self.folder / KEY
        if not file.is_file():
            files.write_json(file, self._key)
            return False
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = None
        if known != self._key:
            other = [name for name in self._key if not isinstance(known, dict) or known.get(name) != self._key[name]]
            raise CineloopError(
                f"Unfinished work of another analysis lies here; it differs in {', '.join(other)}",
                where=self.folder.parent,
                mend="Give another --out, or remove that folder.",
            )
        return True

    def has(self, span: int) -> bool:
        """Tell whether a span is done."""
        return self._file(span).is_file()

    def write(self, span: int, arrays: Arrays) -> None:
        """Keep what was found in a span."""
        stream = io.BytesIO()
        np.savez(stream, **arrays)  # type: ignore[arg-type]
        files.write_bytes(self._file(span), stream.getvalue())

    def read(self, spans: Sequence[int]) -> Arrays:
        """Return what was found in spans, one after the other."""
        found: dict[str, list[Any]] = {}
        for span in spans:
            with np.load(self._file(span), allow_pickle=False) as arrays:
                for name in arrays.files:
                    found.setdefault(name, []).append(arrays[name])
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def remove(self) -> None:
        """Remove the work, which is no longer needed."""
        shutil.rmtree(self.folder)

    def _file(self, span: int) -> Path:
        return self.folder / f"{span:05d}.npz"
