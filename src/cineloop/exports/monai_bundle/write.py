"""The folder of a bundle."""

from __future__ import annotations

import json
import secrets
import shutil
from importlib import resources
from pathlib import Path

import torch

from cineloop import files
from cineloop.errors import ExportError
from cineloop.exports.graph import graph_of
from cineloop.exports.monai_bundle import configs
from cineloop.exports.monai_bundle.metadata import metadata, metadata_schema
from cineloop.exports.monai_bundle.proof import monai_engine
from cineloop.exports.monai_bundle.transforms import augmentation, preparation
from cineloop.exports.parity import Parity, compare, require
from cineloop.exports.write import TOLERANCES, Exported, vectors
from cineloop.inference.load import Loaded
from cineloop.models.seresnet import SEResNetConfig
from cineloop.tasks.frame_classification.predictor import FramePredictor

_LOGGING = """[loggers]
keys=root

[handlers]
keys=console

[formatters]
keys=plain

[logger_root]
level=INFO
handlers=console

[handler_console]
class=StreamHandler
level=INFO
formatter=plain
args=(sys.stdout,)

[formatter_plain]
format=%(asctime)s - %(name)s - %(levelname)s - %(message)s
"""


def write_bundle(
    loaded: Loaded, folder: Path, *, threshold: float | None = None, accuracy: float | None = None
) -> Exported:
    """Write a trained SE-ResNet-50 as a MONAI bundle; the folder appears whole.

    Where MONAI is installed, the bundle is used once, and must compute what the model does.

    Args:
        loaded: A frame classifier of exclusive classes with the published network.
        folder: Where; it must not exist yet.
        threshold: Of two classes, that of the positive one, for the metadata; None leaves the likeliest class.
        accuracy: Of the model on its test split at that threshold, for the metadata.

    Raises:
        ExportError: The model is another one, prepares frames as no transform of MONAI does, or MONAI computes
            something else from the bundle.
    """
    if folder.exists():
        raise ExportError("Something is already there", where=folder, mend="Give another --out, or remove it.")
    predictor = loaded.predictor
    if not isinstance(predictor, FramePredictor) or loaded.passport.architecture != "seresnet50-inbody":
        raise ExportError(
            f"A bundle is written of seresnet50-inbody; this is {loaded.passport.architecture}",
            where="--format bundle",
            mend="Export as ONNX, or train the recipe inbody/upstream.",
        )
    published = SEResNetConfig(num_classes=len(predictor.classes), img_size=loaded.passport.config["img_size"])
    if loaded.passport.config != published.model_dump(mode="json"):
        raise ExportError(
            "This network is not the one that MONAI builds: its depths, width or variant were changed",
            where="model",
            mend="Export as ONNX, or train seresnet50-inbody with its own options.",
        )
    config = predictor.head.input
    steps, classes = preparation(config), len(predictor.classes)
    decision = (predictor.positive, threshold) if threshold is not None and predictor.positive is not None else None
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        for name in ("configs", "models", "docs"):
            (fresh / name).mkdir(parents=True)
        written = {
            "inference": configs.inference(steps, classes),
            "train": configs.train(steps, augmentation(), classes),
            "evaluate": configs.evaluate(),
            "multi_gpu_train": configs.multi_gpu(),
            "metadata": metadata(loaded.passport, config, predictor.classes, accuracy, decision),
            "metadata_schema": metadata_schema(),
        }
        for name, plain in written.items():
            files.write_text(fresh / "configs" / f"{name}.json", json.dumps(plain, indent=2) + "\n")
        files.write_text(fresh / "configs" / "logging.conf", _LOGGING)
        torch.save(predictor.module.state_dict(), fresh / "models" / "model.pt")
        texts = resources.files("cineloop.exports.monai_bundle") / "texts"
        files.write_text(fresh / "docs" / "README.md", (texts / "README.md").read_text(encoding="utf-8"))
        files.write_text(fresh / "LICENSE", (texts / "LICENSE").read_text(encoding="utf-8"))
        parity, notes = _proved(loaded, fresh, folder, threshold)
        fresh.rename(folder)
        files.fsync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if decision is not None:
        notes = (
            *notes,
            f"The bundle gives probabilities. That {decision[0]!r} is decided from {decision[1]:.3f} on stands in its "
            "metadata; MONAI does not apply it, `cineloop predict` does.",
        )
    return Exported(folder, "bundle", parity, notes=notes)


def _proved(
    loaded: Loaded, bundle: Path, folder: Path, threshold: float | None
) -> tuple[Parity | None, tuple[str, ...]]:
    """Compare what MONAI makes of the bundle with the model; say so where MONAI is not installed."""
    _, answer = graph_of(loaded.predictor, threshold=threshold, questions={})
    engine = monai_engine(bundle, answer)
    if engine is None:
        return None, ("MONAI is not installed, so the bundle was not tried: pip install 'cineloop[monai]'.",)
    inputs, wanted = vectors(loaded, answer, exact=False)
    parity = compare(*engine, inputs, wanted, tolerance=TOLERANCES["fp32"], thresholds=answer.thresholds)
    require(parity, where=folder)
    files.write_json(bundle / "docs" / "parity.json", parity.to_json())
    return parity, ()
