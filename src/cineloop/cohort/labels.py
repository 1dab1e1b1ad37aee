"""From the words and numbers of a layout to class names and their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from cineloop.cohort.format import Record
from cineloop.errors import CohortError
from cineloop.schema import nearest

#: More classes than this is a column of something else.
MAX_CLASSES = 10_000


def fold(label: str) -> str:
    """Return a class name without case and with one separator: ``Non-Referral`` is ``non_referral``."""
    return "_".join(label.casefold().replace("-", " ").replace("_", " ").split())


def _number(label: str) -> int | None:
    try:
        return int(label)
    except ValueError:
        return None


def resolve(
    records: Sequence[Record], classes: Sequence[str] | None, *, fixed: Sequence[str] = ()
) -> tuple[tuple[str, ...], list[int | None]]:
    """Number the labels.

    Args:
        records: Rows with labels as text.
        classes: Class names in the order of their numbers. A label may be a name of these or a number into them; a
            name wins. Without it, numbers become classes named by the number, and names are sorted.
        fixed: Names that come first, in this order, where ``classes`` is None.

    Returns:
        The class names, and a class number for each record (None for an unlabelled one).

    Raises:
        CohortError: A label is not among ``classes``, is negative, or names and numbers are mixed.
    """
    if classes is None:
        classes = _following(records, fixed) if fixed else _infer(records)
    exact = {name: number for number, name in enumerate(classes)}
    folded: dict[str, int] = {}
    for name, number in exact.items():
        folded.setdefault(fold(name), number)
    targets: list[int | None] = []
    for record in records:
        if record.label is None:
            targets.append(None)
            continue
        target = exact.get(record.label, folded.get(fold(record.label)))
        if target is None:
            target = _number(record.label)
            if target is None or not 0 <= target < len(classes):
                near = nearest(record.label, classes)
                known = ", ".join(f"{number} = {name}" for name, number in list(exact.items())[:20])
                raise CohortError(
                    f"Unknown label {record.label[:80]!r} of {record.name!r}",
                    where=record.place,
                    mend=f"Did you mean {near!r}?"
                    if near is not None
                    else f"The classes are {known}; mend the row, or add the class to data.classes.",
                )
        targets.append(target)
    return tuple(classes), targets


def _following(records: Sequence[Record], fixed: Sequence[str]) -> tuple[str, ...]:
    known = {fold(name) for name in fixed}
    others = {record.label for record in records if record.label is not None and fold(record.label) not in known}
    return (*fixed, *sorted(others))


def _infer(records: Sequence[Record]) -> tuple[str, ...]:
    first: dict[str, Record] = {}
    for record in records:
        if record.label is not None:
            first.setdefault(record.label, record)
    numbers = {label: _number(label) for label in first}
    named = [label for label, number in numbers.items() if number is None]
    if named and len(named) < len(first):
        odd = first[min((label for label in first if numbers[label] is not None), key=str)]
        raise CohortError(
            f"Labels are a mixture of names and numbers: {named[0]!r} and {odd.label!r}",
            where=odd.place,
            mend="Use one of the two, or give data.classes, in which both are looked up.",
        )
    if named:
        # Two spellings of one name are one class; the first in order gives the name.
        spellings: dict[str, str] = {}
        for label in sorted(named):
            spellings.setdefault(fold(label), label)
        return tuple(spellings.values())
    found = {number: label for label, number in numbers.items() if number is not None}
    for number in sorted(found):
        if not 0 <= number < MAX_CLASSES:
            record = first[found[number]]
            raise CohortError(
                f"{record.label!r} is not a class number",
                where=record.place,
                mend="Class numbers count from 0; -1 is the label of a video without one.",
            )
    return tuple(str(number) for number in range(max(found, default=-1) + 1))
