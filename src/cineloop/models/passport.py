"""The passport of a weights file: what it holds, what it takes and gives, and where it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, JsonValue

from cineloop.errors import WeightsError
from cineloop.models.registry import MODELS, ModelIO, ModelSpec
from cineloop.plugins import enabled
from cineloop.schema import Section, validate

if TYPE_CHECKING:
    from torch import Tensor

FORMAT: Literal[1] = 1


class Head(Section):
    """What a task put on the model's features.

    Attributes:
        task: The task's name.
        prefix: What the head's keys begin with in the file; the rest of the model stands under ``backbone.``.
        activation: What turns its logits into probabilities.
        config: The task's own options, as plain data: thresholds, a temperature.
    """

    task: str
    prefix: str = "head."
    activation: Literal["softmax", "sigmoid", "none"]
    config: dict[str, JsonValue] = Field(default_factory=dict)


class PluginReference(Section):
    """The plug-in that the model comes from.

    Attributes:
        name: As it is enabled.
        version: Its own.
        sha256: Over its Python files.
    """

    name: str
    version: str
    sha256: str


class Passport(Section):
    """What a weights file is. It holds no times and no paths, so equal weights give equal bytes.

    Attributes:
        format: The version of this structure.
        architecture: The registered name of the model.
        config: All options it was built from.
        io: The contract of what the file as a whole computes: with a head, its output is logits.
        classes: Names of the outputs, in order; empty for features.
        head: The task's head, None for a bare model.
        licence: Licence of the weights, as an SPDX expression; empty when unknown.
        origin: Where the weights come from, in words or as an address.
        corpus: Fingerprint of the cohort that they were trained on; None when unknown.
        leak: The reason for which a leak between splits was allowed in training; None where there was none, or unknown.
        plugin: The plug-in that the model comes from, None for a built-in.
        tensors: Number of tensors.
        parameters: Number of their elements.
        sha256: Over names, types, shapes and bytes of the tensors (:func:`tensor_digest`).
    """

    format: Literal[1] = FORMAT
    architecture: str
    config: dict[str, JsonValue]
    io: ModelIO
    classes: tuple[str, ...] = ()
    head: Head | None = None
    licence: str = ""
    origin: str = ""
    corpus: str | None = None
    leak: str | None = None
    plugin: PluginReference | None = None
    tensors: int = Field(default=0, ge=0)
    parameters: int = Field(default=0, ge=0)
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")

    @classmethod
    def of(cls, spec: ModelSpec, config: Section) -> Passport:
        """Return the passport of a bare model, of unknown origin and not yet sealed."""
        origin = MODELS.origin(spec.name)
        plugin = next((plugin for plugin in enabled() if plugin.name == origin), None)
        return cls(
            architecture=spec.name,
            config=config.model_dump(mode="json"),
            io=spec.io(config),
            plugin=plugin and PluginReference(name=plugin.name, version=plugin.version, sha256=plugin.sha256),
        )

    def sealed(self, tensors: Mapping[str, Tensor]) -> Passport:
        """Return this passport with the counts and the digest of ``tensors``."""
        return self.model_copy(
            update={
                "tensors": len(tensors),
                "parameters": sum(value.numel() for value in tensors.values()),
                "sha256": tensor_digest(tensors),
            }
        )

    def to_json(self) -> str:
        """Return the canonical JSON: keys sorted, no spaces, the same for equal passports."""
        plain = self.model_dump(mode="json")
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, *, where: Path) -> Passport:
        """Read a passport back.

        Raises:
            WeightsError: It is not JSON, or not a passport of a version known here.
        """
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            raise WeightsError(
                "The passport in the weights file is not JSON", where=where, mend="Convert the weights again."
            ) from None
        version = plain.get("format") if isinstance(plain, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise WeightsError(
                f"The passport has format {version}; this version of Cineloop knows {FORMAT}",
                where=where,
                mend="Use the version of Cineloop that wrote it, or a newer one.",
            )
        return validate(cls, plain, where=where, error=WeightsError, subject="The passport in the weights file")


def tensor_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of tensors, in the order of their names."""
    import torch

    digest = hashlib.sha256()
    for key in sorted(tensors):
        value = tensors[key].detach().cpu().contiguous()
        digest.update(f"{key}\0{str(value.dtype).removeprefix('torch.')}\0{list(value.shape)}\0".encode())
        digest.update(value.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
