"""Text and JSON files that people and scripts wrote, with errors that say where they are wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from cineloop.errors import CohortError


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with or without a byte-order mark.

    Raises:
        CohortError: The file cannot be opened or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CohortError(f"The file cannot be read: {error.strerror}", where=path, mend="Check the path.") from None
    except UnicodeDecodeError:
        raise CohortError("The file is not UTF-8 text", where=path, mend="Save it as UTF-8.") from None


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        CohortError: It cannot be read, is not JSON, or an object holds a key twice, of which Python would keep the
            last and say nothing.
    """
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path, line: int | None = None) -> Any:
    """Parse JSON text of a file; see :func:`read_json`.

    Args:
        text: The text.
        path: The file, for messages.
        line: The line that the text is, where it is one of many.
    """
    place = f"{path}:{line}" if line is not None else str(path)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        held = dict(pairs)
        if len(held) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise CohortError(f"The key {twice!r} stands twice in one object", where=place, mend="Leave one of them.")
        return held

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise CohortError(
            f"This is not JSON: {error.msg}", where=f"{path}:{line or error.lineno}", mend="Mend it."
        ) from None
    except RecursionError:
        raise CohortError("The JSON is nested too deeply", where=place, mend="Write flat lists and objects.") from None
