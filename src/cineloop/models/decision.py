"""The hierarchy of the colonoscopy labels, on tensors: part of what is exported with a network."""

from __future__ import annotations

import torch
from torch import Tensor


def decide(probabilities: Tensor, thresholds: tuple[float, float, float], ties: bool = True) -> Tensor:
    """Return labels under the hierarchy: outside excludes all others, nonsense excludes ileocecal and BBPS.

    Args:
        probabilities: float32 [B, 7] in the order of :data:`cineloop.timeline.quality.LABELS`.
        thresholds: For outside, nonsense and ileocecal; a probability equal to its threshold is a yes.
        ties: Whether all BBPS scores of the largest probability are set, as published, or the lowest of them.

    Returns:
        float32 [B, 7], 0 or 1.
    """
    outside = probabilities[:, 0] >= thresholds[0]
    nonsense = ~outside & (probabilities[:, 1] >= thresholds[1])
    readable = ~(outside | nonsense)
    ileocecal = readable & (probabilities[:, 2] >= thresholds[2])
    scores = probabilities[:, 3:]
    if ties:
        chosen = scores >= scores.amax(dim=1, keepdim=True)
    else:
        chosen = torch.arange(scores.shape[1], device=scores.device) == scores.argmax(dim=1, keepdim=True)
    bits = torch.cat((torch.stack((outside, nonsense, ileocecal), dim=1), chosen & readable.unsqueeze(1)), dim=1)
    return bits.to(torch.float32)
