"""Class-specific residual attention (Zhu and Wu 2021, arXiv 2108.02456): a head that looks where each class is.

Written from the formulas. For a feature f_n at position n and the weight w_c of class c:

    s[c, n] = w_c . f_n / |w_c|
    y[c]    = mean_n s[c, n] + lambda * sum_n s[c, n] * softmax_n(T * s[c, n])

and with several heads, each with weights and a temperature T of its own, the logit is their sum. T = 99 stands for the
limit, where the sum is the maximum over positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

TEMPERATURES: dict[int, tuple[int, ...]] = {
    1: (1,),
    2: (1, 99),
    4: (1, 2, 4, 99),
    6: (1, 2, 3, 4, 5, 99),
    8: (1, 2, 3, 4, 5, 6, 7, 99),
}
"""The temperatures of each number of heads."""

_MAXIMUM = 99


class CSRA(nn.Module):
    """Features [B, D, h, w] of any size to logits [B, K].

    Args:
        width: Channels of the features, D.
        classes: Logits, K.
        heads: 1, 2, 4, 6 or 8; decides the temperatures.
        attention_lambda: How much the attended score counts beside the mean.

    Raises:
        KeyError: No such number of heads is defined.
    """

    temperatures: Tensor

    def __init__(self, width: int, classes: int, *, heads: int = 8, attention_lambda: float = 0.3) -> None:
        super().__init__()
        self.attention_lambda = attention_lambda
        self.multi_head = nn.ModuleList(
            # Under the published names: multi_head.0.head.weight.
            [nn.ModuleDict({"head": nn.Conv2d(width, classes, 1, bias=False)}) for _ in TEMPERATURES[heads]]
        )
        finite = [float(value) for value in TEMPERATURES[heads] if value != _MAXIMUM]
        self.finite = len(finite)
        self.register_buffer("temperatures", torch.tensor(finite).view(1, -1, 1, 1), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of each picture."""
        return self.score(features.flatten(2).transpose(1, 2))

    def score(self, tokens: Tensor) -> Tensor:
        """Return the logits [B, K] of tokens [B, N, D] in any order."""
        weights = torch.stack([weight.flatten(1) for weight in self.multi_head.parameters()])
        weights = weights / weights.norm(dim=2, keepdim=True)
        heads, classes, width = weights.shape
        # One product for all heads, and half precision only there: exponents and sums are of few numbers.
        scores = torch.matmul(tokens, weights.view(heads * classes, width).t()).float()
        scores = scores.view(tokens.shape[0], tokens.shape[1], heads, classes).permute(0, 2, 3, 1)
        logits = scores.mean(dim=3).sum(dim=1)
        soft = scores[:, : self.finite]
        attended = (soft * torch.softmax(self.temperatures * soft, dim=3)).sum(dim=3).sum(dim=1)
        if heads > self.finite:
            attended = attended + scores[:, self.finite :].amax(dim=3).sum(dim=1)
        return logits + self.attention_lambda * attended
