"""A learner of almost nothing, for the loop's own tests: four numbers in, two classes out."""

from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import Dataset

from cineloop.files import write_json
from cineloop.seeds import generator
from cineloop.training.learner import Validation
from cineloop.training.losses import LOSSES, CrossEntropyConfig, FocalConfig
from cineloop.training.optimizer import split_decay
from cineloop.training.order import Shuffled
from cineloop.training.samples import Entry


class Points(Dataset):
    def __init__(self, count, poison=None):
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(count, 4)).astype(np.float32)
        self.y = (self.x @ np.array([1.0, -2.0, 0.5, 0.0]) > 0).astype(np.int64)
        self.poison = poison

    def __len__(self):
        return len(self.x)

    def __getitem__(self, key):
        noise = generator("noise", key.epoch, key.item, key.occurrence).normal(size=4).astype(np.float32)
        x = self.x[key.item] + 0.1 * noise
        if key.item == self.poison:
            x = x * np.nan
        return key, torch.from_numpy(x), int(self.y[key.item])


class ToyLearner:
    def __init__(
        self,
        *,
        count=37,
        dropout=0.0,
        loss="cross-entropy",
        weighted=False,
        poison=None,
        weights=None,
        val=True,
    ):
        torch.manual_seed(0)
        self.module = nn.Sequential(
            nn.Linear(4, 16), nn.LayerNorm(16), nn.Dropout(dropout), nn.ReLU(), nn.Linear(16, 2)
        )
        self.data = Points(count, poison)
        counts = np.bincount(self.data.y, minlength=2).tolist()
        spec = LOSSES.get(loss)
        config = FocalConfig() if loss == "focal" else CrossEntropyConfig(class_weight="balanced" if weighted else None)
        self.loss = spec.build(config, counts)
        self.draws = weights
        self.val = val
        self.written = []

    def order(self, seed):
        return Shuffled([Entry(index) for index in range(len(self.data))], seed, self.draws)

    def dataset(self):
        return self.data

    def collate(self, samples):
        keys, x, y = zip(*samples, strict=True)
        return {"keys": list(keys), "input": torch.stack(x), "target": torch.tensor(y)}

    def check(self, batch):
        pass

    def weights(self, batch):
        return self.loss.weight(batch["target"])

    def losses(self, module, batch):
        return self.loss(module(batch["input"]), batch["target"])

    def parameter_groups(self, layer_decay, head_lr_scale):
        names = [name for name, p in self.module.named_parameters() if p.requires_grad]
        return split_decay(self.module, names, "all", 1.0)

    def has_validation(self):
        return self.val

    def validate(self, module, runtime):
        x, y = torch.from_numpy(self.data.x), torch.from_numpy(self.data.y)
        right = (module(x).argmax(1) == y).float().mean()
        return Validation({"accuracy": float(right), "undefined": None})

    def describe(self, key):
        return f"point-{key.item}"

    def records(self, batch):
        return [(key.epoch, key.item) for key in batch["keys"] if not key.padding]

    def write_records(self, records, path):
        write_json(path, [list(row) for batch in records for row in batch])

    def save_weights(self, path, state):
        from cineloop.files import atomic_path

        with atomic_path(path) as temporary:
            save_file({name: value.contiguous() for name, value in state.items()}, temporary)
