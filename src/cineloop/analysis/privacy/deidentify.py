"""A procedure without what identifies its patient: recordings, audit log and review sheet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import numpy as np

from cineloop import _version
from cineloop.analysis.privacy.audit import removed_ranges, write_audit
from cineloop.analysis.privacy.blanking import GateRows, Span, blank_spans
from cineloop.analysis.privacy.dicom import write_dicom
from cineloop.analysis.privacy.doubts import Doubt, FrameKey, find_doubts
from cineloop.analysis.privacy.mask import find_mask
from cineloop.analysis.privacy.part import Part, divided, seconds_of
from cineloop.analysis.privacy.result import PartOutcome, PrivacyResult, WrittenFile
from cineloop.analysis.privacy.review import review_page
from cineloop.analysis.privacy.settings import PrivacySettings
from cineloop.analysis.privacy.thumbnails import Thumbnails
from cineloop.analysis.privacy.write import Watch, write_video
from cineloop.analysis.words import Language, Said
from cineloop.errors import PrivacyError
from cineloop.files import sha256_file
from cineloop.identity import identity_salt
from cineloop.progress import Progress, silent
from cineloop.video.reader import Video

LOGS = ("audit.json", "audit.csv", "review.html")
# Frames of a part in which leftover text is looked for by eye, and of all parts.
_SHOWN, _SHOWN_IN_ALL = 6, 12
_NEARLY_ALL = 0.95


def deidentify(
    parts: Sequence[Path],
    rows: GateRows,
    settings: PrivacySettings,
    out: Path,
    progress: Progress = silent,
    *,
    language: Language = "en",
) -> PrivacyResult:
    """Write the files of a procedure again without what identifies its patient.

    Frames are removed that are not known to be inside of the body or cannot be decoded
    (:func:`~cineloop.analysis.privacy.blanking.blank_spans`); in the others, text and what surrounds the endoscope's
    picture are filled. Writes ``deidentified.mp4``, or ``deidentified-000.mp4`` and so on (``.dcm`` of a DICOM object),
    ``audit.json``, ``audit.csv`` and ``review.html``. All of them appear when all are whole; memory does not depend on
    the length.

    Args:
        parts: The procedure's files, in order: videos, DICOM objects, folders of images. Each begins when the one
            before is over.
        rows: What the in-body gate says, on the procedure's clock: the first frame of the first part appears at 0.
        settings: How it is done.
        out: A folder; it is made where it is not there.
        progress: Told about frames.
        language: Of the review sheet.

    Raises:
        PrivacyError: Results are already there; parts cannot be joined; a region lies outside of the frame; or a DICOM
            object is of no standard class.
        VideoError: A part cannot be read at all.
    """
    videos = [Video(path, allow_truncated=True) for path in parts]
    if not videos:
        raise PrivacyError("There is no recording to de-identify", mend="Name at least one.")
    names = _names(videos, settings)
    _check(out, names, videos, settings)
    duration = float(sum((seconds_of(video) for video in videos), Fraction(0)))
    spans = blank_spans(rows, duration, settings)
    work = divided(videos, spans, [_hash(path) for path in parts])
    _find_masks(work, settings)
    doubts, overview = find_doubts(work, spans, rows, settings), _overview(work)
    thumbnails = Thumbnails((key for doubt in doubts for key in doubt.kept), overview)
    out.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=out, prefix=".deidentified."))
    try:
        files = _write(work, names, settings, staging, thumbnails.watch, progress)
        result = _result(out, settings, rows, work, names, files, spans)
        if settings.review_removed:
            thumbnails.add_removed(work, _removed_frames(doubts))
        write_audit(result, staging)
        review_page(result, doubts, overview, thumbnails, language=language).write(staging / "review.html")
        # The log last: whoever finds it finds all of the rest.
        for name in (*dict.fromkeys(names), "review.html", "audit.csv", "audit.json"):
            (staging / name).replace(out / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for video in videos:
            video.close()
    return result


def _names(videos: Sequence[Video], settings: PrivacySettings) -> list[str]:
    """Return the file that each part goes to."""
    suffixes = [".dcm" if video.info.kind == "dicom" and settings.dicom_as == "dicom" else ".mp4" for video in videos]
    if len(videos) == 1 or (settings.join and set(suffixes) == {".mp4"}):
        return [f"deidentified{suffixes[0]}"] * len(videos)
    return [f"deidentified-{number:03d}{suffix}" for number, suffix in enumerate(suffixes)]


def _check(out: Path, names: list[str], videos: Sequence[Video], settings: PrivacySettings) -> None:
    if settings.join and len(set(names)) > 1:
        raise PrivacyError("DICOM objects cannot be joined", mend="Have them written as videos (dicom_as: video).")
    if out.is_file():
        raise PrivacyError("A file is where the folder should be", where=out, mend="Give another folder.")
    there = [name for name in (*names, *LOGS) if (out / name).exists()]
    if there:
        raise PrivacyError(f"{there[0]} is already there", where=out, mend="Give another folder, or remove it.")
    # All regions must fit before any work is done.
    for video in videos:
        for region in settings.masks:
            region.placed((video.info.width, video.info.height))


def _hash(path: Path) -> str:
    """Return the hash of a file's bytes; of a folder of images, over those of its files in order of their names."""
    if not path.is_dir():
        return sha256_file(path)
    import hashlib

    whole = hashlib.sha256()
    for file in sorted(each for each in path.iterdir() if each.is_file()):
        whole.update(bytes.fromhex(sha256_file(file)))
    return whole.hexdigest()


def _find_masks(work: list[Part], settings: PrivacySettings) -> None:
    """Find what is filled; text that was found in one part is filled in all of its size."""
    for part in work:
        part.mask = find_mask(part.video, np.flatnonzero(~part.blanked), settings)
    for part in work:
        for other in work:
            if other is not part and other.mask.size == part.mask.size:
                part.mask = part.mask.with_text_of(other.mask)


def _overview(work: list[Part]) -> tuple[FrameKey, ...]:
    """Return kept frames, spread over the parts."""
    each = max(1, min(_SHOWN, _SHOWN_IN_ALL // len(work)))
    keys: list[FrameKey] = []
    for part in work:
        kept = np.flatnonzero(~part.blanked)
        if len(kept):
            chosen = np.unique(np.linspace(0, len(kept) - 1, each + 2).round().astype(np.int64)[1:-1])
            keys += [(part.number, int(frame)) for frame in kept[chosen]]
    return tuple(keys[:_SHOWN_IN_ALL])


def _removed_frames(doubts: Sequence[Doubt]) -> list[FrameKey]:
    return list(dict.fromkeys(key for doubt in doubts for key in doubt.removed))


def _write(
    work: list[Part], names: list[str], settings: PrivacySettings, folder: Path, watch: Watch, progress: Progress
) -> tuple[WrittenFile, ...]:
    files = []
    for name in dict.fromkeys(names):
        within = [part for part, its in zip(work, names, strict=True) if its == name]
        path = folder / name
        if path.suffix == ".dcm":
            frames = write_dicom(within[0], path, settings, salt=identity_salt(), watch=watch, progress=progress)
        else:
            frames = write_video(within, path, watch=watch, progress=progress)
        kind = "dicom" if path.suffix == ".dcm" else "video"
        files.append(WrittenFile(name, kind, sha256_file(path), frames))  # type: ignore[arg-type]
    return tuple(files)


def _result(
    out: Path,
    settings: PrivacySettings,
    rows: GateRows,
    work: list[Part],
    names: list[str],
    files: tuple[WrittenFile, ...],
    spans: tuple[Span, ...],
) -> PrivacyResult:
    outcomes = tuple(
        PartOutcome(
            number=part.number,
            sha256=part.sha256,
            file=name,
            start=float(part.start),
            seconds=float(seconds_of(part.video)),
            frames=len(part.blanked),
            removed=int(part.removed.sum()),
            undecodable=int(part.undecodable.sum()),
            truncated=part.video.info.truncated,
            mask=part.mask,
        )
        for part, name in zip(work, names, strict=True)
    )
    return PrivacyResult(
        folder=out,
        settings=settings,
        threshold=rows.threshold,
        parts=outcomes,
        files=files,
        spans=spans,
        removed=removed_ranges(work, spans, rows),
        warnings=tuple(_warnings(outcomes, rows, settings)),
        versions={
            "cineloop": _version.__version__,
            **{name: metadata.version(name) for name in ("av", "numpy", "pydicom")},
        },
        audit=out / "audit.json",
        sheet=out / "review.html",
    )


def _warnings(outcomes: tuple[PartOutcome, ...], rows: GateRows, settings: PrivacySettings) -> Iterator[Said]:
    removed, frames = (sum(getattr(part, name) for part in outcomes) for name in ("removed", "frames"))
    if len(rows.seconds) > 1 and float(np.median(np.diff(rows.seconds))) > settings.gap:
        yield Said("looked_too_seldom", {"gap": settings.gap})
    if removed >= _NEARLY_ALL * frames:
        yield Said("nearly_all_removed", {"removed": removed, "frames": frames})
    for part in outcomes:
        number = {"part": part.number + 1}
        if settings.find_text and part.mask.looks and part.mask.still == part.mask.looks:
            yield Said("hardly_moves", {**number, "share": part.mask.found_share})
        elif part.mask.still:
            yield Said("stood_still", {**number, "still": part.mask.still, "looks": part.mask.looks})
        elif settings.find_text and part.frames - part.removed == 1:
            yield Said("one_picture", number)
        if part.truncated:
            yield Said("part_ends_early", number)
        if part.undecodable:
            yield Said("undecodable_removed", {**number, "frames": part.undecodable})
