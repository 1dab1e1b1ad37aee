import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.errors import RecipeError
from cineloop.schema import Section, dump_yaml, merge, parse_override, parse_yaml, set_dotted, validate


class Inner(Section):
    depth: int = 1


class Outer(Section):
    inner: Inner = Inner()
    rate: float = 0.1


def test_a_typo_names_the_key_and_the_nearest_valid_one():
    with pytest.raises(RecipeError) as caught:
        validate(Outer, {"inner": {"dept": 3}}, where="r.yaml")
    assert "inner.dept" in caught.value.what
    assert "'depth'" in caught.value.mend
    assert caught.value.where == "r.yaml"


def test_a_wrong_type_names_the_key():
    with pytest.raises(RecipeError, match="rate"):
        validate(Outer, {"rate": "fast"}, where="r.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['true']",
        "a: !!python/name:os.system",
        "a: !custom 1",
        "a: 1\na: 2",
        "? [1, 2]\n: 3",
        "a: [1, 2",
        "a: &x [*x]\nb: *y",
    ],
)
def test_yaml_is_data_only(text):
    with pytest.raises(RecipeError, match="plain data"):
        parse_yaml(text, where="r.yaml")


@pytest.mark.parametrize(("text", "value"), [("1e-3", 1e-3), ("1.0e-3", 1e-3), ("5", 5), ("1_000", 1000), ("e3", "e3")])
def test_numbers_read_as_numbers(text, value):
    assert parse_yaml(text, where="x") == value


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(min_size=1), children, max_size=3),
    max_leaves=10,
)


@given(plain)
def test_what_is_written_reads_back(value):
    assert parse_yaml(dump_yaml(value), where="x") == value


def test_merge_replaces_a_choice_whole_when_its_name_changes():
    base = {"loss": {"name": "focal", "gamma": 2.0}, "other": {"a": 1, "b": 2}}
    over = {"loss": {"name": "cross-entropy"}, "other": {"b": 3}}
    assert merge(base, over) == {"loss": {"name": "cross-entropy"}, "other": {"a": 1, "b": 3}}
    assert merge(base, {"loss": {"gamma": 1.0}})["loss"] == {"name": "focal", "gamma": 1.0}


def test_overrides():
    value = {"train": {"epochs": 3}}
    for text in ["train.epochs=5", "data.root=/x=y", "model={name: a, depth: 2}"]:
        set_dotted(value, *parse_override(text))
    assert value == {"train": {"epochs": 5}, "data": {"root": "/x=y"}, "model": {"name": "a", "depth": 2}}
    for text in ["train.epochs", "=3", "a..b=1"]:
        with pytest.raises(RecipeError, match="override"):
            parse_override(text)
