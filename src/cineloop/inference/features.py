"""Features of videos, and what can be made of them: tables, tokens, attention as a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import polars as pl

from cineloop import models
from cineloop.errors import ModelError, VideoError, WeightsError
from cineloop.files import atomic_path
from cineloop.inference.load import default_device, load
from cineloop.models.weights import load_into, read_passport
from cineloop.report.attention import overlaid, size_of, strength
from cineloop.tasks.clip_classification.encoder import ClipEncoder, Encoded, default_input
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.video.writer import VideoWriter

SUFFIXES = (".parquet", ".npz")
_SIDE = 448


@dataclass(frozen=True, eq=False)
class Features:
    """Features of items, in their order.

    Attributes:
        items: Their ids.
        paths: Their files.
        features: float32 [N, V, D]: one row a view.
        frames: The frames each view was made from, int64 [N, V, T].
        seconds: Their times, float64 [N, V, T].
        failed: Items that could not be read, with the reason, where failures were skipped.
    """

    items: tuple[str, ...]
    paths: tuple[str, ...]
    features: np.ndarray
    frames: np.ndarray
    seconds: np.ndarray
    failed: tuple[tuple[str, str], ...] = ()

    def write(self, path: Path) -> None:
        """Write a ``.parquet`` file of one row a view, or a ``.npz`` file of the arrays, atomically.

        Raises:
            VideoError: The suffix is another.
        """
        check_target(path)
        with atomic_path(path) as temporary:
            if path.suffix == ".npz":
                with temporary.open("wb") as stream:
                    np.savez(
                        stream,
                        items=np.array(self.items),
                        paths=np.array(self.paths),
                        features=self.features,
                        frames=self.frames,
                        seconds=self.seconds,
                    )
                return
            count, views, width = self.features.shape
            rows = [
                (item, path, view) for item, path in zip(self.items, self.paths, strict=True) for view in range(views)
            ]
            table = pl.DataFrame(rows, schema={"id": pl.String, "path": pl.String, "view": pl.Int32}, orient="row")
            table.with_columns(
                pl.Series("frames", self.frames.reshape(count * views, -1).tolist(), dtype=pl.List(pl.Int64)),
                pl.Series("seconds", self.seconds.reshape(count * views, -1).tolist(), dtype=pl.List(pl.Float64)),
                pl.Series("feature", self.features.reshape(count * views, width), dtype=pl.Array(pl.Float32, width)),
            ).write_parquet(temporary)


def check_target(path: Path) -> None:
    """Refuse, before any work, a file that features cannot be written to.

    Raises:
        VideoError: Its suffix is not known.
    """
    if path.suffix not in SUFFIXES:
        raise VideoError(
            f"Features are written as {' or '.join(SUFFIXES)}, not as {path.suffix or 'a file without a suffix'}",
            where=path,
            mend="Choose another name.",
        )


def open_encoder(
    source: str | Path, *, model: str | None = None, config: Mapping[str, Any] | None = None, device: str | None = None
) -> ClipEncoder:
    """Open a run, a weights file with a passport, or with ``model`` a checkpoint from anywhere.

    Args:
        source: The run or the file.
        model: The architecture of a file that does not say it.
        config: Options of that model that differ from its defaults.
        device: Where to run; None takes a GPU where there is one.

    Raises:
        WeightsError: The weights do not fit, or the file does not say what it is and ``model`` is None.
        ModelError: The model reads no clips.
    """
    path = Path(source)
    if model is None and (path.is_dir() or not path.suffix):
        return _trained(load(path, device=device).predictor)
    passport = read_passport(path)
    if model is None and passport is not None and passport.head is not None:
        return _trained(load(path, device=device).predictor)
    name = model or (passport.architecture if passport is not None else None)
    if name is None:
        raise WeightsError(
            "This checkpoint does not say what model it is of", where=path, mend="Say so: --model timesformer-vitb16."
        )
    own = passport.config if passport is not None and passport.architecture == name else {}
    spec, options = models.spec(name), models.configure(name, {**own, **(config or {})})
    io = spec.io(options)
    if io.input != "clip" or io.output != "features":
        raise ModelError(f"{name!r} turns no clips into features", where="model", mend="Choose a clip encoder.")
    module = spec.build(options)
    load_into(module, path, spec=spec)
    return ClipEncoder(module, default_input(io), device=device or default_device())


def _trained(predictor: Any) -> ClipEncoder:
    if not isinstance(predictor, ClipPredictor):
        raise ModelError("This run's task has no clip encoder", mend="Name a run of clip classification.")
    return ClipEncoder.of(predictor)


def stack(encoded: Sequence[Encoded], failed: Sequence[tuple[str, str]]) -> Features:
    """Return the features of several items as one table.

    Raises:
        VideoError: There is none.
    """
    if not encoded:
        raise VideoError("No item could be read", mend="Check the sources, or leave out --skip-errors to see why.")
    return Features(
        items=tuple(one.item.id for one in encoded),
        paths=tuple(str(one.item.path) for one in encoded),
        features=np.stack([one.features for one in encoded]),
        frames=np.stack([one.frames for one in encoded]),
        seconds=np.stack([one.seconds for one in encoded]),
        failed=tuple(failed),
    )


def place_of(item: str, folder: Path, ending: str) -> Path:
    """Return where an item's own file goes: below ``folder``, in the folders that its id names."""
    parts = [part for part in PurePosixPath(item).parts if part not in ("/", "..")]
    return folder.joinpath(*parts[:-1], parts[-1] + ending)


def write_tokens(encoded: Encoded, path: Path) -> None:
    """Write an item's tokens float32 [V, L, D] with its frames and times as ``.npz``, atomically."""
    assert encoded.tokens is not None
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, tokens=encoded.tokens, frames=encoded.frames, seconds=encoded.seconds)


def write_attention(encoded: Encoded, classes: Sequence[str], path: Path) -> None:
    """Write a video of what the encoder saw, beside itself under its attention, at the recording's own times.

    All views of an item together, in the order of their frames; a frame that several views saw is shown once, with the
    mean of its maps.
    """
    assert encoded.attention is not None
    assert encoded.pictures is not None
    heat = strength(encoded.attention)
    index, views = encoded.frames.reshape(-1), np.repeat(np.arange(len(encoded.frames)), encoded.frames.shape[1])
    maps, pictures = heat.reshape(-1, *heat.shape[2:]), encoded.pictures.reshape(-1, *encoded.pictures.shape[2:])
    seconds = encoded.seconds.reshape(-1)
    shown = [np.flatnonzero(index == frame) for frame in np.unique(index)]
    begin = float(seconds.min())
    captions = [_caption(encoded, classes, int(index[rows[0]]), float(seconds[rows[0]]), views[rows]) for rows in shown]
    rate = len(shown) / max(1e-3, float(seconds.max()) - begin)
    with VideoWriter(path, fps=max(1.0, min(rate, 60.0)), size=size_of(_SIDE), explicit_times=True) as writer:
        frames = overlaid(
            pictures[[rows[0] for rows in shown]],
            np.stack([maps[rows].mean(axis=0) for rows in shown]),
            captions,
            side=_SIDE,
        )
        for rows, frame in zip(shown, frames, strict=True):
            writer.write(frame, seconds=float(seconds[rows[0]]) - begin)


def _caption(encoded: Encoded, classes: Sequence[str], frame: int, seconds: float, views: np.ndarray) -> str:
    text = f"frame {frame}, {seconds:.2f} s"
    if encoded.probabilities is not None:
        mean = encoded.probabilities[np.unique(views)].mean(axis=0)
        best = int(mean.argmax())
        text += f"    {classes[best]} {mean[best]:.2f}"
    return text
