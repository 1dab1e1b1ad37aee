"""Which files are one procedure, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cineloop.errors import VideoError
from cineloop.files import natural
from cineloop.inference.sources import collect


def parts_of(sources: Sequence[str | Path]) -> list[Path]:
    """Return the files of one procedure, in order: as they are named; those of a folder by their names.

    Numbers in names count by their value, so that part 10 comes after part 9. A folder of pictures of one size is one
    file; one in which pictures and videos lie, or pictures of several sizes, is no procedure.

    Raises:
        VideoError: A source does not exist, holds nothing to look at, or is no recording; or a file comes twice.
    """
    if not sources:
        raise VideoError("No recording is named", mend="Name a video, its parts in order, or a folder of them.")
    found: list[Path] = []
    for source in sources:
        path = Path(source)
        inside = collect([path])
        if any(item.frames == 1 for item in inside):
            raise VideoError(
                "Single pictures are no recording", where=path, mend="Name videos, or use `cineloop predict --stills`."
            )
        found += sorted((item.path for item in inside), key=lambda file: natural(file.as_posix()))
    resolved = [path.resolve() for path in found]
    for place, path in enumerate(resolved):
        if path in resolved[:place]:
            raise VideoError("A file is named twice", where=found[place], mend="Name every part once.")
    return found
