"""What the columns of a user's table mean: the names that are known, and how their cells are read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cineloop.errors import CineloopError

NAMES: Mapping[str, tuple[str, ...]] = {
    "name": (
        "procedure",
        "procedure_id",
        "name",
        "exam",
        "exam_id",
        "examination",
        "study",
        "study_id",
        "case",
        "case_id",
    ),
    "caecum_reached": ("caecum_reached", "cecum_reached", "caecal_intubation", "cecal_intubation", "盲肠到达"),
    "withdrawal_seconds": ("withdrawal_seconds", "withdrawal_time_seconds", "withdrawal_s", "withdrawal_time_s"),
    "withdrawal_minutes": ("withdrawal_minutes", "withdrawal_time_minutes", "withdrawal_min", "withdrawal_time_min"),
    "withdrawal_clock": ("withdrawal", "withdrawal_time", "退镜时间"),
    "normal": ("normal", "no_pathology", "normal_examination", "normal_exam", "阴性"),
    "adequate": (
        "adequate",
        "adequate_preparation",
        "preparation_adequate",
        "prep_adequate",
        "adequate_prep",
        "肠道准备合格",
    ),
    "bbps_right": ("bbps_right", "right_bbps"),
    "bbps_transverse": ("bbps_transverse", "transverse_bbps"),
    "bbps_left": ("bbps_left", "left_bbps"),
    "adenoma": ("adenoma", "adenomas", "adenoma_detected", "adenoma_count", "腺瘤"),
    "polyp": ("polyp", "polyps", "polyp_detected", "polyp_count", "息肉"),
    "ssl": ("ssl", "ssls", "ssl_detected", "sessile_serrated_lesion", "sessile_serrated_lesions", "无蒂锯齿状病变"),
}
"""The titles of each thing that is read, in lower case and with ``_`` for anything but letters and digits."""

MOST = 3
"""The best score of a segment."""

_YES = frozenset({"1", "yes", "y", "true", "t", "positive", "是", "有", "阳性"})
_NO = frozenset({"0", "no", "n", "false", "f", "negative", "否", "无", "阴性"})
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "unknown", "?", "-", "–", "未知", "不详"})
_COUNTED = ("adenoma", "polyp", "ssl")


def meaning_of(titles: Sequence[str], where: Path) -> dict[str, str]:
    """Return the title of each thing that a table tells.

    Raises:
        CineloopError: Two columns tell the same, or none tells anything.
    """
    known = {name: thing for thing, names in NAMES.items() for name in names}
    found: dict[str, str] = {}
    for title in titles:
        thing = known.get(re.sub(r"\W+", "_", title.strip().lower()).strip("_"))
        if thing is None:
            continue
        if thing in found:
            raise CineloopError(
                f"The columns {found[thing]!r} and {title!r} tell the same",
                where=where,
                mend="Rename or remove one of them.",
            )
        found[thing] = title
    if not found.keys() - {"name"}:
        told = ", ".join(names[0] for thing, names in NAMES.items() if thing not in ("name", "withdrawal_clock"))
        raise CineloopError(
            "No column tells anything that is summarised", where=where, mend=f"Name columns as these: {told}."
        )
    times = [found[thing] for thing in found if thing.startswith("withdrawal_")]
    if len(times) > 1:
        raise CineloopError(
            f"The columns {' and '.join(map(repr, times))} tell the same", where=where, mend="Remove one of them."
        )
    return found


def read_cell(thing: str, text: str, *, title: str, row: int, where: Path) -> Any:
    """Return what a cell says of a thing, None where it says nothing.

    Raises:
        CineloopError: It is no yes or no, no number or no time; with the row, counted from 1 without the heading.
    """
    if text.strip().lower() in _MISSING:
        return None
    try:
        return _reader_of(thing)(text.strip())
    except ValueError as error:
        raise CineloopError(
            f"The column {title!r} says {text!r}, which is not {error}",
            where=f"{where}, row {row}",
            mend="Correct the cell, or leave it empty where it is not known.",
        ) from None


def _reader_of(thing: str) -> Callable[[str], Any]:
    if thing.startswith("bbps_"):
        return _score
    if thing in _COUNTED:
        return _found
    known: dict[str, Callable[[str], Any]] = {
        "name": str,
        "withdrawal_seconds": _seconds,
        "withdrawal_minutes": _minutes,
        "withdrawal_clock": _clock,
    }
    return known.get(thing, _yes)


def _yes(text: str) -> bool:
    if text.lower() in _YES or text == "1.0":
        return True
    if text.lower() in _NO or text == "0.0":
        return False
    raise ValueError("yes or no (1 or 0)")


def _found(text: str) -> bool:
    """Return whether something was found, from yes or no or from how many."""
    try:
        return _number(text) > 0
    except ValueError:
        try:
            return _yes(text)
        except ValueError:
            raise ValueError("yes or no, or how many") from None


def _number(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError
    return value


def _seconds(text: str) -> float:
    try:
        return _number(text)
    except ValueError:
        raise ValueError("a number of seconds") from None


def _minutes(text: str) -> float:
    try:
        return 60 * _number(text)
    except ValueError:
        raise ValueError("a number of minutes") from None


def _clock(text: str) -> float:
    found = re.fullmatch(r"(?:(\d+):)?(\d+):([0-5]\d)", text)
    if not found:
        raise ValueError(
            "a time as minutes:seconds; call the column withdrawal_seconds or withdrawal_minutes to give a number"
        )
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600.0 * hours + 60 * minutes + seconds


def _score(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        value = math.inf
    if value > MOST:
        raise ValueError(f"a score from 0 to {MOST}")
    return value
