"""TensorRT: the ONNX graph, the command that builds an engine from it, and the engine where one can be built."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cineloop.errors import ExportError
from cineloop.exports.graph import Kind
from cineloop.inference.engines import INPUT


@dataclass(frozen=True)
class Ranges:
    """The sizes that an engine is built for.

    Attributes:
        height: Of a frame as decoded, in pixels.
        width: Likewise.
        batch: The largest batch.
    """

    height: int = 720
    width: int = 1280
    batch: int = 16


def command(kind: Kind, onnx_name: str, engine_name: str, ranges: Ranges, *, frames: int, fp16: bool) -> list[str]:
    """Return the words of the ``trtexec`` command that builds the engine.

    Args:
        kind: What the graph reads.
        onnx_name: The ONNX file.
        engine_name: The engine to be built.
        ranges: For which sizes.
        frames: Frames of a clip.
        fp16: Whether it may compute in half precision.
    """

    def shape(batch: int) -> str:
        time = [] if kind == "frame" else [frames]
        return f"{INPUT[kind]}:{'x'.join(map(str, [batch, *time, ranges.height, ranges.width, 3]))}"

    return [
        "trtexec",
        f"--onnx={onnx_name}",
        f"--saveEngine={engine_name}",
        f"--minShapes={shape(1)}",
        f"--optShapes={shape(max(1, ranges.batch // 2))}",
        f"--maxShapes={shape(ranges.batch)}",
        *(["--fp16"] if fp16 else []),
    ]


def build(words: list[str], folder: Path) -> str | None:
    """Build the engine where TensorRT and a GPU are.

    Args:
        words: From :func:`command`.
        folder: Where the ONNX file is and the engine goes.

    Returns:
        None when it was built; else why not.

    Raises:
        ExportError: TensorRT is there and refuses.
    """
    import torch

    if shutil.which(words[0]) is None:
        return "trtexec, which comes with TensorRT, is not on this machine's path"
    if not torch.cuda.is_available():
        return "there is no GPU here, and an engine is built on the kind of GPU that it will run on"
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise ExportError(
            f"TensorRT did not build the engine: {done.stderr.strip().splitlines()[-1:] or done.returncode}",
            where=folder,
            mend="Run the command in BUILD.txt by hand to see all that it says.",
        )
    return None
