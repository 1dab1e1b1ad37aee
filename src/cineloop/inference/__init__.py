"""Trained models on new input: loading what a run left, and turning whatever a user names into items."""
