import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cineloop.errors import RecipeError
from cineloop.training.samples import (
    BatchPlan,
    Entry,
    counts_of,
    epoch_order,
    rank_slice,
    upstream_walk,
    walk_order,
)


@given(st.integers(1, 200), st.integers(0, 5), st.integers(0, 99))
def test_an_epoch_shows_every_row_once(rows, epoch, seed):
    entries = [Entry(index // 2, index % 2 or None) for index in range(rows)]
    keys = epoch_order(entries, seed=seed, epoch=epoch)
    assert sorted((key.item, key.round or 0) for key in keys) == sorted((e.item, e.round or 0) for e in entries)
    assert {key.epoch for key in keys} == {epoch}


def test_order_depends_on_seed_and_epoch_alone():
    entries = [Entry(index) for index in range(50)]
    first = epoch_order(entries, seed=1, epoch=0)
    assert first == epoch_order(entries, seed=1, epoch=0)
    assert first != epoch_order(entries, seed=1, epoch=1)
    assert first != epoch_order(entries, seed=2, epoch=0)


def test_draws_with_replacement_have_keys_of_their_own():
    entries = [Entry(index) for index in range(10)]
    weights = np.array([10.0] + [1.0] * 9)
    keys = epoch_order(entries, seed=0, epoch=0, weights=weights)
    assert len(keys) == 10
    assert len(set(keys)) == 10
    assert sum(key.item == 0 for key in keys) > 1


@given(st.integers(1, 60), st.integers(1, 16), st.integers(1, 4), st.booleans(), st.integers(0, 3))
def test_processes_share_each_batch_and_nothing_else_changes(rows, batch_size, world, drop_last, first):
    keys = epoch_order([Entry(index) for index in range(rows)], seed=0, epoch=0)
    alone = BatchPlan(batch_size, drop_last=drop_last)
    alone.begin(keys, first_batch=first)
    whole = list(alone)
    assert len(whole) == len(alone)
    shares = []
    for rank in range(world):
        plan = BatchPlan(batch_size, rank=rank, world=world, drop_last=drop_last)
        plan.begin(keys, first_batch=first)
        shares.append(list(plan))
    for number, batch in enumerate(whole):
        joined = [key for share in shares for key in share[number] if not key.padding]
        assert joined == batch
        sizes = [sum(not key.padding for key in share[number]) for share in shares]
        assert max(sizes) - min(sizes) <= 1
        assert all(share[number] for share in shares)


def test_a_slice_that_would_be_empty_holds_a_stand_in():
    keys = epoch_order([Entry(0)], seed=0, epoch=0)
    first, second = rank_slice(keys, 0, 2), rank_slice(keys, 1, 2)
    assert [key.padding for key in first + second] == [True, False]


def entries_of(*sizes):
    """Return subsets of these sizes, of different items."""
    return [[Entry(100_000 * number + item) for item in range(size)] for number, size in enumerate(sizes)]


@given(st.integers(1, 60), st.integers(0, 150), st.integers(0, 5))
@example(7, 6, 0)
@example(7, 4, 0)
@example(8, 4, 0)
@example(3, 8, 0)
@example(60, 31, 1)
def test_a_walk_uses_every_row_equally_often(rows, count, seed):
    used = Counter(dict.fromkeys(range(rows), 0))
    for epoch in range(3 * rows // max(1, count) + 3):
        keys = walk_order(entries_of(rows), [count], seed=seed, epoch=epoch)
        assert len(keys) == len(set(keys)) == count
        here = Counter(key.item for key in keys)
        # No row twice, unless more are asked for than there are; then all as often, but for one.
        assert max(here.values(), default=0) <= -(-count // rows)
        assert min([here[item] for item in range(rows)]) >= count // rows
        assert {key.epoch for key in keys} <= {epoch}
        used.update(here)
        assert max(used.values()) - min(used.values()) <= 1


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 40)), min_size=1, max_size=4), st.integers(0, 50))
def test_a_walk_takes_from_each_subset_what_is_asked_and_mixes_them(subsets, epoch):
    sizes, counts = zip(*subsets, strict=True)
    keys = walk_order(entries_of(*sizes), counts, seed=3, epoch=epoch)
    found = Counter(key.item // 100_000 for key in keys)
    assert [found[number] for number in range(len(sizes))] == list(counts)
    repeats = Counter()
    for key in keys:
        assert key.occurrence == repeats[key.item]
        repeats[key.item] += 1
    # What one subset gives does not depend on the others.
    alone = walk_order(entries_of(sizes[0]), counts[:1], seed=3, epoch=epoch)
    assert Counter(key.item for key in alone) == Counter(key.item for key in keys if key.item < 100_000)


def test_a_walk_is_a_function_of_seed_and_epoch_that_is_shuffled_anew_every_pass():
    subsets = entries_of(100, 40)
    epochs = [walk_order(subsets, [30, 40], seed=1, epoch=epoch) for epoch in range(30)]
    assert walk_order(subsets, [30, 40], seed=1, epoch=7) == epochs[7]
    assert walk_order(subsets, [30, 40], seed=2, epoch=7) != epochs[7]
    # Rows that met in an epoch part again: ten epochs are three passes.
    sets = [frozenset(key.item for key in keys if key.item < 100_000) for keys in epochs]
    assert len(set(sets)) == 30
    firsts = [key.item // 100_000 for keys in epochs for key in keys[:10]]
    assert 60 < sum(firsts) < 240
    # Also where the walk is that of what is left out.
    sets = [frozenset(key.item for key in walk_order(subsets, [90, 0], seed=1, epoch=epoch)) for epoch in range(30)]
    assert len(set(sets)) == 30


def test_a_late_epoch_costs_what_an_early_one_does(monkeypatch):
    from cineloop.training import samples

    made = []
    real = samples.generator
    monkeypatch.setattr(samples, "generator", lambda *parts: (made.append(parts), real(*parts))[1])
    for epoch in (0, 1_000_000):
        made.clear()
        walk_order(entries_of(1000), [300], seed=0, epoch=epoch)
        assert len(made) <= 5


def test_rows_that_stand_in_two_subsets_have_keys_of_their_own():
    subset = [Entry(item) for item in range(5)]
    keys = walk_order([subset, subset], [5, 5], seed=0, epoch=0)
    assert len(set(keys)) == 10
    assert Counter(key.occurrence for key in keys) == {0: 5, 1: 5}


def test_counts():
    sizes = {"outside": 10, "nonsense": 200, "rare": 3, "none": 0}
    assert counts_of(sizes, None) == sizes
    assert counts_of(sizes, {"nonsense": 0.25, "rare": 8, "none": 0}) == {
        "outside": 10,
        "nonsense": 50,
        "rare": 8,
        "none": 0,
    }
    full = {"outside": 10, "nonsense": 200}
    assert counts_of(full, 5) == {"outside": 5, "nonsense": 5}
    assert counts_of(full, 1.5) == {"outside": 15, "nonsense": 300}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"outsied": 3}, "no subset 'outsied'"),
        (-1, "Not a number of samples of the subset 'outside': -1"),
        (True, "Not a number of samples"),
        (float("nan"), "Not a number of samples"),
        (float("inf"), "Not a number of samples"),
        ({"outside": 0.01}, r"fraction 0.01 of the subset 'outside' \(10 rows\) is less than one sample"),
        (0, "no samples"),
        (0.0, "no samples"),
        ({"outside": 0, "nonsense": 0}, "no samples"),
    ],
)
def test_counts_that_cannot_be(asked, message):
    with pytest.raises(RecipeError, match=message) as error:
        counts_of({"outside": 10, "nonsense": 200}, asked, where="train.counts")
    assert error.value.where == "train.counts"
    if "outsied" in message:
        assert "'outside'" in error.value.mend


def test_nothing_is_drawn_from_an_empty_subset():
    with pytest.raises(RecipeError, match="subset 'none' is empty"):
        counts_of({"some": 5, "none": 0}, 2)


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 6))
@example(3, 8, 1)
def test_the_published_walk_with_workers_never_leaves_its_first_rows(rows, count, epoch):
    subsets = entries_of(rows, 4)
    first = upstream_walk(subsets, [count, 2], seed=5, epoch=0, workers=4)
    later = upstream_walk(subsets, [count, 2], seed=5, epoch=epoch, workers=4)
    assert Counter(key.item for key in later) == Counter(key.item for key in first)
    assert len({key.item for key in first if key.item < 100_000}) == min(rows, count)


def test_the_published_shuffle_and_doubling():
    rows = [0, 1, 2]
    random.Random(9).shuffle(rows)
    # Three rows for eight become twelve, in the same order again and again.
    keys = upstream_walk(entries_of(3), [8], seed=9, epoch=0, workers=4)
    expected = (rows * 4)[:8]
    assert Counter(key.item for key in keys) == Counter(expected)
    assert len(set(keys)) == 8


def test_the_published_walk_without_workers_comes_round():
    # Worked through by hand: ten rows, four an epoch. After the second epoch two are left, so that those walked are
    # shuffled; the third epoch ends at 2, so that what follows is shuffled.
    rng = random.Random(0)
    rows = list(range(10))
    rng.shuffle(rows)
    walks = [rows[0:4], rows[4:8]]
    head = rows[:8]
    rng.shuffle(head)
    rows = head + rows[8:]
    walks.append([*rows[8:10], *rows[0:2]])
    tail = rows[2:]
    rng.shuffle(tail)
    rows = rows[:2] + tail
    walks.append(rows[2:6])
    for epoch, expected in enumerate(walks):
        keys = upstream_walk(entries_of(10), [4], seed=0, epoch=epoch, workers=0)
        assert sorted(key.item for key in keys) == sorted(expected)
    assert set(walks[0]) | set(walks[1]) | set(walks[2][:2]) == set(range(10))


def test_the_published_walk_keeps_empty_and_unwanted_subsets_out():
    for workers in (0, 4):
        keys = upstream_walk(entries_of(5, 0, 3), [2, 0, 0], seed=0, epoch=3, workers=workers)
        assert [key.item < 100_000 for key in keys] == [True, True]
