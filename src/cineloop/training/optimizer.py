"""The optimiser, its parameter groups, and the learning rate as a function of the step."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn
from torch.optim import Optimizer

from cineloop.errors import TrainingError
from cineloop.training.learner import ParameterGroup
from cineloop.training.schema import OptimizerSection, ScheduleSection


def check_groups(module: nn.Module, groups: Sequence[ParameterGroup]) -> None:
    """Prove that every trainable parameter stands in exactly one group.

    Raises:
        TrainingError: Nothing is trainable.
        AssertionError: A task declared its groups wrongly.
    """
    trainable = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    if not trainable:
        raise TrainingError(
            "No parameter is trainable", where="model.trainable", mend="Set model.trainable=all, or head."
        )
    counted = Counter(name for group in groups for name in group.names)
    twice = sorted(name for name, count in counted.items() if count > 1)
    missing = sorted(trainable - counted.keys())
    foreign = sorted(counted.keys() - trainable)
    if twice or missing or foreign:
        raise AssertionError(f"groups: twice {twice}, missing {missing}, not trainable {foreign}")


def split_decay(module: nn.Module, names: Sequence[str], group: str, lr_scale: float) -> list[ParameterGroup]:
    """Split parameters into those with weight decay (matrices, kernels) and those without (biases, norms)."""
    parameters = dict(module.named_parameters())
    decayed = tuple(name for name in names if parameters[name].ndim > 1)
    plain = tuple(name for name in names if parameters[name].ndim <= 1)
    groups = [
        ParameterGroup(group, decayed, lr_scale, decay=True),
        ParameterGroup(f"{group}, no decay", plain, lr_scale, decay=False),
    ]
    return [entry for entry in groups if entry.names]


def build_optimizer(
    module: nn.Module, groups: Sequence[ParameterGroup], config: OptimizerSection, *, lr: float | None = None
) -> Optimizer:
    """Return the optimiser of a recipe over the groups of a task, beginning at the rate ``lr``."""
    lr = config.lr if lr is None else lr
    check_groups(module, groups)
    parameters = dict(module.named_parameters())
    rows = [
        {
            "params": [parameters[name] for name in group.names],
            "lr": lr * group.lr_scale,
            "lr_scale": group.lr_scale,
            "weight_decay": config.weight_decay if group.decay or config.decay == "all" else 0.0,
        }
        for group in groups
    ]
    if config.name == "sgd":
        return torch.optim.SGD(rows, lr=lr, momentum=config.momentum, nesterov=config.nesterov)
    return torch.optim.AdamW(rows, lr=lr, betas=config.betas)


def learning_rate_scale(step: int, steps: int, warmup: int, config: ScheduleSection) -> float:
    """Return the factor of the learning rate at optimiser step ``step`` of ``steps``, both from 0.

    The warm-up rises linearly and reaches 1 at step ``warmup``; the cosine ends at ``final_scale``.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.name == "constant":
        return 1.0
    progress = (step - warmup) / max(1, steps - warmup)
    return config.final_scale + (1.0 - config.final_scale) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Give each group ``lr`` times its scale."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]
