"""The result of an analysis: everything that its files and its report are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cineloop.analysis.indicator import Indicator, StageName
from cineloop.analysis.settings import Settings
from cineloop.timeline.timeline import Timeline

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A frame of a procedure, and where to find it.

    Attributes:
        seconds: On the procedure's clock.
        frame: Counted over all parts.
        part: Number of the part, from 0.
        part_frame: Its index in the part.
        part_seconds: From the part's first frame, where a player finds it.
    """

    seconds: float
    frame: int
    part: int
    part_frame: int
    part_seconds: float


@dataclass(frozen=True)
class PartFacts:
    """A file of the procedure.

    Attributes:
        number: From 0.
        name: Of the file, a pseudonym unless plain names were asked for.
        start: When it begins, on the procedure's clock.
        seconds: How long it lasts.
        frames: Frames in it.
        fps: Frames a second, the mean where they vary.
        width: Pixels across.
        height: Pixels down.
        codec: What it is coded with.
        sha256: Of its bytes.
        truncated: Whether it ends before what its header promises.
    """

    number: int
    name: str
    start: float
    seconds: float
    frames: int
    fps: float
    width: int
    height: int
    codec: str
    sha256: str
    truncated: bool


@dataclass(frozen=True)
class Gap:
    """A stretch in which no frame could be decoded.

    Attributes:
        first: The first frame, counted over all parts.
        stop: One past the last.
        start: When it begins, on the procedure's clock.
        end: When it is over.
        reason: Why, of the first frame.
    """

    first: int
    stop: int
    start: float
    end: float
    reason: str


@dataclass(frozen=True)
class StageFacts:
    """A model that ran.

    Attributes:
        stage: What it is for.
        run: Its run's name; None for weights or exports alone.
        architecture: Its registered name.
        weights_sha256: Over its tensors.
        corpus: Fingerprint of the cohort that it was trained on; None where unknown.
        engine: What computed it: ``torch 2.13.0``, ``onnxruntime 1.23.0``.
        classes: What it tells apart.
        thresholds: From which probability on a class or label is decided, by name.
        tuned: Whether thresholds were chosen on validation.
        looked: Frames or clips that it judged.
        warnings: What a reader must know of it.
    """

    stage: StageName
    run: str | None
    architecture: str
    weights_sha256: str
    corpus: str | None
    engine: str
    classes: tuple[str, ...]
    thresholds: Mapping[str, float]
    tuned: bool
    looked: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """A stretch of the procedure.

    Attributes:
        name: ``phase``: the course as a whole; or a signal of the timeline.
        value: ``outside``, ``inside``, ``insertion``, ``caecum``, ``withdrawal``, ``unknown``; of a signal its value.
        start: Where it begins.
        stop: Seconds at which it is over, on the procedure's clock.
    """

    name: str
    value: str
    start: Place
    stop: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.stop - self.start.seconds


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        name: ``insertion_start``, ``caecum_reached``, ``withdrawal_start``, ``withdrawal_end``, ``alarm``.
        place: Where.
        known_at: The moment from which on it could be known, on the procedure's clock.
        detail: In words.
    """

    name: str
    place: Place
    known_at: float
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Windows:
    """What the classifier said of clips, W of them in order.

    Attributes:
        start: When each begins, on the procedure's clock, float64 [W].
        stop: When it ends, float64 [W].
        probabilities: By class, float64 [W] each.
        decided: Place of the class that was decided, int64 [W]; -1 of a clip that could not be judged.
        positive: The class that raises an alarm; None where classes have no such.
    """

    start: Floats
    stop: Floats
    probabilities: Mapping[str, Floats]
    decided: npt.NDArray[np.int64]
    positive: str | None


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a moment.

    Attributes:
        seconds: On the procedure's clock.
        jpeg: The file's bytes.
        width: Pixels across.
        height: Pixels down.
    """

    seconds: float
    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True)
class BestFrame:
    """A frame worth showing.

    Attributes:
        place: Where.
        phase: Of the course.
        sharpness: Its rank among all frames that were looked at, in [0, 1].
        picture: Of it.
    """

    place: Place
    phase: str
    sharpness: float
    picture: Thumbnail


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A procedure after its analysis.

    Attributes:
        name: Of the procedure, a pseudonym unless plain names were asked for.
        settings: How it was analysed.
        parts: Its files.
        fingerprint: SHA-256 over the parts' hashes, the settings, the models and the version of Cineloop: what
            decides every figure.
        stages: The models.
        timeline: A row an instant, with scores and signals, raw and filtered; ``course`` among the filtered.
        windows: What the classifier said; None without one.
        stretches: The course, and the segments of each signal.
        events: In order of time.
        indicators: In the order in which they are shown.
        best: Frames worth showing.
        thumbnails: Small pictures, in order of time.
        gaps: What could not be decoded.
        warnings: What a reader must know.
        watermark: The reason of a deliberate exception in a model's training.
        versions: Of what the figures depend on.
        made: When, ISO 8601, UTC.
        videos: File names of parts, by number, where the report stands beside them and may show them.
    """

    name: str
    settings: Settings
    parts: tuple[PartFacts, ...]
    fingerprint: str
    stages: tuple[StageFacts, ...]
    timeline: Timeline
    windows: Windows | None
    stretches: tuple[Stretch, ...]
    events: tuple[Event, ...]
    indicators: tuple[Indicator, ...]
    best: tuple[BestFrame, ...]
    thumbnails: tuple[Thumbnail, ...]
    gaps: tuple[Gap, ...] = ()
    warnings: tuple[str, ...] = ()
    watermark: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    made: str = ""
    videos: Mapping[int, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the procedure lasts, all parts together."""
        return max(part.start + part.seconds for part in self.parts)
