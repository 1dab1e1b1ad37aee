"""Patients: who they are, what they have, and what all their clips share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cineloop.phantom.lighting import Light
from cineloop.phantom.mucosa import Mucosa
from cineloop.phantom.optics import Optics, draw_optics
from cineloop.phantom.schema import LOOKS, Look, PhantomConfig
from cineloop.seeds import generator

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Patient:
    """One patient of a phantom.

    Attributes:
        number: Place in the phantom, from 1; names follow from it.
        split: ``train``, ``val`` or ``test``.
        look: What is examined.
        lesion: Whether there is a lesion.
        phases: When the target comes into view, one number in [0, 1) a clip.
    """

    number: int
    split: str
    look: Look
    lesion: bool
    phases: tuple[float, ...]

    @property
    def name(self) -> str:
        """The patient's identity in file names and tables: ``P0012``."""
        return f"P{self.number:04}"


@dataclass(frozen=True)
class Traits:
    """What a patient's clips have in common; drawn without knowing about lesions.

    Attributes:
        age: Years.
        sex: ``F`` or ``M``.
        scope: The instrument that recorded, which decides size, shape and optics.
        mucosa: The surface.
        light: The lamp and the exposure.
        optics: The picture.
        rate: Frames per second.
        clutter: How many growths that are no lesions, and patches of foam, a clip shows by the way.
    """

    age: int
    sex: str
    scope: str
    mucosa: Mucosa
    light: Light
    optics: Optics
    rate: int
    clutter: int


def roster(config: PhantomConfig) -> list[Patient]:
    """Return the patients of a phantom, in order of their numbers.

    Splits hold the asked prevalence and all looks evenly; numbers tell nothing of split, look or lesion. The moments at
    which targets come into view are spread evenly over each split's clips, lesion by lesion, so that the share of
    clips that show their target at a given moment is the same everywhere.
    """
    rng = generator("phantom", config.seed, "roster")
    drafts: list[tuple[str, Look, bool]] = []
    for split, count in zip(SPLITS, (config.train, config.val, config.test), strict=True):
        lesions = np.arange(count) < round(count * config.prevalence)
        looks = [config.looks[index % len(config.looks)] for index in range(count)]
        # Lesions come first and looks alternate, so each half holds both looks evenly.
        drafts += [(split, look, bool(lesion)) for look, lesion in zip(looks, lesions, strict=True)]
    order = rng.permutation(len(drafts))
    golden = (5**0.5 - 1) / 2
    seen: dict[tuple[str, Look, bool], float] = {}
    patients = []
    for number, index in enumerate(order, start=1):
        draft = drafts[index]
        phases = []
        for _ in range(int(rng.integers(config.clips[0], config.clips[1] + 1))):
            phase = seen.get(draft)
            phase = float(rng.random()) if phase is None else (phase + golden) % 1.0
            seen[draft] = phase
            phases.append(phase)
        patients.append(Patient(number, draft[0], draft[1], draft[2], tuple(phases)))
    return patients


def traits(config: PhantomConfig, patient: Patient) -> Traits:
    """Return what the patient's clips share; a function of seed, number and look alone, never of the lesion."""
    rng = generator("phantom", config.seed, "patient", patient.number, "traits")
    colonic = patient.look == LOOKS[0]
    warmth = rng.normal(0, 1)
    red = rng.uniform(0.55, 0.72)
    colour = (red, red * (0.36 + 0.05 * warmth), red * (0.25 + 0.035 * warmth + rng.normal(0, 0.02)))
    mucosa = Mucosa(
        colour=colour,
        blotches=rng.uniform(0.08, 0.18),
        grain=rng.uniform(0.002, 0.005),
        vessels=rng.uniform(0.3, 1.0),
        gloss=rng.uniform(0.3, 0.9),
    )
    light = Light(
        reach=rng.uniform(1.7, 2.5) if colonic else rng.uniform(1.3, 1.8),
        ambient=rng.uniform(0.05, 0.15),
        highlight=rng.uniform(1.0, 3.0),
        sharpness=float(rng.choice([32, 64])),
        exposure=rng.uniform(1.2, 2.2) if colonic else rng.uniform(0.9, 1.7),
        gain=(1.0, float(np.exp(rng.normal(0, 0.06))), float(np.exp(rng.normal(0, 0.10)))),
    )
    scope, optics = draw_optics(rng, config.height)
    return Traits(
        age=int(np.clip(rng.normal(60, 13), 19, 92)),
        sex=str(rng.choice(["F", "M"])),
        scope=scope,
        mucosa=mucosa,
        light=light,
        optics=optics,
        rate=int(rng.choice(config.rates)),
        clutter=int(rng.integers(1, 4)),
    )
