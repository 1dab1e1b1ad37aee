"""What samplers would choose from a cohort, without decoding anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from cineloop.cohort import Cohort, Item
from cineloop.errors import CohortError
from cineloop.progress import Progress, silent, stage
from cineloop.report.sampling.samples import Clip, Sample, Samples
from cineloop.video import Video
from cineloop.video.sampling import FrameSampler
from cineloop.video.source import Clock

ClockName = Literal["true", "steady"]
CHEAP = 60
"""Files that are opened for their frame times without being asked to."""


@dataclass(frozen=True)
class Method:
    """A way to choose frames, split by split.

    Attributes:
        name: What it is called on the page.
        sampler: From the name of a split to its sampler.
    """

    name: str
    sampler: Callable[[str], FrameSampler]


@dataclass(frozen=True, eq=False)
class Plan:
    """What would be chosen.

    Attributes:
        samples: The rows.
        items: The item of each clip of the table, [C].
        clock: Which clock the frames of timed methods were chosen by; None where no method is timed.
    """

    samples: Samples
    items: tuple[Item, ...]
    clock: ClockName | None


def plan(
    cohort: Cohort,
    methods: Sequence[Method],
    *,
    splits: Sequence[str] = (),
    epochs: int = 1,
    clock: Literal["auto", "true", "steady"] = "auto",
    progress: Progress = silent,
) -> Plan:
    """Return which frames each method would choose from each item.

    Frame times come from the media table (frames and duration: a steady clock). A method that is timed is asked with
    the file's own clock where that is cheap, or asked for.

    Args:
        cohort: The videos; unlabelled ones are left out where some are labelled, as training and evaluation do.
        methods: The ways.
        splits: Which splits; none means all. A cohort that is not divided is one split, ``all``.
        epochs: How many epochs of methods whose draws are new in every epoch.
        clock: ``true`` opens every file for its frame times, ``steady`` none, ``auto`` up to :data:`CHEAP` of them.
        progress: Told of every file that is opened.

    Raises:
        CohortError: There is no such split, or no item.
        VideoError: A file cannot be opened.
    """
    labelled = cohort.items["label"].null_count() < cohort.items.height
    named: list[str | None] = [*(splits or cohort.split_names)] or [None]
    items = {split or "all": cohort.items_of(split, labelled=labelled) for split in named}
    used = [(split, method.sampler(split), method.name) for split in items for method in methods]
    timed = {split for split, sampler, _ in used if sampler.timed}
    n_timed = sum(len(items[split]) for split in timed)
    opened = bool(timed) and (clock == "true" or (clock == "auto" and n_timed <= CHEAP))
    durations = dict(cohort.media.select("id", "duration").rows())
    rows: list[Sample] = []
    of_clip: dict[Clip, Item] = {}
    steps = [rounds.step for _, sampler, _ in used if (rounds := sampler.config.rounds) is not None]
    n_items = sum(map(len, items.values()))
    with stage(progress, n_items, "reading frame times" if opened else "choosing frames") as listener:
        for split, of_split in items.items():
            here = [(sampler, name) for where, sampler, name in used if where == split]
            for position, item in enumerate(of_split):
                own = _true_clock(item) if opened and split in timed else None
                clip, steady = _clip(item, split, durations[item.media])
                of_clip[clip] = item
                for sampler, name in here:
                    rows += _rows(sampler, name, clip, item, own or steady, position, epochs, timed=own is not None)
                listener.advance()
    samples = Samples.of(rows, methods=[method.name for method in methods], round_step=steps[0] if steps else None)
    looked: ClockName = "true" if opened else "steady"
    return Plan(samples, tuple(of_clip[clip] for clip in samples.clips), looked if timed else None)


def _clip(item: Item, split: str, duration: float | None) -> tuple[Clip, Clock | None]:
    """Return an item as a clip, and the steady clock of its frames where the file's duration is known."""
    if item.frames is None:
        raise CohortError("The number of frames is not known", where=item.path, mend="Read the cohort again.")
    start = item.start or 0
    total = (item.frames if item.stop is None else item.stop) - start
    if not duration:
        return Clip(item.id, split, total, item.label, start), None
    step = duration / item.frames
    base = Fraction(step).limit_denominator(1_000_000)
    clip = Clip(item.id, split, total, item.label, start, step=round(step, 9), at=round(start * step, 9))
    return clip, Clock(np.arange(total), base, total) if base else None


def _true_clock(item: Item) -> Clock:
    with Video(item.path, threads=1) as video:
        start = item.start or 0
        return video.clock.part(start, len(video) if item.stop is None else item.stop)


def _rows(
    sampler: FrameSampler,
    name: str,
    clip: Clip,
    item: Item,
    clock: Clock | None,
    position: int,
    epochs: int,
    *,
    timed: bool,
) -> Iterator[Sample]:
    redrawn = sampler.config.redraw == "epoch" and epochs > 1
    for epoch in range(epochs if redrawn else 1):
        for round in (None, *sampler.rounds(clip.total)):
            chosen = sampler.indices(
                clip.total, item.id, round=round, epoch=epoch, clock=clock if sampler.timed else None, position=position
            )
            seconds = None
            if timed and clock is not None:
                seconds = tuple((clock.pts[chosen] * float(clock.time_base)).tolist())
            yield Sample(
                clip=clip,
                method=name,
                indices=tuple(chosen.tolist()),
                round=round,
                epoch=epoch + 1 if redrawn else 0,
                seconds=seconds,
            )


def describe(sampler: FrameSampler) -> str:
    """Return a sampler in words."""
    config = sampler.config
    words = [config.mode, f"{config.frames} frames", f"seed {config.seed}"]
    if config.mode == "clip":
        words.append(f"every {config.clip.stride}th frame at {config.clip.fps:g} a second, start: {config.clip.start}")
    if config.redraw == "epoch":
        words.append("drawn anew in every epoch")
    if config.rounds is not None:
        cap = f" up to {config.rounds.cap}" if config.rounds.cap is not None else ""
        words.append(f"rounds 1, {1 + config.rounds.step}, ...{cap}")
    return ", ".join(words)
