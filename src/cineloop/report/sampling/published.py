"""The CSV files of the published fine-tuning tools: ``sampling_indices_{dataset}_{method}_{split}[_augstep{k}].csv``.

Three layouts are about: ``active``, which the published training writes; ``helper``, which its helper scripts write;
and ``generated``, whose rows have a column more for each frame than the header says. All are read; the first two are
written. Frames count from the first of their clip.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cineloop.errors import SamplingError
from cineloop.files import write_text
from cineloop.report.sampling.samples import Clip, Sample, Samples
from cineloop.video.sampling import MODES

Layout = Literal["active", "helper"]
LAYOUTS: tuple[Layout, ...] = ("active", "helper")
RECIPE = "recipe"
"""The name of the method that is a recipe's own sampling, whatever its mode in each split."""

_PREFIX = "sampling_indices_"
_SPLITS = ("train", "val", "test", "all")
_NAMED = re.compile(rf"{_PREFIX}(?P<rest>.+?)(?:_augstep(?P<step>\d+))?\.csv", re.DOTALL)
_RENAME = f"Call it {_PREFIX}DATASET_METHOD_SPLIT.csv, as the published tools do."
_COLUMNS = "It has the columns video_path, total_frames and indices, or video_filename, total_frames, sampled_indices."


@dataclass(frozen=True, slots=True)
class FileName:
    """What the name of a file says.

    Attributes:
        dataset: The data set.
        method: The sampling method.
        split: The split.
        step: The distance of augmentation rounds, None for none.
    """

    dataset: str
    method: str
    split: str
    step: int | None = None

    def __str__(self) -> str:
        """Return the file's name."""
        step = "" if self.step is None else f"_augstep{self.step}"
        return f"{_PREFIX}{self.dataset}_{self.method}_{self.split}{step}.csv"


def parse_name(path: Path, method: str | None = None) -> FileName:
    """Return what a file's name says, although data sets and methods hold underscores themselves.

    Args:
        path: The file.
        method: The method where it is known from the file's content.

    Raises:
        SamplingError: It is not such a name.
    """
    found = _NAMED.fullmatch(path.name)
    words = found["rest"].split("_") if found else []
    if found is None or len(words) < 3:
        raise SamplingError("The file's name does not say data set, method and split", where=path, mend=_RENAME)
    step = int(found["step"]) if found["step"] else None
    known = {method} if method is not None else {*MODES, RECIPE}
    ways = [
        FileName("_".join(words[:first]), "_".join(words[first:last]), "_".join(words[last:]), step)
        for first in range(1, len(words) - 1)
        for last in range(first + 1, len(words))
        if "_".join(words[first:last]) in known and all(words[:1] + words[-1:])
    ]
    if not ways:
        # A method that is not known here is one word.
        return FileName("_".join(words[:-2]), words[-2], words[-1], step)
    return max(ways, key=lambda way: (way.split in _SPLITS, way.method.count("_"), -way.split.count("_")))


def read_csv(paths: Sequence[Path]) -> Samples:
    """Read files of any of the three layouts as one table.

    Raises:
        SamplingError: A file, or a line of one, is not of any; the message names both.
    """
    rows: list[Sample] = []
    steps: list[int] = []
    for path in paths:
        named, found = _file(path)
        rows += found
        steps += [named.step] if named.step is not None else []
    if not rows:
        raise SamplingError("The files hold no rows", where=paths[0] if paths else None, mend="Name others.")
    return Samples.of(rows, methods=list(MODES), round_step=min(steps) if steps else None)


def _file(path: Path) -> tuple[FileName, list[Sample]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SamplingError(f"The file cannot be read: {error}", where=path, mend="Name a CSV file.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = next(reader, [])
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise SamplingError(f"This is not CSV: {error}", where=where, mend="Restore the line.") from None
    column = {name.strip(): number for number, name in enumerate(head)}
    name = next((column[key] for key in ("video_path", "video_filename") if key in column), None)
    frames = next((column[key] for key in ("indices", "sampled_indices", "sampled_frames") if key in column), None)
    total = column.get("total_frames")
    if name is None or frames is None or total is None:
        raise SamplingError("The columns are not those of sampling indices", where=f"{path}, line 1", mend=_COLUMNS)
    method = column.get("sampling_method")
    said = {cells[method].strip() for _, cells in lines if method is not None and method < len(cells)}
    named = parse_name(path, said.pop() if len(said) == 1 else None)
    rows = []
    seen: dict[tuple[str, int | None], int] = {}
    for line, cells in lines:
        where = f"{path}, line {line}"
        if len(cells) != len(head) and not (len(head) == 3 and frames == 2 and len(cells) > 3):
            raise SamplingError(
                f"The line has {len(cells)} cells, the header {len(head)}", where=where, mend="Restore the line."
            )
        indices = _frames(cells[frames:] if len(cells) > len(head) else cells[frames : frames + 1], where)
        count = _whole(cells[total], "total_frames", where)
        if count < 1 or not indices or min(indices) < 0 or max(indices) >= count:
            raise SamplingError(
                f"The frames are not among the {count} of the video",
                where=where,
                mend="Frames count from 0 to total_frames - 1, and there is at least one; restore the line.",
            )
        label = cells[column["label"]].strip() if "label" in column else ""
        round = _round(cells[column["aug_round"]], where) if "aug_round" in column else None
        occurrence = seen[cells[name], round] = seen.get((cells[name], round), -1) + 1
        clip = Clip(cells[name], named.split, count, label or None)
        rows.append(Sample(clip, named.method, indices, round, occurrence=occurrence))
    return named, rows


def _whole(text: str, column: str, where: str) -> int:
    try:
        value = float(text)
        if value != int(value):
            raise ValueError
    except (ValueError, OverflowError):
        raise SamplingError(
            f"Not a whole number in the column {column}: {text[:40]!r}", where=where, mend="Restore the line."
        ) from None
    return int(value)


def _frames(cells: Sequence[str], where: str) -> tuple[int, ...]:
    """Return the frames of ``[  0  36  72]``, over several lines too, of ``0,36,72``, or of a cell each."""
    words = " ".join(cells).replace("[", " ").replace("]", " ").replace(",", " ").split()
    if "..." in words:
        raise SamplingError(
            "The frames are cut short by `...`", where=where, mend="Write the file again with all of them."
        )
    return tuple(_whole(word, "of frames", where) for word in words)


def _round(text: str, where: str) -> int | None:
    text = text.strip().removeprefix("aug_")
    if text.lower() in ("", "original", "nan", "none"):
        return None
    number = _whole(text, "aug_round", where)
    if number < 1:
        raise SamplingError("Augmentation rounds begin at 1", where=where, mend="Leave the cell of an original empty.")
    return number


def write_csv(samples: Samples, folder: Path, dataset: str, *, layout: Layout = "active") -> list[Path]:
    """Write a file for each method and split, atomically.

    A file has no column for epochs, views and occurrences: what the latest epoch shows first stands in it.

    Args:
        samples: The rows; names stand as they are in it.
        folder: Where to write.
        dataset: For the files' names.
        layout: ``active`` or ``helper``.

    Returns:
        The files.
    """
    written = []
    for method, method_name in enumerate(samples.methods):
        for split in samples.splits:
            rows = [row for row in _latest(samples, method) if row.clip.split == split]
            if not rows:
                continue
            rows.sort(key=lambda row: (row.round is not None, row.clip.name, row.round or 0))
            augmented = any(row.round is not None for row in rows)
            step = (samples.round_step or 1) if augmented else None
            path = folder / str(FileName(dataset, method_name, split, step))
            stream = io.StringIO()
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows(_active(rows, augmented=augmented) if layout == "active" else _helper(rows))
            write_text(path, stream.getvalue())
            written.append(path)
    return written


def _latest(samples: Samples, method: int) -> list[Sample]:
    """Return a method's rows of the latest epoch, the first view and occurrence of each."""
    last: dict[str, int] = {}
    rows = [samples.row(number) for number in np.flatnonzero(samples.method == method).tolist()]
    for row in rows:
        last[row.clip.split] = max(last.get(row.clip.split, 0), row.epoch)
    kept: dict[tuple[Clip, int | None], Sample] = {}
    for row in rows:
        if row.epoch in (0, last[row.clip.split]) and row.view == 0:
            kept.setdefault((row.clip, row.round), row)
    return list(kept.values())


def _active(rows: Sequence[Sample], *, augmented: bool) -> Iterator[list[str]]:
    more = ["aug_round"] if augmented else []
    yield ["video_path", "total_frames", "sampling_method", "indices", *more]
    for row in rows:
        indices = np.array2string(np.array(row.indices, np.int64), threshold=sys.maxsize)
        rounds = ["" if row.round is None else str(row.round)] if augmented else []
        yield [row.clip.name, str(row.clip.total), row.method, indices, *rounds]


def _helper(rows: Sequence[Sample]) -> Iterator[list[str]]:
    yield ["video_filename", "total_frames", "sampled_indices", "aug_round", "label"]
    for row in rows:
        yield [
            row.clip.name,
            str(row.clip.total),
            ",".join(map(str, row.indices)),
            "original" if row.round is None else f"aug_{row.round}",
            row.clip.label or "",
        ]
