"""An exponential moving average of the weights (Polyak and Juditsky 1992), as evaluation then uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Averaged copies of a module's floating-point state; other state follows the module.

    Args:
        module: What is averaged.
        decay: The weight of the past at each step, in (0, 1); early steps use ``(1 + n) / (10 + n)`` if that is less,
            so that the start is forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the module's present weights."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1.0 - decay)
            else:
                self.state[name].copy_(value)

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """Put the averaged weights into the module, and the trained ones back afterwards."""
        trained = {name: value.detach().clone() for name, value in module.state_dict().items()}
        module.load_state_dict(self.state)
        try:
            yield
        finally:
            module.load_state_dict(trained)

    def state_dict(self) -> dict[str, Tensor | int | dict[str, Tensor]]:
        """Return what a resume needs."""
        return {"updates": self.updates, "state": self.state}

    def load_state_dict(self, data: dict[str, object]) -> None:
        """Restore what :meth:`state_dict` gave."""
        updates, state = data["updates"], data["state"]
        assert isinstance(updates, int)
        assert isinstance(state, dict)
        self.updates = updates
        for name, value in state.items():
            self.state[name].copy_(value)
