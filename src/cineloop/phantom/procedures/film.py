"""From a patient to the frames of a procedure and their truth, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from cineloop.phantom import lumen
from cineloop.phantom.camera import wander
from cineloop.phantom.lighting import reflect
from cineloop.phantom.patient import Patient, Traits, traits
from cineloop.phantom.procedures.anatomy import Anatomy, draw_anatomy
from cineloop.phantom.procedures.gut import GREY, Gut, build
from cineloop.phantom.procedures.held import MOST
from cineloop.phantom.procedures.landmark import LANDMARK
from cineloop.phantom.procedures.levels import Levels, draw_levels, draw_moods
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.procedures.script import Script, draw_script
from cineloop.phantom.procedures.soiling import RESIDUE, bbps
from cineloop.phantom.procedures.surroundings import Surroundings, draw_surroundings
from cineloop.phantom.procedures.trouble import Course, draw_course
from cineloop.phantom.procedures.veil import Picture, smear, veil
from cineloop.phantom.texture import TextureBank, texture_bank
from cineloop.phantom.view import Grid, View
from cineloop.phantom.wall import Field, PackedWall
from cineloop.seeds import generator

CHUNK = 32
"""Frames that are rendered together."""

_LENS = 0.6
# How far the scope turns away from its way, in half-heights of the picture.
_ASIDE = 0.55
# Radius of the largest drop on the lens, as a share of the height.
_DROP = 0.28

VISIBLE = 0.06
"""The share of the picture from which on the ileocecal landmark counts as being in view."""


@dataclass(frozen=True)
class Plan:
    """All of a procedure but its pixels.

    Attributes:
        shared: What belongs to the patient.
        anatomy: The colon.
        script: Where the scope is.
        course: When nothing can be recognised.
    """

    shared: Traits
    anatomy: Anatomy
    script: Script
    course: Course


@dataclass(frozen=True)
class Chunk:
    """Some frames that follow each other, and their truth.

    Attributes:
        first: Number of the first.
        frames: uint8 RGB [n, H, W, 3].
        landmark: ``[n]`` share of the picture that the ileocecal landmark covers.
        residue: ``[n]`` share of the picture that residue covers.
    """

    first: int
    frames: NDArray[np.uint8]
    landmark: Field
    residue: Field


def plan(config: ProcedureConfig, patient: Patient) -> Plan:
    """Return a patient's procedure without rendering it."""
    shared = traits(config.clips, patient)
    rng = generator("phantom", config.seed, "procedure", patient.number, "script")
    anatomy = draw_anatomy(rng)
    script = draw_script(rng, config, anatomy, shared.rate)
    course = draw_course(rng, script.scene < 0, shared.rate, config.trouble)
    return Plan(shared, anatomy, script, course)


def states(plan: Plan, landmark: Field, residue: Field) -> list[str]:
    """Return the state of every frame, a name of :data:`cineloop.timeline.quality.STATES`.

    Args:
        plan: The procedure.
        landmark: ``[T]`` share of the picture that the landmark covers.
        residue: ``[T]`` share of the picture that residue covers.
    """
    found = []
    hidden, score = plan.course.unreadable(), bbps(residue)
    for frame, scene in enumerate(plan.script.scene):
        if scene >= 0:
            found.append("outside")
        elif hidden[frame]:
            found.append("nonsense")
        else:
            found.append(f"{'ileocecal ' if landmark[frame] >= VISIBLE else ''}bbps{score[frame]}")
    return found


class Film:
    """A procedure, rendered chunk by chunk in order; what it needs at once does not grow with its length.

    Args:
        config: The description.
        patient: Whose it is.
    """

    def __init__(self, config: ProcedureConfig, patient: Patient) -> None:
        self.plan = plan(config, patient)
        self._parts = ("phantom", config.seed, "procedure", patient.number)
        self._texels = config.height // 2
        self._bank: TextureBank = texture_bank(config.seed, self._texels)
        self._levels: Levels = draw_levels(self._rng("levels"))
        self._gut: Gut = build(self.plan.anatomy, self.plan.shared, self._bank, self._texels, self._rng("gut"))
        self._content = self.plan.shared.optics.grid()
        self._pane, self._shown = _pane(self._content)
        frames, seconds = len(self.plan.script), len(self.plan.script) / self.plan.script.rate
        rng = self._rng("camera")
        self._roll = rng.uniform(0, 2 * np.pi) + wander(rng, frames, seconds, 0.9, 0.12)
        self._pan = _ASIDE * np.tanh(np.stack([wander(rng, frames, seconds, 2.0, 0.3) for _ in range(2)], axis=1))
        self._bend = np.stack([wander(rng, frames, seconds, 0.3, 0.1) for _ in range(2)], axis=1)
        self._sway = np.stack([wander(rng, frames, seconds, 0.3, 0.25) for _ in range(6)], axis=1)
        self._unsteady = wander(rng, frames, seconds, 0.12, 0.7)
        self._drop = np.stack([wander(rng, frames, seconds, 0.8, 0.3) for _ in range(3)], axis=1)
        self._drop[:, 2] = _DROP * np.tanh(2 * self._drop[:, 2])
        self._moods = draw_moods(self._rng("moods"), seconds, config.hint * (self.plan.script.scene >= 0))
        self._gaze = self._interest(rng, frames)
        self._around: tuple[int, Surroundings] | None = None

    def _rng(self, *parts: str | int) -> np.random.Generator:
        return generator(*self._parts, *parts)

    def _interest(self, rng: np.random.Generator, frames: int) -> Field:
        """Return ``[T]`` how much the scope turns to the lips in front of a pole, 0 to 1."""
        slow = wander(rng, frames, frames / self.plan.script.rate, 1.0, 0.2)
        looks = self.plan.script.pole >= 0
        found: Field = np.where(looks, 0.5 + 0.5 * np.tanh(4 * slow), 0.0).astype(np.float32)
        return found

    def chunks(self) -> Iterator[Chunk]:
        """Yield the procedure in order."""
        scene = self.plan.script.scene
        edges = np.flatnonzero(np.diff(scene)) + 1
        for run in np.split(np.arange(len(scene)), edges):
            for first in range(0, len(run), CHUNK):
                yield self._render(run[first : first + CHUNK])

    def _render(self, frames: NDArray[np.int64]) -> Chunk:
        scene = int(self.plan.script.scene[frames[0]])
        wall, view = self._inside(frames) if scene < 0 else self._outside(frames, scene)
        seen = wall.look_up(view.texel)
        direct, lobe = reflect(view, seen, self.plan.shared.light)
        light: Field = np.add(seen[..., 1] * direct, lobe, dtype=np.float32)
        light *= 1 - np.float32(self.plan.shared.optics.vignette) * (self._pane.x**2 + self._pane.y**2)
        shown = self._shown.ravel()
        owner = seen[..., 6][:, shown]
        inside = np.float32(scene < 0)
        landmark = ((owner & LANDMARK) > 0).mean(axis=1, dtype=np.float32) * inside
        residue = ((owner & RESIDUE) > 0).mean(axis=1, dtype=np.float32) * inside
        tint: Field = np.divide(seen[..., 7], 255, dtype=np.float32)
        return Chunk(int(frames[0]), self._develop(frames, light, tint), landmark, residue)

    def _inside(self, frames: NDArray[np.int64]) -> tuple[PackedWall, View]:
        script = self.plan.script
        roll = self._roll[frames]
        pan = self._pan[frames].copy()
        for index, frame in enumerate(frames):
            if script.pole[frame] >= 0:
                heading = self.plan.anatomy.poles[script.pole[frame]].angle - roll[index]
                pan[index] = 0.7 * pan[index] - 0.35 * self._gaze[frame] * np.array([np.cos(heading), np.sin(heading)])
        depth = np.maximum(script.depth[frames] + self._unsteady[frames], 0.0)
        gut = self._gut
        return gut.wall, lumen.look(gut.wall, gut.height, self._pane, depth, pan, roll, self._bend[frames])

    def _outside(self, frames: NDArray[np.int64], scene: int) -> tuple[PackedWall, View]:
        if self._around is None or self._around[0] != scene:
            drawn = draw_surroundings(self._rng("scene", scene), self._bank, self._texels, GREY)
            self._around = (scene, drawn)
        around = self._around[1]
        start = int(np.flatnonzero(self.plan.script.scene == scene)[0])
        since = (frames - start) / self.plan.script.rate
        place = np.concatenate([self._sway[frames, :2] * 1.2, (1.1 - 0.9 * np.cos(0.2 * since))[:, None]], axis=1)
        moved = self._rng("held", scene).uniform(-0.7, 0.7, (MOST, 1, 2))
        shift = moved + self._sway[frames][None, :, 2:4]
        return around.wall, around.look(self._pane, place, self._pan[frames], self._roll[frames], shift)

    def _develop(self, frames: NDArray[np.int64], light: Field, tint: Field) -> NDArray[np.uint8]:
        """Return the pictures: trouble, levels, colours, noise, marks."""
        optics, course = self.plan.shared.optics, self.plan.course
        shape = self._shown.shape
        flat = np.zeros((len(frames), optics.height * optics.width, 3), dtype=np.uint8)
        for index, frame in enumerate(frames):
            # A lens does not resolve single texels.
            picture = Picture(*(gaussian_filter(one[index].reshape(shape), _LENS) for one in (light, tint)))
            row, column, reach = self._drop[frame]
            picture = smear(picture, (float(row), float(column)), float(reach))
            if course.spell[frame] >= 0:
                rng = self._rng("veil", int(course.spell[frame]))
                moment = float(frame) / self.plan.script.rate
                picture = veil(picture, int(course.kind[frame]), float(course.severity[frame]), moment, rng, self._bank)
            colours = self._levels.paint(
                *self._levels.settle(picture.light, picture.tint, self._shown, self._moods[frame])
            )
            flat[index, self._content.pixel] = colours[self._shown]
        pictures = flat.reshape(len(frames), optics.height, optics.width, 3)
        optics.add_noise(pictures, self._content, self._rng("noise", int(frames[0])))
        optics.burn_in(pictures, self._rng("marks"))
        return pictures


def _pane(content: Grid) -> tuple[Grid, NDArray[np.bool_]]:
    """Return the smallest upright rectangle of pixels around the content area, and which of these lie in it."""
    row, column = np.divmod(content.pixel, content.width)
    top, left = int(row.min()), int(column.min())
    height, width = int(row.max()) - top + 1, int(column.max()) - left + 1
    shown = np.zeros((height, width), dtype=bool)
    shown[row - top, column - left] = True
    # Coordinates are linear in rows and columns; two pixels of the content tell how.
    across = content.x[0] + (np.arange(width) - (column[0] - left)) / content.scale
    down = content.y[0] + (np.arange(height) - (row[0] - top)) / content.scale
    x, y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
    pixel = ((np.arange(height) + top)[:, None] * content.width + np.arange(width) + left).ravel()
    return Grid(x.ravel(), y.ravel(), pixel, content.height, content.width, content.scale), shown
