"""Clips of a camera moving over a texture, and what people make of them: copies, neighbours, look-alikes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from cineloop.video import VideoWriter

FPS = 12


def surface(seed: int, size: int = 384) -> np.ndarray:
    """Return a wall of blotches and vessels, float [S, S] around 0."""
    rng = np.random.default_rng(seed)
    wall = np.zeros((size, size))
    for scale, strength in ((24, 28), (9, 18), (4, 11)):
        noise = ndimage.gaussian_filter(rng.standard_normal((size, size)), scale, mode="wrap")
        wall += strength * noise / noise.std()
    vessels = ndimage.gaussian_filter(rng.standard_normal((size, size)), 6, mode="wrap")
    return wall - 25 * np.exp(-((vessels / vessels.std() / 0.06) ** 2))


def clip(wall: np.ndarray, seed: int, *, frames: int = 36, size: tuple[int, int] = (160, 128), speed: float = 1.0):
    """Return uint8 RGB [T, H, W, 3]: a camera that drifts, nears and turns above ``wall`` on a path of its own."""
    rng = np.random.default_rng(seed)
    times = np.arange(frames) / FPS * speed

    def wander(reach):
        steps = [
            reach * rng.uniform(0.3, 1) * np.sin(2 * np.pi * (f * times + rng.uniform())) for f in (0.09, 0.23, 0.5)
        ]
        return sum(steps)

    across, down = wander(45) + rng.uniform(0, 384), wander(45) + rng.uniform(0, 384)
    zoom, turn = 0.8 * np.exp(0.12 * wander(1)), 0.2 * wander(1)
    width, height = size
    y, x = np.mgrid[:height, :width]
    y, x = y - height / 2, x - width / 2
    light = np.clip(1.15 - 0.5 * (x**2 + y**2) / (width / 2) ** 2, 0.25, 1)
    pictures = []
    for frame in range(frames):
        cos, sin = zoom[frame] * np.cos(turn[frame]), zoom[frame] * np.sin(turn[frame])
        rows, columns = sin * x + cos * y + down[frame], cos * x - sin * y + across[frame]
        grey = (ndimage.map_coordinates(wall, [rows % 384, columns % 384], order=1, mode="grid-wrap") + 130) * light
        grey = grey + rng.normal(0, 2, grey.shape)
        pictures.append(np.clip(np.stack([grey * 1.15, grey * 0.65, grey * 0.55], axis=-1), 0, 255))
    return np.stack(pictures).astype(np.uint8)


def cropped(pictures: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return pictures without these shares of their sides."""
    height, width = pictures.shape[1:3]
    return pictures[
        :, round(top * height) : round(height * (1 - bottom)), round(left * width) : round(width * (1 - right))
    ]


def scaled(pictures: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return pictures at another size."""
    images = [Image.fromarray(np.ascontiguousarray(picture)).resize((width, height)) for picture in pictures]
    return np.stack([np.asarray(image) for image in images])


def bordered(pictures: np.ndarray, share: float) -> np.ndarray:
    """Return pictures with black borders."""
    height, width = pictures.shape[1:3]
    y, x = round(share * height), round(share * width)
    return np.pad(pictures, ((0, 0), (y, y), (x, x), (0, 0)))


def write(path: Path, pictures: np.ndarray, *, fps: float = FPS, **options) -> Path:
    """Write pictures as a video of even size."""
    height, width = (side // 2 * 2 for side in pictures.shape[1:3])
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {"crf": 23, "preset": "veryfast", **options}
    if settings.get("codec", "h264") != "h264":
        settings = {"crf": None, **options}
    with VideoWriter(path, Fraction(fps).limit_denominator(1000), (width, height), **settings) as writer:
        for picture in pictures:
            writer.write(np.ascontiguousarray(picture[:height, :width]))
    return path


COPIES = {
    "re-encoded": lambda p: (p, {"crf": 34}),
    "other codec": lambda p: (p, {"codec": "mpeg4"}),
    "halved": lambda p: (scaled(p, 80, 64), {}),
    "squared": lambda p: (scaled(p, 112, 112), {}),
    "cropped by 15 %": lambda p: (cropped(p, 0.15, 0.15, 0.15, 0.15), {}),
    "cropped on two sides": lambda p: (scaled(cropped(p, 0.15, 0.12, 0, 0), 160, 128), {}),
    "mirrored": lambda p: (p[:, :, ::-1], {}),
    "trimmed": lambda p: (p[11:29], {}),
    "bordered": lambda p: (bordered(p, 0.2), {}),
    "brightened": lambda p: ((255 * (p / 255.0) ** 0.75).astype(np.uint8), {}),
    "slowed": lambda p: (p, {"fps": FPS * 0.8}),
    "all at once": lambda p: (scaled(cropped(p[9:, :, ::-1], 0.1, 0.06, 0.12, 0.1), 144, 144), {"crf": 30}),
}
