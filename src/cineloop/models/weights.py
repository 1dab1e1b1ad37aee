"""The one door for weights: any checkpoint in, nothing run, nothing loaded silently by part; safetensors out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cineloop.errors import WeightsError
from cineloop.files import atomic_path
from cineloop.models.likeness import advice, with_options
from cineloop.models.match import MatchReport, match
from cineloop.models.passport import Passport, tensor_digest
from cineloop.models.registry import ModelSpec
from cineloop.models.safe_load import kind_of, read_metadata, read_safetensors, read_torch
from cineloop.models.unwrap import unwrap

METADATA_KEY = "cineloop"
_WORTH_A_PART = 0.5


@dataclass(frozen=True)
class Checkpoint:
    """An opened weights file.

    Attributes:
        path: The file.
        kind: ``safetensors``, ``torch zip`` or ``torch legacy``.
        form: Where in it the tensors were found: ``tensors``, ``teacher``, ``model > state_dict``.
        tensors: By the file's keys, dense, on the CPU, in the file's own types.
        beside: Other top-level keys, which are not used.
        passport: What the file says of itself, checked against its tensors; None for a foreign file.
    """

    path: Path
    kind: str
    form: str
    tensors: Mapping[str, Tensor]
    beside: tuple[str, ...] = ()
    passport: Passport | None = None


def read_passport(path: str | Path) -> Passport | None:
    """Return what a weights file says of itself, without reading its tensors; None for a foreign file.

    Raises:
        WeightsError: The file cannot be read, or its passport is not valid.
    """
    path = Path(path)
    if kind_of(path) != "safetensors":
        return None
    text = read_metadata(path).get(METADATA_KEY)
    return Passport.from_json(text, where=path) if text is not None else None


def open_weights(path: str | Path) -> Checkpoint:
    """Open a weights file of any accepted form, running nothing that is in it.

    Accepted are safetensors and the files of ``torch.save``, with the tensors by name alone or in the wrappers of
    :data:`cineloop.models.unwrap.WRAPPERS`. The kind is told from the bytes, not from the name.

    Raises:
        WeightsError: The file is missing, empty, damaged, no checkpoint, asks for code to be run, or differs from
            its own passport.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind != "safetensors":
        found = unwrap(read_torch(path, kind), path)
        return Checkpoint(path, kind, found.form, found.tensors, found.beside)
    file = read_safetensors(path)
    text = file.metadata.get(METADATA_KEY)
    passport = Passport.from_json(text, where=path) if text is not None else None
    if passport is not None and passport.sha256 != tensor_digest(file.tensors):
        raise WeightsError(
            "The tensors are not those that the file's passport describes",
            where=path,
            mend="Copy the file again from where it was made.",
        )
    return Checkpoint(path, kind, "tensors", file.tensors, passport=passport)


def non_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the keys of the tensors that hold NaN or infinity."""
    # A sum is finite only if all terms are, and needs no copy; only a doubtful tensor is looked at element by element.
    return [
        key
        for key, value in tensors.items()
        if value.is_floating_point() and not value.sum(dtype=torch.float64).isfinite() and not value.isfinite().all()
    ]


def _refuse_non_finite(tensors: Mapping[str, Tensor], where: Path) -> None:
    bad = non_finite(tensors)
    if bad:
        more = f" and {len(bad) - 3} more tensors" if len(bad) > 3 else ""
        raise WeightsError(
            f"The weights are not finite: NaN or infinity in {', '.join(bad[:3])}{more}",
            where=where,
            mend="Use a checkpoint from before the training diverged.",
        )


def _suggested_prefix(report: MatchReport, checkpoint: Checkpoint) -> str | None:
    for note in report.missing:
        for key in checkpoint.tensors:
            if key.endswith(f".{note.key}"):
                return key.removesuffix(note.key)
    return None


def _lower_match(share: float, asked: float) -> str:
    """Return the advice to ask for less, which a file that has little to give does not get."""
    return f", or ask for a lower match than {asked:g}" if share >= _WORTH_A_PART else ""


def load_into(
    module: nn.Module,
    source: Checkpoint | str | Path,
    *,
    spec: ModelSpec | None = None,
    min_match: float = 1.0,
    prefix: str | None = None,
    allow_unexpected: bool = False,
) -> MatchReport:
    """Fill a module from a checkpoint, or leave it as it is and say why.

    Args:
        module: Filled in place, keeping its own type and device.
        source: A weights file, opened or by path.
        spec: The module's spec, which knows its published checkpoints.
        min_match: The part of the module's keys, from 0 to 1, that the file must give. What it does not give keeps
            its present value and stands in the report.
        prefix: What to take off the file's keys; by default the known prefix that fits best.
        allow_unexpected: Accept a file with tensors that the module has no place for.

    Returns:
        The report, for the log.

    Raises:
        WeightsError: The file is of another architecture, gives too little, holds what has no place here, is not
            finite, computes otherwise where it was made, or could not be opened (:func:`open_weights`).
    """
    checkpoint = source if isinstance(source, Checkpoint) else open_weights(source)
    passport = checkpoint.passport
    if passport is not None and spec is not None and passport.architecture != spec.name:
        raise WeightsError(
            f"The weights are of {passport.architecture!r}, not of {spec.name!r}",
            where=checkpoint.path,
            mend=f"Use the model {with_options(passport)}.",
        )
    report, fitting = match(module, checkpoint.tensors, where=checkpoint.path, spec=spec, prefix=prefix)
    named = repr(spec.name) if spec is not None else "the model"

    def seen() -> str | None:
        return advice(module, checkpoint.tensors, report, spec=spec, passport=passport)

    if report.share < min_match:
        suggestion = _suggested_prefix(report, checkpoint)
        raise WeightsError(
            f"The weights do not fit {named}: {report.summary()}",
            where=checkpoint.path,
            mend=f"The keys seem to stand under {suggestion!r}: give it as the prefix."
            if suggestion
            else seen() or f"Use the model they were made for{_lower_match(report.share, min_match)}.",
        )
    if report.unexpected and not allow_unexpected:
        raise WeightsError(
            f"The weights hold what {named} has no place for: {report.summary()}",
            where=checkpoint.path,
            mend=seen() or "Use the model they were made for, or allow unexpected keys.",
        )
    _refuse_non_finite(fitting, checkpoint.path)
    # Weights with a passport say what they were made for.
    proof = spec.verify if spec is not None and passport is None and report.share >= _WORTH_A_PART else None
    before = {key: value.clone() for key, value in module.state_dict().items()} if proof is not None else {}
    module.load_state_dict(fitting, strict=False)
    if proof is not None:
        try:
            proof(module, {key.removeprefix(report.prefix): value for key, value in checkpoint.tensors.items()})
        except WeightsError as error:
            module.load_state_dict(before)
            raise WeightsError(error.what, where=checkpoint.path, mend=error.mend) from None
    return report


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Fill a module that a passport names with the tensors it came with, for evaluation.

    Raises:
        WeightsError: They do not fit.
    """
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise WeightsError(
            f"The tensors do not fit the model that the passport names: {error}",
            mend="Copy the weights again from where they were made.",
        ) from None
    return module.eval()


def _independent(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors on the CPU, contiguous, and none sharing memory with another, as safetensors wants them."""
    seen: set[int] = set()
    result: dict[str, Tensor] = {}
    for key, value in state.items():
        plain = value.detach().cpu().contiguous()
        storage = plain.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != plain.numel() * plain.element_size():
            plain = plain.clone()
        seen.add(plain.untyped_storage().data_ptr())
        result[key] = plain
    return result


def save_weights(path: str | Path, module: nn.Module | Mapping[str, Tensor], passport: Passport) -> Passport:
    """Write weights with their passport, atomically; equal weights and passports give equal bytes.

    Args:
        path: The safetensors file.
        module: The module, or its state dict.
        passport: What it is; counts and digest are filled in here.

    Returns:
        The passport as written.

    Raises:
        WeightsError: A tensor holds NaN or infinity.
    """
    path = Path(path)
    tensors = _independent(module.state_dict() if isinstance(module, nn.Module) else module)
    _refuse_non_finite(tensors, path)
    sealed = passport.sealed(tensors)
    with atomic_path(path) as temporary:
        # With more than one metadata key their order, and so the bytes, would vary.
        save_file(tensors, temporary, metadata={METADATA_KEY: sealed.to_json()})
    return sealed
