"""Augmentation of a clip: one draw, the same for all of its frames.

The draw is separate from its application: :func:`draw` takes all its numbers from the generator it is given, in a
fixed order and number whatever the configuration, so that switching one augmentation on moves no other.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn import functional

from cineloop.schema import Section
from cineloop.video.spatial import Box

Probability = Annotated[float, Field(ge=0, le=1)]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not 0 < bounds[0] <= bounds[1]:
        raise ValueError(f"{list(bounds)} must be two numbers above 0 in ascending order")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
AreaRange = Annotated[tuple[Annotated[float, Field(le=1)], Annotated[float, Field(le=1)]], AfterValidator(_ordered)]
Scale = Annotated[float, Field(ge=1)]
ScaleRange = Annotated[tuple[Scale, Scale], AfterValidator(_ordered)]
QualityRange = Annotated[
    tuple[Annotated[int, Field(ge=1, le=100)], Annotated[int, Field(ge=1, le=100)]], AfterValidator(_ordered)
]


class AugmentConfig(Section):
    """How training clips are varied. Every draw is one for the whole clip; noise alone is new in each frame.

    Attributes:
        crop: The part of the picture that is shown. ``resized``: of a random area and aspect ratio (Szegedy et al.
            2015, arXiv 1409.4842). ``jittered``: a square, at a random scale (Simonyan and Zisserman 2015, arXiv
            1409.1556). ``none``: as in evaluation.
        area: For ``resized``: the share of the picture's area.
        aspect: For ``resized``: width over height.
        jitter: For ``jittered``: the short side before cropping, as a multiple of the input's size; the published
            256 to 320 for an input of 224 is 1.143 to 1.429.
        flip_horizontal: Probability.
        flip_vertical: Probability.
        quarter_turns: Turn by 0, 90, 180 or 270 degrees with equal probability.
        rotation: Turn by up to so many degrees either way; what comes in at the corners is black.
        rotation_probability: How often.
        colour: Probability of changing brightness, contrast, saturation and hue.
        brightness: Multiply by a factor within 1 ± this.
        contrast: Multiply the distance from the clip's mean luminance by a factor within 1 ± this.
        saturation: Multiply the distance from grey by a factor within 1 ± this.
        hue: Turn colours around the grey axis by up to this part of a full turn either way.
        grayscale: Probability of removing colour.
        blur: Probability of a Gaussian blur.
        blur_sigma: Its standard deviation, in pixels of the input.
        noise: Probability of Gaussian noise, drawn for each frame.
        noise_sigma: Its standard deviation, on the scale from 0 to 1.
        jpeg: Probability of compression artefacts, by compressing each frame.
        jpeg_quality: The compressor's quality.
    """

    crop: Literal["resized", "jittered", "none"] = "resized"
    area: AreaRange = (0.5, 1.0)
    aspect: Range = (0.75, 4 / 3)
    jitter: ScaleRange = (256 / 224, 320 / 224)
    flip_horizontal: Probability = 0.5
    flip_vertical: Probability = 0.0
    quarter_turns: bool = False
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    rotation_probability: Probability = 1.0
    colour: Probability = 0.8
    brightness: Annotated[float, Field(ge=0, lt=1)] = 0.2
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.2
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.2
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    grayscale: Probability = 0.0
    blur: Probability = 0.0
    blur_sigma: Range = (0.1, 1.5)
    noise: Probability = 0.0
    noise_sigma: Range = (0.01, 0.05)
    jpeg: Probability = 0.0
    jpeg_quality: QualityRange = (30, 90)


@dataclass(frozen=True)
class Draw:
    """What was drawn for one clip.

    Attributes:
        box: The part of the picture to show, or None for what evaluation shows.
        flip_horizontal: Mirror left and right.
        flip_vertical: Mirror top and bottom.
        quarter_turns: Turns by 90 degrees.
        angle: Degrees.
        brightness: Factor.
        contrast: Factor.
        saturation: Factor.
        hue: Part of a full turn.
        grayscale: Remove colour.
        blur_sigma: In pixels; 0 for none.
        noise_sigma: On the scale from 0 to 1; 0 for none.
        noise_seed: Of the noise's own generator.
        jpeg_quality: 1 to 100; 0 for none.
    """

    box: Box | None = None
    flip_horizontal: bool = False
    flip_vertical: bool = False
    quarter_turns: int = 0
    angle: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    grayscale: bool = False
    blur_sigma: float = 0.0
    noise_sigma: float = 0.0
    noise_seed: int = 0
    jpeg_quality: int = 0


def _between(bounds: tuple[float, float], u: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * u


def _place(height: int, width: int, box_height: float, box_width: float, u: float, v: float) -> Box:
    """Return a box of about the given size, rounded to whole pixels, at the relative place ``(u, v)``."""
    h = min(max(round(box_height), 1), height)
    w = min(max(round(box_width), 1), width)
    return int(u * (width - w + 1)), int(v * (height - h + 1)), w, h


def resized_box(height: int, width: int, area: float, aspect: float, u: float, v: float) -> Box:
    """Return a box of a share of a picture's area and an aspect ratio, made smaller where it does not fit."""
    box_width = math.sqrt(area * height * width * aspect)
    box_height = math.sqrt(area * height * width / aspect)
    shrink = min(1.0, width / box_width, height / box_height)
    return _place(height, width, box_height * shrink, box_width * shrink, u, v)


def jittered_box(height: int, width: int, scale: float, u: float, v: float) -> Box:
    """Return a square box whose side is the picture's short side over ``scale``, which is at least 1."""
    side = min(height, width) / scale
    return _place(height, width, side, side, u, v)


def draw(config: AugmentConfig, height: int, width: int, rng: np.random.Generator) -> Draw:
    """Draw an augmentation for a clip of ``height`` x ``width`` pixels; always takes the same amount from ``rng``."""
    u = rng.random(20).tolist()
    noise_seed = int(rng.integers(2**63))
    turned = rng.random() < config.rotation_probability
    box: Box | None = None
    if config.crop == "resized":
        aspect = math.exp(_between((math.log(config.aspect[0]), math.log(config.aspect[1])), u[1]))
        box = resized_box(height, width, _between(config.area, u[0]), aspect, u[2], u[3])
    elif config.crop == "jittered":
        box = jittered_box(height, width, _between(config.jitter, u[0]), u[2], u[3])
    colour = u[8] < config.colour
    low, high = config.jpeg_quality
    return Draw(
        box=box,
        flip_horizontal=u[4] < config.flip_horizontal,
        flip_vertical=u[5] < config.flip_vertical,
        quarter_turns=int(4 * u[6]) if config.quarter_turns else 0,
        angle=config.rotation * (2 * u[7] - 1) if turned else 0.0,
        brightness=1 + config.brightness * (2 * u[9] - 1) if colour else 1.0,
        contrast=1 + config.contrast * (2 * u[10] - 1) if colour else 1.0,
        saturation=1 + config.saturation * (2 * u[11] - 1) if colour else 1.0,
        hue=config.hue * (2 * u[12] - 1) if colour else 0.0,
        grayscale=u[13] < config.grayscale,
        blur_sigma=_between(config.blur_sigma, u[15]) if u[14] < config.blur else 0.0,
        noise_sigma=_between(config.noise_sigma, u[17]) if u[16] < config.noise else 0.0,
        noise_seed=noise_seed,
        jpeg_quality=low + int((high - low + 1) * u[19]) if u[18] < config.jpeg else 0,
    )


def place(pictures: Tensor, drawn: Draw) -> Tensor:
    """Flip ``[T, 3, S, S]`` and turn it by quarters, exactly, in any type."""
    axes = [axis for axis, wanted in ((-1, drawn.flip_horizontal), (-2, drawn.flip_vertical)) if wanted]
    if axes:
        pictures = pictures.flip(axes)
    return torch.rot90(pictures, drawn.quarter_turns, (-2, -1)) if drawn.quarter_turns else pictures


def rotate(pictures: Tensor, degrees: float) -> Tensor:
    """Turn float ``[T, 3, S, S]`` counter-clockwise about its middle, bilinearly, with black corners."""
    time, channels, height, width = pictures.shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = torch.tensor([[[cosine, -sine, 0.0], [sine, cosine, 0.0]]])
    # Frames as channels: the sampling grid is worked out once for the whole clip.
    flat = pictures.reshape(1, time * channels, height, width)
    grid = functional.affine_grid(matrix, list(flat.shape), align_corners=False)
    return functional.grid_sample(flat, grid, padding_mode="zeros", align_corners=False).view_as(pictures)


def blur(pictures: Tensor, sigma: float) -> Tensor:
    """Blur float ``[T, 3, S, S]`` by a Gaussian of ``sigma`` pixels, cut at three sigma, mirrored at the border."""
    time, channels, height, width = pictures.shape
    radius = min(max(1, math.ceil(3 * sigma)), height - 1, width - 1)
    if radius == 0:
        return pictures
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(time * channels, 1, 1, -1)
    flat = pictures.reshape(1, time * channels, height, width)
    flat = functional.pad(flat, (radius, radius, radius, radius), mode="reflect")
    flat = functional.conv2d(flat, kernel, groups=time * channels)
    return functional.conv2d(flat, kernel.transpose(2, 3), groups=time * channels).view_as(pictures)


# ITU-R BT.601.
_LUMA = np.array([0.299, 0.587, 0.114])


def colour_map(drawn: Draw, mean: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the matrix [3, 3] and the offset that change a clip's colours.

    Brightness, contrast, saturation, hue and greyscale are all linear in R, G, B, so they are one product.

    Args:
        drawn: What was drawn.
        mean: The clip's mean R, G, B, float [3]; contrast keeps its luminance.
    """
    grey = np.outer(np.ones(3), _LUMA)
    angle = 2 * math.pi * drawn.hue
    axis = np.full(3, 1 / math.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    # Rodrigues' rotation about the grey axis.
    turn = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    saturate = drawn.saturation * np.eye(3) + (1 - drawn.saturation) * grey
    matrix = (grey if drawn.grayscale else np.eye(3)) @ turn @ saturate * drawn.contrast * drawn.brightness
    offset = (1 - drawn.contrast) * drawn.brightness * float(_LUMA @ mean)
    return matrix, offset


def recolour(pictures: Tensor, drawn: Draw) -> Tensor:
    """Change the colours of float ``[T, 3, S, S]``, values 0 to 1; the result is not clipped."""
    time, channels, height, width = pictures.shape
    flat = pictures.reshape(time, channels, height * width)
    matrix, offset = colour_map(drawn, flat.mean(dim=(0, 2)).numpy())
    return torch.matmul(torch.from_numpy(matrix).float(), flat).add_(offset).view(time, channels, height, width)


def compress(pictures: Tensor, quality: int) -> Tensor:
    """Pass float ``[T, 3, S, S]``, values 0 to 1, through JPEG, frame by frame."""
    raw = pictures.mul(255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    for frame in raw:
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, "JPEG", quality=quality)
        stream.seek(0)
        frame[:] = np.asarray(Image.open(stream))
    return torch.from_numpy(raw).permute(0, 3, 1, 2).float().div_(255)


def appear(pictures: Tensor, drawn: Draw) -> Tensor:
    """Change how ``[T, 3, S, S]``, values 0 to 255, looks, in the order in which a camera does it.

    Returns:
        ``pictures`` themselves when nothing is to be done; else float32 with values 0 to 255.
    """
    colours = (drawn.brightness, drawn.contrast, drawn.saturation, drawn.hue) != (1.0, 1.0, 1.0, 0.0) or drawn.grayscale
    if not (colours or drawn.angle or drawn.blur_sigma or drawn.noise_sigma or drawn.jpeg_quality):
        return pictures
    values = pictures.to(torch.float32, memory_format=torch.contiguous_format).div(255)
    if drawn.angle:
        values = rotate(values, drawn.angle)
    if drawn.blur_sigma:
        values = blur(values, drawn.blur_sigma)
    if colours:
        values = recolour(values, drawn)
    if drawn.noise_sigma:
        noise = torch.randn(values.shape, generator=torch.Generator().manual_seed(drawn.noise_seed))
        values = values.add(noise, alpha=drawn.noise_sigma)
    values = values.clamp_(0, 1)
    if drawn.jpeg_quality:
        values = compress(values, drawn.jpeg_quality)
    return values.mul_(255)
