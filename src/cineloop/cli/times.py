"""Times as a user writes them on the command line."""

from __future__ import annotations

import re

from cineloop.errors import CineloopError

_SECONDS = r"(?P<seconds>{}(?:\.\d+)?)"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        _SECONDS.format(r"\d+"),
        r"(?P<minutes>\d+):" + _SECONDS.format(r"[0-5]?\d"),
        r"(?P<hours>\d+):(?P<minutes>[0-5]?\d):" + _SECONDS.format(r"[0-5]?\d"),
    )
)


def seconds_of(text: str, option: str) -> float:
    """Return the seconds of a time such as ``90``, ``1:30``, ``120:30`` or ``2:00:30``.

    Args:
        text: The time.
        option: Where it was given.

    Raises:
        CineloopError: It is none.
    """
    found = next((match for form in _FORMS if (match := form.fullmatch(text.strip()))), None)
    if found is None:
        raise CineloopError(
            f"Not a time: {text!r}",
            where=option,
            mend="Write seconds, m:ss or h:mm:ss; what follows a colon goes from 0 to 59.",
        )
    given = found.groupdict()
    return 3600 * int(given.get("hours", 0)) + 60 * int(given.get("minutes", 0)) + float(given["seconds"])


def span_of(text: str, option: str) -> tuple[float, float]:
    """Return when a stretch such as ``12:30-14:05`` begins and is over, in seconds.

    Raises:
        CineloopError: It is none.
    """
    start, stop = _two(text, "-", option, "a stretch of time", "12:30-14:05")
    if stop <= start:
        raise CineloopError(
            f"a pause ends after it begins, not {text}", where=option, mend="Write the earlier time first."
        )
    return start, stop


def bounds_of(text: str, option: str) -> tuple[float, float]:
    """Return two times such as ``15:10,18:40`` in seconds.

    Raises:
        CineloopError: They are none.
    """
    first, second = _two(text, ",", option, "two times", "15:10,18:40")
    if second <= first:
        raise CineloopError(
            f"On the way out the transverse colon comes before the left colon, not {text}",
            where=option,
            mend="Write the earlier time first.",
        )
    return first, second


def _two(text: str, mark: str, option: str, what: str, example: str) -> tuple[float, float]:
    first, separator, second = text.partition(mark)
    if not separator:
        raise CineloopError(f"Not {what}: {text!r}", where=option, mend=f"Write {what} as {example}.")
    return seconds_of(first, option), seconds_of(second, option)
