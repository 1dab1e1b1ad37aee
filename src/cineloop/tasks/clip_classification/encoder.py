"""A clip encoder on new input: features, tokens, and where the class token looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cineloop.cohort.item import Item
from cineloop.errors import CineloopError, ModelError
from cineloop.models.registry import ModelIO
from cineloop.models.timesformer import Look
from cineloop.progress import Progress, silent, stage
from cineloop.tasks.clip_classification.data import ClipReader, EvalViews, Views
from cineloop.tasks.clip_classification.passport import ClipInput
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.clip_classification.schema import SamplingSection
from cineloop.tasks.clip_classification.transforms import eval_transform
from cineloop.tasks.scoring import Failure, Positions, as_they_are
from cineloop.training.loading import data_loader
from cineloop.video.spatial import SpatialConfig

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Encoded:
    """What an encoder made of one item: V views of T frames each.

    Attributes:
        item: The item.
        features: float32 [V, D].
        frames: Presentation indices, int64 [V, T].
        seconds: When they are shown, float64 [V, T].
        tokens: float32 [V, L, D], where they were asked for: class token first, then places by rows, time fastest.
        attention: The class token's attention to each place, the mean over heads, float32 [V, T, h, w].
        pictures: What the encoder saw, uint8 RGB [V, T, S, S, 3]; there where attention is.
        probabilities: Of the classes by view, float32 [V, K], where the encoder has a trained head.
    """

    item: Item
    features: Floats
    frames: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    tokens: Floats | None = None
    attention: Floats | None = None
    pictures: npt.NDArray[np.uint8] | None = None
    probabilities: Floats | None = None


def default_input(io: ModelIO) -> ClipInput:
    """Return how clips are made for an encoder that no task has trained: frames at equal distances, the centre."""
    return ClipInput(
        sampling=SamplingSection(frames=io.frames),
        crop="none",
        spatial=SpatialConfig(size=min(io.size), mean=io.mean, std=io.std),
        temporal_views=1,
        spatial_views=1,
        positive=None,
    )


class ClipEncoder:
    """An encoder with its way of reading clips.

    Args:
        backbone: Clips [B, 3, T, H, W] to features [B, D].
        clip_input: How clips are made.
        head: Features to logits [B, K], where the encoder has been trained as a classifier.
        classes: The classes of the head.
        device: Where to run.
    """

    def __init__(
        self,
        backbone: nn.Module,
        clip_input: ClipInput,
        *,
        head: nn.Module | None = None,
        classes: tuple[str, ...] = (),
        device: str | torch.device = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.backbone = backbone.eval().to(self.device)
        self.head = head.eval().to(self.device) if head is not None else None
        self.classes = classes
        self.input = clip_input

    @classmethod
    def of(cls, predictor: ClipPredictor) -> ClipEncoder:
        """Return the encoder inside a trained classifier."""
        module = predictor.module
        return cls(
            module.backbone, predictor.input, head=module.head, classes=predictor.classes, device=predictor.device
        )

    def encode(
        self,
        items: Sequence[Item],
        *,
        views: int | None = None,
        tokens: bool = False,
        attention: bool = False,
        workers: int = 0,
        on_error: str = "raise",
        progress: Progress = silent,
    ) -> Iterator[Encoded | tuple[Item, CineloopError]]:
        """Yield what the encoder makes of each item, in order; an unreadable one with its error, under ``skip``.

        Args:
            items: What to look at.
            views: Temporal views of each; None means as many as the model was evaluated with.
            tokens: Give all tokens too.
            attention: Give attention and pictures too.
            workers: Processes that decode.
            on_error: ``raise`` or ``skip`` for an item that cannot be read.
            progress: Told about each item.

        Raises:
            ModelError: The encoder gives no tokens or no attention.
            VideoError: An item cannot be read, under ``raise``.
        """
        if (tokens or attention) and not hasattr(self.backbone, "look"):
            raise ModelError(
                f"{type(self.backbone).__name__} gives no tokens and no attention",
                where="model",
                mend="Use a transformer such as timesformer-vitb16.",
            )
        reader = ClipReader(self.input.sampling.sampler("test"), "test", crop_content=self.input.crop == "content")
        transform = eval_transform(self.input.spatial, spatial_views=1)
        data = EvalViews(items, reader, transform, views=views or self.input.temporal_views)
        positions = Positions(range(len(data)), 1)
        loader = data_loader(data, positions, as_they_are, workers=min(workers, len(items)))
        with stage(progress, len(items), "features"), torch.inference_mode():
            for (sample,) in loader:
                progress.advance(1)
                if isinstance(sample, Failure):
                    if on_error == "raise":
                        raise sample.error
                    yield items[sample.item], sample.error
                else:
                    yield self._encoded(items[sample.item], sample, tokens=tokens, attention=attention)

    def _encoded(self, item: Item, sample: Views, *, tokens: bool, attention: bool) -> Encoded:
        found: dict[str, list[Tensor]] = {"features": [], "tokens": [], "attention": [], "probabilities": []}
        # One view at a time: what many views take in memory is their results alone.
        for view in range(len(sample.clips)):
            clip = sample.clips[view : view + 1].to(self.device)
            if tokens or attention:
                look: Look = self.backbone.look(clip)  # type: ignore[operator]
                features = look.feature
                found["tokens"] += [look.tokens] if tokens else []
                found["attention"] += [look.attention.mean(1)] if attention else []
            else:
                features = self.backbone(clip)
            found["features"].append(features)
            if self.head is not None:
                found["probabilities"].append(torch.softmax(self.head(features).double(), dim=1))
        joined = {name: torch.cat(parts).float().cpu().numpy() for name, parts in found.items() if parts}
        return Encoded(
            item,
            frames=np.array([[ref.index for ref in record.refs] for record in sample.records]),
            seconds=np.array([[ref.seconds for ref in record.refs] for record in sample.records]),
            pictures=self._pictures(sample.clips) if attention else None,
            **joined,
        )

    def _pictures(self, clips: Tensor) -> npt.NDArray[np.uint8]:
        spatial = self.input.spatial
        mean, std = (torch.tensor(values).view(1, -1, 1, 1, 1) for values in (spatial.mean, spatial.std))
        pixels = ((clips * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)
        result: npt.NDArray[np.uint8] = pixels.permute(0, 2, 3, 4, 1).numpy()
        return result
