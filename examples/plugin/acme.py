"""A plug-in in one file: a small network of one's own, and a reader for one's own folder layout.

Enable it where a recipe names ``acme/...``:

    cineloop train recipe.yaml --plugin examples/plugin/acme.py
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Literal

from pydantic import PositiveInt

from cineloop.cohort.format import FormatRequest, FormatSpec, Record
from cineloop.errors import CohortError
from cineloop.models.registry import ModelIO, ModelSpec
from cineloop.schema import Section

__version__ = "1.0"


class NetConfig(Section):
    """Options of ``acme/net``; a recipe writes them beside the name.

    Attributes:
        width: Features that come out.
        pool: How frames are joined.
    """

    width: PositiveInt = 32
    pool: Literal["mean", "max"] = "mean"


def build_net(config: NetConfig):
    """Build the network: clips [B, 3, T, H, W] to features [B, width]."""
    # Imported here, so that listing models costs nothing.
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.frame = nn.Sequential(
                nn.Conv2d(3, 16, 5, stride=4, padding=2),
                nn.ReLU(),
                nn.Conv2d(16, config.width, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
            )

        def forward(self, clips):
            batch, _, frames = clips.shape[:3]
            features = self.frame(clips.transpose(1, 2).flatten(0, 1)).view(batch, frames, -1)
            return features.mean(1) if config.pool == "mean" else torch.amax(features, 1)

    return Net()


def net_io(config: NetConfig) -> ModelIO:
    """Say what the network takes and gives; recipes, exports and predictors follow it."""
    return ModelIO(
        input="clip",
        layout="BCTHW",
        frames=4,
        size=(64, 64),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        output="features",
        width=config.width,
        any_frames=True,
        any_size=True,
    )


class ListConfig(Section):
    """Options of ``acme/list``; a recipe writes them in ``data.format_options``.

    Attributes:
        file: The name of the list in the folder of the data.
    """

    file: str = "cases.tsv"


def read_list(request: FormatRequest) -> Iterator[Record]:
    """Read a tab-separated list: patient, file, finding, split."""
    path = request.root / request.options.file
    if not path.is_file():
        raise CohortError("The list of cases is missing", where=path, mend="Put it there, or name it in file.")
    with path.open(newline="", encoding="utf-8") as stream:
        for line, row in enumerate(csv.DictReader(stream, delimiter="\t"), start=2):
            yield Record(
                name=row["file"],
                path=request.root / row["file"],
                label=row["finding"],
                split=row["split"],
                columns=row,
                source=path,
                line=line,
            )


NET = ModelSpec(
    name="acme/net",
    summary="a small network of one's own",
    Config=NetConfig,
    build=build_net,
    io=net_io,
)

LIST = FormatSpec(
    name="acme/list",
    summary="a tab-separated list of cases",
    Config=ListConfig,
    read=read_list,
)
