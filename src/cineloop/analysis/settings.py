"""How a procedure is analysed: one typed description, data only, that stands in every result."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from cineloop.schema import Section

Seconds = Annotated[float, Field(ge=0)]
Span = tuple[Seconds, Seconds]


class Sustained(Section):
    """How long something lasts before it counts, in seconds.

    Attributes:
        inside: The scope is in the body.
        outside: The scope is out of the body: a shorter stay does not end a withdrawal.
        ileocecal: The ileocecal region is seen: a shorter look is no arrival.
    """

    inside: PositiveFloat = 3.0
    outside: PositiveFloat = 3.0
    ileocecal: PositiveFloat = 5.0


class Variation(Section):
    """How far settings are varied to say how much an indicator depends on them.

    Attributes:
        threshold: Added to and taken from each threshold.
        kernel: Factor by which filters are widened and narrowed.
    """

    threshold: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    kernel: Annotated[float, Field(ge=1)] = 1.5


class SegmentBounds(Section):
    """When, on the way out, the scope enters a segment of the colon, as the user saw it; seconds of the procedure.

    Attributes:
        transverse: The transverse colon; until then it is in the right colon.
        left: The left colon.
    """

    transverse: Seconds
    left: Seconds

    @model_validator(mode="after")
    def _in_order(self) -> SegmentBounds:
        if self.left <= self.transverse:
            raise ValueError("on the way out the transverse colon comes before the left colon")
        return self


class Settings(Section):
    """The settings of an analysis. Times are seconds of the procedure, whose first frame appears at 0.

    Attributes:
        rate: Frames a second that models of frames look at.
        window: Length of the clips that the classifier looks at.
        step: From the start of one clip to that of the next.
        causal: Decide about each moment without looking at what comes after it.
        kernels: Widths of the filters of outside, nonsense, ileocecal and bbps; the published ones of the colonoscopy
            quality control. They are median filters, but for a gate's outside looking back: see
            :mod:`cineloop.timeline.switching` and :mod:`cineloop.timeline.edges`.
        sustained: How long something lasts before it counts.
        vary: How far settings are varied to tell uncertainty.
        pauses: Stretches that do not count as withdrawal, such as a polypectomy.
        segments: When the scope enters the segments of the colon; without it there is no BBPS of segments.
        guideline: The preset of reference values, or None.
        language: Of the report.
    """

    rate: PositiveFloat = 5.0
    window: PositiveFloat = 4.0
    step: PositiveFloat = 2.0
    causal: bool = False
    kernels: tuple[PositiveFloat, PositiveFloat, PositiveFloat, PositiveFloat] = (4.84, 2.04, 2.04, 2.04)
    sustained: Sustained = Sustained()
    vary: Variation = Variation()
    pauses: tuple[Span, ...] = ()
    segments: SegmentBounds | None = None
    guideline: str | None = "asge-acg-2024"
    language: Literal["en", "zh"] = "en"

    @model_validator(mode="after")
    def _pauses_apart(self) -> Settings:
        ordered = sorted(self.pauses)
        if any(stop <= start for start, stop in ordered):
            raise ValueError("a pause ends after it begins")
        if any(after[0] < before[1] for before, after in pairwise(ordered)):
            raise ValueError("two pauses overlap; write them as one")
        return self


class Engine(Section):
    """What changes how fast an analysis is, and by no more than rounding what comes out.

    Attributes:
        batch: Frames in a forward pass, always as many; clips are a quarter of it, at least one.
        chunk: Seconds of the procedure after which what was found is kept on disk.
        threads: Decoder threads; 0 for one a core.
    """

    batch: PositiveInt = 16
    chunk: PositiveFloat = 300.0
    threads: Annotated[int, Field(ge=0)] = 0
