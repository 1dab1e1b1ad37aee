"""Errors a user can act on: what is wrong, where, and how to mend it.

Everything that is the user's to mend is a :class:`CineloopError`; the command line prints it in one message and
exits with 2. Any other exception is a defect of the program and keeps its traceback.
"""

from __future__ import annotations

from pathlib import Path


class CineloopError(Exception):
    """A mistake in the input, with its place and its remedy.

    Args:
        what: What is wrong, as one sentence without a final full stop.
        where: The file, key, or item concerned.
        mend: What the user can do about it, as one imperative sentence.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | Path | None = None, mend: str | None = None) -> None:
        super().__init__(what, where, mend)
        self.what = what
        self.where = str(where) if where is not None else None
        self.mend = mend

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and data workers raise across processes.
        return (_rebuild, (type(self), self.what, self.where, self.mend))

    def __str__(self) -> str:
        text = self.what
        if self.where:
            text += f"\n  where: {self.where}"
        if self.mend:
            text += f"\n  mend:  {self.mend}"
        return text


def _rebuild(kind: type[CineloopError], what: str, where: str | None, mend: str | None) -> CineloopError:
    return kind(what, where=where, mend=mend)


class RecipeError(CineloopError):
    """A recipe, or an override on the command line, that cannot be understood."""


class CohortError(CineloopError):
    """Data that does not form a usable cohort: missing files, unknown labels, empty or leaking splits."""


class VideoError(CineloopError):
    """A video, image or DICOM file that cannot be read."""


class TruncatedVideoError(VideoError):
    """A file that ends before what its header promises."""


class EmptyVideoError(VideoError):
    """A file without a single decodable frame (audio only, zero frames)."""


class FrameDecodeError(VideoError):
    """A particular frame that cannot be decoded."""


class SamplingError(CineloopError):
    """Frames that cannot be chosen, or records of chosen frames that cannot be read."""


class TimelineError(CineloopError):
    """A timeline that cannot be read, written, filtered, or shown over a video."""


class WeightsError(CineloopError):
    """A weights file that is unsafe, unreadable, or does not fit the model."""


class ModelError(CineloopError):
    """An unknown model, or a configuration that it cannot be built from."""


class RunError(CineloopError):
    """A run folder that is missing, incomplete, or already taken."""


class PluginError(CineloopError):
    """A plug-in that cannot be loaded, or one that a recipe or run needs and that is not enabled."""


class TrainingError(CineloopError):
    """Training that cannot go on: a non-finite loss, nothing to learn from."""


class EvaluationError(CineloopError):
    """Predictions that cannot be evaluated or compared: not finite, misshapen, without a known label."""


class ExportError(CineloopError):
    """A model that cannot be exported as asked, or an export that does not compute what the model does."""


class ReportError(CineloopError):
    """A report of an analysed procedure that is missing, damaged, or of another version."""


class PrivacyError(CineloopError):
    """A recording that cannot be de-identified as asked."""
