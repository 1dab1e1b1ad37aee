import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cineloop.training.samples import BatchPlan, Entry, epoch_order, rank_slice


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
