"""An export as a folder: the graph, its contract, test vectors, the proof, and a runner without torch."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cineloop import files
from cineloop.errors import ExportError
from cineloop.exports import openvino_graph, tensorrt, torchscript
from cineloop.exports.contract import contract, frames_of
from cineloop.exports.graph import Answer, Kind, graph_of
from cineloop.exports.onnx_graph import write_onnx
from cineloop.exports.parity import Parity, Tolerance, compare, expected, preparation_of, require
from cineloop.exports.vectors import made_inputs
from cineloop.inference.engines import Engine, Outputs, Pixels, Precision, onnx_engine, openvino_engine
from cineloop.inference.load import Loaded
from cineloop.progress import Progress, silent, stage
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.frame_classification.predictor import FramePredictor

Format = Literal["onnx", "openvino", "torchscript", "tensorrt"]
Form = Format | Literal["bundle"]

TOLERANCES: Mapping[str, Tolerance] = {
    "fp32": Tolerance(network=1e-4, resized=5e-3, logits=0.2),
    "bf16": Tolerance(network=5e-2, resized=5e-2, logits=1.0),
    "int8": Tolerance(network=0.25, resized=0.25, logits=3.0),
}
"""By precision. What low precision costs on real frames is measured by the guard, not by made pictures."""


@dataclass(frozen=True)
class Guard:
    """What a reduced precision may cost on frames of the user's own.

    Attributes:
        calibration: Inputs to calibrate 8 bits on, uint8.
        validation: Other inputs, on which both models are compared.
        targets: The true classes of these, -1 where unknown.
        least_agreement: The share of decisions that must stay the same.
    """

    calibration: Sequence[Pixels]
    validation: Sequence[Pixels]
    targets: Sequence[int]
    least_agreement: float = 0.98


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: Where.
        form: The format.
        parity: How the graph compares with the model; None where it could not be run.
        guard: What reduced precision costs on the user's frames; empty for fp32.
        notes: What a reader must know.
    """

    folder: Path
    form: Form
    parity: Parity | None
    guard: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "folder": str(self.folder),
            "format": self.form,
            "parity": self.parity.to_json() if self.parity is not None else None,
            "on_the_cohort": dict(self.guard) or None,
            "notes": list(self.notes),
        }

    def figures(self) -> list[tuple[str, str]]:
        """Return what was measured, as names and values for a person."""
        parity = self.parity
        if parity is None:
            return []
        allowed = parity.tolerance
        found = [
            ("engine", parity.engine),
            (
                "parity",
                f"{parity.network:.1e} of {allowed.network:g}; resized {parity.resized:.1e} of {allowed.resized:g}",
            ),
        ]
        if self.guard:
            found.append(("cohort", f"{self.guard['same_decision']:.1%} of {self.guard['frames']} decisions unchanged"))
        return found


def export(
    loaded: Loaded,
    form: Format,
    folder: Path,
    *,
    precision: Precision = "fp32",
    threshold: float | None = None,
    questions: Mapping[str, float] | None = None,
    guard: Guard | None = None,
    ranges: tensorrt.Ranges | None = None,
    progress: Progress = silent,
) -> Exported:
    """Write a model for another engine; the folder appears whole, and only if it computes what the model does.

    Args:
        loaded: The model, on the CPU.
        form: For which engine.
        folder: Where; it must not exist yet.
        precision: Of OpenVINO's arithmetic; what is not fp32 lets TensorRT use half precision.
        threshold: Of two classes, that of the positive one; None stands for 0.5.
        questions: Thresholds of a colonoscopy classifier's questions.
        guard: Frames of the user's own; needed for int8, used for bf16 where given.
        ranges: The sizes of frames that a TensorRT engine is built for.
        progress: Told about steps.

    Raises:
        ExportError: The model cannot be exported so, the engine is not installed, or the graph does not compute what
            the model does.
    """
    if folder.exists():
        raise ExportError("Something is already there", where=folder, mend="Give another --out, or remove it.")
    if precision != "fp32" and form in ("onnx", "torchscript"):
        raise ExportError(
            f"{form} is written in fp32", where="--precision", mend="Use --format openvino for bf16 and int8."
        )
    if precision == "int8" and (form != "openvino" or guard is None):
        raise ExportError(
            "8 bits are for OpenVINO, and are calibrated on frames of the cohort",
            where="--precision int8",
            mend="Name the run, whose cohort gives the frames, not its weights alone.",
        )
    kind, answer = graph_of(loaded.predictor, threshold=threshold, questions=questions or {})
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    fresh.mkdir(parents=True)
    try:
        with stage(progress, 3, f"export {form}") as told:
            engine, notes = _write_graph(loaded, form, kind, answer, fresh, precision, guard, ranges)
            told.advance(1)
            inputs, wanted = vectors(loaded, answer, exact=form == "torchscript")
            tolerance = TOLERANCES[precision if form == "openvino" else "fp32"]
            parity = compare(*engine, inputs, wanted, tolerance=tolerance, thresholds=answer.thresholds)
            require(parity, where=folder)
            told.advance(1)
            measured = _guarded(loaded, answer, engine[1], guard) if precision != "fp32" and guard is not None else {}
            _describe(loaded, form, kind, answer, fresh, precision, parity, measured, inputs, wanted, notes)
            told.advance(1)
        fresh.rename(folder)
        files.fsync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return Exported(folder, form, parity, measured, notes)


def _write_graph(
    loaded: Loaded,
    form: Format,
    kind: Kind,
    answer: Answer,
    folder: Path,
    precision: Precision,
    guard: Guard | None,
    ranges: tensorrt.Ranges | None,
) -> tuple[tuple[str, Engine], tuple[str, ...]]:
    """Write the graph's files; return the engine that runs them, and remarks."""
    if form == "torchscript":
        if not isinstance(loaded.predictor, FramePredictor):
            raise ExportError(
                "TorchScript is written for frame classifiers, whose published tools load it",
                where="--format",
                mend="Export a classifier of clips as ONNX.",
            )
        config = loaded.predictor.head.input
        torchscript.write_torchscript(answer, config, folder / "model.ths")
        note = "TorchScript is deprecated: torch develops it no longer. Prefer ONNX."
        return torchscript.torchscript_engine(folder / "model.ths", answer, config), (note,)
    frames = frames_of(loaded)
    onnx_file = folder / "model.onnx"
    metadata = {"cineloop_contract": contract(loaded, kind, answer, form=form, precision=precision)}
    write_onnx(answer, kind, onnx_file, frames=frames, metadata=metadata)
    if form == "onnx":
        return onnx_engine(onnx_file), ()
    if form == "tensorrt":
        return onnx_engine(onnx_file), _tensorrt(kind, folder, ranges or tensorrt.Ranges(), frames, precision)
    model = openvino_graph.read_graph(onnx_file)
    if precision == "int8":
        assert guard is not None
        model = openvino_graph.quantised(model, guard.calibration)
    openvino_graph.save_graph(model, folder / "model.xml")
    onnx_file.unlink()
    return openvino_engine(folder / "model.xml", precision), ()


def _tensorrt(kind: Kind, folder: Path, ranges: tensorrt.Ranges, frames: int, precision: Precision) -> tuple[str, ...]:
    words = tensorrt.command(kind, "model.onnx", "model.engine", ranges, frames=frames, fp16=precision != "fp32")
    files.write_text(folder / "BUILD.txt", " ".join(words) + "\n")
    reason = tensorrt.build(words, folder)
    if reason is None:
        return (f"The engine is for frames of {ranges.width} x {ranges.height} pixels and batches to {ranges.batch}.",)
    return (f"No engine was built: {reason}. BUILD.txt holds the command; parity was proved for the ONNX graph.",)


def vectors(loaded: Loaded, answer: Answer, *, exact: bool) -> tuple[list[Pixels], list[Outputs]]:
    """Return inputs and the model's answers; ``exact``: with resized pixels that are not rounded to whole numbers."""
    predictor = loaded.predictor
    if not isinstance(predictor, FramePredictor):
        assert isinstance(predictor, ClipPredictor)
        spatial = predictor.input.spatial
        side = spatial.size if spatial.fit == "stretch" else spatial.short_side or spatial.size
        inputs = made_inputs((side, side), frames=frames_of(loaded))
        return inputs, expected(answer, inputs, preparation_of(predictor))
    config = predictor.head.input
    inputs = made_inputs(config.target(*config.size), whole=config.resize != "none")
    if exact:
        return inputs, expected(answer, inputs, config.model_copy(update={"arithmetic": "float"}).tensor)
    return inputs, expected(answer, inputs, preparation_of(predictor))


def _guarded(loaded: Loaded, answer: Answer, run: Engine, guard: Guard) -> dict[str, Any]:
    """Compare reduced with full precision on the user's own frames.

    Raises:
        ExportError: Too many decisions change.
    """
    wanted = expected(answer, guard.validation, preparation_of(loaded.predictor))
    found = [run(pixels[np.newaxis]) for pixels in guard.validation]
    same = np.array([np.array_equal(one[1], other[1]) for one, other in zip(found, wanted, strict=True)])
    drift = np.array([np.abs(one[0] - other[0]).max() for one, other in zip(found, wanted, strict=True)])
    logits = np.array([np.abs(one[2] - other[2]).max() for one, other in zip(found, wanted, strict=True)])
    measured: dict[str, Any] = {
        "frames": len(same),
        "calibrated_on": len(guard.calibration),
        "same_decision": float(same.mean()),
        "least_agreement": guard.least_agreement,
        "probability_drift": {"mean": float(drift.mean()), "max": float(drift.max())},
        "logit_drift": {"mean": float(logits.mean()), "max": float(logits.max())},
    }
    if answer.activation == "softmax" and any(target >= 0 for target in guard.targets):
        truth = np.array(guard.targets)
        known = truth >= 0
        for name, answers in (("accuracy", found), ("accuracy_fp32", wanted)):
            decided = np.array([int(one[1][0]) for one in answers])
            measured[name] = float((decided[known] == truth[known]).mean())
    if same.mean() < guard.least_agreement:
        raise ExportError(
            f"Reduced precision changes {1 - same.mean():.1%} of the decisions on {len(same)} validation frames; "
            f"allowed is {1 - guard.least_agreement:.1%}",
            where="--precision",
            mend="Use bf16 or fp32, calibrate on more frames (--calibration), or allow more with --agreement.",
        )
    return measured


def _describe(
    loaded: Loaded,
    form: Format,
    kind: Kind,
    answer: Answer,
    folder: Path,
    precision: Precision,
    parity: Parity,
    measured: Mapping[str, Any],
    inputs: Sequence[Pixels],
    wanted: Sequence[Outputs],
    notes: Sequence[str],
) -> None:
    """Write the contract, the vectors, the proof and the runner."""
    allowed = parity.tolerance
    plain = contract(loaded, kind, answer, form=form, precision=precision)
    plain["tolerance"] = {"network": allowed.network, "resized": allowed.resized}
    plain["notes"] = list(notes)
    files.write_json(folder / "contract.json", plain)
    files.write_json(folder / "parity.json", {**parity.to_json(), "on_the_cohort": dict(measured) or None})
    arrays: dict[str, Any] = {"count": np.array(len(inputs))}
    for place, (pixels, answers) in enumerate(zip(inputs, wanted, strict=True)):
        names = ("probabilities", "decision", "logits")
        arrays |= {f"{name}_{place}": value for name, value in zip(names, answers, strict=True)}
        arrays[f"input_{place}"] = pixels
        arrays[f"resized_{place}"] = np.array(pixels.shape != inputs[0].shape)
    with files.atomic_path(folder / "test_vectors.npz") as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    if form in ("onnx", "openvino", "tensorrt"):
        text = (resources.files("cineloop.exports") / "files" / "run.py").read_text(encoding="utf-8")
        files.write_text(folder / "run.py", text)
