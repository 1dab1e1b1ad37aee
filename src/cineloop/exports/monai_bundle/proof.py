"""Whether MONAI, from the bundle alone, computes what the model does."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cineloop.exports.graph import Answer
from cineloop.inference.engines import Engine, Outputs, Pixels
from cineloop.models import _torchvision


def monai_engine(bundle: Path, answer: Answer) -> tuple[str, Engine] | None:
    """Return MONAI's version and a function that runs the bundle's own preparation and network.

    Only for bundles that were written here: their expressions are evaluated.

    Args:
        bundle: The folder.
        answer: The model's graph, for how classes are decided.

    Returns:
        None where MONAI is not installed.
    """
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        # MONAI imports torchvision where it is there.
        _torchvision.load()
        try:
            import monai
            from monai.bundle.config_parser import ConfigParser
        except ImportError:
            return None
        parser = ConfigParser()
        parser.read_config(str(bundle / "configs" / "inference.json"))
        parser["bundle_root"] = str(bundle)
        prepare = parser.get_parsed_content("preprocessing")
        network = parser.get_parsed_content("network_def")
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    network.eval()

    def run(pixels: Pixels) -> Outputs:
        prepared = []
        with tempfile.TemporaryDirectory() as folder:
            for picture in pixels:
                path = Path(folder) / "picture.png"
                Image.fromarray(picture).save(path)
                prepared.append(torch.as_tensor(np.asarray(prepare({"image": str(path)})["image"])))
        given = Answer(
            torch.nn.Identity(),
            network,
            activation=answer.activation,
            thresholds=answer.thresholds,
            positive=answer.positive,
        )
        with torch.inference_mode():
            probabilities, decision, logits = given(torch.stack(prepared))
        return probabilities.numpy(), np.asarray(decision.numpy()), logits.numpy()

    return f"monai {monai.__version__}", run
