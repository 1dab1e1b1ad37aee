"""How many frames of each subset an epoch shows."""

from __future__ import annotations

from collections.abc import Sequence

from cineloop.cohort.item import Item
from cineloop.errors import RecipeError
from cineloop.schema import did_you_mean
from cineloop.tasks.frame_classification.schema import ResampleSection
from cineloop.training.order import Walked
from cineloop.training.samples import Entry, counts_of


def subsets_of(items: Sequence[Item], by: str) -> dict[str, list[Entry]]:
    """Return the training frames of each subset, in order of first appearance.

    Raises:
        RecipeError: A frame has nothing that says its subset.
    """
    found: dict[str, list[Entry]] = {}
    for place, item in enumerate(items):
        value = item.label if by == "label" else dict(item.attributes).get(by)
        if value is None:
            known = sorted({name for each in items for name, _ in each.attributes})
            raise RecipeError(
                f"Nothing says the {by!r} of {item.id!r}",
                where="data.resample.by",
                mend=f"Use `label`, or an attribute: {did_you_mean(by, known)}"
                if known
                else f"Use `label`, or name the column: data.attributes={{{by}: {{column: {by}}}}}.",
            )
        found.setdefault(str(value), []).append(Entry(place))
    return found


def resampled(items: Sequence[Item], section: ResampleSection, *, seed: int, workers: int) -> Walked:
    """Return the order of epochs that show a number of frames of each subset.

    Args:
        items: The training frames.
        section: How many of which.
        seed: The run's seed.
        workers: Data workers, on which the published sampler depends.

    Raises:
        RecipeError: A frame has no subset, or a count names none or asks for nothing.
    """
    subsets = subsets_of(items, section.by)
    sizes = {name: len(entries) for name, entries in subsets.items()}
    counts = counts_of(sizes, section.counts, where="data.resample.counts")
    upstream = workers if section.rule == "upstream" else None
    return Walked(list(subsets.values()), [counts[name] for name in subsets], seed, upstream)
