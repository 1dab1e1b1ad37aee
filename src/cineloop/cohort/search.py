"""Looking for files below a folder, in an order that does not depend on the machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from cineloop.errors import CohortError

_SHOWN = 3


def files_below(folder: Path, suffixes: Collection[str] | None = None) -> list[Path]:
    """Return the files below a folder, by their paths.

    Hidden files and folders are passed over. Links to folders are not followed, so a circle of links does no harm.

    Args:
        folder: Where to look.
        suffixes: Lower-case suffixes of the files that count; None for all.

    Raises:
        CohortError: A folder cannot be read.
    """
    found = [
        (*parts, name)
        for parts, names in _walk(folder)
        for name in names
        if suffixes is None or os.path.splitext(name)[1].lower() in suffixes  # noqa: PTH122
    ]
    return [folder.joinpath(*parts) for parts in sorted(found)]


def _walk(folder: Path) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Give the names of the files in a folder and those below it, with the way there."""

    def fail(error: OSError) -> None:
        raise CohortError(
            f"The folder cannot be read: {error.strerror}", where=error.filename, mend="Check its rights."
        ) from None

    base = os.fspath(folder)
    for here, folders, names in os.walk(base, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        parts = Path(here).relative_to(folder).parts
        yield parts, [name for name in names if not name.startswith(".")]


class ByName:
    """The files below a folder by their names; the folder is searched once, at the first question.

    Args:
        folder: Where to look.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, list[Path]] | None = None

    def find(self, name: str, *, where: str) -> Path | None:
        """Return the one file of a name, or None.

        Args:
            name: The file's name, without a folder.
            where: Who asks, for messages.

        Raises:
            CohortError: There are several.
        """
        if self._known is None:
            self._known = {}
            for path in files_below(self._folder):
                self._known.setdefault(path.name, []).append(path)
        found = self._known.get(name, [])
        if len(found) > 1:
            shown = ", ".join(path.relative_to(self._folder).as_posix() for path in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise CohortError(
                f"Several files are called {name!r}: {shown}{more}",
                where=where,
                mend="Write paths relative to the root, or name the folder: data.format_options: {videos: FOLDER}.",
            )
        return found[0] if found else None
