"""What phantom procedures are made from: one small, typed description, from which every pixel follows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cineloop.phantom.schema import LOOKS, PhantomConfig
from cineloop.schema import Section

Share = Annotated[float, Field(ge=0, le=1)]
Layout = Literal["uihnj", "inbody-tree"]


class ProcedureConfig(Section):
    """The description of phantom procedures; each patient has one, and each is one video.

    Attributes:
        seed: Another seed, other patients.
        train: Patients in the training split.
        val: Patients in the validation split.
        test: Patients in the test split.
        height: Of a frame, in pixels; the width follows from the scope.
        rates: Frames per second, one of them a procedure.
        seconds: Shortest and longest duration of a procedure.
        every: Seconds between the frames of a procedure that the index lists.
        reached: Share of the procedures in which the scope reaches the caecum.
        detours: Share of the procedures in which the scope also goes in and out once or twice by the way, before or
            after its way to the caecum.
        late: Share of the procedures whose recording begins with the scope already inside.
        cut: Share of the procedures whose recording ends with the scope still inside.
        trouble: Share of the time inside in which nothing can be recognised.
        hint: How much more of the picture is of the foreign colour outside of the body than inside; 0 hides it from
            whoever counts colours, and the more the easier.
        stills: Layouts in which the frames of the index are written as pictures, too.
    """

    seed: Annotated[int, Field(ge=0)] = 0
    train: Annotated[int, Field(ge=0)] = 240
    val: Annotated[int, Field(ge=0)] = 24
    test: Annotated[int, Field(ge=0)] = 60
    height: Annotated[int, Field(ge=64, multiple_of=2)] = 112
    rates: tuple[Annotated[int, Field(ge=1, le=60)], ...] = (3, 4)
    seconds: tuple[Annotated[float, Field(ge=20)], Annotated[float, Field(ge=20)]] = (30.0, 50.0)
    every: Annotated[float, Field(gt=0)] = 1.0
    reached: Share = 0.85
    detours: Share = 0.95
    late: Share = 0.5
    cut: Share = 0.5
    trouble: Share = 0.2
    hint: Annotated[float, Field(ge=0, le=0.3)] = 0.2
    stills: tuple[Layout, ...] = ()

    @model_validator(mode="after")
    def _durations_in_order(self) -> ProcedureConfig:
        if self.seconds[0] > self.seconds[1]:
            raise ValueError("seconds are the shortest and the longest duration, in this order")
        return self

    @property
    def clips(self) -> PhantomConfig:
        """The description of clips of the same patients: what a patient looks like is drawn for both alike."""
        return PhantomConfig(seed=self.seed, looks=(LOOKS[0],), height=self.height, rates=self.rates)
