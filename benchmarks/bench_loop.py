"""The training loop against a bare loop around the same model and the same batches in memory."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from cineloop import models, runs
from cineloop.seeds import stable_seed
from cineloop.training.logs import RunLog
from cineloop.training.loop import Loop
from cineloop.training.losses import LOSSES
from cineloop.training.optimizer import build_optimizer, learning_rate_scale, set_learning_rate, split_decay
from cineloop.training.order import Shuffled
from cineloop.training.runtime import Runtime
from cineloop.training.samples import Entry
from cineloop.training.schema import TrainSection
from table import Row

STEPS, BATCH, ROUNDS = 40, 8, 6


class Clips(Dataset):
    """Clips that are in memory already, so that only the loop is measured."""

    def __init__(self):
        self.clips = torch.randn(STEPS * BATCH, 3, 8, 96, 96, generator=torch.Generator().manual_seed(0))

    def __len__(self):
        return len(self.clips)

    def __getitem__(self, key):
        return key, self.clips[key.item], key.item % 2


class Learner:
    """A clip classifier on random clips."""

    def __init__(self):
        torch.manual_seed(0)
        self.module = nn.Sequential(models.create("timesformer-tiny"), nn.LazyLinear(2))
        self.data = Clips()
        self.module(self.data.clips[:1])
        spec = LOSSES.get("cross-entropy")
        self.loss = spec.build(spec.Config(), [BATCH, BATCH])

    def order(self, seed):
        return Shuffled([Entry(index) for index in range(len(self.data))], seed)

    def dataset(self):
        return self.data

    def collate(self, samples):
        keys, clips, targets = zip(*samples, strict=True)
        return {"keys": list(keys), "input": torch.stack(clips), "target": torch.tensor(targets)}

    def check(self, batch):
        pass

    def weights(self, batch):
        return self.loss.weight(batch["target"])

    def losses(self, module, batch):
        return self.loss(module(batch["input"]), batch["target"])

    def parameter_groups(self, layer_decay, head_lr_scale):
        return split_decay(self.module, [name for name, _ in self.module.named_parameters()], "all", 1.0)

    def has_validation(self):
        return False

    def records(self, batch):
        return None

    def save_weights(self, path, state):
        pass


def config() -> TrainSection:
    return TrainSection.model_validate(
        {"epochs": 1, "batch_size": BATCH, "workers": 0, "clip_grad_norm": 1.0, "log": {"tensorboard": False}}
    )


def ours(folder: Path, number: int) -> float:
    """Return seconds a step of the product's loop, its records and checkpoint included."""
    learner, section = Learner(), config()
    run = runs.create(folder / f"run-{number}", {})
    runtime = Runtime(section)
    runtime.launch()
    loop = Loop(
        learner,
        section,
        run,
        runtime,
        open_log=lambda keep, first: RunLog(run, [], keep),
        recipe="benchmark",
    )
    began = time.perf_counter()
    loop.fit()
    return (time.perf_counter() - began) / STEPS


def bare() -> float:
    """Return seconds a step of the least code that trains the same: forward, backward, clip, step."""
    learner, section = Learner(), config()
    optimizer = build_optimizer(learner.module, learner.parameter_groups(1.0, 1.0), section.optimizer)
    learner.module.train()
    began = time.perf_counter()
    for step in range(STEPS):
        torch.manual_seed(stable_seed("step", step))
        clips = torch.stack([learner.data.clips[step * BATCH + i] for i in range(BATCH)])
        target = torch.arange(BATCH) % 2
        set_learning_rate(optimizer, 3e-4 * learning_rate_scale(step, STEPS, 0, section.schedule))
        loss = nn.functional.cross_entropy(learner.module(clips), target)
        loss.backward()
        nn.utils.clip_grad_norm_(learner.module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
    return (time.perf_counter() - began) / STEPS


def run() -> list[Row]:
    """Interleave both and compare pair by pair."""
    with tempfile.TemporaryDirectory() as folder:
        bare()
        ours(Path(folder), -1)
        pairs = []
        for number in range(ROUNDS):
            # Who goes first changes, so that a machine that grows faster or slower favours neither.
            if number % 2:
                peer, mine = bare(), ours(Path(folder), number)
            else:
                mine, peer = ours(Path(folder), number), bare()
            pairs.append((mine, peer))
    ratio = statistics.median(mine / peer for mine, peer in pairs)
    return [
        Row(
            name="training step, timesformer-tiny, 8 clips of 8x96x96",
            ours=f"{1000 * statistics.median(mine for mine, _ in pairs):.0f} ms",
            peer=f"bare loop {1000 * statistics.median(peer for _, peer in pairs):.0f} ms",
            ratio=ratio,
            target="at most 1.03",
            ok=ratio <= 1.03,
            note=f"{ROUNDS} interleaved pairs of {STEPS} steps, one checkpoint included",
        )
    ]
