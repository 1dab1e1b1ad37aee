"""The archive itself."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from cineloop import files, runs
from cineloop.errors import RunError
from cineloop.models.weights import open_weights, save_weights
from cineloop.packing.cleaned import COHORT, LEAK, figures_of, ledger_of, recipe_of, record_of, rows_of
from cineloop.schema import dump_yaml

SPLITS = ("train", "val", "test")

_READ_ME = """A trained model, as a run of Cineloop that was packed to be shared.

  cineloop predict FOLDER VIDEO     after unpacking: the folder is a run
  cineloop evaluate FOLDER --data YOURS
  cineloop weights inspect FOLDER/weights.safetensors

It holds the weights, the recipe, the versions, the curves and the figures of its evaluations on its own cohort, with a
row an item under numbers. It holds no picture, no name of a file, folder, patient or machine, no hash of a file and no
free text: where some stood, it says "removed". What was trained on is told by a fingerprint alone, so that nobody can
check here whether a recording was among it. Names of classes are as they were. MANIFEST.json has the SHA-256 of each
file.
"""
# The same bytes whenever it is packed.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Packed:
    """An archive of a run.

    Attributes:
        path: The file.
        files: What is in it, and its SHA-256.
        left_out: Files of the run that are not, by the first part of their path.
    """

    path: Path
    files: dict[str, str]
    left_out: dict[str, int]


def pack(run: str | Path, out: str | Path) -> Packed:
    """Write a run as a ``.zip`` that may be shared; the file appears when it is whole.

    Args:
        run: The folder of a finished run.
        out: The archive.

    Raises:
        RunError: It is no finished run, or something is at ``out``.
        WeightsError: Its weights are damaged.
    """
    source, out = runs.open_run(Path(run)), Path(out)
    if out.suffix.lower() != ".zip":
        raise RunError("An archive is a .zip file", where=out, mend="Give --out NAME.zip.")
    if out.exists():
        raise RunError("A file is already there", where=out, mend="Give another --out, or remove it.")
    if source.ledger().get("state") != "finished":
        raise RunError(
            "This run has not finished",
            where=source.path,
            mend=f"Continue it: cineloop train {source.path} --resume.",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    content = dict(_content(source, out.parent))
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    content["MANIFEST.json"] = (json.dumps({"schema": 1, "files": sums}, indent=2) + "\n").encode()
    with files.atomic_path(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(f"{out.stem}/{name}", _EPOCH)
            # Weights hardly get smaller.
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return Packed(out, sums, _left_out(source, set(content)))


def _content(run: runs.Run, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the archive."""
    ledger = run.ledger()
    yield "README.txt", _READ_ME.encode()
    yield "recipe.yaml", dump_yaml(recipe_of(yaml.safe_load(run.recipe_file.read_text(encoding="utf-8")))).encode()
    yield "run.json", _json(ledger_of(ledger))
    lines = [json.dumps(record_of(record)) for record in runs.read_lines(run.metrics_file)]
    yield "metrics.jsonl", "".join(f"{line}\n" for line in lines).encode()
    yield "weights.safetensors", _weights(run, folder)
    own = ledger["cohort"]["name"]
    for split in SPLITS:
        # Of its own cohort alone: others have names, and their figures belong to whoever owns them.
        judged = run.evaluation(own, split)
        if (judged / "metrics.json").is_file():
            place = f"evaluation/{COHORT}/{split}"
            yield (
                f"{place}/metrics.json",
                _json(figures_of(json.loads((judged / "metrics.json").read_text(encoding="utf-8")))),
            )
            stream = io.BytesIO()
            rows_of(pl.read_parquet(judged / "predictions.parquet")).write_parquet(stream)
            yield f"{place}/predictions.parquet", stream.getvalue()


def _weights(run: runs.Run, folder: Path) -> bytes:
    """Return the weights, whose passport no longer gives the reason of a leak."""
    checkpoint = open_weights(run.weights_file)
    passport = checkpoint.passport
    if passport is None or passport.leak is None:
        return run.weights_file.read_bytes()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pack.") as scratch:
        path = Path(scratch) / "weights.safetensors"
        save_weights(path, checkpoint.tensors, passport.model_copy(update={"leak": LEAK}))
        return path.read_bytes()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _left_out(run: runs.Run, taken: set[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in sorted(run.path.rglob("*")):
        name = path.relative_to(run.path).as_posix()
        if path.is_file() and name not in taken and not name.startswith("."):
            first = name.partition("/")[0]
            counts[first] = counts.get(first, 0) + 1
    return counts
