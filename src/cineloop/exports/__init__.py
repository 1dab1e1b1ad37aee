"""Trained models as files for other engines, each with vectors that prove it computes the same."""
