"""Cineloop: tasks."""
