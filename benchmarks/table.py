"""Rows of the benchmark table, and the table as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison, measured against a peer in the same run.

    Attributes:
        name: What was done.
        ours: The product's figure with its unit.
        peer: The peer and its figure.
        ratio: Ours over the peer's, in the direction that ``target`` speaks of; None where there is no peer.
        target: What was asked for.
        ok: Whether it was reached; None where it could not be measured.
        note: How it was measured.
    """

    name: str
    ours: str
    peer: str
    ratio: float | None
    target: str
    ok: bool | None
    note: str = ""


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | Cineloop | peer | ratio | target | reached | how |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        reached = {True: "yes", False: "**no**", None: ""}[row.ok]
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.name} | {row.ours} | {row.peer} | {ratio} | {row.target} | {reached} | {row.note} |")
    return "\n".join(lines) + "\n"
