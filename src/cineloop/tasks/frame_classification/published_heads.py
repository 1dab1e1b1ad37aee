"""What published checkpoints are read as: their labels and the preparation that their weights expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cineloop.errors import WeightsError
from cineloop.models.passport import Head, Passport
from cineloop.models.seresnet import PUBLISHED_INPUT
from cineloop.tasks.frame_classification.passport import FrameHead
from cineloop.tasks.frame_classification.schema import NAME
from cineloop.timeline.quality import LABELS
from cineloop.video.frame_input import FrameInput

_QUALITY = ("vitl16-224-csra", "vitl14-336-csra")
_GATE = "seresnet50-inbody"
_GATE_CLASSES = ("in_body", "out_of_body")


def as_published(passport: Passport) -> Passport:
    """Return the passport of a bare network with the head that its published tool has.

    Raises:
        WeightsError: No published tool is known for the network, or it has another number of outputs.
    """
    config: Mapping[str, Any] = passport.config
    classes = LABELS if passport.architecture in _QUALITY else _GATE_CLASSES
    if passport.architecture not in (*_QUALITY, _GATE) or config.get("num_classes") != len(classes):
        raise WeightsError(
            f"No published tool is known that predicts with {passport.architecture} and "
            f"{config.get('num_classes', 'its')} outputs",
            where="--published",
            mend=f"It is for {', '.join((*_QUALITY, _GATE))} as published; other weights are trained from.",
        )
    quality = passport.architecture in _QUALITY
    side = int(config["img_size"])
    head = FrameHead(
        labels="colonoscopy" if quality else "exclusive",
        stride=1.0,
        crop="none",
        input=FrameInput(size=(side, side), arithmetic="float") if quality else PUBLISHED_INPUT,
        positive=None if quality else _GATE_CLASSES[1],
    )
    return passport.model_copy(
        update={
            "classes": classes,
            "head": Head(
                task=NAME,
                prefix="",
                activation="sigmoid" if quality else "softmax",
                config=head.model_dump(mode="json"),
            ),
        }
    )
