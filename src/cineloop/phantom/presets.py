"""Phantoms of a known size."""

from __future__ import annotations

from cineloop.errors import CohortError
from cineloop.phantom.schema import PhantomConfig
from cineloop.schema import did_you_mean

PRESETS: dict[str, PhantomConfig] = {
    "demo": PhantomConfig(),
    "standard": PhantomConfig(train=600, val=120, test=200, height=256, frames=(60, 120)),
}


def preset(name: str, *, seed: int = 0) -> PhantomConfig:
    """Return a description by name: ``demo`` trains in minutes on two cores, ``standard`` is larger in every way.

    Raises:
        CohortError: The name is unknown.
    """
    if name not in PRESETS:
        raise CohortError(f"Unknown preset: {name!r}", where="--preset", mend=did_you_mean(name, PRESETS))
    return PRESETS[name].model_copy(update={"seed": seed})
