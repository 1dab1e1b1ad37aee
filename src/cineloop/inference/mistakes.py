"""Misclassified pictures as files, in a folder a kind of error, with a page to look through them."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from cineloop import files
from cineloop.cohort import Item
from cineloop.errors import EvaluationError
from cineloop.evaluation.questions import Answer
from cineloop.evaluation.result import Evaluation
from cineloop.progress import Progress, silent, stage
from cineloop.report.gallery import FrameStrip, gallery
from cineloop.report.html import Banner, Fact, Page, Section, count
from cineloop.video import Video

# What the published tool calls the opposites of nonsense and ileocecal.
_PUBLISHED = {"readable": "fine", "elsewhere": "nofeature"}
_SHOWN = 24
_PAGE_BYTES = 2_400_000


@dataclass
class Kind:
    """A kind of error.

    Attributes:
        name: Of its folder: ``pred_outside_gt_inside``.
        items: The items that were decided so, the surest first, with the probability of what was decided.
    """

    name: str
    items: list[tuple[str, float]] = field(default_factory=list)


def kinds_of(evaluation: Evaluation, answers: Sequence[Answer]) -> list[Kind]:
    """Return the kinds of error of an evaluation, by what was decided and what is true.

    Where the model answers questions, errors are those of each question, of the frames it is asked of; of the BBPS
    scores also those between low (0, 1) and high (2, 3). Else they are those of the classes.
    """
    judged = [answer.evaluation for answer in answers] or [evaluation]
    kinds: dict[str, Kind] = {}
    for one in judged:
        predictions = one.predictions
        for row in np.flatnonzero((predictions.targets >= 0) & (one.decided != predictions.targets)):
            said, true = predictions.classes[one.decided[row]], predictions.classes[predictions.targets[row]]
            entry = (predictions.ids[row], float(predictions.probabilities[row, one.decided[row]]))
            names = [f"pred_{_word(said)}_gt_{_word(true)}"]
            if said.startswith("bbps") and (_coarse(said) != _coarse(true)):
                names.append(f"pred_{_coarse(said)}_gt_{_coarse(true)}")
            for name in names:
                kinds.setdefault(name, Kind(name)).items.append(entry)
    for kind in kinds.values():
        kind.items.sort(key=lambda entry: -entry[1])
    return sorted(kinds.values(), key=lambda kind: kind.name)


def _word(name: str) -> str:
    return re.sub(r"[^\w]+", "-", _PUBLISHED.get(name, name))


def _coarse(score: str) -> str:
    return "lq" if score in ("bbps0", "bbps1") else "hq"


def check_new(folder: Path) -> None:
    """Refuse a folder that exists.

    Raises:
        EvaluationError: It does.
    """
    if folder.exists():
        raise EvaluationError("Something is already there", where=folder, mend="Give another --mistakes, or remove it.")


def write_mistakes(
    evaluation: Evaluation,
    answers: Sequence[Answer],
    items: Mapping[str, Item],
    folder: Path,
    *,
    progress: Progress = silent,
) -> Path:
    """Write every misclassified frame: a still's original file, or a video's frame as PNG.

    Files lie under the names that the cohort gives them, so that equal base names stay apart. The folder appears whole.

    Args:
        evaluation: Of the classes.
        answers: Of the questions.
        items: Those judged, by id.
        folder: Where; it must not exist yet.
        progress: Told about files.

    Returns:
        The page, ``index.html``.

    Raises:
        EvaluationError: Something is already there.
        VideoError: A frame that was read before cannot be read now.
    """
    check_new(folder)
    kinds = kinds_of(evaluation, answers)
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    fresh.mkdir(parents=True)
    try:
        with stage(progress, sum(len(kind.items) for kind in kinds), "mistakes") as told:
            for kind in kinds:
                for name, _ in kind.items:
                    _write(items[name], fresh / kind.name)
                    told.advance(1)
        _page(evaluation, kinds, items).write(fresh / "index.html")
        fresh.rename(folder)
        files.fsync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder / "index.html"


def _write(item: Item, folder: Path) -> None:
    parts = [part for part in Path(item.id).parts if part not in ("..", "/", item.path.anchor)]
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    if item.start is None and item.path.is_file():
        shutil.copyfile(item.path, target if target.suffix else target.with_name(target.name + item.path.suffix))
        return
    Image.fromarray(_frame(item)).save(target.with_name(f"{target.name}.png"))


def _frame(item: Item) -> np.ndarray:
    with Video(item.path, threads=1) as video:
        picture: np.ndarray = video.frames([item.start or 0]).pixels[0]
    return picture


def _page(evaluation: Evaluation, kinds: Sequence[Kind], items: Mapping[str, Item]) -> Page:
    shown = sum(min(_SHOWN, len(kind.items)) for kind in kinds)
    sections = []
    for kind in kinds:
        some = kind.items[:_SHOWN]
        strip = FrameStrip(
            title="Decided most surely first",
            frames=[_frame(items[name]) for name, _ in some],
            captions=tuple(f"{name}, {100 * sure:.0f}%" for name, sure in some),
        )
        budget = int(_PAGE_BYTES * len(some) / max(1, shown))
        said = count(len(kind.items), "frame")
        intro = f"{said}, the {len(some)} decided most surely are shown." if len(some) < len(kind.items) else f"{said}."
        sections.append(Section(kind.name, (gallery([strip], budget=budget),), intro=intro))
    return Page(
        title=f"{evaluation.cohort}: {evaluation.split}, mistakes",
        kicker="Misclassified frames",
        subtitle="A folder a kind of error; file names are those of the cohort.",
        chips=(Fact("cohort", evaluation.cohort), Fact("split", evaluation.split), Fact("kinds", str(len(kinds)))),
        banners=(Banner("This folder holds pictures of patients under their own names.", "warn"),),
        watermark=evaluation.watermark,
        sections=tuple(sections),
        provenance=(),
    )
