"""Models fed picture by picture: what a streaming pass needs of a predictor, whichever engine computes it.

A batch always has the same number of places. Which place a picture takes is decided by whoever feeds, and what stands
in the others changes nothing, so that results do not depend on where a pass begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from cineloop.errors import ModelError
from cineloop.inference.exported import GraphClips, GraphFrames
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.clip_classification.transforms import eval_transform
from cineloop.tasks.frame_classification.data import laid_out
from cineloop.tasks.frame_classification.labels import Colonoscopy, Labels, softmax
from cineloop.tasks.frame_classification.predictor import FramePredictor
from cineloop.tasks.task import Predictor
from cineloop.video.frame import Pixels
from cineloop.video.sampling import FrameSampler

Floats = npt.NDArray[np.float64]


class LiveFrames(Protocol):
    """A model of frames.

    Attributes:
        engine: What computes it.
        crop_content: Whether frames are cut to the endoscope's picture before they are prepared.
    """

    engine: str
    crop_content: bool

    def prepare(self, pixels: Pixels) -> Any:
        """Return what a batch holds of a frame, RGB uint8 [H, W, 3]."""

    def scores(self, places: Mapping[int, Any], size: int) -> dict[int, Floats]:
        """Return the outputs of frames, float64 [L] each: the labels of a colonoscopy frame, or class probabilities.

        Args:
            places: Prepared frames by their place in the batch, at least one; all of one shape.
            size: Places of the batch.
        """


class LiveClips(Protocol):
    """A model of clips.

    Attributes:
        engine: What computes it.
        crop_content: Whether frames are cut to the endoscope's picture before they are prepared.
        sampler: Chooses the frames of a clip.
        views: Temporal views of a clip.
    """

    engine: str
    crop_content: bool
    sampler: FrameSampler
    views: int

    def prepare(self, pixels: Pixels) -> Any:
        """Return what a batch holds of the views of a clip, RGB uint8 [V, T, H, W, 3]."""

    def scores(self, places: Mapping[int, Any], size: int) -> dict[int, Floats]:
        """Return the class probabilities of clips, float64 [K] each, the mean over views."""


def live_frames(predictor: Predictor) -> LiveFrames:
    """Return a predictor of frames as one that is fed frame by frame.

    Raises:
        ModelError: It is no model of frames.
    """
    if isinstance(predictor, GraphFrames):
        return _GraphFrames(predictor)
    if isinstance(predictor, FramePredictor):
        return _TorchFrames(predictor)
    raise ModelError("This model judges clips, not frames", mend="Name a run of the task frame-classification.")


def live_clips(predictor: Predictor) -> LiveClips:
    """Return a predictor of clips as one that is fed clip by clip.

    Raises:
        ModelError: It is no model of clips.
    """
    if isinstance(predictor, GraphClips):
        return _GraphClips(predictor)
    if isinstance(predictor, ClipPredictor):
        return _TorchClips(predictor)
    raise ModelError("This model judges frames, not clips", mend="Name a run of the task clip-classification.")


def _filled(places: Mapping[int, torch.Tensor], size: int) -> torch.Tensor:
    """Return a batch of ``size`` places, black where there is nothing."""
    first = next(iter(places.values()))
    batch = torch.zeros((size, *first.shape), dtype=first.dtype)
    for place, one in places.items():
        batch[place] = one
    return batch


def _stacked(places: Mapping[int, Pixels], size: int) -> Pixels:
    first = next(iter(places.values()))
    batch = np.zeros((size, *first.shape), dtype=np.uint8)
    for place, one in places.items():
        batch[place] = one
    return batch


def _outputs(labels: Labels, logits: Floats, places: Sequence[int]) -> dict[int, Floats]:
    probabilities, outputs = labels.scores(logits)
    said = outputs if isinstance(labels, Colonoscopy) and outputs is not None else probabilities
    return {place: said[place] for place in places}


class _TorchFrames:
    def __init__(self, predictor: FramePredictor) -> None:
        self.engine = f"torch {torch.__version__.split('+')[0]} ({predictor.device.type})"
        self.crop_content = predictor.head.crop == "content"
        self._predictor = predictor

    def prepare(self, pixels: Pixels) -> torch.Tensor:
        """Return float32 [3, h, w], resized and cut; values are normalised a whole batch at a time."""
        return self._predictor.head.input.pictures(pixels[np.newaxis])[0]

    def scores(self, places: Mapping[int, torch.Tensor], size: int) -> dict[int, Floats]:
        """Run the network over a whole batch."""
        predictor = self._predictor
        with torch.inference_mode():
            frames = predictor.head.input.normalise(_filled(places, size))
            logits = predictor.module(laid_out(frames).to(predictor.device))
        return _outputs(predictor.labels, logits.double().cpu().numpy(), list(places))


class _GraphFrames:
    def __init__(self, predictor: GraphFrames) -> None:
        self.engine = predictor.engine_name
        self.crop_content = predictor.head.crop == "content"
        self._predictor = predictor

    def prepare(self, pixels: Pixels) -> Pixels:
        """Return the frame as it is: the graph prepares it."""
        return pixels

    def scores(self, places: Mapping[int, Pixels], size: int) -> dict[int, Floats]:
        """Run the graph over a whole batch."""
        logits = self._predictor.engine(_stacked(places, size))[2].astype(np.float64)
        return _outputs(self._predictor.labels, logits, list(places))


class _TorchClips:
    def __init__(self, predictor: ClipPredictor) -> None:
        self.engine = f"torch {torch.__version__.split('+')[0]} ({predictor.device.type})"
        self.crop_content = predictor.input.crop == "content"
        self.sampler = predictor.input.sampling.sampler("test")
        self.views = predictor.input.temporal_views
        self._predictor = predictor
        self._transform = eval_transform(predictor.input.spatial, spatial_views=predictor.input.spatial_views)

    def prepare(self, pixels: Pixels) -> torch.Tensor:
        """Return float32 [V, 3, T, h, w], spatial views included."""
        return torch.cat([self._transform.views(view) for view in pixels])

    def scores(self, places: Mapping[int, torch.Tensor], size: int) -> dict[int, Floats]:
        """Run the network over a whole batch of clips, all views of them."""
        batch = _filled(places, size)
        predictor = self._predictor
        with torch.inference_mode():
            logits = predictor.module(batch.flatten(0, 1).to(predictor.device))
        probabilities = torch.softmax(logits.double(), dim=1).view(size, batch.shape[1], -1).mean(1).cpu().numpy()
        return {place: probabilities[place] for place in places}


class _GraphClips:
    def __init__(self, predictor: GraphClips) -> None:
        self.engine = predictor.engine_name
        self.crop_content = predictor.input.crop == "content"
        self.sampler = predictor.input.sampling.sampler("test")
        self.views = predictor.input.temporal_views
        self._engine = predictor.engine

    def prepare(self, pixels: Pixels) -> Pixels:
        """Return the views as they are: the graph prepares them."""
        return pixels

    def scores(self, places: Mapping[int, Pixels], size: int) -> dict[int, Floats]:
        """Run the graph over a whole batch of clips, all views of them."""
        batch = _stacked(places, size)
        logits = self._engine(batch.reshape(-1, *batch.shape[2:]))[2].astype(np.float64)
        probabilities = softmax(logits).reshape(size, batch.shape[1], -1).mean(axis=1)
        return {place: probabilities[place] for place in places}
