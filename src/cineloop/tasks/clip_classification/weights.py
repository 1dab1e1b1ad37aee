"""The first weights of a classifier's encoder: a foreign checkpoint, or an earlier run of ours."""

from __future__ import annotations

from pathlib import Path

from cineloop import runs
from cineloop.models.registry import MODELS
from cineloop.models.weights import load_into
from cineloop.named import Named
from cineloop.schema import Section
from cineloop.tasks.clip_classification.model import ClipClassifier


def load_encoder(classifier: ClipClassifier, source: Path, network: Named[Section], *, min_match: float) -> str:
    """Fill the encoder; the head keeps its random weights, since classes differ between cohorts.

    Args:
        classifier: Filled in place.
        source: A checkpoint in any accepted form, or the folder of a run.
        network: The encoder's name and options.
        min_match: The share of the encoder's tensors that the source must hold.

    Returns:
        The table of matched, missing, unexpected and resized keys.

    Raises:
        WeightsError: The source is unsafe, unreadable, or fits too little.
    """
    path = runs.open_run(source).weights_file if source.is_dir() else source
    report = load_into(classifier.backbone, path, spec=MODELS.get(network.name), min_match=min_match)
    return report.table()
