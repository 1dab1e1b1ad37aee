"""Paths that must stay inside of the root of the data, however they are spelled."""

from __future__ import annotations

import os
from pathlib import Path

from cineloop.cohort.format import present
from cineloop.errors import CohortError


class Places:
    """Where the paths of a list lead, which may be relative to the root of the data or to the list's own folder.

    Which of the two a list was written for shows by where the files are. ``..`` is resolved as text, as in the
    published loaders, and links are left alone.

    Args:
        root: The root of the data.
        folder: The folder of the list.
        outside: Whether a path may leave the root.
    """

    def __init__(self, root: Path, folder: Path, *, outside: bool) -> None:
        self._root = root
        self._bases = [os.path.abspath(root), os.path.abspath(folder)]  # noqa: PTH100
        self._roots = [os.path.join(base, "") for base in dict.fromkeys([self._bases[0], os.path.realpath(root)])]  # noqa: PTH118
        self._outside = outside

    def candidates(self, name: str) -> list[str]:
        """Return what a path may mean, ``..`` resolved, the likeliest first."""
        spellings = [name, name.replace("\\", "/")] if "\\" in name else [name]
        return [
            os.path.normpath(os.path.join(base, spelling))  # noqa: PTH118
            for spelling in spellings
            for base in self._bases
        ]

    def find(self, name: str, place: str) -> tuple[str, Path]:
        """Return the name below the root and the path of a file.

        Raises:
            CohortError: It lies outside of the root, and that is not allowed.
        """
        candidates = self.candidates(name)
        inside = [(path, below) for path in candidates if (below := self._below(path)) is not None]
        for _, below in inside:
            if present(self._root / below):
                return below, self._root / below
        abroad = [path for path in candidates if self._below(path) is None and (present(Path(path)) or not inside)]
        if abroad and not self._outside:
            raise CohortError(
                f"{name!r} lies outside of the root: {abroad[0]}",
                where=place,
                mend=f"Correct data.root ({self._root}), or allow it: data.format_options: {{outside_root: true}}.",
            )
        if abroad:
            return Path(name).as_posix(), Path(abroad[0])
        return inside[0][1], self._root / inside[0][1]

    def same(self, name: str, path: Path) -> bool:
        """Say whether a path of the list is that of a file, however it is spelled."""
        own = os.path.abspath(path)  # noqa: PTH100
        candidates = self.candidates(name)
        if own in candidates:
            return True
        return present(path) and any(
            present(Path(each)) and os.path.samefile(each, path)  # noqa: PTH121
            for each in candidates
        )

    def _below(self, path: str) -> str | None:
        return next(
            (path[len(root) :].replace(os.sep, "/") for root in self._roots if path.startswith(root)),
            None,
        )
