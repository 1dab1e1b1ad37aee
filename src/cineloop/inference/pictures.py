"""Frames that were looked at, decoded once more for people: of the worst mistakes, and of examples of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from cineloop.cohort import Item
from cineloop.evaluation.examples import choose_examples
from cineloop.evaluation.examples_page import Shown
from cineloop.evaluation.result import Evaluation
from cineloop.identity import pseudonym
from cineloop.inference.load import Loaded
from cineloop.report.gallery import FrameStrip
from cineloop.video import Video
from cineloop.video.records import SampleRecord

_FRAMES, _HEIGHT = 8, 240


@dataclass(frozen=True, eq=False)
class Seen:
    """Some of the frames that an item was judged by.

    Attributes:
        frames: uint8 RGB [T, H, W, 3], at most 240 pixels high.
        indices: Their places in the item, [T].
        seconds: Their times, [T]; None where they are not recorded.
        looked_at: How many different frames were looked at, all views together.
        total: Frames of the item.
        start: The first of them in the file.
    """

    frames: npt.NDArray[np.uint8]
    indices: tuple[int, ...]
    seconds: tuple[float, ...] | None
    looked_at: int
    total: int
    start: int


def by_item(records: Iterable[SampleRecord]) -> dict[str, list[SampleRecord]]:
    """Return the records of each item."""
    found: dict[str, list[SampleRecord]] = {}
    for record in records:
        found.setdefault(record.item, []).append(record)
    return found


def see(item: Item, records: Sequence[SampleRecord], loaded: Loaded) -> Seen:
    """Decode some of the recorded frames of an item, evenly over all views.

    Args:
        item: What was judged.
        records: What was decoded for it; of none, the model's own first view is taken.
        loaded: What judged it.

    Raises:
        VideoError: A frame that was read before cannot be read now.
    """
    if not records:
        pixels = loaded.predictor.frames(item)
        places = _evenly(len(pixels))
        chosen = tuple(int(place) for place in places)
        return Seen(_small(pixels[places]), chosen, None, len(pixels), len(pixels), 0)
    times = {ref.index: ref.seconds for record in records for ref in record.refs}
    ordered = sorted(times)
    indices = [ordered[place] for place in _evenly(len(ordered))]
    with Video(item.path, threads=1) as video:
        frames = _small(video.frames(np.array(indices)).pixels)
    start = records[0].start
    return Seen(
        frames,
        tuple(index - start for index in indices),
        tuple(times[index] for index in indices),
        len(ordered),
        records[0].total,
        start,
    )


def _evenly(count: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, count - 1, min(_FRAMES, count)).round().astype(np.int64)


def _small(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = frames.shape[1:3]
    if height <= _HEIGHT:
        return frames
    size = max(1, round(width * _HEIGHT / height)), _HEIGHT
    return np.stack(
        [
            np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
            for frame in frames
        ]
    )


def worst_mistakes(
    evaluation: Evaluation,
    items: Mapping[str, Item],
    records: Mapping[str, Sequence[SampleRecord]],
    loaded: Loaded,
    *,
    salt: str | None = None,
) -> list[FrameStrip]:
    """Return the frames of the items that were decided wrongly with the most confidence.

    Args:
        evaluation: With known targets; ``evaluate.worst`` says how many.
        items: Those predicted, by name.
        records: What was decoded for them.
        loaded: What predicted them.
        salt: The secret behind the pseudonyms in the titles; None names the items.

    Raises:
        VideoError: A frame that was read before cannot be read now.
    """
    predictions, decided = evaluation.predictions, evaluation.decided
    rows = np.arange(len(predictions))
    wrong = (predictions.targets >= 0) & (decided != predictions.targets)
    # How sure it was of what is not true: what the true class did not get.
    sureness = 1.0 - predictions.probabilities[rows, np.maximum(predictions.targets, 0)]
    order = [int(row) for row in np.argsort(-sureness, kind="stable") if wrong[row]][: evaluation.config.worst]
    strips = []
    for row in order:
        name = predictions.ids[row]
        seen = see(items[name], records.get(name, ()), loaded)
        truth, said = predictions.classes[predictions.targets[row]], predictions.classes[decided[row]]
        strips.append(
            FrameStrip(
                title=name if salt is None else pseudonym(name, salt),
                frames=seen.frames,
                captions=() if seen.seconds is None else tuple(f"{second:.2f} s" for second in seen.seconds),
                detail=f"is {truth}, called {said}, {100 * sureness[row]:.0f}% not {truth}",
                tone="warn",
            )
        )
    return strips


def examples(
    evaluation: Evaluation,
    items: Mapping[str, Item],
    records: Mapping[str, Sequence[SampleRecord]],
    loaded: Loaded,
    *,
    salt: str | None = None,
) -> list[Shown]:
    """Return items of every cell of the confusion matrix with their frames; see :func:`worst_mistakes`.

    Raises:
        VideoError: A frame that was read before cannot be read now.
    """
    shown = []
    for one in choose_examples(evaluation, evaluation.config.examples):
        name = evaluation.predictions.ids[one.row]
        seen = see(items[name], records.get(name, ()), loaded)
        title = name if salt is None else pseudonym(name, salt)
        shown.append(Shown(one, title, **vars(seen)))
    return shown
