"""The ``train`` section of a recipe: what the loop does, whatever the task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from cineloop.schema import FigureFiles, Section

Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true"]


class OptimizerSection(Section):
    """How weights move.

    Attributes:
        name: ``adamw`` (Loshchilov and Hutter 2019) or ``sgd``.
        lr: Peak learning rate of the head and the last layer.
        lr_batch: The batch that ``lr`` is meant for: the rate is multiplied by the samples of an optimiser step over
            this number (Goyal et al. 2017, arXiv 1706.02677); null takes ``lr`` as it is.
        weight_decay: Of the parameters that ``decay`` names.
        decay: ``matrices`` leaves biases, norms and other one-dimensional parameters without weight decay; ``all`` does
            not, as many published scripts.
        betas: Of AdamW.
        momentum: Of SGD.
        nesterov: Of SGD.
        layer_decay: Multiplies the learning rate once for each layer below the head (Bao et al. 2021, BEiT).
        head_lr_scale: Multiplies the learning rate of the head.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    lr: Annotated[float, Field(gt=0)] = 3e-4
    lr_batch: PositiveInt | None = None
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    decay: Literal["matrices", "all"] = "matrices"
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = False
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    head_lr_scale: Annotated[float, Field(gt=0)] = 1.0


class ScheduleSection(Section):
    """The learning rate over steps.

    Attributes:
        name: ``cosine`` (Loshchilov and Hutter 2017) or ``constant``, after the warm-up.
        warmup_epochs: Epochs, or a part of one, over which the rate rises linearly.
        final_scale: The share of the peak that the cosine ends at.
        by: Whether the rate moves at every optimiser step, or stays the same for a whole epoch.
    """

    name: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    final_scale: Annotated[float, Field(ge=0, le=1)] = 0.0
    by: Literal["step", "epoch"] = "step"


class SelectSection(Section):
    """Which epoch's weights are kept.

    Attributes:
        rule: ``metric`` compares epochs by one metric. ``upstream`` does what the published laryngeal classifier does:
            five conditions on specificity, sensitivity, F1 and a composite score
            (:func:`cineloop.training.selection.by_upstream_rule`).
        metric: A validation metric. Of epochs in which it is equal the one with the least validation loss is kept.
        mode: Whether more or less of it is better.
    """

    rule: Literal["metric", "upstream"] = "metric"
    metric: str = "auroc"
    mode: Literal["max", "min"] = "max"

    @property
    def compared(self) -> str:
        """The name of what epochs are compared by, as the run's records write it."""
        return "composite" if self.rule == "upstream" else self.metric


class EarlyStoppingSection(Section):
    """When to stop before the last epoch.

    Attributes:
        patience: Validations without a gain.
        min_delta: What counts as a gain in the selection metric.
    """

    patience: PositiveInt
    min_delta: Annotated[float, Field(ge=0)] = 0.0


class CheckpointSection(Section):
    """When the state is saved, besides the end of each epoch.

    Attributes:
        every_steps: After this many optimiser steps.
        every_minutes: After this many minutes.
    """

    every_steps: PositiveInt | None = None
    every_minutes: Annotated[float, Field(gt=0)] | None = 5.0


class KeepSection(Section):
    """Which weights are kept in ``checkpoints/`` besides those of the chosen epoch.

    Attributes:
        best: Validation metrics; the weights of the epoch in which each was largest are kept, of equal ones the first.
        every_epochs: Keep the weights after this many epochs, and again after as many.
    """

    best: tuple[str, ...] = ()
    every_epochs: PositiveInt | None = None


class LogSection(Section):
    """Where curves go, besides ``metrics.jsonl`` and ``metrics.csv``, which are always written.

    Attributes:
        every_steps: Optimiser steps between two records.
        tensorboard: Event files in the run's folder.
        mlflow: Address of an MLflow tracking server or folder.
        wandb: A Weights & Biases project.
    """

    every_steps: PositiveInt = 10
    tensorboard: bool = True
    mlflow: str | None = None
    wandb: str | None = None


class TrainSection(Section):
    """The loop.

    Attributes:
        seed: Decides first weights, order, augmentation and dropout.
        epochs: Times that every training sample is seen.
        max_steps: Stop after this many optimiser steps.
        batch_size: Samples in one forward pass, over all devices together.
        accumulate: Batches in one optimiser step.
        drop_last: Leave out a last batch that is not full.
        balance: ``classes`` draws with replacement, every class equally often.
        workers: Processes that decode; they change no sample.
        accelerator: ``auto`` takes a GPU where there is one.
        devices: Processes on this host, each with a device of its own.
        precision: Of the arithmetic, as Lightning Fabric names it; ``auto`` is ``bf16-mixed`` where the device has it
            in hardware, else ``32-true``. A run goes on in what it was begun with.
        compile: Compile the model with ``torch.compile``.
        threads: Compute threads of each process.
        optimizer: How weights move.
        schedule: The learning rate over steps.
        clip_grad_norm: Scale gradients down to this norm.
        ema: Decay of an average of the weights, which is then what is validated and kept.
        validate_every: Epochs between validations.
        carve_validation: The share of the training items, whole patients, that becomes the validation split where the
            cohort has none.
        select: Which epoch's weights are kept.
        early_stopping: When to stop before the last epoch.
        checkpoint: When the state is saved, besides the end of each epoch.
        keep: Which other weights are kept.
        log: Where curves go.
        figures: As what the run's ``figures/`` are written: ``svg``, ``png`` (200 dpi), ``both`` or ``none``.
    """

    seed: int = 42
    epochs: PositiveInt = 30
    max_steps: PositiveInt | None = None
    batch_size: PositiveInt = 8
    accumulate: PositiveInt = 1
    drop_last: bool = False
    balance: Literal["none", "classes"] = "none"
    workers: Annotated[int, Field(ge=0)] = 2
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: PositiveInt = 1
    precision: Precision = "32-true"
    compile: bool = False
    threads: PositiveInt | None = None
    optimizer: OptimizerSection = OptimizerSection()
    schedule: ScheduleSection = ScheduleSection()
    clip_grad_norm: Annotated[float, Field(gt=0)] | None = None
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    validate_every: PositiveInt = 1
    carve_validation: Annotated[float, Field(ge=0, lt=1)] = 0.2
    select: SelectSection = SelectSection()
    early_stopping: EarlyStoppingSection | None = None
    checkpoint: CheckpointSection = CheckpointSection()
    keep: KeepSection = KeepSection()
    log: LogSection = LogSection()
    figures: FigureFiles = "svg"

    @property
    def learning_rate(self) -> float:
        """The peak learning rate, scaled to the batch where the recipe asks for it."""
        optimizer = self.optimizer
        if optimizer.lr_batch is None:
            return optimizer.lr
        return optimizer.lr * self.batch_size * self.accumulate / optimizer.lr_batch

    @model_validator(mode="after")
    def _devices_divide_batch(self) -> TrainSection:
        if self.batch_size < self.devices:
            raise ValueError(f"batch_size {self.batch_size} is smaller than the number of devices, {self.devices}")
        return self
