"""From DICOM's stored values to what a screen shows, and when."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi

from cineloop.video.frame import Pixels
from cineloop.video.source import Clock

# Frame times are written in milliseconds with decimals; a microsecond keeps them.
_CLOCK = 1_000_000
_TABLE_BITS = 16


class Display:
    """The chain from stored values to RGB that a DICOM object states (PS3.3 C.11: modality, VOI, presentation).

    Grey values go through the rescale slope and intercept or the modality table, then through the first window
    (linear, linear exact or sigmoid) or the VOI table, then to 8 bits; MONOCHROME1 is inverted. Where no window is
    stated, the object's own smallest to largest value are shown, or the whole range of stored values, never a range
    that changes from frame to frame. Values that stand per frame or
    shared in enhanced objects are honoured.

    Args:
        dataset: The object's header.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._photometric = str(dataset.PhotometricInterpretation)
        self._bits = int(dataset.BitsStored)
        self._tables: dict[tuple[object, ...], Pixels] = {}

    def to_rgb(self, values: npt.NDArray[np.generic], photometric: str, frame: int) -> Pixels:
        """Return one frame as RGB uint8 ``[H, W, 3]``.

        Args:
            values: Stored values ``[H, W]`` or ``[H, W, 3]``.
            photometric: How they are to be understood (a decoder may have changed it).
            frame: The frame's number from 0.
        """
        if photometric == "PALETTE COLOR":
            return _to_8_bits(apply_color_lut(values, self._dataset), 16)
        if values.ndim == 3:
            return _to_8_bits(values, self._bits)
        stated = _stated(self._dataset, frame)
        low, high = self._range()
        if self._bits > _TABLE_BITS:
            grey = self._grey(values.astype(np.float64), stated, low, high)
        else:
            key = (
                stated.get("RescaleSlope"),
                stated.get("RescaleIntercept"),
                str(stated.get("WindowCenter")),
                str(stated.get("WindowWidth")),
            )
            table = self._tables.get(key)
            if table is None:
                table = self._tables[key] = self._grey(np.arange(low, high + 1), stated, low, high)
            # Bits above the stored ones may hold overlays.
            grey = table[np.clip(values, low, high).astype(np.int64) - low]
        return np.repeat(grey[..., None], 3, axis=2)

    def _range(self) -> tuple[int, int]:
        if int(self._dataset.get("PixelRepresentation", 0)):
            return -(1 << self._bits - 1), (1 << self._bits - 1) - 1
        return 0, (1 << self._bits) - 1

    def _grey(self, values: npt.NDArray[np.generic], stated: Dataset, low: int, high: int) -> Pixels:
        modality = apply_modality_lut(values, stated)
        if "WindowCenter" in stated and "WindowWidth" in stated:
            shown = _window(modality.astype(np.float64), stated)
        elif "VOILUTSequence" in stated:
            top = (1 << int(stated.VOILUTSequence[0].LUTDescriptor[2])) - 1
            shown = apply_voi(modality, stated).astype(np.float64) / top
        else:
            smallest, largest = (self._dataset.get(f"{which}ImagePixelValue") for which in ("Smallest", "Largest"))
            if isinstance(smallest, int) and isinstance(largest, int) and smallest < largest:
                low, high = smallest, largest
            ends = apply_modality_lut(np.array([low, high]), stated).astype(np.float64)
            shown = (modality - ends.min()) / max(float(np.ptp(ends)), 1e-12)
        grey = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
        return 255 - grey if self._photometric == "MONOCHROME1" else grey


def _stated(dataset: Dataset, frame: int) -> Dataset:
    """Gather what is stated about a frame's grey values, from the frame itself, all frames, or the object."""
    gathered = Dataset()
    places = [dataset]
    for name, position in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", frame)):
        groups = dataset.get(name) or []
        if position < len(groups):
            for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                places += list(groups[position].get(macro) or [])
    for place in places:
        for keyword in (
            "RescaleSlope",
            "RescaleIntercept",
            "ModalityLUTSequence",
            "WindowCenter",
            "WindowWidth",
            "VOILUTFunction",
            "VOILUTSequence",
        ):
            if place.get(keyword) is not None:
                gathered[keyword] = place[keyword]
    return gathered


def _first(value: object) -> float:
    return float(value[0]) if isinstance(value, list | tuple) or hasattr(value, "append") else float(value)  # type: ignore[arg-type, index]


def _window(values: npt.NDArray[np.float64], stated: Dataset) -> npt.NDArray[np.float64]:
    """Apply the first window (PS3.3 C.11.2.1.2 and C.11.2.1.3), giving 0 to 1."""
    centre, width = _first(stated.WindowCenter), _first(stated.WindowWidth)
    function = str(stated.get("VOILUTFunction", "LINEAR"))
    if function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(-4 * (values - centre) / max(width, 1e-12))))
    if function == "LINEAR_EXACT":
        return np.asarray((values - centre) / max(width, 1e-12) + 0.5)
    if width <= 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.asarray((values - (centre - 0.5)) / (width - 1) + 0.5)


def _to_8_bits(values: npt.NDArray[np.generic], bits: int) -> Pixels:
    """Reduce colours to 8 bits a channel over their full range."""
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    top = (1 << bits) - 1
    return np.asarray(np.rint(np.clip(values.astype(np.float64), 0, top) * (255 / top)), dtype=np.uint8)


def frame_clock(dataset: Dataset, frames: int) -> Clock | None:
    """Return when the frames of an object are shown, or None where it does not say.

    In this order: the vector of frame times, the frame time, the cine rate, the recommended display rate, the actual
    duration of a frame (PS3.3 C.7.6.5).
    """
    steps = _step_vector(dataset, frames)
    if steps is not None:
        ends = np.cumsum(np.append(steps[1:], np.median(steps[1:]) if frames > 1 else steps[0]))
        ticks = np.rint(np.concatenate([[0.0], ends]) * _CLOCK / 1000).astype(np.int64)
    else:
        step = _step(dataset)
        if step is None:
            return None
        ticks = np.array([round(i * step * _CLOCK / 1000) for i in range(frames + 1)], dtype=np.int64)
    return Clock(ticks[:-1], Fraction(1, _CLOCK), int(ticks[-1]))


def _step_vector(dataset: Dataset, frames: int) -> npt.NDArray[np.float64] | None:
    """Return each frame's distance from the one before, in milliseconds, where the object has a usable vector."""
    vector = dataset.get("FrameTimeVector")
    if vector is None:
        return None
    steps = np.array([float(step) for step in (vector if hasattr(vector, "__len__") else [vector])])
    usable = len(steps) == frames and bool((steps[1:] > 0).all()) and (frames > 1 or steps[0] > 0)
    return steps if usable else None


def _step(dataset: Dataset) -> Fraction | None:
    """Return the time from frame to frame in milliseconds."""
    for keyword in ("FrameTime", "CineRate", "RecommendedDisplayFrameRate", "ActualFrameDuration"):
        value = dataset.get(keyword)
        if value is None or not float(value) > 0:
            continue
        exact = Fraction(str(value).strip())
        return 1000 / exact if "Rate" in keyword else exact
    return None
