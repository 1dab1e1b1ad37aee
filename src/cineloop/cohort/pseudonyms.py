"""From the pseudonyms of outputs back to the names of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cineloop.cohort.cohort import Cohort
from cineloop.errors import CohortError
from cineloop.identity import identity_salt, pseudonym


@dataclass(frozen=True, slots=True)
class Meaning:
    """What stands behind a pseudonym.

    Attributes:
        pseudonym: As an output shows it.
        kind: ``item``, ``file`` or ``patient``; of an analysis ``recording`` or ``folder``.
        name: The item's, the file's or the patient's name in the cohort; the name of the recording or folder.
        files: The files that it is about.
    """

    pseudonym: str
    kind: str
    name: str
    files: tuple[str, ...]


def among_files(names: Sequence[str], folder: Path) -> list[Meaning]:
    """Return what stands behind pseudonyms of analyses: names of files and folders below a folder, and its own.

    Analyses call a file by its name, and a procedure by that of its folder or by that of its first file without the
    suffix.

    Args:
        names: Pseudonyms; those of which nothing is found are left out.
        folder: Of recordings, or a recording.
    """
    salt, wanted = identity_salt(), set(names)
    found: dict[tuple[str, str, str], list[str]] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        is_folder = path.is_dir()
        # An analysis calls a folder by what it is, not by a link to it.
        name = path.resolve().name if is_folder else path.name
        for form in {name} if is_folder else {name, path.stem}:
            # Outputs keep a file's suffix, in lower case, behind the pseudonym.
            for mark in {short := pseudonym(form, salt), short + path.suffix.lower()} & wanted:
                found.setdefault((mark, "folder" if is_folder else "recording", name), []).append(path.as_posix())
    order = {name: number for number, name in enumerate(names)}
    meanings = [Meaning(*key, tuple(files)) for key, files in found.items()]
    return sorted(meanings, key=lambda one: order[one.pseudonym])


def behind(names: Sequence[str], cohort: Cohort) -> list[Meaning]:
    """Return what stands behind pseudonyms, those that this machine makes.

    Raises:
        CohortError: A pseudonym belongs to nothing in the cohort.
    """
    salt = identity_salt()
    known: dict[str, dict[tuple[str, str], list[str]]] = {}

    def add(kind: str, name: str, path: str) -> None:
        files = known.setdefault(pseudonym(name, salt), {}).setdefault((kind, name), [])
        if path not in files:
            files.append(path)

    paths = {row["id"]: row["path"] for row in cohort.media.iter_rows(named=True)}
    for row in cohort.items.iter_rows(named=True):
        add("item", row["id"], paths[row["media"]])
    for row in cohort.media.iter_rows(named=True):
        add("file", row["id"], row["path"])
        add("patient", row["patient"], row["path"])
    found = []
    for name in names:
        if name not in known:
            raise CohortError(
                f"Nothing in this cohort has the pseudonym {name!r}",
                where=cohort.root,
                mend="Ask on the machine, and as the user, that made the output; and check the cohort.",
            )
        # An item that is a whole file has the file's name: one line is enough.
        seen: set[str] = set()
        for (kind, real), files in known[name].items():
            if real not in seen:
                seen.add(real)
                found.append(Meaning(name, kind, real, tuple(files)))
    return found
