"""TorchScript, for programs that load it already; torch develops it no longer, so ONNX is the better choice."""

# Annotations stay objects here: the compiler of TorchScript does not read their text.

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cineloop.errors import ExportError
from cineloop.exports.graph import Answer
from cineloop.inference.engines import Engine, Outputs, Pixels
from cineloop.models.decision import decide
from cineloop.video.frame_input import FrameInput, z_score


class Scripted(nn.Module):
    """The published interface.

    ``forward`` takes the network's input and gives logits. ``forward_activate`` takes RGB float32 [B, 3, H, W] in
    [0, 1] of any size, prepares it as in training, and gives probabilities and labels, both float32 [B, L].
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, config: FrameInput, answer: Answer) -> None:
        super().__init__()
        self.network = network
        self.height, self.width = config.size
        self.antialias = config.antialias
        self.transposed = config.transposed
        self.scored = config.values == "z-score"
        self.sigmoid = answer.activation == "sigmoid"
        self.binary = not self.sigmoid and len(answer.thresholds) == 1
        self.positive = answer.positive
        padded = (*answer.thresholds, 0.5, 0.5, 0.5)
        self.thresholds = (padded[0], padded[1], padded[2])
        self.register_buffer("mean", torch.tensor(config.mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(config.std).view(3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the network's input."""
        logits: Tensor = self.network(images)
        return logits

    @torch.jit.export
    def forward_activate(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities and labels of pictures of any size."""
        size = [self.height, self.width]
        pictures = functional.interpolate(
            images, size=size, mode="bilinear", align_corners=False, antialias=self.antialias
        )
        if self.transposed:
            pictures = pictures.transpose(2, 3)
        if self.scored:
            pictures = z_score(pictures * 255.0, dtype=torch.float32)
        else:
            pictures = (pictures - self.mean) / self.std
        logits: Tensor = self.network(pictures)
        if self.sigmoid:
            probabilities = torch.sigmoid(logits)
            return probabilities, decide(probabilities, self.thresholds)
        probabilities = torch.softmax(logits, dim=1)
        decided = probabilities.argmax(dim=1)
        if self.binary:
            yes = probabilities[:, self.positive] >= self.thresholds[0]
            decided = torch.where(yes, self.positive, 1 - self.positive)
        label = functional.one_hot(decided, probabilities.shape[1])
        return probabilities, label.to(torch.float32)


def write_torchscript(answer: Answer, config: FrameInput, path: Path) -> None:
    """Write the network, traced, with the published methods around it.

    Args:
        answer: The graph of a frame classifier, in evaluation mode, on the CPU.
        config: How it prepares frames.
        path: The file.

    Raises:
        ExportError: The preparation is not the published kind, which squashes the whole picture.
    """
    if config.resize != "squash" or config.resize_to not in (None, config.size):
        raise ExportError(
            f"forward_activate squashes the whole picture to the input; this model resizes by {config.resize!r}",
            where="data.input.resize",
            mend="Export as ONNX, which holds every preparation.",
        )
    height, width = (config.size[1], config.size[0]) if config.transposed else config.size
    with warnings.catch_warnings(), torch.no_grad():
        # That it is deprecated is said to the user in plain words.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            answer.network, torch.rand(2, 3, height, width), check_trace=False
        )
        scripted = torch.jit.script(Scripted(traced, config, answer))
        scripted.save(str(path))  # type: ignore[no-untyped-call]


def torchscript_engine(path: Path, answer: Answer, config: FrameInput) -> tuple[str, Engine]:
    """Return torch's version, and a function that runs the file on uint8 pixels as the other engines do.

    The file gives probabilities; what is decided follows from them as in ``answer``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.load(str(path)).eval()  # type: ignore[no-untyped-call]

    def run(pixels: Pixels) -> Outputs:
        with torch.inference_mode():
            images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
            logits = module(config.tensor(pixels))
            given = Answer(nn.Identity(), nn.Identity(), activation=answer.activation, thresholds=answer.thresholds)
            given.positive = answer.positive
            probabilities, _ = module.forward_activate(images)
            _, decision, _ = given(logits)
        return probabilities.numpy(), np.asarray(decision.numpy()), logits.numpy()

    return f"torchscript of torch {torch.__version__.split('+')[0]}", run
