"""Timelines made visible: over their videos, and as plots."""
