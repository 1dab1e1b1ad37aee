from __future__ import annotations

import numpy as np
import pytest

from cineloop.report.charts import Line, Panel
from cineloop.report.epochs import EpochConfusion, confusion_pair, confusion_sheet, confusion_thumb, thinned
from cineloop.report.overview import four_views, small_multiples


def made(count, kept=None, classes=("a", "b")):
    n_classes = len(classes)
    table = np.arange(n_classes**2, dtype=np.float64).reshape(n_classes, n_classes)
    return [EpochConfusion(epoch, table + epoch, classes, epoch == kept) for epoch in range(1, count + 1)]


@pytest.mark.parametrize("kept", [None, 1, 2, 57, 99, 100])
@pytest.mark.parametrize("most", [2, 3, 12, 36])
def test_fewer_epochs_hold_the_first_the_last_and_the_kept_one(kept, most):
    chosen = thinned(made(100, kept), most)
    numbers = [one.epoch for one in chosen]
    assert len(numbers) == most
    assert numbers == sorted(set(numbers))
    assert kept is None or kept in numbers
    if most > 2:
        assert (numbers[0], numbers[-1]) == (1, 100)


@pytest.mark.parametrize("n_classes", [2, 4, 7, 12])
def test_matrices_of_any_number_of_classes_are_drawn(n_classes):
    epochs = made(8, 3, tuple(f"class {number}" for number in range(n_classes)))
    for drawing in (confusion_sheet(epochs), confusion_pair(epochs[2]), confusion_thumb(epochs[2])):
        assert "epoch 3, kept" in drawing.alt
        assert drawing.png(50).startswith(b"\x89PNG")
    assert confusion_sheet(epochs).svg == confusion_sheet(epochs).svg
    assert confusion_sheet(epochs).png(50) == confusion_sheet(epochs).png(50)


def test_a_metric_has_a_gap_where_it_is_undefined():
    x = np.arange(1.0, 6.0)
    panel = Panel(
        "PPV", (Line("PPV", x, np.array([0.5, np.nan, 0.7, np.nan, np.nan])),), marked=3.0, marked_label="kept"
    )
    assert panel.ends == "PPV from 0.5 to 0.7"
    whole = Panel("AUROC", (Line("AUROC", x, x / 5),), unit=True)
    drawn = small_multiples([panel, whole, whole, whole, whole])
    left, right = drawn.figure.axes[:2]
    assert left.get_xlim() == right.get_xlim()
    assert right.get_ylim() == (-0.02, 1.02)
    assert [line.get_xdata().tolist() for line in left.lines if line.get_marker() == "o"] == [[1.0, 3.0]]
    assert len(drawn.figure.axes) == 5


def test_a_missing_view_leaves_its_place_empty():
    drawn = four_views([("one", lambda axes: axes.plot([0, 1], label="line"))], alt="one view of four")
    assert len(drawn.figure.axes) == 1
