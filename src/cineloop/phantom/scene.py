"""From a patient and a clip number to frames and their truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cineloop.phantom import colon, larynx
from cineloop.phantom.camera import Passage
from cineloop.phantom.lighting import shade
from cineloop.phantom.patient import Patient, traits
from cineloop.phantom.schema import LOOKS, PhantomConfig
from cineloop.phantom.texture import texture_bank
from cineloop.phantom.truth import ClipTruth, measure
from cineloop.seeds import generator

TARGET = 1


@dataclass(frozen=True)
class Clip:
    """A clip and its truth.

    Attributes:
        frames: uint8 RGB [T, H, W, 3].
        rate: Frames per second.
        truth: What of the target each frame shows.
    """

    frames: NDArray[np.uint8]
    rate: int
    truth: ClipTruth


def film(config: PhantomConfig, patient: Patient, number: int) -> Clip:
    """Return a patient's clip, a function of the description, the patient and the clip's number alone."""
    shared = traits(config, patient)
    rng = generator("phantom", config.seed, "patient", patient.number, "clip", number)
    frames = int(rng.integers(config.frames[0], config.frames[1] + 1))
    texels = config.height // 2
    bank = texture_bank(config.seed, texels)
    share = rng.uniform(*config.visible) * (0.66 if patient.look == LOOKS[0] else 0.95)
    start = patient.phases[number]
    passage = Passage(
        start, share, "visit" if start + share > 1 or rng.random() < 0.5 else "pass", 1 if rng.random() < 0.5 else -1
    )
    grid = shared.optics.grid()
    build = colon.build if patient.look == LOOKS[0] else larynx.build
    wall, view = build(shared, passage, patient.lesion, bank, texels, grid, frames, frames / shared.rate, rng)
    colour, owner = shade(view, wall, shared.light)
    pictures = shared.optics.record(colour, grid, rng)
    return Clip(pictures, shared.rate, measure(owner == TARGET))
