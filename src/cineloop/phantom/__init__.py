"""The phantom: synthetic procedures with exact ground truth, and the shortcuts that must not solve them."""

from cineloop.phantom.baselines import BaselineResult, run_baselines
from cineloop.phantom.presets import PRESETS, preset
from cineloop.phantom.schema import PhantomConfig
from cineloop.phantom.writer import write

__all__ = ["PRESETS", "BaselineResult", "PhantomConfig", "preset", "run_baselines", "write"]
