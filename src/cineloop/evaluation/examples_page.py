"""Items of every cell of the confusion matrix with the frames that were looked at, as a page and as pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cineloop.evaluation.examples import Example
from cineloop.evaluation.result import Evaluation
from cineloop.report.frame_sheet import FrameSheet, write_frame_sheet
from cineloop.report.gallery import FrameStrip, Pixels, gallery
from cineloop.report.html import Banner, Bar, Fact, Page, Paragraph, Section, Tone, count

BUDGET = 2_400_000
"""Bytes of the frames on the page."""

_BARS = 6


@dataclass(frozen=True, eq=False)
class Shown:
    """An example with its frames.

    Attributes:
        example: Which item.
        title: The item, as outputs name it.
        frames: Some of those that were looked at, uint8 RGB [T, H, W, 3].
        indices: Their places in the item, [T].
        seconds: Their times, [T]; None where they are not known.
        looked_at: How many were looked at.
        total: Frames of the item.
        start: The first of them in the file.
    """

    example: Example
    title: str
    frames: Pixels
    indices: tuple[int, ...]
    seconds: tuple[float, ...] | None
    looked_at: int
    total: int
    start: int = 0

    @property
    def said(self) -> str:
        """Where the item stands in its cell, and how much of it is shown."""
        one = self.example
        where = "the only item" if one.of == 1 else f"{one.place} of {one.of}"
        seen = f"{len(self.frames)} of " if len(self.frames) < self.looked_at else ""
        return f"{where}, {seen}{count(self.looked_at, 'frame')} looked at"


def probability_bars(evaluation: Evaluation, example: Example) -> tuple[Bar, ...]:
    """Return the probabilities of an item as bars: of every class, or of the true one and the largest."""
    predictions = evaluation.predictions
    shares = predictions.probabilities[example.row]
    shown = list(range(len(shares)))
    if len(shares) > _BARS:
        largest = np.argsort(-shares, kind="stable")[: _BARS - 1].tolist()
        shown = sorted({*largest, example.true, example.decided}, key=lambda index: -shares[index])
    bars = []
    for index in shown:
        notes = ["true"] if index == example.true else []
        notes += ["decided"] if index == example.decided else []
        tone: Tone = "plain"
        if index == example.decided:
            tone = "good" if example.right else "bad"
        bars.append(Bar(predictions.classes[index], float(shares[index]), ", ".join(notes), tone))
    return tuple(bars)


def examples_page(
    evaluation: Evaluation, examples: Sequence[Shown], *, subtitle: str = "", provenance: Mapping[str, str]
) -> Page:
    """Return the page, a section a cell.

    Args:
        evaluation: What the items belong to.
        examples: In the order of :func:`cineloop.evaluation.examples.choose_examples`.
        subtitle: Which model.
        provenance: For the footer.
    """
    cells: dict[tuple[int, int], list[Shown]] = {}
    for one in examples:
        cells.setdefault((one.example.true, one.example.decided), []).append(one)
    n_frames = max(1, sum(len(one.frames) for one in examples))
    return Page(
        title=f"{evaluation.cohort}: {evaluation.split}, examples",
        kicker="Examples of predictions",
        subtitle=subtitle,
        chips=(
            Fact("cohort", evaluation.cohort),
            Fact("split", evaluation.split),
            Fact("shown", f"{len(examples)} of {int(evaluation.confusion.sum()):,} items"),
        ),
        banners=tuple(Banner(text) for text in evaluation.warnings),
        watermark=evaluation.watermark,
        sections=(
            Section("How these were chosen", (Paragraph(_choice(evaluation)),), short="Choice"),
            *(_section(evaluation, cell, shown, n_frames) for cell, shown in cells.items()),
        ),
        provenance=tuple(Fact(name, value) for name, value in provenance.items()),
    )


def _choice(evaluation: Evaluation) -> str:
    text = (
        "Of each pair of true and decided class the item decided most surely, the median one, the least sure one, and "
        "if more are wanted others between: chosen by rule, not by hand. They show what kinds of right and wrong there "
        "are, not how often; report.html has the numbers."
    )
    if evaluation.threshold is None:
        return text
    positive = evaluation.predictions.classes[1]
    return f"{text} {positive!r} is decided from a probability of {evaluation.threshold.value:.3f}."


def _section(evaluation: Evaluation, cell: tuple[int, int], shown: Sequence[Shown], n_frames: int) -> Section:
    true, decided = (evaluation.predictions.classes[index] for index in cell)
    right = cell[0] == cell[1]
    share = sum(len(one.frames) for one in shown) / n_frames
    strips = [
        FrameStrip(
            title=one.title,
            frames=one.frames,
            captions=_captions(one),
            detail=one.said,
            tone="good" if right else "bad",
            bars=probability_bars(evaluation, one.example),
        )
        for one in shown
    ]
    title = f"{true}, decided rightly" if right else f"{true}, decided {decided}"
    intro = f"{count(shown[0].example.of, 'item')} of {int(evaluation.confusion[cell[0]].sum()):,} that are {true}."
    return Section(title, (gallery(strips, budget=int(BUDGET * share)),), intro=intro)


def _captions(one: Shown) -> tuple[str, ...]:
    if one.seconds is None:
        return ()
    return tuple(f"{second:.2f} s" for second in one.seconds)


def write_pictures(evaluation: Evaluation, examples: Sequence[Shown], folder: Path) -> list[Path]:
    """Write ``prediction_<item>.png`` of the first examples, as many as ``evaluate.example_files`` says."""
    classes, written = evaluation.predictions.classes, []
    for one in examples[: evaluation.config.example_files]:
        example = one.example
        name = re.sub(r"[^\w.-]+", "_", one.title).strip("._") or "item"
        path = folder / f"prediction_{name}.png"
        if path in written:
            path = folder / f"prediction_{name}_{example.row}.png"
        confidence = evaluation.predictions.probabilities[example.row, example.decided]
        verdict = "right" if example.right else "wrong"
        said = f"true {classes[example.true]}, decided {classes[example.decided]} ({confidence:.3f}), {verdict}"
        sheet = FrameSheet(
            title=one.title,
            detail=f"{said}; {one.said}",
            total=one.total,
            start=one.start,
            indices=one.indices,
            seconds=one.seconds,
            frames=one.frames,
            bars=probability_bars(evaluation, example),
            columns=4,
            watermark=evaluation.watermark,
        )
        written.append(write_frame_sheet(sheet, path))
    return written
