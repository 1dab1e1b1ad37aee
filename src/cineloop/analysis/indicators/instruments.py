"""How long instruments are in view."""

from __future__ import annotations

from cineloop.analysis.indicator import Definition
from cineloop.analysis.indicators.facts import Facts, Finding, Measure
from cineloop.analysis.settings import Settings
from cineloop.analysis.words import Said


def _seconds(facts: Facts, settings: Settings) -> Finding:
    # Nothing in the pass finds instruments: frames and clips are classified, and not segmented.
    return Finding(reason=Said("no_segmentation"))


INSTRUMENTS = Measure(
    Definition(
        name="instrument_seconds",
        title="Instrument in view",
        unit="s",
        definition="How long an instrument is in view, in the body. Our own.",
        formula="seconds of frames in which a segmentation finds an instrument, in the stays inside",
        source="",
        inputs=("inbody", "quality", "segment"),
    ),
    _seconds,
    varies=False,
)
