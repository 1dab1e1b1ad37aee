"""Whether an exported graph computes what the model does: no export is written that does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cineloop.errors import ExportError
from cineloop.exports.graph import Answer
from cineloop.inference.engines import Engine, Outputs, Pixels
from cineloop.tasks.task import Predictor


@dataclass(frozen=True)
class Tolerance:
    """How far probabilities may lie apart.

    Attributes:
        network: For inputs that need no resizing: what the arithmetic of the network may differ by.
        resized: For the others, where the rounding of pixels differs besides.
        logits: How far logits may lie apart, over their standard deviation: what proves something where probabilities
            are all alike.
    """

    network: float
    resized: float
    logits: float


@dataclass(frozen=True)
class Parity:
    """How an engine's answers compare with the model's.

    Attributes:
        engine: Name and version.
        inputs: How many were compared.
        tolerance: What is allowed.
        network: How far the probabilities of inputs that need no resizing lie apart.
        resized: Those of the others.
        logits: How far logits lie apart, over their standard deviation across the inputs.
        batches: How far the probabilities of a batch lie from its inputs one by one.
        decisions: Decisions that differ where no probability lies within the tolerance of its threshold.
        near: Inputs so near a threshold that their decision is not compared.
        spread: Largest minus smallest probability of the same output over the inputs: near 0 they prove little.
    """

    engine: str
    inputs: int
    tolerance: Tolerance
    network: float
    resized: float
    logits: float
    batches: float
    decisions: int
    near: int
    spread: float

    @property
    def passed(self) -> bool:
        """Whether the export may be used."""
        return (
            max(self.network, self.batches) <= self.tolerance.network
            and self.resized <= self.tolerance.resized
            and self.logits <= self.tolerance.logits
            and not self.decisions
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "engine": self.engine,
            "inputs": self.inputs,
            "tolerance": dataclasses.asdict(self.tolerance),
            "largest_difference": {"network": self.network, "resized": self.resized, "batches": self.batches},
            "largest_difference_of_logits_over_their_deviation": self.logits,
            "different_decisions": self.decisions,
            "too_near_a_threshold_to_compare": self.near,
            "spread_of_probabilities": self.spread,
            "passed": self.passed,
        }


def expected(answer: Answer, inputs: Sequence[Pixels], prepare: Callable[[Pixels], torch.Tensor]) -> list[Outputs]:
    """Return the model's own answers, by the preparation that training and prediction use, one input at a time."""
    found = []
    with torch.inference_mode():
        for pixels in inputs:
            given = Answer(
                _Given(prepare(pixels[np.newaxis])),
                answer.network,
                activation=answer.activation,
                thresholds=answer.thresholds,
                positive=answer.positive,
            )
            probabilities, decision, logits = given(torch.from_numpy(pixels[np.newaxis]))
            found.append((probabilities.numpy(), decision.numpy(), logits.numpy()))
    return found


class _Given(torch.nn.Module):
    """A preparation that was done before."""

    def __init__(self, prepared: torch.Tensor) -> None:
        super().__init__()
        self.prepared = prepared

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.prepared


def preparation_of(predictor: Predictor) -> Callable[[Pixels], torch.Tensor]:
    """Return how a predictor prepares whole frames [B, H, W, 3], or clips [B, T, H, W, 3]."""
    from cineloop.tasks.clip_classification.predictor import ClipPredictor
    from cineloop.tasks.clip_classification.transforms import eval_transform
    from cineloop.tasks.frame_classification.predictor import FramePredictor

    if isinstance(predictor, FramePredictor):
        return predictor.head.input.tensor
    if isinstance(predictor, ClipPredictor):
        transform = eval_transform(predictor.input.spatial, spatial_views=1)
        return lambda pixels: torch.stack([transform(clip) for clip in pixels])
    raise ExportError(
        f"There is no graph for {type(predictor).__name__}", mend="Export a classifier of clips or frames."
    )


def compare(
    name: str,
    run: Engine,
    inputs: Sequence[Pixels],
    wanted: Sequence[Outputs],
    *,
    tolerance: Tolerance,
    thresholds: Sequence[float],
) -> Parity:
    """Compare an engine's answers with the model's, one by one and in a batch.

    Args:
        name: The engine.
        run: It.
        inputs: Pixels, those that need no resizing first, all of these of one size.
        wanted: The model's answers.
        tolerance: How far probabilities may lie apart.
        thresholds: What decides; inputs nearer to one than the tolerance are not compared by decision.
    """
    found = [run(pixels[np.newaxis]) for pixels in inputs]
    plain = [pixels.shape == inputs[0].shape for pixels in inputs]
    gaps = np.array([_gap(one[0], other[0]) for one, other in zip(found, wanted, strict=True)])
    near = different = 0
    for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
        allowed = tolerance.network if plain[place] else tolerance.resized
        if _undecided(other[0][0], thresholds, 2 * allowed):
            near += 1
        elif not np.array_equal(one[1], other[1]):
            different += 1
    same = [place for place, here in enumerate(plain) if here]
    together = run(np.stack([inputs[place] for place in same]))[0]
    table, logits = (np.concatenate([answer[part] for answer in wanted]) for part in (0, 2))
    return Parity(
        engine=name,
        inputs=len(inputs),
        tolerance=tolerance,
        network=float(gaps[plain].max()),
        resized=float(max(gaps[~np.array(plain)], default=0.0)),
        logits=max(_gap(one[2], other[2]) for one, other in zip(found, wanted, strict=True))
        / max(float(logits.std(axis=0).mean()), 1e-12),
        batches=_gap(together, np.concatenate([found[place][0] for place in same])),
        decisions=different,
        near=near,
        spread=float((table.max(axis=0) - table.min(axis=0)).max()),
    )


def _gap(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return how far two arrays lie apart; NaN, which compares with nothing, lies infinitely far."""
    gap = float(np.abs(one - other).max())
    return float("inf") if np.isnan(gap) else gap


def _undecided(probabilities: npt.NDArray[np.float32], thresholds: Sequence[float], gap: float) -> bool:
    """Return whether a decision hangs on less than ``gap``."""
    count = len(thresholds)
    if count == 1:
        return bool(np.abs(probabilities - thresholds[0]).min() < gap)
    close = count > 1 and bool((np.abs(probabilities[:count] - np.asarray(thresholds)) < gap).any())
    top = np.sort(probabilities[count:])[-2:]
    return close or bool(top[-1] - top[0] < gap)


def require(parity: Parity, *, where: Path) -> None:
    """Refuse an export that does not compute what the model does.

    Raises:
        ExportError: Probabilities or decisions differ beyond the tolerance.
    """
    if not parity.passed:
        allowed = parity.tolerance
        raise ExportError(
            f"The exported graph does not compute what the model does ({parity.engine}): probabilities differ by "
            f"{parity.network:.2g} (allowed {allowed.network:g}), after resizing by {parity.resized:.2g} (allowed "
            f"{allowed.resized:g}), in a batch by {parity.batches:.2g}; logits by {parity.logits:.2g} of "
            f"their deviation (allowed {allowed.logits:g}); {parity.decisions} of {parity.inputs} decisions differ",
            where=where,
            mend="Nothing was written. Choose another precision or format.",
        )
