"""How trouble looks: what blur, wall contact, bubbles and turbid fluid make of a frame's light and tint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.signal import fftconvolve

from cineloop.phantom.procedures.trouble import TROUBLES
from cineloop.phantom.texture import TextureBank
from cineloop.phantom.wall import Field

_DROP = 0.025


@dataclass(frozen=True)
class Picture:
    """A frame before it becomes a picture.

    Attributes:
        light: ``[H, W]`` linear light, from 0.
        tint: ``[H, W]`` how foreign the surface is, 0 to 1.
    """

    light: Field
    tint: Field


def veil(
    picture: Picture, kind: int, severity: float, moment: float, rng: np.random.Generator, bank: TextureBank
) -> Picture:
    """Return what is left of a frame.

    Args:
        picture: The frame.
        kind: An index into ``TROUBLES``.
        severity: 0 to 1.
        moment: Seconds since the procedure began.
        rng: The spell's own, at its start in every frame of it.
        bank: Patterns.
    """
    if TROUBLES[kind] == "blur":
        return _blur(picture, severity, rng)
    if TROUBLES[kind] == "contact":
        return _contact(picture, moment, rng, bank)
    if TROUBLES[kind] == "bubbles":
        return _bubbles(picture, severity, moment, rng)
    if TROUBLES[kind] == "fluid":
        return _fluid(picture, severity, moment, rng, bank)
    return picture


def _soft(field: Field, sigma: float | tuple[float, float]) -> Field:
    found: Field = gaussian_filter(field, sigma, mode="nearest", truncate=3.0)
    return found


def smear(picture: Picture, place: tuple[float, float], reach: float) -> Picture:
    """Return a frame seen through a lens with a drop on it, which blurs what is behind: a part that is always readable.

    Args:
        picture: The frame.
        place: Middle of the drop, as shares of the height from the middle of the frame, downwards and rightwards.
        reach: Its radius, as a share of the height; 0 or less is none.
    """
    if reach <= 0:
        return picture
    height, width = picture.light.shape
    y = (np.arange(height)[:, None] - height / 2) / height - place[0]
    x = (np.arange(width)[None, :] - width / 2) / height - place[1]
    cover = np.clip((reach - np.hypot(y, x)) / (0.3 * reach) + 0.5, 0, 1).astype(np.float32)
    light, tint = (part + cover * (_soft(part, _DROP * height) - part) for part in (picture.light, picture.tint))
    return Picture(light, tint)


def _coarse(picture: Picture) -> Field:
    """Return how light and dark lie in a frame at large, with mean 1: no trouble takes that away."""
    light = _soft(picture.light, 0.07 * picture.light.shape[0])
    found: Field = light / max(float(light.mean()), 1e-6)
    return found


def _blur(picture: Picture, severity: float, rng: np.random.Generator) -> Picture:
    height = picture.light.shape[0]
    sigma = height * (0.035 * severity if severity < 0.5 else 0.07 * severity)
    angle = rng.uniform(0, np.pi)
    if rng.random() < 0.5:
        return Picture(_soft(picture.light, sigma), _soft(picture.tint, sigma))
    # Moved while the shutter was open.
    return Picture(*(_moved(part, sigma, angle) for part in (picture.light, picture.tint)))


def _moved(field: Field, sigma: float, angle: float) -> Field:
    """Return a field blurred along a direction, and a little across it."""
    reach = int(np.ceil(4 * sigma))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / (2 * sigma)) ** 2 + (across / max(0.3 * sigma, 0.5)) ** 2))
    wide = np.pad(field, reach, mode="edge")
    found: Field = fftconvolve(wide, kernel / kernel.sum(), mode="valid").astype(np.float32)
    return found


def _sample(pattern: Field, shape: tuple[int, int], scale: float, place: tuple[float, float]) -> Field:
    """Return a pattern enlarged by ``1 / scale`` from a place on, periodic."""
    rows = (np.arange(shape[0]) * scale + place[0])[:, None] + np.zeros(shape[1])
    columns = (np.arange(shape[1]) * scale + place[1])[None, :] + np.zeros((shape[0], 1))
    found: Field = map_coordinates(pattern, (rows, columns), order=1, mode="grid-wrap", prefilter=False)
    return found


def _contact(picture: Picture, moment: float, rng: np.random.Generator, bank: TextureBank) -> Picture:
    shape = picture.light.shape
    start, speed = rng.uniform(0, 800, 2), rng.normal(0, 3, 2)
    place = (float(start[0] + speed[0] * moment), float(start[1] + speed[1] * moment))
    cloud = _sample(bank.clouds[0], shape, rng.uniform(0.15, 0.4), place)
    web = _sample(bank.vessels[0], shape, rng.uniform(0.15, 0.3), place)
    angle, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.9)
    y, x = np.mgrid[: shape[0], : shape[1]] / shape[0] - 0.5
    light = (1 + 0.25 * cloud - 0.35 * web) * (1.0 + lean * (x * np.cos(angle) + y * np.sin(angle)))
    light *= _coarse(picture)
    spot = _sample(bank.clouds[1], shape, 0.25, place)
    tint = 0.5 + 0.5 * np.tanh(spot)
    sigma = 0.015 * shape[0]
    return Picture(_soft(light.astype(np.float32), sigma), _soft(tint.astype(np.float32), sigma))


def _strewn(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return places ``[count, 2]``, mostly in 0 to 1: half of them anywhere, half about the middle."""
    anywhere, middle = rng.uniform(0, 1, (count, 2)), rng.normal(0.5, 0.18, (count, 2))
    return np.where(rng.random((count, 1)) < 0.5, anywhere, middle)


def _bubbles(picture: Picture, severity: float, moment: float, rng: np.random.Generator) -> Picture:
    height, width = picture.light.shape
    severe = severity >= 0.5
    count = int(rng.integers(50, 85) * severity) if severe else int(rng.integers(2, 8))
    size = rng.uniform(0.05, 0.16) if severe else rng.uniform(0.04, 0.09)
    radius = size * rng.uniform(0.5, 1.6, count) * height
    rise = rng.normal(0, 0.02, (count, 2)) * moment + 0.02 * np.sin(rng.uniform(0, 6, (count, 2)) + moment)
    place = (_strewn(rng, count) + rise) % 1.1 - 0.05
    lamp = rng.uniform(0, 2 * np.pi)
    light, tint = picture.light.copy(), picture.tint.copy()
    if severe:
        light, tint = _soft(light, 0.02 * height), _soft(tint, 0.02 * height)
    mean = float(np.median(light)) * np.sqrt(_coarse(picture))
    for (row, column), reach in zip(place * (height, width), radius, strict=True):
        rows = slice(max(int(row - reach), 0), max(int(row + reach) + 2, 0))
        columns = slice(max(int(column - reach), 0), max(int(column + reach) + 2, 0))
        part = light[rows, columns]
        if not part.size:
            continue
        y = (np.arange(rows.start, rows.start + part.shape[0])[:, None] - row) / reach
        x = (np.arange(columns.start, columns.start + part.shape[1])[None, :] - column) / reach
        rho = np.hypot(y, x)
        inside = rho < 1
        # A bubble turns what is behind it upside down, and is dark along its edge with a bright line within.
        behind = picture.light[::-1, ::-1][rows, columns] if severe else part
        around = mean[rows, columns]
        look = 0.5 * behind + 0.5 * around * (0.6 + 0.5 * rho)
        look = look * (1 - 0.7 * np.exp(-(((rho - 0.96) / 0.09) ** 2)))
        look = look + around * (0.9 * np.exp(-(((rho - 0.8) / 0.08) ** 2)))
        spark = np.hypot(y - 0.5 * np.sin(lamp), x - 0.5 * np.cos(lamp))
        look = look + 1.6 * around * (spark < 0.16)
        part[inside] = look[inside]
    return Picture(light, tint)


def _fluid(picture: Picture, severity: float, moment: float, rng: np.random.Generator, bank: TextureBank) -> Picture:
    height, width = picture.light.shape
    start, speed = rng.uniform(0, 800, 2), rng.normal(0, 25, 2)
    place = (float(start[0] + speed[0] * moment), float(start[1] + speed[1] * moment))
    swirl = _sample(bank.clouds[2], (height, width), rng.uniform(0.5, 1.0), place)
    amount = 1.0 if severity >= 0.5 else severity
    behind = _soft(picture.light, 0.06 * height * amount)
    murk = float(np.median(picture.light)) * np.sqrt(_coarse(picture)) * np.exp(0.4 * swirl)
    light = behind + (murk - behind) * np.float32(0.8 * amount)
    # Flakes that drift close to the lens.
    flakes = int((260 if severity >= 0.5 else 60) * severity * rng.uniform(0.7, 1.3))
    spots = (_strewn(rng, flakes) + rng.normal(0, 0.12, (flakes, 2)) * moment) % 1.0
    tone, size = rng.choice((0.3, 2.6), flakes), rng.uniform(0.006, 0.03, flakes) * height
    for (row, column), value, reach in zip(spots * (height, width), tone, size, strict=True):
        rows = slice(int(max(row - reach, 0)), int(row + reach) + 2)
        columns = slice(int(max(column - reach, 0)), int(column + reach) + 2)
        part = light[rows, columns]
        y = np.arange(rows.start, rows.start + part.shape[0])[:, None] - row
        x = np.arange(columns.start, columns.start + part.shape[1])[None, :] - column
        part *= 1 + (value - 1) * np.clip(reach + 0.5 - np.hypot(y, x), 0, 1)
    spot = _sample(bank.clouds[1], (height, width), 0.6, place)
    tint = picture.tint + (0.5 + 0.5 * np.tanh(spot) - picture.tint) * np.float32(amount)
    return Picture(light.astype(np.float32), tint.astype(np.float32))
