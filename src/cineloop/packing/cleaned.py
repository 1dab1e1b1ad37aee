"""What of a run's files may be shared: lists of what stays, so that what is new or unknown goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import polars as pl

REMOVED = "removed"
LEAK = "a leak between splits was allowed in training; the reason stays with the run"
COHORT = "cohort"

# Sections of a recipe whose texts are choices and names of classes; any other text is a name, a path or a remark.
_WORDS = ("task", "model", "train", "evaluate")
_DATA_WORDS = (
    "format",
    "identifiers",
    "on_error",
    "classes",
    "labels",
    "crop",
    "input",
    "sampling",
    "spatial",
    "augment",
)
_NAMED = {"weights", "log", "subgroups"}
_LEDGER = (
    "schema",
    "state",
    "started",
    "finished",
    "versions",
    "commit",
    "recipe_sha256",
    "task",
    "seed",
    "plugins",
    "precision",
    "training",
    "evaluated",
)
_COHORT = ("fingerprint", "classes", "patients_known", "counts")
# What in figures of an evaluation tells of people, places or files.
_TOLD = {"warnings", "cohort", "watermark", "subgroups", "comparison", "spread", "provenance", "examples", "worst"}


def recipe_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved recipe without names, paths and remarks."""
    found: dict[str, Any] = {}
    for name, value in recipe.items():
        if name == "data":
            found[name] = {key: one if _is_choice(key, one) else _wordless(one) for key, one in value.items()}
            found[name] |= {key: None for key in ("patient", "procedure") if key in value}
        else:
            found[name] = _choices(value) if name in _WORDS else _wordless(value)
    return found


def _is_choice(key: str, value: Any) -> bool:
    # A table of labels has the words of whoever wrote the cohort.
    return key in _DATA_WORDS and not (key == "labels" and isinstance(value, Mapping))


def _choices(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _wordless(one) if key in _NAMED else _choices(one) for key, one in value.items()}
    return value


def _wordless(value: Any) -> Any:
    """Return a value whose texts are gone, and whose tables are empty, as their keys may be names as well."""
    if isinstance(value, str):
        return REMOVED
    if isinstance(value, Mapping):
        return {}
    if isinstance(value, list | tuple):
        return [one for one in map(_wordless, value) if one != REMOVED]
    return value


def ledger_of(ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's ledger without the machine, the names and the hashes of files."""
    cohort = ledger["cohort"]
    return {
        **{name: ledger[name] for name in _LEDGER if name in ledger},
        "plugins": [{**one, "name": PurePath(one["name"]).name} for one in ledger.get("plugins", [])],
        "host": {"cores": ledger.get("host", {}).get("cores")},
        "cohort": {
            **{name: cohort[name] for name in _COHORT if name in cohort},
            "name": COHORT,
            "allow_leakage": LEAK if cohort.get("allow_leakage") else None,
            "warnings": [],
            "media_sha256": {},
        },
        "first_weights": None,
        "packed": True,
    }


def figures_of(metrics: Any) -> Any:
    """Return the figures of an evaluation without what tells of people, places or files, at any depth."""
    if isinstance(metrics, Mapping):
        kept = {name: figures_of(value) for name, value in metrics.items() if name not in _TOLD}
        if "headline" in metrics:
            kept |= {"cohort": COHORT, "warnings": [], "watermark": LEAK if metrics.get("watermark") else None}
        return kept
    return [figures_of(one) for one in metrics] if isinstance(metrics, list) else metrics


def record_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of a run's metrics: its kind and its numbers."""
    return {
        name: value
        for name, value in record.items()
        if name == "kind" or (value is None or isinstance(value, int | float))
    }


def rows_of(predictions: pl.DataFrame) -> pl.DataFrame:
    """Return predictions with numbers in place of items and patients, in the order of what was predicted.

    An order that follows from names, however mixed, could be undone by whoever knows them all.

    Args:
        predictions: With ``id``, ``patient``, ``target``, ``predicted`` and a probability ``p_<class>`` each.
    """
    mixed = predictions.sort([name for name in predictions.columns if name.startswith("p_")])
    patients = {name: number for number, name in enumerate(mixed["patient"].unique(maintain_order=True).to_list())}
    names = ("target", "label", "predicted", *(name for name in mixed.columns if name.startswith("p_")))
    return pl.DataFrame(
        {
            "id": [f"item-{number:06d}" for number in range(mixed.height)],
            "patient": [f"patient-{patients[name]:05d}" for name in mixed["patient"]],
            **{name: mixed[name] for name in ("patient_known", *names) if name in mixed.columns},
        }
    )
