"""The phantom: synthetic clips and procedures with exact ground truth, and the shortcuts that must not solve them."""

from cineloop.phantom.baselines import BaselineResult, run_baselines
from cineloop.phantom.kinds import Config, write
from cineloop.phantom.presets import PRESETS, preset
from cineloop.phantom.procedures.baselines import FrameBaseline, run_frame_baselines
from cineloop.phantom.procedures.schema import ProcedureConfig
from cineloop.phantom.schema import PhantomConfig

__all__ = [
    "PRESETS",
    "BaselineResult",
    "Config",
    "FrameBaseline",
    "PhantomConfig",
    "ProcedureConfig",
    "preset",
    "run_baselines",
    "run_frame_baselines",
    "write",
]
