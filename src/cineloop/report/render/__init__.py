"""Timelines made visible: over their videos, and as plots."""

from cineloop.report.render.work import Batch, Style, render, render_all

__all__ = ["Batch", "Style", "render", "render_all"]
