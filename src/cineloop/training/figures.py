"""The figures of a training, as files: curves, confusion matrices over the epochs, curves of the kept epoch."""

from __future__ import annotations

from collections.abc import Sequence

from cineloop.evaluation.plots import draw_bare
from cineloop.evaluation.predictions import Predictions
from cineloop.report.epochs import confusion_pair, confusion_sheet, thinned
from cineloop.report.overview import small_multiples
from cineloop.runs import Run
from cineloop.training.curves import epoch_confusions, metric_panels, training_panels
from cineloop.training.schema import TrainSection

_ON_A_SHEET, _SINGLE = 36, 100
"""Epochs at the most: of longer trainings the first, the last, the kept one, and others evenly between."""


def write_figures(run: Run, config: TrainSection, classes: Sequence[str], *, watermark: str | None = None) -> None:
    """Write ``figures/`` of a run that has ended; equal records give equal bytes.

    Args:
        run: Its records, ledger and ``checkpoints/best_validation.parquet`` are read.
        config: The recipe's ``train`` section.
        classes: The class names in the order of the records: of two, the positive one last.
        watermark: The reason of a leak that was allowed, written across every figure.

    Raises:
        OSError: A file cannot be written.
    """
    if config.figures == "none":
        return
    metric = config.select.compared
    panels = training_panels(run, metric)
    if panels:
        drawing = small_multiples([*panels, *metric_panels(run, metric)], watermark=watermark)
        drawing.write_as(config.figures, run.figures, "curves")
    epochs = epoch_confusions(run, classes)
    if epochs:
        sheet = confusion_sheet(thinned(epochs, _ON_A_SHEET), watermark=watermark)
        sheet.write_as(config.figures, run.figures, "confusion_epochs")
    for one in thinned(epochs, _SINGLE):
        pair = confusion_pair(one, watermark=watermark)
        pair.write_as(config.figures, run.figures, f"confusion_epoch_{one.epoch:03d}")
    if run.best_validation.is_file():
        for name, drawing in draw_bare(Predictions.read(run.best_validation), watermark=watermark).items():
            drawing.write_as(config.figures, run.figures, f"best_{name}")
