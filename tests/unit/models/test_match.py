from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cineloop.errors import WeightsError
from cineloop.models.match import PREFIXES, match
from cineloop.models.registry import ModelIO, ModelSpec
from cineloop.schema import Section

FILE = Path("file.pth")


def _module():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def _state(prefix=""):
    return {prefix + key: value for key, value in _module().state_dict().items()}


def _spec(**fields):
    return ModelSpec(
        name="acme/net",
        Config=Section,
        build=lambda _: _module(),
        io=lambda _: ModelIO(input="clip", layout="BCTHW", frames=1, size=(1, 1), output="features", width=2),
        **fields,
    )


def _keys(notes):
    return [note.key for note in notes]


@given(chain=st.lists(st.sampled_from(PREFIXES), max_size=4))
def test_any_chain_of_known_prefixes_is_taken_off(chain):
    prefix = "".join(chain)
    report, fitting = match(_module(), _state(prefix), where=FILE)
    assert report.prefix == prefix
    assert report.share == 1.0
    assert fitting.keys() == _state().keys()


def test_a_prefix_that_is_the_module_s_own_stays():
    module = nn.ModuleDict({"backbone": _module(), "model": nn.Linear(2, 2)})
    report, _ = match(module, module.state_dict(), where=FILE)
    assert (report.prefix, report.share) == ("", 1.0)
    wrapped = {f"module.{key}": value for key, value in module.state_dict().items()}
    report, _ = match(module, wrapped, where=FILE)
    assert (report.prefix, report.share) == ("module.", 1.0)


def test_of_several_networks_the_one_that_fits_is_taken():
    other = {f"encoder.{key}": torch.zeros(1) for key in ("a", "b", "c", "d", "e", "f", "g", "h", "i")}
    report, _ = match(_module(), {**_state("backbone."), **other}, where=FILE)
    assert (report.prefix, report.share) == ("backbone.", 1.0)
    assert len(report.unexpected) == 9


def test_two_equal_networks_need_a_choice():
    both = {**_state("model."), **_state("backbone.")}
    with pytest.raises(WeightsError, match=r"'backbone\.'|'model\.'"):
        match(_module(), both, where=FILE)
    report, _ = match(_module(), both, where=FILE, prefix="model.")
    assert report.share == 1.0
    assert len(report.unexpected) == len(_state())


def test_an_outsider_of_the_same_name_does_not_take_a_place():
    state = _state("encoder.")
    intruder = torch.full((4, 3), 7.0)
    report, fitting = match(_module(), {"0.weight": intruder, **state}, where=FILE)
    assert torch.equal(fitting["0.weight"], state["encoder.0.weight"])
    assert _keys(report.unexpected) == ["0.weight (outside encoder.)"]


def test_keys_beside_the_network_lose_what_they_share_with_it():
    state = {**_state("module.backbone."), "module.head.mlp.0.weight": torch.zeros(2)}
    report, _ = match(_module(), state, where=FILE, spec=_spec(ignorable=("head.*",)))
    assert _keys(report.ignored) == ["head.mlp.0.weight"]
    assert not report.unexpected


def test_every_key_stands_in_exactly_one_list():
    state = _state()
    del state["1.bias"]
    state["0.weight"] = torch.zeros(5, 3)
    state["1.num_batches_tracked"] = torch.tensor(0.5)
    state["extra"] = torch.zeros(1)
    report, fitting = match(_module(), state, where=FILE)
    assert _keys(report.missing) == ["1.bias"]
    assert [(note.key, note.note) for note in report.mismatched] == [
        ("0.weight", "5x3 in the file, 4x3 in the model"),
        ("1.num_batches_tracked", "float32 in the file, int64 in the model"),
    ]
    assert _keys(report.unexpected) == ["extra"]
    assert report.total == len(_state())
    assert report.counts() == {
        "matched": 6,
        "resized": 0,
        "derived": 0,
        "mismatched": 2,
        "missing": 1,
        "unexpected": 1,
        "ignored": 0,
    }
    assert report.share == pytest.approx(6 / 9)
    assert fitting.keys() == set(_keys(report.matched))


def test_floating_types_convert():
    state = {key: value.half() if value.is_floating_point() else value for key, value in _state().items()}
    assert match(_module(), state, where=FILE)[0].share == 1.0


def test_the_table_is_short_and_names_what_did_not_match():
    module = nn.ModuleDict({f"blocks_{index}": nn.Linear(2, 2) for index in range(30)})
    state = {key: torch.zeros(3) for key in module.state_dict() if key.endswith("bias")}
    report, _ = match(module, {**state, "odd": torch.zeros(1)}, where=FILE)
    table = report.table()
    assert "0.0% of the model's 60 keys" in table
    assert "blocks_*.bias (30): 3 in the file, 2 in the model" in table
    assert "blocks_*.weight (30)" in table
    assert "odd" in table
    assert len(table.splitlines()) < 10


def test_a_long_table_says_how_much_it_leaves_out():
    letters = "abcdefghijklmnopqrst"
    report, _ = match(nn.Linear(1, 1), {letter: torch.zeros(1) for letter in letters}, where=FILE)
    assert "and 8 more" in report.table()


def test_the_summary_has_the_first_of_each_kind_and_how_many_more():
    module = nn.ModuleDict({f"layer_{letter}": nn.Linear(2, 2) for letter in "abcdefgh"})
    state = {key: torch.zeros(3) for key in module.state_dict() if key.endswith("bias")}
    report, _ = match(module, {**state, "odd": torch.zeros(1)}, where=FILE)
    head, *lines = report.summary().splitlines()
    assert head == "0.0% of the model's 16 keys are in the file"
    shown = "; ".join(f"layer_{letter}.bias: 3 in the file, 2 in the model" for letter in "abc")
    assert lines == [
        f"  8 mismatched: {shown}; and 5 more",
        "  8 missing: layer_a.weight; layer_b.weight; layer_c.weight; and 5 more",
        "  1 unexpected: odd",
    ]


def test_the_report_as_data_names_every_key_but_the_matched():
    report, _ = match(_module(), {**_state("module."), "module.extra": torch.zeros(1)}, where=FILE)
    plain = report.plain()
    assert plain["prefix"] == "module."
    assert plain["unexpected"] == {"extra": ""}
    assert "matched" not in plain
    assert plain["counts"]["matched"] == len(_state())
