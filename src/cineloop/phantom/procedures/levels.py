"""The camera's automatic levels and the patient's colours.

Whatever a frame shows, its brightness is brought to one distribution, and colour follows from brightness and from how
foreign a surface is. So neither brightness nor contrast nor colour tells what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import betaincinv

from cineloop.phantom.camera import wander
from cineloop.phantom.optics import MARGIN
from cineloop.phantom.procedures.soiling import FOREIGN
from cineloop.phantom.wall import Field

_BINS, _TINTS = 1024, 32
_EDGE = 0.15
# Of the structure that levels are set by, relative to the height of a frame, and the most that finer one adds.
_SCALE, _FINE = 0.014, 0.12
_DARKEST = 0.05
_LEAST = 0.02
# Of the structure that colours follow: cameras record them at half of the resolution or less.
_HUE = 0.022
_SHARE = np.linspace(0, 1, _BINS)


@dataclass(frozen=True)
class Mood:
    """How the camera adapts at a moment, whatever it sees.

    Attributes:
        gamma: Exponent of brightness.
        contrast: 1 uses the whole range of brightness, less than that a part of it.
        fine: Contrast of what is finer than the structure that levels are set by.
        foreign: The share of the picture that is of the foreign colour.
    """

    gamma: float
    contrast: float
    fine: float
    foreign: float


def draw_moods(rng: np.random.Generator, seconds: float, hint: NDArray[np.floating[Any]]) -> list[Mood]:
    """Draw how the camera adapts over a procedure.

    Args:
        rng: Decides everything.
        seconds: How long the procedure is.
        hint: ``[T]`` how much more of each frame is of the foreign colour.
    """
    gamma, contrast, fine, foreign = (wander(rng, len(hint), seconds, 1.6, 0.25) for _ in range(4))
    shares = FOREIGN + 0.1 * np.tanh(foreign) + hint
    return [
        Mood(float(1.4**g), float(0.83 + 0.17 * np.tanh(c)), float(1.4**f), float(share))
        for g, c, f, share in zip(gamma, contrast, fine, shares, strict=True)
    ]


@dataclass(frozen=True)
class Levels:
    """What a patient's recordings look like.

    Attributes:
        curve: ``[_BINS]`` display brightness, 0 to 1, of the share of pixels that are darker.
        colours: ``[_TINTS, 256, 3]`` uint8 RGB by tint and brightness.
    """

    curve: Field
    colours: NDArray[np.uint8]

    def settle(self, light: Field, tint: Field, content: NDArray[np.bool_], mood: Mood) -> tuple[Field, Field]:
        """Bring a frame to the distributions of the patient and the moment.

        The share of the picture that is of the foreign colour does not depend on what is seen, nor does the
        distribution of brightness, in the foreign colour and in the other alike.

        Args:
            light: ``[H, W]`` what the sensor got, from 0.
            tint: ``[H, W]`` how foreign the surface is; only the order counts.
            content: ``[H, W]`` where the scene is shown; what counts.
            mood: The moment.

        Returns:
            ``[H, W]`` brightness and tint, both 0 to 1.
        """
        ramp = np.clip((_SHARE - (1 - mood.foreign)) / (2 * _EDGE) + 0.5, 0, 1)
        foreign = _by_rank(_soft(tint, _HUE), content.astype(np.float64), ramp)
        level = np.sqrt(np.maximum(light, 0))
        base = _soft(level, _SCALE)
        curve = 0.5 + mood.contrast * (self.curve**mood.gamma - 0.5)
        brightness = np.zeros_like(base)
        for part in (np.maximum(1 - 2 * foreign, 0), 1 - np.abs(2 * foreign - 1), np.maximum(2 * foreign - 1, 0)):
            brightness += part * _by_rank(base, np.where(content, part, 0.0), curve)
        # What is finer than this keeps its contrast: it would otherwise tell from the spread how fine a frame is.
        gain = mood.fine * float(brightness[content].std() / max(base[content].std(), 1e-6))
        brightness += np.clip(gain * (level - base), -_FINE, _FINE)
        return np.clip(brightness, curve[0], curve[-1]), foreign

    def paint(self, brightness: Field, tint: Field) -> NDArray[np.uint8]:
        """Return RGB uint8 [..., 3], ``MARGIN`` away from both ends of the scale, of brightness and tint, 0 to 1."""
        level = (np.clip(brightness, 0, 1) * 255).astype(np.int32)
        foreign = (np.clip(tint, 0, 1) * (_TINTS - 1) + 0.5).astype(np.int32)
        found: NDArray[np.uint8] = self.colours.reshape(-1, 3)[foreign * 256 + level]
        return found


def _soft(field: Field, scale: float) -> Field:
    found: Field = gaussian_filter(field, scale * field.shape[0], mode="nearest", truncate=3.0)
    return found


def _by_rank(value: Field, weight: NDArray[np.float64], curve: NDArray[np.floating[Any]]) -> Field:
    """Return ``curve`` at the share of the weight that lies below each value; its middle where nothing has weight."""
    counts = weight > _LEAST
    if not counts.any():
        return np.full(value.shape, curve[len(curve) // 2], dtype=np.float32)
    low, high = float(value[counts].min()), float(value[counts].max())
    place = ((value - low) * ((_BINS - 1) / max(high - low, 1e-6))).astype(np.int32)
    np.clip(place, 0, _BINS - 1, out=place)
    held = np.bincount(place.ravel(), weights=weight.ravel(), minlength=_BINS)
    below = (np.cumsum(held) - 0.5 * held) / held.sum()
    found: Field = np.interp(below, _SHARE, curve).astype(np.float32)[place]
    return found


def _ramp(power: tuple[float, float, float]) -> Field:
    """Return colours [256, 3], 0 to 1, from black to white, by the exponent of each channel."""
    level = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    ramp: Field = (level ** np.asarray(power, np.float32)).astype(np.float32)
    return ramp


def draw_levels(rng: np.random.Generator) -> Levels:
    """Draw the colours of a patient and the levels of a scope."""
    # Few pixels are nearly black or white: fine structure then changes how many are by little.
    curve = _DARKEST + (1 - _DARKEST) * betaincinv(rng.uniform(1.3, 1.7), rng.uniform(1.5, 2.0), _SHARE)
    warm = rng.normal(0, 0.05)
    mucosa = _ramp((rng.uniform(0.5, 0.66), rng.uniform(1.2, 1.45) + warm, rng.uniform(1.3, 1.6) - warm))
    foreign = _ramp((rng.uniform(0.62, 0.78), rng.uniform(0.94, 1.12), rng.uniform(1.8, 2.3)))
    mix = np.linspace(0, 0.85, _TINTS, dtype=np.float32)[:, None, None]
    colours = mucosa + mix * (foreign - mucosa)
    scaled = MARGIN + colours * (255 - 2 * MARGIN)
    return Levels(curve.astype(np.float32), np.round(scaled).astype(np.uint8))
