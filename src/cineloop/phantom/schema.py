"""What a phantom is made from: one small, typed description, from which every pixel follows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cineloop.schema import Section

Look = Literal["colonoscopy", "laryngoscopy"]
LOOKS: tuple[Look, ...] = ("colonoscopy", "laryngoscopy")


class PhantomConfig(Section):
    """The description of a phantom.

    Attributes:
        seed: Another seed, other patients.
        looks: What is examined; patients take turns.
        train: Patients in the training split.
        val: Patients in the validation split.
        test: Patients in the test split.
        clips: Fewest and most clips of a patient.
        prevalence: Share of patients with a lesion.
        height: Of a frame, in pixels; the width follows from the scope.
        frames: Fewest and most frames of a clip.
        rates: Frames per second, one of them a patient.
        visible: Bounds of the share of a clip in which its target is in view.
    """

    seed: int = Field(default=0, ge=0)
    looks: tuple[Look, ...] = LOOKS
    train: int = 260
    val: int = 40
    test: int = 72
    clips: tuple[int, int] = (1, 2)
    prevalence: float = 0.5
    height: int = 96
    frames: tuple[int, int] = (32, 48)
    rates: tuple[int, ...] = (15, 20, 25, 30)
    visible: tuple[float, float] = (0.30, 0.38)
