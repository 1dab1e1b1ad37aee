"""Phantoms of a known size."""

from __future__ import annotations

from cineloop.errors import CohortError
from cineloop.phantom.kinds import Config
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.schema import PhantomConfig
from cineloop.schema import did_you_mean

PRESETS: dict[str, Config] = {
    "demo": PhantomConfig(),
    "standard": PhantomConfig(train=600, val=120, test=200, height=256, frames=(60, 120)),
    "procedures": ProcedureConfig(),
    "textbook": ProcedureConfig(reached=1.0, detours=0.0, late=0.0, cut=0.0),
}


def preset(name: str, *, seed: int = 0) -> Config:
    """Return a description by name.

    ``demo`` is clips that train in minutes on two cores, ``standard`` is larger in every way. ``procedures`` is whole
    procedures with what goes wrong in them; in those of ``textbook`` the scope goes to the caecum and back once, and
    the recording begins and ends outside.

    Raises:
        CohortError: The name is unknown.
    """
    if name not in PRESETS:
        raise CohortError(f"Unknown preset: {name!r}", where="--preset", mend=did_you_mean(name, PRESETS))
    return PRESETS[name].model_copy(update={"seed": seed})
