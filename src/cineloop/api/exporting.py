"""``export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cineloop.api.sources import same_data
from cineloop.errors import ExportError
from cineloop.exports.guard import guard_of
from cineloop.exports.monai_bundle import write_bundle
from cineloop.exports.tensorrt import Ranges
from cineloop.exports.write import Exported
from cineloop.exports.write import export as write_export
from cineloop.inference.load import Loaded, load
from cineloop.inference.measured import chosen_threshold, chosen_thresholds, measured
from cineloop.progress import Progress, silent
from cineloop.schema import did_you_mean
from cineloop.tasks.cohort import prepare
from cineloop.tasks.recipe import load_recipe


def export(
    model: str | Path | Loaded,
    *,
    form: str = "onnx",
    out: str | Path | None = None,
    precision: str = "fp32",
    calibration: int = 200,
    agreement: float = 0.98,
    threshold: float | None = None,
    size: tuple[int, int] = (720, 1280),
    progress: Progress = silent,
) -> Exported:
    """Write a model for another engine, with test vectors and the proof that it computes the same.

    Args:
        model: A run, a weights file that a run wrote, or what :func:`load` gave.
        form: ``onnx``, ``openvino``, ``torchscript``, ``tensorrt``, or ``bundle`` for a MONAI bundle.
        out: A new folder; by default ``export/<form>`` in the run, with the precision where that is not fp32.
        precision: ``fp32``; of OpenVINO also ``bf16`` and ``int8``.
        calibration: Training frames that int8 is calibrated on.
        agreement: The share of decisions on validation that a reduced precision must keep.
        threshold: Of a binary problem, or of a colonoscopy's three questions alike; None takes what the run's
            evaluation chose, if there is that.
        size: Height and width of the frames that a TensorRT engine is built for.
        progress: Told about steps.

    Raises:
        ExportError: The model cannot be exported so, or the graph does not compute what the model does.
        RunError: There is no finished run.
    """
    loaded = model if isinstance(model, Loaded) else load(model, device="cpu")
    _one_of(form, ("onnx", "openvino", "torchscript", "tensorrt", "bundle"), "--format", "format")
    _one_of(precision, ("fp32", "bf16", "int8"), "--precision", "precision")
    if out is None:
        if loaded.run is None:
            raise ExportError("Weights alone have no folder for an export", where=loaded.path, mend="Give --out.")
        out = loaded.run.path / "export" / (form if precision == "fp32" else f"{form}-{precision}")
    given = threshold
    if threshold is None:
        threshold = chosen_threshold(loaded)
    if form == "bundle":
        return write_bundle(loaded, Path(out), threshold=threshold, accuracy=measured(loaded, "accuracy"))
    guard = None
    if precision != "fp32" and form == "openvino" and loaded.run is not None:
        prepared = prepare(load_recipe(loaded.run.recipe_file), progress=progress)
        same_data(loaded.run, prepared.cohort)
        guard = guard_of(loaded, prepared.cohort, calibration=calibration, agreement=agreement, progress=progress)
    return write_export(
        loaded,
        form,  # type: ignore[arg-type]
        Path(out),
        precision=precision,  # type: ignore[arg-type]
        threshold=threshold,
        questions=dict.fromkeys(loaded.predictor.asks, given) if given is not None else chosen_thresholds(loaded),
        guard=guard,
        ranges=Ranges(*size),
        progress=progress,
    )


def _one_of(value: str, known: Sequence[str], where: str, what: str) -> None:
    if value not in known:
        raise ExportError(f"There is no {what} {value!r}", where=where, mend=did_you_mean(value, known))
