"""The filters as a plain loop, written from their definition: what the fast ones are held against."""

from __future__ import annotations


def lower_median(window):
    """Return the smaller middle of the values that apply, -1 where none does."""
    valid = sorted(value for value in window if value >= 0)
    return valid[(len(valid) - 1) // 2] if valid else -1


def looped(row, kernel):
    """Filter a sequence by looking at each window in turn."""
    side = kernel // 2
    return [lower_median(row[max(0, i - side) : i + side + 1]) for i in range(len(row))]


def looped_causal(row, kernel):
    """Filter a sequence by looking at the window that ends with each frame."""
    width = 2 * (kernel // 2) + 1
    return [lower_median(row[max(0, i + 1 - width) : i + 1]) for i in range(len(row))]
