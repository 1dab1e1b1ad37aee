"""Training in stages: what a run learned from, its first stage included, must not judge the next one."""

from __future__ import annotations

from pathlib import Path

from cineloop import runs
from cineloop.cohort import Cohort
from cineloop.errors import CohortError, RecipeError
from cineloop.models.weights import read_passport


def require_weights(weights: Path | None) -> None:
    """Refuse first weights that are not there, before anything else is looked at.

    Raises:
        RecipeError: There is no such file or folder.
    """
    if weights is not None and not weights.exists():
        raise RecipeError(
            f"The first weights are not there: {weights}",
            where="model.weights",
            mend="Give model.weights=FILE, or the folder of a run; model.weights=null begins with random weights.",
        )


def first_stage(weights: Path | None) -> runs.Run | None:
    """Return the run that first weights come from: a run's folder, or the weights file in one; None for others."""
    if weights is None:
        return None
    for folder in (weights, weights.parent):
        if runs.is_run(folder):
            return runs.open_run(folder)
    return None


def unknown_corpus(weights: Path | None) -> str | None:
    """Return a warning where first weights were trained on files that nothing here names; None where all is known."""
    first = first_stage(weights)
    if first is not None and first.packed:
        return (
            f"The first weights come from {first.path.name}, which was packed to be shared: that none of the files it "
            "was trained on judges this run could not be checked."
        )
    if weights is None or weights.is_dir() or first is not None:
        return None
    passport = read_passport(weights)
    if passport is None or passport.corpus is None:
        return None
    return (
        f"The first weights, {weights.name}, were trained on the cohort {passport.corpus[:12]}, whose files are not "
        "known here: that none of them judges this run could not be checked. Name the run that they come from, not a "
        "copy."
    )


def trained_on(run: runs.Run) -> frozenset[str]:
    """Return the SHA-256 of every file that a run was trained on, those of its first stages included."""
    ledger = run.ledger()
    own = ledger["cohort"]["media_sha256"].get("train", [])
    return frozenset([*own, *ledger.get("first_stage_sha256", [])])


def refuse_seen(cohort: Cohort, first: runs.Run, *, allow_leakage: str | None) -> str | None:
    """Refuse a cohort whose validation or test files were trained on in the first stage.

    Equal bytes are found; a re-encoded copy is not, nor is a patient of whom both cohorts hold other recordings.

    Returns:
        The reason that allows it, where there are such files; else None.

    Raises:
        CohortError: There are, and no reason allows them.
    """
    learned = trained_on(first)
    held_out = {row["media"]: row["split"] for row in cohort.rows.iter_rows(named=True) if row["split"] != "train"}
    seen = sorted(
        row["id"]
        for row in cohort.media.iter_rows(named=True)
        if row["sha256"] in learned and held_out.get(row["id"]) is not None
    )
    if not seen:
        return None
    if allow_leakage is not None:
        return allow_leakage
    splits = sorted({held_out[name] for name in seen})
    raise CohortError(
        f"{len(seen)} files of the splits {', '.join(splits)} were trained on in the first stage, {first.path}, "
        f"among them {seen[0]!r}",
        where=cohort.root,
        mend="Train the first stage without them, move them to this cohort's training split, or give the reason in "
        "words as data.allow_leakage.",
    )
