"""The loop: epochs, steps, validation, selection, checkpoints. One for every task, made to be read in one sitting.

What it promises: the samples of a step and their augmentation follow from the recipe alone, so workers change
nothing and processes only share the work; a run that is killed at any moment goes on from its last checkpoint and
ends with the same bits; a loss that is not finite stops before it reaches the weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from cineloop import files
from cineloop.errors import TrainingError
from cineloop.progress import Progress as Listener
from cineloop.progress import silent
from cineloop.runs import Run
from cineloop.seeds import stable_seed
from cineloop.training.average import WeightAverage
from cineloop.training.checkpoint import Checkpoint, Progress
from cineloop.training.learner import Batch, Learner, Validation
from cineloop.training.loading import data_loader
from cineloop.training.logs import RunLog, Value, sample_parts
from cineloop.training.optimizer import build_optimizer, learning_rate_scale, set_learning_rate
from cineloop.training.runtime import Runtime
from cineloop.training.samples import BatchPlan
from cineloop.training.schema import TrainSection
from cineloop.training.selection import Choice, by_metric, by_upstream_rule


@dataclass(frozen=True)
class FitResult:
    """How a training ended.

    Attributes:
        epochs: Epochs done.
        steps: Optimiser steps done.
        best: The best value of the selection metric, None without a validation.
        best_epoch: The epoch, from 1, whose weights were kept.
        stopped_early: Whether it ended before the last epoch of the recipe.
        seconds: Seconds of training, over all processes that worked on it one after another.
    """

    epochs: int
    steps: int
    best: float | None
    best_epoch: int | None
    stopped_early: bool
    seconds: float


class Loop:
    """Trains one learner into one run.

    Args:
        learner: The model and its data.
        config: The recipe's ``train`` section.
        run: Where to write; only the main process does.
        runtime: Devices and processes, launched.
        open_log: Opens the run's log on the main process, given the bytes to keep and the first step.
        recipe: The fingerprint of the resolved recipe; a checkpoint of another is refused.
        listener: Told about progress.
    """

    def __init__(
        self,
        learner: Learner,
        config: TrainSection,
        run: Run,
        runtime: Runtime,
        *,
        open_log: Callable[[int, int], RunLog],
        recipe: str,
        listener: Listener = silent,
    ) -> None:
        self.learner = learner
        self.config = config
        self.run = run
        self.runtime = runtime
        self.recipe = recipe
        self.listener = listener if runtime.is_main else silent
        self.progress = Progress()
        self._open_log = open_log
        self._log: RunLog | None = None
        self._records: list[Any] = []
        self._saved_at = self._began = time.perf_counter()

        self.plan = BatchPlan(config.batch_size, rank=runtime.rank, world=runtime.world, drop_last=config.drop_last)
        self.order = learner.order(config.seed)
        batches = self.plan.count(self.order.rows)
        if batches == 0:
            raise TrainingError(
                f"{self.order.rows} training samples make no batch of {config.batch_size}",
                where="train.batch_size",
                mend="Lower train.batch_size, or set train.drop_last=false.",
            )
        self.steps_per_epoch = -(-batches // config.accumulate)
        self.total_steps = self.steps_per_epoch * config.epochs
        if config.max_steps is not None:
            self.total_steps = min(self.total_steps, config.max_steps)
        self.warmup = round(config.schedule.warmup_epochs * self.steps_per_epoch)

        groups = learner.parameter_groups(config.optimizer.layer_decay, config.optimizer.head_lr_scale)
        optimizer = build_optimizer(learner.module, groups, config.optimizer, lr=config.learning_rate)
        module: nn.Module = torch.compile(learner.module) if config.compile else learner.module  # type: ignore[assignment]
        self.module: nn.Module
        self.optimizer: Optimizer
        self.module, self.optimizer = runtime.setup(module, optimizer)
        self.average = WeightAverage(learner.module, config.ema) if config.ema is not None else None

    def fit(self, *, resume: bool = False) -> FitResult:
        """Train to the end of the recipe, or to early stopping.

        Args:
            resume: Go on from the run's last checkpoint, if there is one.

        Raises:
            TrainingError: The loss is not finite.
            RunError: The checkpoint cannot be used.
        """
        if resume and self.run.last_checkpoint.exists():
            self._restore(Checkpoint.load(self.run.last_checkpoint))
        if self.runtime.is_main:
            self._log = self._open_log(self.progress.metrics_bytes, self.progress.step)
        self._drop_later_records()
        loader = self._loader()
        try:
            while not self._finished():
                self._epoch(loader)
        finally:
            if self._log is not None:
                self._log.close()
        self._keep_final_weights()
        return FitResult(
            epochs=self.progress.epoch,
            steps=self.progress.step,
            best=self.progress.best,
            best_epoch=self.progress.best_epoch,
            stopped_early=self._stale(),
            seconds=self._seconds(),
        )

    # One epoch, and the steps in it.

    def _epoch(self, loader: DataLoader[Any]) -> None:
        epoch, config = self.progress.epoch, self.config
        self.plan.begin(self.order.keys(epoch), first_batch=self.progress.batch)
        self.listener.start(self.steps_per_epoch, f"epoch {epoch + 1}/{config.epochs}")
        self.listener.advance(self.progress.batch // config.accumulate)
        self.module.train()
        began = time.perf_counter()
        batches = iter(loader)
        while self.progress.step < self.total_steps and (group := list(islice(batches, config.accumulate))):
            loss, norm = self._step(group)
            self.progress.batch += len(group)
            self.progress.loss_sum += loss
            self.progress.loss_steps += 1
            self.listener.advance(1, loss=loss)
            if self._log is not None and self.progress.step % config.log.every_steps == 0:
                values = {"epoch": epoch + 1, "loss": loss, "lr": self._rate(), "grad_norm": norm}
                self._log.record("step", self.progress.step, values)
            if self._checkpoint_due():
                self._checkpoint()
        self.listener.close()
        self._end_epoch(time.perf_counter() - began)

    def _step(self, group: list[Batch]) -> tuple[float, float]:
        """Take one optimiser step over accumulated batches; return the loss and the gradient's norm before clipping."""
        config, runtime = self.config, self.runtime
        at = self.progress.step
        if config.schedule.by == "epoch":
            at -= at % self.steps_per_epoch
        scale = learning_rate_scale(at, self.total_steps, self.warmup, config.schedule)
        set_learning_rate(self.optimizer, config.learning_rate * scale)
        torch.manual_seed(stable_seed("step", config.seed, self.progress.step, runtime.rank))

        # A step's loss is the weighted mean over all its samples, however they are cut into batches and processes.
        # Weights follow from labels, so the divisor is known before the first forward pass.
        for batch in group:
            self.learner.check(batch)
        real = [torch.tensor([not key.padding for key in batch["keys"]]) for batch in group]
        weights = sum(float(self.learner.weights(batch)[mask].sum()) for batch, mask in zip(group, real, strict=True))
        divisor = float(runtime.sum(torch.tensor(weights, dtype=torch.float64, device=runtime.device)))
        local = torch.zeros((), dtype=torch.float64)
        outputs: list[Tensor] = []
        for number, (batch, mask) in enumerate(zip(group, real, strict=True)):
            with runtime.unsynchronised(self.module, number < len(group) - 1):
                losses = self.learner.losses(self.module, runtime.to_device(batch))[mask.to(runtime.device)]
                # Processes average their gradients, so each one's share is counted `world` times.
                runtime.backward(losses.sum() * (runtime.world / divisor))
            outputs.append(losses.detach())
            local += losses.detach().sum().to("cpu", torch.float64)
        loss = float(runtime.sum(local.to(runtime.device))) / divisor
        norm = runtime.gradient_norm(self.module, self.optimizer, config.clip_grad_norm)
        # A scaler of gradients skips overflowing steps by itself.
        if not math.isfinite(loss) or (not math.isfinite(norm) and config.precision != "16-mixed"):
            self._refuse(group, outputs)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        if self.average is not None:
            self.average.update(self.learner.module)
        for batch in group:
            record = self.learner.records(batch)
            if record is not None:
                self._records.append(record)
        return loss, norm

    def _rate(self) -> float:
        """Return the learning rate of the last step, before groups scale it."""
        group = self.optimizer.param_groups[0]
        return float(group["lr"] / group["lr_scale"])

    def _refuse(self, group: list[Batch], outputs: list[Tensor]) -> None:
        names = []
        for batch, losses in zip(group, outputs, strict=True):
            keys = [key for key in batch["keys"] if not key.padding]
            finite = torch.isfinite(losses).tolist()
            names += [self.learner.describe(key) for key, good in zip(keys, finite, strict=True) if not good]
        shown = ", ".join(names[:8]) or "none of this process alone; the gradient overflowed"
        raise TrainingError(
            f"The loss is not finite at step {self.progress.step} (epoch {self.progress.epoch + 1}); "
            f"the step was not taken. Samples: {shown}",
            where=self.run.path,
            mend="Lower train.optimizer.lr or set train.clip_grad_norm, look at these samples, and train again.",
        )

    # Validation, selection, stopping.

    def _end_epoch(self, train_seconds: float) -> None:
        progress, config = self.progress, self.config
        loss = progress.loss_sum / progress.loss_steps if progress.loss_steps else None
        progress.epoch, progress.batch, progress.loss_sum, progress.loss_steps = progress.epoch + 1, 0, 0.0, 0
        values: dict[str, Value] = {"epoch": progress.epoch, "train_loss": loss, "lr": self._rate()}
        last = progress.epoch == config.epochs or progress.step >= self.total_steps
        if self.learner.has_validation() and (last or progress.epoch % config.validate_every == 0):
            values |= self._validate()
        self._keep_every()
        if self._log is not None:
            timing = {"train_seconds": round(train_seconds, 3), "seconds": round(self._seconds(), 3)}
            self._log.record("epoch", progress.step, {**values, **timing})
            shown = " ".join(f"{name}={value:.4g}" for name, value in values.items() if isinstance(value, int | float))
            self._log.say(f"step {progress.step}: {shown}")
            if "kept" in values:
                self._log.say(f"epoch {progress.epoch} is kept: {values['kept']}")
        self._checkpoint()

    def _validate(self) -> dict[str, Value]:
        progress = self.progress
        self.module.eval()
        with self.average.applied(self.learner.module) if self.average else nullcontext(), torch.no_grad():
            result = self.learner.validate(self.module, self.runtime)
            choice = self._choose(result)
            progress.stale = 0 if choice.gain else progress.stale + 1
            if choice.keep:
                progress.best, progress.best_metrics = choice.value, dict(result.metrics)
                progress.best_epoch = progress.epoch
                if self.runtime.is_main:
                    self.learner.save_weights(self.run.best_weights, self.learner.module.state_dict())
                    if result.write is not None:
                        result.write(self.run.path)
            self._keep_others(result)
        self.module.train()
        values: dict[str, Value] = {f"val_{name}": metric for name, metric in result.metrics.items()}
        if result.confusion:
            values["val_confusion"] = [list(row) for row in result.confusion]
        if self.config.select.rule == "upstream":
            values["val_composite"] = choice.value
        if choice.keep:
            values["kept"] = choice.reason
        return values

    def _choose(self, result: Validation) -> Choice:
        select, best = self.config.select, self.progress.best_metrics
        if select.rule == "upstream":
            return by_upstream_rule(result.metrics, result.confusion, best, self.progress.best)
        stopping = self.config.early_stopping
        return by_metric(result.metrics, best, select, stopping.min_delta if stopping else 0.0)

    def _keep_others(self, result: Validation) -> None:
        """Keep, besides the chosen epoch's, the weights of the epochs that are best by further metrics.

        Raises:
            TrainingError: The validation gives no such metric.
        """
        keep, progress = self.config.keep, self.progress
        due = []
        for metric in keep.best:
            if metric not in result.metrics:
                raise TrainingError(
                    f"The validation gives no metric called {metric!r}",
                    where="train.keep.best",
                    mend=f"Choose among: {', '.join(sorted(result.metrics))}.",
                )
            value = result.metrics[metric]
            if value is not None and value > progress.best_by.get(metric, -math.inf):
                progress.best_by[metric] = value
                due.append(self.run.weights_by(metric))
        if self.runtime.is_main:
            for path in due:
                self.learner.save_weights(path, self.learner.module.state_dict())

    def _keep_every(self) -> None:
        every = self.config.keep.every_epochs
        if self.runtime.is_main and every is not None and self.progress.epoch % every == 0:
            with self.average.applied(self.learner.module) if self.average else nullcontext():
                self.learner.save_weights(
                    self.run.weights_of_epoch(self.progress.epoch), self.learner.module.state_dict()
                )

    def _stale(self) -> bool:
        stopping = self.config.early_stopping
        return stopping is not None and self.progress.stale >= stopping.patience

    def _finished(self) -> bool:
        progress = self.progress
        return progress.epoch >= self.config.epochs or progress.step >= self.total_steps or self._stale()

    def _keep_final_weights(self) -> None:
        """Write ``weights.safetensors``: the best epoch's, or the last step's where nothing was validated."""
        if self.runtime.is_main:
            if self.progress.best is not None:
                files.write_bytes(self.run.weights_file, self.run.best_weights.read_bytes())
            else:
                with self.average.applied(self.learner.module) if self.average else nullcontext():
                    self.learner.save_weights(self.run.weights_file, self.learner.module.state_dict())
        self.runtime.barrier()

    # State on disk.

    def _loader(self) -> DataLoader[Any]:
        return data_loader(
            self.learner.dataset(),
            self.plan,
            self.learner.collate,
            workers=self.config.workers,
            persistent=True,
            pin_memory=self.runtime.device.type == "cuda",
        )

    def _checkpoint_due(self) -> bool:
        config = self.config.checkpoint
        if config.every_steps is not None and self.progress.step % config.every_steps == 0:
            return True
        if config.every_minutes is None:
            return False
        due = time.perf_counter() - self._saved_at >= 60 * config.every_minutes
        return bool(self.runtime.broadcast(due))

    def _checkpoint(self) -> None:
        self._flush_records()
        self.runtime.barrier()
        if self._log is not None:
            self.progress.metrics_bytes = self._log.bytes_written()
            self._state().save(self.run.last_checkpoint)
        self._saved_at = time.perf_counter()

    def _state(self) -> Checkpoint:
        progress = Progress(**{**vars(self.progress), "seconds": self._seconds()})
        return Checkpoint(
            progress=progress,
            module=self.learner.module.state_dict(),
            optimizer=self.optimizer.state_dict(),
            precision=self.runtime.precision_state(),
            average=self.average.state_dict() if self.average else None,
            recipe=self.recipe,
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.recipe != self.recipe:
            raise TrainingError(
                "The run's checkpoint was made with another recipe",
                where=self.run.recipe_file,
                mend="Resume with the recipe of the run: cineloop train RUN --resume.",
            )
        self.progress = checkpoint.progress
        self.learner.module.load_state_dict(checkpoint.module)
        self.optimizer.load_state_dict(checkpoint.optimizer)
        self.runtime.load_precision_state(checkpoint.precision)
        if self.average is not None and checkpoint.average is not None:
            self.average.load_state_dict(checkpoint.average)

    def _flush_records(self) -> None:
        if not self._records:
            return
        # At the end of an epoch the count has gone on already.
        epoch = self.progress.epoch + (1 if self.progress.batch else 0)
        name = f"train-epoch{epoch:04d}-step{self.progress.step:08d}-rank{self.runtime.rank}.parquet"
        self.learner.write_records(self._records, self.run.samples / name)
        self._records = []

    def _drop_later_records(self) -> None:
        """Remove the parts of the sample records that belong to steps this resume repeats."""
        if self.runtime.is_main:
            for step, path in sample_parts(self.run.samples):
                if step > self.progress.step:
                    path.unlink()
        self.runtime.barrier()

    def _seconds(self) -> float:
        return self.progress.seconds + time.perf_counter() - self._began
