"""The cohort of a recipe, made ready for training and evaluation alike: read, carved, audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cineloop.cohort import Cohort
from cineloop.cohort.audit import audit, require_clean
from cineloop.cohort.division import carve
from cineloop.errors import CohortError
from cineloop.progress import Progress, silent
from cineloop.tasks.recipe import Recipe
from cineloop.tasks.stages import first_stage, refuse_seen, require_weights, unknown_corpus


@dataclass(frozen=True)
class Prepared:
    """A cohort that may be trained on.

    Attributes:
        cohort: Divided into at least a training split.
        watermark: The reason of an allowed leak, to be printed on every figure; None where nothing leaks.
        warnings: What a reader of figures must know.
    """

    cohort: Cohort
    watermark: str | None
    warnings: tuple[str, ...]


def with_validation(cohort: Cohort, recipe: Recipe) -> tuple[Cohort, str | None]:
    """Carve a validation split by patient where there is none; say why where that is impossible."""
    share = recipe.train.carve_validation
    if "val" in cohort.split_names or share == 0:
        return cohort, None
    impossible = (
        "There is no validation split, and none can be carved from the training patients with every class on both "
        "sides: the last weights are kept and thresholds are untuned."
    )
    try:
        carved = carve(cohort, share=share, seed=recipe.train.seed)
    except CohortError:
        return cohort, impossible
    labels = {
        split: {count.label for count in carved.counts() if count.split == split and count.label is not None}
        for split in ("train", "val")
    }
    before = {count.label for count in cohort.counts() if count.split == "train" and count.label is not None}
    if labels["train"] != before or labels["val"] != before:
        return cohort, impossible
    return carved, None


def prepare(recipe: Recipe, *, training: bool = False, progress: Progress = silent) -> Prepared:
    """Read the cohort of a recipe and make sure that nothing leaks.

    Args:
        recipe: The resolved recipe.
        training: It is about to be trained on, so a first stage must not have learned from what will judge it.
        progress: Told about files.

    Raises:
        RecipeError: The first weights are not there.
        CohortError: The data does not form a cohort, has no training split, or leaks without an allowed reason.
    """
    if training:
        require_weights(recipe.first_weights())
    cohort = Cohort.read(recipe.data, progress=progress)
    if "train" not in cohort.split_names:
        raise CohortError(
            f"The cohort {cohort.name!r} has no training split",
            where=cohort.root,
            mend="Divide the patients with data.split, e.g. data.split={test: 0.2, val: 0.2}.",
        )
    cohort, untuned = with_validation(cohort, recipe)
    found = audit(cohort, reviewed_pairs=recipe.data.reviewed_pairs, across_only=True, progress=progress)
    watermark = require_clean(cohort, found, allow_leakage=recipe.data.allow_leakage)
    first = first_stage(recipe.first_weights()) if training else None
    if first is not None:
        watermark = watermark or refuse_seen(cohort, first, allow_leakage=recipe.data.allow_leakage)
    warnings = [untuned] if untuned else []
    unchecked = unknown_corpus(recipe.first_weights()) if training else None
    if unchecked is not None:
        warnings.append(unchecked)
    if not cohort.identity_known.patient:
        warnings.append(
            "Patients are unknown for some or all files: each of those, or its procedure if that is known, counts as "
            "a patient of its own, so leaks between splits cannot be ruled out and intervals may be too narrow."
        )
    warnings += _lacking(cohort)
    if cohort.skipped:
        warnings.append(
            f"{len(cohort.skipped)} unreadable {'file was' if len(cohort.skipped) == 1 else 'files were'} left out."
        )
    return Prepared(cohort, watermark, tuple(warnings))


def _lacking(cohort: Cohort) -> list[str]:
    """Return a warning for each split that has no item of some class."""
    found = []
    for split, names in cohort.lacking().items():
        said = ", ".join(map(repr, names))
        if split == "train":
            found.append(f"No training item is {said}: nothing can be learned of it. Is the class meant?")
        elif split == "val":
            found.append(
                f"No validation item is {said}: figures about it are undefined there, and neither an epoch nor a "
                "threshold can be chosen by them."
            )
        else:
            found.append(
                f"No {split} item is {said}: nothing is tested of it, and figures that need it, such as the AUROC of "
                "two classes, are undefined."
            )
    return found


def describe_cohort(prepared: Prepared) -> dict[str, Any]:
    """Return what a ledger holds of a cohort: counts and hashes, no names of patients."""
    cohort = prepared.cohort
    media = {row["id"]: row["sha256"] for row in cohort.media.iter_rows(named=True)}
    splits: dict[str, set[str]] = {}
    for row in cohort.rows.iter_rows(named=True):
        if row["split"] is not None and media[row["media"]] is not None:
            splits.setdefault(row["split"], set()).add(media[row["media"]])
    return {
        "name": cohort.name,
        "fingerprint": cohort.fingerprint,
        "classes": list(cohort.classes),
        "patients_known": cohort.identity_known.patient,
        "allow_leakage": prepared.watermark,
        "warnings": list(prepared.warnings),
        "counts": [
            {"split": c.split, "label": c.label, "items": c.items, "media": c.media, "patients": c.patients}
            for c in cohort.counts()
        ],
        "media_sha256": {split: sorted(hashes) for split, hashes in sorted(splits.items())},
    }
