"""The split lock: a file that fixes who is in which split, and shows when it or the data was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cineloop.cohort.cohort import Cohort, split_table
from cineloop.errors import CohortError
from cineloop.files import fingerprint, write_text

_KIND = "cineloop split lock"
_SCHEMA = 1
_SHOWN = 5


@dataclass(frozen=True)
class Lock:
    """A division that was fixed.

    Attributes:
        path: The file; None for one that is not written yet.
        cohort: The cohort's name.
        fingerprint: The cohort's fingerprint when it was locked.
        classes: The class names.
        splits: The split of each item; None for an item outside all splits.
        folds: The fold of each item; None where there are no folds.
        targets: The class number of each item; None when unlabelled.
        media: The SHA-256 of each file.
        patients: The patient of each file.
    """

    path: Path | None
    cohort: str
    fingerprint: str
    classes: tuple[str, ...]
    splits: Mapping[str, str | None]
    folds: Mapping[str, int | None]
    targets: Mapping[str, int | None]
    media: Mapping[str, str | None]
    patients: Mapping[str, str]


def lock_of(cohort: Cohort) -> Lock:
    """Return the lock of a cohort as it stands."""
    return Lock(
        path=None,
        cohort=cohort.name,
        fingerprint=cohort.fingerprint,
        classes=cohort.classes,
        splits=dict(cohort.splits.select("item", "split").rows()),
        folds=dict(cohort.splits.select("item", "fold").rows()),
        targets=dict(cohort.items.select("id", "target").rows()),
        media=dict(cohort.media.select("id", "sha256").rows()),
        patients=dict(cohort.media.select("id", "patient").rows()),
    )


def _text(lock: Lock) -> str:
    content = {
        "kind": _KIND,
        "schema": _SCHEMA,
        "cohort": lock.cohort,
        "fingerprint": lock.fingerprint,
        "classes": list(lock.classes),
        "items": {
            item: {"split": split, "fold": lock.folds[item], "target": lock.targets[item]}
            for item, split in sorted(lock.splits.items())
        },
        "media": {
            media: {"sha256": sha256, "patient": lock.patients[media]} for media, sha256 in sorted(lock.media.items())
        },
    }
    return json.dumps({**content, "sha256": fingerprint(content)}, indent=1, ensure_ascii=False) + "\n"


def write_lock(cohort: Cohort, path: Path | str) -> Lock:
    """Fix the division of ``cohort`` in a file, and return the lock.

    Raises:
        CohortError: The cohort is not divided, or another lock stands at ``path``.
    """
    path = Path(path)
    if not cohort.split_names:
        raise CohortError("The cohort is not divided", where=cohort.root, mend="Divide it first, with data.split.")
    text = _text(lock_of(cohort))
    if path.exists() and path.read_bytes() != text.encode():
        raise CohortError(
            "Another split lock stands here; it is not overwritten",
            where=path,
            mend="Write to another path, or remove the old lock if nothing was evaluated with it.",
        )
    write_text(path, text)
    return read_lock(path)


def read_lock(path: Path | str) -> Lock:
    """Read a lock.

    Raises:
        CohortError: The file is missing, is no lock, or any byte of it was changed.
    """
    path = Path(path)
    try:
        # Version control may write other line ends; nothing else about the bytes may differ.
        text = path.read_bytes().replace(b"\r\n", b"\n").decode("utf-8")
        content = json.loads(text)
        lock = Lock(
            path=path,
            cohort=content["cohort"],
            fingerprint=content["fingerprint"],
            classes=tuple(content["classes"]),
            splits={item: value["split"] for item, value in content["items"].items()},
            folds={item: value["fold"] for item, value in content["items"].items()},
            targets={item: value["target"] for item, value in content["items"].items()},
            media={media: value["sha256"] for media, value in content["media"].items()},
            patients={media: value["patient"] for media, value in content["media"].items()},
        )
        intact = text == _text(lock)
    except OSError as error:
        raise CohortError(
            f"The split lock cannot be read: {error.strerror}", where=path, mend="Check the path."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        intact = False
    if not intact:
        raise CohortError(
            "The split lock was changed after it was written, or is not a split lock",
            where=path,
            mend="Restore the file as it was written; figures made from a changed lock cannot be trusted.",
        )
    return lock


def differences(cohort: Cohort, lock: Lock) -> list[str]:
    """Return in what a cohort's media, labels and patients differ from what was locked, in sentences."""
    now = lock_of(cohort)
    found: list[str] = []

    def tell(names: set[str], text: str) -> None:
        if names:
            shown = ", ".join(sorted(names)[:_SHOWN])
            found.append(f"{len(names)} {text}: {shown}{', ...' if len(names) > _SHOWN else ''}")

    tell(lock.splits.keys() - now.splits.keys(), "locked items are missing")
    tell(now.splits.keys() - lock.splits.keys(), "items are not in the lock")
    both = lock.media.keys() & now.media.keys()
    tell({media for media in both if lock.media[media] != now.media[media]}, "files have other bytes")
    tell({media for media in both if lock.patients[media] != now.patients[media]}, "files have another patient")
    shared = lock.splits.keys() & now.splits.keys()
    if lock.classes != now.classes:
        found.append(f"the classes are {', '.join(now.classes)}, locked were {', '.join(lock.classes)}")
    else:
        tell({item for item in shared if lock.targets[item] != now.targets[item]}, "items have another label")
    return found


def apply(cohort: Cohort, lock: Lock) -> Cohort:
    """Return the cohort divided as locked.

    Raises:
        CohortError: The data is not what was locked.
    """
    found = differences(cohort, lock)
    if found:
        raise CohortError(
            f"The data is not what was locked: {'; '.join(found)}",
            where=lock.path,
            mend="Restore the data, or make a new division and lock it under another name.",
        )
    items = cohort.items["id"].to_list()
    table = split_table(items, [lock.splits[item] for item in items], [lock.folds[item] for item in items])
    return cohort.with_splits(table, "divided as locked")


def check(cohort: Cohort, lock: Lock) -> None:
    """Check that a cohort is what was locked, its division included.

    Raises:
        CohortError: The data, or the division, differs.
    """
    locked = apply(cohort, lock)
    moved = [
        item
        for item, ours, theirs in zip(
            cohort.splits["item"], cohort.splits["split"], locked.splits["split"], strict=True
        )
        if ours != theirs
    ]
    if moved:
        raise CohortError(
            f"{len(moved)} items stand in another split than locked, among them {moved[0]!r}",
            where=lock.path,
            mend="Read the cohort with data.lock, so that the locked division is used.",
        )
