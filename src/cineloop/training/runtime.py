"""Devices, precision and processes: the only file that imports Lightning Fabric."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn
from torch.optim import Optimizer

from cineloop.errors import RecipeError
from cineloop.training import precision as precisions
from cineloop.training.schema import TrainSection

__all__ = ["Runtime"]

T = TypeVar("T")


class Runtime:
    """Where the loop runs: one process or several, on CPUs or GPUs, in one precision.

    Args:
        config: The recipe's ``train`` section.
        precision: What an interrupted run was begun with; None resolves what the recipe asks for.

    Raises:
        RecipeError: The asked accelerator or number of devices is not here.
    """

    def __init__(self, config: TrainSection, *, precision: str | None = None) -> None:
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        accelerator = config.accelerator
        if accelerator == "auto":
            accelerator = "cuda" if torch.cuda.is_available() else "cpu"
        if accelerator == "cuda":
            found = torch.cuda.device_count()
            if found < config.devices:
                raise RecipeError(
                    f"{config.devices} CUDA devices are asked for; {found} are here",
                    where="train.devices",
                    mend="Lower train.devices, or set train.accelerator=cpu.",
                )
        if accelerator == "mps" and not torch.backends.mps.is_available():
            raise RecipeError("No Apple GPU is here", where="train.accelerator", mend="Set train.accelerator=cpu.")
        # Every parameter takes part in every step; Fabric need not search for unused ones.
        strategy: Any = DDPStrategy(find_unused_parameters=False) if config.devices > 1 else "auto"
        self.precision = precision or precisions.resolve(config.precision, accelerator)
        self._fabric = Fabric(
            accelerator=accelerator,
            devices=config.devices,
            strategy=strategy,
            precision=cast(Any, self.precision),
        )
        self._threads = config.threads

    def launch(self) -> None:
        """Start the other processes, if there are any, and set the number of compute threads of this one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._fabric.launch()
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        elif self.world > 1 and self.device.type == "cpu":
            torch.set_num_threads(max(1, (os.cpu_count() or 1) // self.world))

    @property
    def device(self) -> torch.device:
        """This process's device."""
        device: torch.device = self._fabric.device
        return device

    @property
    def rank(self) -> int:
        """This process's number, from 0."""
        return int(self._fabric.global_rank)

    @property
    def world(self) -> int:
        """The number of processes."""
        return int(self._fabric.world_size)

    @property
    def is_main(self) -> bool:
        """Whether this process writes the run."""
        return self.rank == 0

    def setup(self, module: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Move the module to the device and wrap it for precision and synchronisation of gradients."""
        wrapped, wrapped_optimizer = self._fabric.setup(module, optimizer)
        return wrapped, wrapped_optimizer

    def to_device(self, value: T) -> T:
        """Move a tensor, or the tensors of a mapping, to the device; anything else stays as it is."""
        moved: Any = value
        if isinstance(value, Tensor):
            moved = value.to(self.device, non_blocking=True)
        elif isinstance(value, dict):
            moved = {name: self.to_device(item) for name, item in value.items()}
        return cast(T, moved)

    def backward(self, loss: Tensor) -> None:
        """Accumulate gradients, scaled where the precision needs it."""
        self._fabric.backward(loss)

    def unsynchronised(self, module: nn.Module, enabled: bool) -> AbstractContextManager[Any]:
        """Keep gradients local while ``enabled``: for all but the last of accumulated batches."""
        if self.world == 1 or not enabled:
            return nullcontext()
        context: AbstractContextManager[Any] = self._fabric.no_backward_sync(cast(Any, module), enabled=True)
        return context

    def gradient_norm(self, module: nn.Module, optimizer: Optimizer, max_norm: float | None) -> float:
        """Return the norm of all gradients, and scale them to at most ``max_norm`` if one is given."""
        if max_norm is not None:
            clipped = self._fabric.clip_gradients(module, optimizer, max_norm=max_norm, error_if_nonfinite=False)
            assert clipped is not None
            return float(clipped)
        gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
        return float(torch.nn.utils.get_total_norm(gradients))

    def sum(self, values: Tensor) -> Tensor:
        """Add a tensor over all processes."""
        if self.world == 1:
            return values
        total = self._fabric.all_reduce(values.clone(), reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def gather(self, value: Any) -> list[Any]:
        """Collect a picklable value from every process, in order of rank, on every process."""
        if self.world == 1:
            return [value]
        gathered: list[Any] = [None] * self.world
        torch.distributed.all_gather_object(gathered, value)
        return gathered

    def broadcast(self, value: Any) -> Any:
        """Give the main process's picklable value to all."""
        return value if self.world == 1 else self._fabric.broadcast(value)

    def barrier(self) -> None:
        """Wait for all processes."""
        self._fabric.barrier()

    def precision_state(self) -> dict[str, Any]:
        """Return the state of the gradient scaler, empty where the precision has none."""
        state: dict[str, Any] = self._fabric.strategy.precision.state_dict()
        return state

    def load_precision_state(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`precision_state` gave."""
        self._fabric.strategy.precision.load_state_dict(state)
