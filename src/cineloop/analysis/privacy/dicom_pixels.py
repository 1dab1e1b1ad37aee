"""The pixels of a DICOM object, written again without what must not be in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000, UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from cineloop.analysis.privacy.card import card
from cineloop.analysis.privacy.part import Part
from cineloop.errors import FrameDecodeError
from cineloop.video.dicom import DicomSource
from cineloop.video.frame import Pixels

# What turns stored grey values into those of a screen. Pixels that are written as a screen shows them do without.
_OF_GREY = (
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "PresentationLUTShape",
    "PixelIntensityRelationship",
    "FrameVOILUTSequence",
    "PixelValueTransformationSequence",
)
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_TABLES = ("ModalityLUTSequence", "VOILUTSequence")
_LOSSY = {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000}


@dataclass(frozen=True)
class Layout:
    """How pixels are stored.

    Attributes:
        photometric: ``RGB``, ``MONOCHROME1`` or ``MONOCHROME2``.
        samples: Values of a pixel.
        allocated: Bits that a value takes.
        stored: Bits that are used of them, the lowest ones.
        signed: Whether values may be negative.
    """

    photometric: str
    samples: int
    allocated: int
    stored: int
    signed: bool = False

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of a value, as it is written."""
        return np.dtype(f"<{'i' if self.signed else 'u'}{self.allocated // 8}")

    @property
    def black(self) -> int:
        """The value that is shown darkest."""
        low = -(1 << self.stored - 1) if self.signed else 0
        return low + (1 << self.stored) - 1 if self.photometric == "MONOCHROME1" else low


def layout_of(dataset: Dataset) -> Layout:
    """Return how an object's pixels are written: grey values as they are stored, all else as a screen shows it.

    Grey values whose way to the screen leads through a table are written as a screen shows them, too.
    """
    photometric = str(dataset.PhotometricInterpretation)
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if int(dataset.SamplesPerPixel) != 1 or not photometric.startswith("MONOCHROME"):
        return Layout("RGB", 3, 8, 8)
    if allocated not in (8, 16) or stored > allocated or _has_table(dataset):
        return Layout("MONOCHROME2", 1, 8, 8)
    return Layout(photometric, 1, allocated, stored, bool(int(dataset.get("PixelRepresentation", 0))))


def as_shown(dataset: Dataset, layout: Layout) -> bool:
    """Say whether pixels are written as a screen shows them."""
    return layout.samples == 3 or layout != _stored_layout(dataset)


def frames(
    part: Part, source: DicomSource, layout: Layout, watch: Callable[[int, Pixels], None]
) -> Iterator[npt.NDArray[np.generic]]:
    """Yield every frame as it is written, ``[H, W]`` or ``[H, W, 3]`` of the layout's type.

    What was removed shows the word *removed*, and is black where grey values are written as they are stored.

    Args:
        part: The object, with its mask and what is blanked.
        source: It, for its stored values.
        layout: How they are written.
        watch: Told about each picture that is kept, masked, as a screen shows it.
    """
    size = part.mask.size
    kept_as_stored = not as_shown(source.dataset, layout)
    blank = np.full(size[::-1], layout.black, layout.dtype) if kept_as_stored else _of_screen(card(size), layout)
    for frame, pixels in part.pictures():
        if pixels is None:
            yield blank
            continue
        watch(frame, pixels)
        if not kept_as_stored:
            yield _of_screen(pixels, layout)
            continue
        try:
            values = source.stored(frame)[0]
        except FrameDecodeError:
            part.undecodable[frame] = True
            yield blank
            continue
        yield np.where(part.mask.filled, layout.black, _used_bits(values, source.dataset, layout)).astype(layout.dtype)


def describe(clean: Dataset, dataset: Dataset, layout: Layout, size: tuple[int, int], count: int) -> None:
    """Write into a cleaned header how the pixels are stored, and take out what no longer holds."""
    clean.Columns, clean.Rows = size
    clean.SamplesPerPixel, clean.PhotometricInterpretation = layout.samples, layout.photometric
    clean.BitsAllocated, clean.BitsStored, clean.HighBit = layout.allocated, layout.stored, layout.stored - 1
    clean.PixelRepresentation = int(layout.signed)
    if layout.samples == 3:
        clean.PlanarConfiguration = 0
    if as_shown(dataset, layout):
        for each in (clean, *(item for name in _GROUPS for item in clean.get(name) or [])):
            for keyword in _OF_GREY:
                if keyword in each:
                    delattr(each, keyword)
    describe_frames(clean, dataset, count)
    if UID(dataset.file_meta.get("TransferSyntaxUID") or "" if hasattr(dataset, "file_meta") else "") in _LOSSY:
        clean.LossyImageCompression = "01"


def describe_frames(clean: Dataset, dataset: Dataset, count: int) -> None:
    """Write how many frames there are; a pointer to times that are not there goes."""
    if count > 1 or "NumberOfFrames" in dataset:
        clean.NumberOfFrames = count
    pointer = clean.get("FrameIncrementPointer")
    if pointer is not None and pointer not in clean:
        del clean.FrameIncrementPointer


def _stored_layout(dataset: Dataset) -> Layout:
    return Layout(
        str(dataset.PhotometricInterpretation),
        int(dataset.SamplesPerPixel),
        int(dataset.BitsAllocated),
        int(dataset.BitsStored),
        bool(int(dataset.get("PixelRepresentation", 0))),
    )


def _has_table(dataset: Dataset) -> bool:
    groups = [item for name in _GROUPS for item in dataset.get(name) or []]
    macros = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
    places = [dataset, *(item for group in groups for name in macros for item in group.get(name) or [])]
    return any(name in place for place in places for name in _TABLES)


def _of_screen(pixels: Pixels, layout: Layout) -> Pixels:
    return pixels if layout.samples == 3 else pixels[..., 0]


def _used_bits(values: npt.NDArray[np.generic], dataset: Dataset, layout: Layout) -> npt.NDArray[np.int64]:
    """Return values without the bits beside those that are stored, in which old objects keep drawings."""
    spare = max(0, int(dataset.get("HighBit", layout.stored - 1)) + 1 - layout.stored)
    used = (values.astype(np.int64) >> spare) & ((1 << layout.stored) - 1)
    if layout.signed:
        used = np.where(used >> (layout.stored - 1) != 0, used - (1 << layout.stored), used)
    return used
