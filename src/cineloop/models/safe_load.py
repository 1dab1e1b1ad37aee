"""Reading weights files as data: nothing in them is ever run.

safetensors holds tensors only. A file of ``torch.save`` is a pickle, which can ask for any Python object; it is read by
torch's weights-only unpickler, which builds tensors and plain containers and refuses the rest.
"""

from __future__ import annotations

import os
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cineloop.errors import WeightsError

Kind = Literal["safetensors", "torch zip", "torch legacy"]

_CONVERT = (
    "Have who made it save the tensors alone: torch.save(model.state_dict(), FILE), "
    "or safetensors.torch.save_file(model.state_dict(), FILE)."
)


class _Inert:
    """Takes the place of bookkeeping objects in published checkpoints: accepts anything, keeps and does nothing."""

    __slots__ = ()

    def __new__(cls, *_: object, **__: object) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


# The options of a training script and its NumPy metrics stand beside the tensors in many published checkpoints. They
# are read as _Inert, so that even these classes' own constructors are never called. Any other object is refused.
_STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Inert, name)
    for name in (
        "argparse.Namespace",
        "numpy.dtype",
        "numpy.ndarray",
        "numpy.core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray.scalar",
        "numpy._core.multiarray._reconstruct",
    )
]

# What torch's readers raise on bytes that are no checkpoint; they document none of it.
_UNREADABLE = (
    RuntimeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    OSError,
    MemoryError,
    ImportError,
    struct.error,
)


@dataclass(frozen=True)
class SafetensorsFile:
    """The contents of a safetensors file.

    Attributes:
        tensors: By key, in the order of the file; backed by the file's pages until they are written to.
        metadata: The texts of the header.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def kind_of(path: Path) -> Kind:
    """Tell from a file's first bytes what it is, whatever it is called.

    Raises:
        WeightsError: It cannot be read, is empty, or is none of the known kinds.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise WeightsError(
            f"The weights file cannot be read: {error.strerror}", where=path, mend="Check the path."
        ) from None
    if not start:
        raise WeightsError("The weights file is empty", where=path, mend="Copy or download it again.")
    if start.startswith(b"PK\x03\x04"):
        return "torch zip"
    # A safetensors file begins with the length of its header, whose low byte may be a pickle's first one too.
    fits = int.from_bytes(start[:8], "little") <= path.stat().st_size - 8
    pickled = start.startswith(b"\x80")
    if start[8:9] == b"{" and (fits or not pickled):
        return "safetensors"
    if pickled:
        return "torch legacy"
    raise WeightsError(
        "This is not a weights file: neither safetensors nor what torch.save writes",
        where=path,
        mend="Give a .safetensors, .pth, .pt or .ckpt file of tensors.",
    )


def _damaged(path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"The weights file is damaged or is not a checkpoint: {why}", where=path, mend="Copy or download it again."
    )


def read_metadata(path: Path) -> Mapping[str, str]:
    """Return the header texts of a safetensors file without reading its tensors.

    Raises:
        WeightsError: The file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _damaged(path, str(error)) from None


def read_safetensors(path: Path) -> SafetensorsFile:
    """Read a safetensors file.

    Raises:
        WeightsError: The file is damaged.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
            return SafetensorsFile(tensors, file.metadata() or {})
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise _damaged(path, str(error)) from None


def _check_zip(path: Path) -> None:
    """Refuse archives that expand, or that hold something else than pickled tensors."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    # The last is what zipfile raises for archives of a later version, or packed in a way that it does not know.
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path, str(error)) from None
    names = [entry.filename for entry in entries]
    if any(name.endswith("/constants.pkl") for name in names):
        raise WeightsError("This is a TorchScript program, not a weights file", where=path, mend=_CONVERT)
    if not any(name.endswith("/data.pkl") for name in names):
        raise WeightsError("This archive is not what torch.save writes: it has no data.pkl", where=path, mend=_CONVERT)
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise WeightsError(
            "The archive's entries are compressed or overlap, which torch.save never does; it could expand to any size",
            where=path,
            mend=_CONVERT,
        )


def _refused(path: Path, error: pickle.UnpicklingError) -> WeightsError:
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    if found is None:
        return _damaged(path, "its pickle does not hold tensors and plain containers only")
    return WeightsError(
        f"The file asks for code to be run ({found[1]}), which is refused; nothing of it was executed",
        where=path,
        mend=_CONVERT,
    )


def read_torch(path: Path, kind: Kind) -> Any:
    """Read a file of ``torch.save`` with the weights-only unpickler, tensors mapped from the file where it allows.

    Raises:
        WeightsError: The file is damaged, expands, is a program, or asks for objects that are not plain data.
    """
    if kind == "torch zip":
        _check_zip(path)
    # Mapping needs a path, and torch takes any path that ends in .safetensors for one of those.
    mapped = kind == "torch zip" and path.suffix != ".safetensors"
    try:
        with (
            torch.serialization.safe_globals(_STAND_INS),
            warnings.catch_warnings(action="ignore"),
            path.open("rb") as stream,
        ):
            source = os.fspath(path) if mapped else stream
            return torch.load(source, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise _refused(path, error) from None
    except _UNREADABLE as error:
        raise _damaged(path, f"{type(error).__name__} while reading it") from None
