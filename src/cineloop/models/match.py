"""Setting a checkpoint's keys against a module's: which fit, which do not, and what that means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path

from torch import Tensor, nn

from cineloop.errors import WeightsError
from cineloop.models.registry import Adapted, ModelSpec

PREFIXES = ("module.", "backbone.", "model.", "encoder.", "_orig_mod.")
_SHOWN = 12
_FIRST = 3
_DEEPEST = 6


@dataclass(frozen=True)
class KeyNote:
    """A key, and in words what there is to say about it."""

    key: str
    note: str = ""


@dataclass(frozen=True)
class MatchReport:
    """How a checkpoint fits a module. Every key of either stands in exactly one list.

    Attributes:
        prefix: What was taken off the checkpoint's keys, such as ``module.backbone.``.
        matched: Keys that fit as they are.
        resized: Keys whose tensors were resized to fit.
        derived: Keys that the checkpoint lacks and that were made up from others; not counted as matched.
        mismatched: Keys whose tensors have another shape or another kind of number; not loaded.
        missing: Keys of the module that the checkpoint lacks.
        unexpected: Keys of the checkpoint that the module lacks.
        ignored: The same, where the model's spec says that they may be left out.
    """

    prefix: str
    matched: tuple[KeyNote, ...]
    resized: tuple[KeyNote, ...]
    derived: tuple[KeyNote, ...]
    mismatched: tuple[KeyNote, ...]
    missing: tuple[KeyNote, ...]
    unexpected: tuple[KeyNote, ...]
    ignored: tuple[KeyNote, ...]

    @property
    def total(self) -> int:
        """The module's keys."""
        return sum(map(len, (self.matched, self.resized, self.derived, self.mismatched, self.missing)))

    @property
    def share(self) -> float:
        """The part of the module's keys that the checkpoint gives, from 0 to 1."""
        return (len(self.matched) + len(self.resized)) / self.total if self.total else 1.0

    def counts(self) -> dict[str, int]:
        """Return the number of keys in each list, by its name."""
        names = ("matched", "resized", "derived", "mismatched", "missing", "unexpected", "ignored")
        return {name: len(getattr(self, name)) for name in names}

    def plain(self) -> dict[str, object]:
        """Return the report as plain data: the prefix, the share, and each list but ``matched`` key by key."""
        lists = {name: {note.key: note.note for note in getattr(self, name)} for name in self.counts()}
        return {"prefix": self.prefix, "share": self.share, "counts": self.counts()} | {
            name: notes for name, notes in lists.items() if name != "matched"
        }

    def _head(self) -> str:
        under = f" (under {self.prefix!r})" if self.prefix else ""
        return f"{self.share:.1%} of the model's {self.total} keys are in the file{under}"

    def summary(self) -> str:
        """Return in a few lines how much fits, and of what does not the first keys and how many more there are."""
        lines = [self._head()]
        for name in ("mismatched", "missing", "derived", "unexpected"):
            notes: tuple[KeyNote, ...] = getattr(self, name)
            if notes:
                shown = _families(notes)[:_FIRST]
                rest = len(notes) - sum(count for _, count in shown)
                words = [text for text, _ in shown] + ([f"and {rest} more"] if rest else [])
                lines.append(f"  {len(notes)} {name}: {'; '.join(words)}")
        return "\n".join(lines)

    def table(self) -> str:
        """Return the counts, and the keys that did not simply match, one family of keys a line."""
        lines = [self._head()]
        for name, count in self.counts().items():
            if not count:
                continue
            lines.append(f"{name:>11} {count:5d}")
            if name != "matched":
                families = _families(getattr(self, name))
                lines += [f"{'':>17}  {text}" for text, _ in families[:_SHOWN]]
                if len(families) > _SHOWN:
                    lines.append(f"{'':>17}  and {len(families) - _SHOWN} more")
        return "\n".join(lines)


def _families(notes: Iterable[KeyNote]) -> list[tuple[str, int]]:
    """Return one line for keys that differ in their numbers only and have the same note, and how many these are."""

    def family(note: KeyNote) -> tuple[str, str]:
        return re.sub(r"\d+", "*", note.key), re.sub(r"\.\d+\.", ".*.", note.note)

    lines: list[tuple[str, int]] = []
    for (key, text), group in groupby(sorted(notes, key=family), family):
        members = list(group)
        name, remark = (members[0].key, members[0].note) if len(members) == 1 else (f"{key} ({len(members)})", text)
        lines.append((f"{name}: {remark}" if remark else name, len(members)))
    return lines


def _chain(key: str) -> list[str]:
    """Return the known prefixes that a key begins with, cumulated: ``["", "module.", "module.backbone."]``."""
    chains = [""]
    for _ in range(_DEEPEST):
        step = next((prefix for prefix in PREFIXES if key.startswith(prefix, len(chains[-1]))), None)
        if step is None:
            break
        chains.append(chains[-1] + step)
    return chains


def _strip(key: str, prefix: str) -> str:
    """Take off a key outside ``prefix`` the part that both share: ``module.`` of ``module.head.bias``."""
    shared = [chain for chain in _chain(key) if prefix.startswith(chain)]
    return key.removeprefix(shared[-1])


def strip_prefix(
    tensors: Mapping[str, Tensor], wanted: Iterable[str], *, prefix: str | None, where: Path
) -> tuple[str, dict[str, Tensor]]:
    """Take off the prefix under which the most of the ``wanted`` keys are found.

    Args:
        tensors: By the checkpoint's keys.
        wanted: The module's keys.
        prefix: The prefix, where the caller knows it.
        where: The file, for messages.

    Returns:
        The prefix, and the tensors by the remaining keys.

    Raises:
        WeightsError: Two prefixes do equally well.
    """
    if prefix is None:
        own = set(wanted)
        scores = {chain: 0 for key in tensors for chain in _chain(key)} or {"": 0}
        for key in tensors:
            for chain in _chain(key):
                scores[chain] += key.removeprefix(chain) in own
        best = max(scores.values())
        tied = sorted(
            (chain for chain, score in scores.items() if score == best), key=lambda chain: (len(chain), chain)
        )
        if len(tied) > 1 and best:
            raise WeightsError(
                f"The file holds this network more than once, under {' and '.join(map(repr, tied))}",
                where=where,
                mend="Say which one: give its prefix.",
            )
        prefix = tied[0]
    stripped = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    for key, value in tensors.items():
        if not key.startswith(prefix):
            name = _strip(key, prefix)
            stripped[f"{key} (outside {prefix})" if name in stripped else name] = value
    return prefix, stripped


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _difference(given: Tensor, own: Tensor) -> str:
    if given.shape != own.shape:
        return f"{_shape(given)} in the file, {_shape(own)} in the model"
    if given.is_floating_point() != own.is_floating_point():
        return f"{_kind(given)} in the file, {_kind(own)} in the model"
    return ""


def match(
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    *,
    where: Path,
    spec: ModelSpec | None = None,
    prefix: str | None = None,
) -> tuple[MatchReport, dict[str, Tensor]]:
    """Set a checkpoint's tensors against a module's, changing neither.

    Args:
        module: The module to be filled.
        tensors: By the checkpoint's keys.
        where: The file, for messages.
        spec: The module's spec: its adapter, and what a checkpoint may hold besides.
        prefix: What to take off the checkpoint's keys; by default the known prefix that fits best.

    Returns:
        The report, and the tensors that fit, by the module's keys.

    Raises:
        WeightsError: It is not clear which of the file's networks is meant.
    """
    own = module.state_dict()
    prefix, stripped = strip_prefix(tensors, own, prefix=prefix, where=where)
    adapted = spec.adapt(stripped, module) if spec is not None and spec.adapt is not None else Adapted(stripped)
    ignorable = spec.ignorable if spec is not None else ()
    lists: dict[str, list[KeyNote]] = {name: [] for name in ("matched", "resized", "derived", "mismatched", "missing")}
    fitting: dict[str, Tensor] = {}
    for key, value in own.items():
        given = adapted.tensors.get(key)
        if given is None:
            lists["missing"].append(KeyNote(key))
        elif difference := _difference(given, value):
            lists["mismatched"].append(KeyNote(key, difference))
        else:
            fitting[key] = given
            state = "resized" if key in adapted.resized else "derived" if key in adapted.derived else "matched"
            lists[state].append(KeyNote(key, adapted.resized.get(key) or adapted.derived.get(key) or ""))
    extra = [key for key in adapted.tensors if key not in own]
    ignored = [key for key in extra if any(fnmatchcase(key, pattern) for pattern in ignorable)]
    report = MatchReport(
        prefix=prefix,
        **{name: tuple(notes) for name, notes in lists.items()},
        unexpected=tuple(KeyNote(key) for key in extra if key not in ignored),
        ignored=tuple(KeyNote(key) for key in ignored),
    )
    return report, fitting
