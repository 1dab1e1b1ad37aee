"""Blocks of a page that show states by colour, always beside their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Key:
    """A state and its colour.

    Attributes:
        label: What it is.
        colour: Name of a style sheet's variable, without its dashes.
    """

    label: str
    colour: str

    def __post_init__(self) -> None:
        assert _NAME.fullmatch(self.colour), "the name of a variable"


@dataclass(frozen=True)
class Keys:
    """What colours mean: groups of states, each with a heading."""

    kind: ClassVar[str] = "keys"

    groups: tuple[tuple[str, tuple[Key, ...]], ...]


@dataclass(frozen=True)
class Share:
    """A part of a whole.

    Attributes:
        key: What it is.
        share: In [0, 1].
        value: The share as text.
        note: A few words behind it.
    """

    key: Key
    share: float
    value: str
    note: str = ""


@dataclass(frozen=True)
class Shares:
    """Parts of a whole as bars below each other, on one scale from nothing to all.

    Attributes:
        title: What is divided.
        shares: In order.
        note: Below them.
    """

    kind: ClassVar[str] = "shares"

    title: str
    shares: tuple[Share, ...]
    note: str = ""
