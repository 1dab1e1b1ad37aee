"""Cineloop: training."""
