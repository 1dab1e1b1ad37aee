"""Indices of colonoscopy frames: codes, ids, splits of subsets, and paths that must stay inside."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cineloop.cohort.formats.uihnj import read_idmap
from cineloop.cohort.source import detect
from cineloop.errors import CohortError
from cineloop.timeline.quality import LABELS, STATES, code_of, state_of

FRAMES = {
    "train": {
        "outside": {"images/o1.png": [0, "outside"], "images/o2.png": [1, "outside"]},
        "nonsense": {"images/n1.png": [2, "nonsense"]},
        "ileocecal": {"images/i1.png": [3, "ileocecal bbps3"]},
        "nofeature": {"images/f1.png": [4, "bbps1"]},
    },
    "validation": {"nofeature": {"images/f2.png": [5, "bbps0"]}},
    "test": {"nofeature": {"images/f3.png": [6, "bbps2"]}},
}


def index_of(frames=FRAMES, labels=LABELS, **more):
    """Return an index, with codes in the order of ``labels`` in place of states."""

    def code(state):
        bits = code_of(state)
        return [float(bits[LABELS.index(label)]) for label in labels]

    splits = {
        key: {
            subset: {
                image: [number, code(state) if isinstance(state, str) else state]
                for image, (number, state) in rows.items()
            }
            for subset, rows in subsets.items()
        }
        for key, subsets in frames.items()
    }
    return {"code": list(labels), "idmap": {}, "train_statistics": {"outside": 2}, **splits, **more}


def names(frames=FRAMES):
    return {image for subsets in frames.values() for rows in subsets.values() for image in rows}


@pytest.fixture
def write(layout):
    """Return a function that writes an index and the pictures it names; returns the root."""

    def inner(index, path="folds/fold0.json", pictures=None, root="data"):
        text = index if isinstance(index, str) else json.dumps(index)
        return layout({**dict.fromkeys(pictures or names()), path: text}, root=root)

    return inner


def test_an_index_is_read_in_place(write, read):
    cohort = read(format="uihnj", root=write(index_of()), attributes={"subset": {"column": "subset"}})
    assert cohort.classes == STATES
    assert cohort.split_names == ("train", "val", "test")
    assert {item.id: (item.label, dict(item.attributes)["subset"]) for item in cohort.items_of("train")} == {
        "images/o1.png": ("outside", "outside"),
        "images/o2.png": ("outside", "outside"),
        "images/n1.png": ("nonsense", "nonsense"),
        "images/i1.png": ("ileocecal bbps3", "ileocecal"),
        "images/f1.png": ("bbps1", "nofeature"),
    }
    assert [item.label for item in cohort.items_of("test")] == ["bbps2"]
    assert cohort.items_of("val")[0].target == STATES.index("bbps0")


@pytest.mark.parametrize("path", ["folds/fold0.json", "cls_folds/fold3.json", "fold_train_validation_test.json"])
def test_the_one_index_is_found(write, read, path):
    root = write(index_of(), path)
    (root / "Manifest.json").write_text(json.dumps({"idmap": {"0": "images/o1.png"}}))
    assert detect(root) == "uihnj"
    assert read(format="uihnj", root=root).items.height == 7
    (root / "cls_folds").mkdir(exist_ok=True)
    (root / "cls_folds/fold9.json").write_text(json.dumps(index_of()))
    with pytest.raises(CohortError, match="2 indices") as error:
        read(format="uihnj", root=root)
    assert path in error.value.what
    assert "cls_folds/fold9.json" in error.value.what
    assert read(format="uihnj", root=root, path=path).items.height == 7


def test_no_index(layout, read):
    root = layout(["images/a.png"])
    with pytest.raises(CohortError, match="No index"):
        read(format="uihnj", root=root)
    (root / "Manifest.json").write_text(json.dumps({"idmap": {"0": "images/a.png"}}))
    with pytest.raises(CohortError, match="No index"):
        read(format="uihnj", root=root)
    with pytest.raises(CohortError, match="no 'code'"):
        read(format="uihnj", root=root, path="Manifest.json")


@given(st.permutations(LABELS), st.randoms(use_true_random=False))
def test_the_order_of_the_labels_is_the_file_s_own(tmp_path_factory, labels, rng):
    from cineloop.cohort.format import FORMATS, FormatRequest
    from cineloop.cohort.schema import Columns

    rng: random.Random
    states = {f"{number}.png": rng.choice(STATES) for number in range(12)}
    frames = {"train": {"all": {name: [at, state] for at, (name, state) in enumerate(states.items())}}}
    path = tmp_path_factory.mktemp("order") / "fold.json"
    path.write_text(json.dumps(index_of(frames, labels)))
    spec = FORMATS.get("uihnj")
    records = spec.read(FormatRequest(path.parent, path, Columns(), spec.Config()))
    assert {record.name: record.label for record in records} == states


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([*LABELS[:6], "bbps4"], "unknown label: 'bbps4'"),
        (LABELS[:6], "lacks bbps3"),
        ([*LABELS, "outside"], "a label twice"),
        ([*LABELS[:6], LABELS[0]], "lacks bbps3"),
        ("outside", "no 'code'"),
        ([*LABELS[:6], 3], "no 'code'"),
        (None, "no 'code'"),
    ],
)
def test_labels_that_are_not_the_seven(write, read, labels, message):
    with pytest.raises(CohortError, match=message):
        read(format="uihnj", root=write({**index_of(), "code": labels}))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([7, [1.0, 1.0, 0, 0, 0, 0, 0]], "outside and nonsense at once"),
        ([7, [0, 0, 0, 1.0, 0, 0, 1.0]], "one BBPS score"),
        ([7, [0.5, 0, 0, 0, 0, 0, 0]], "0 or 1"),
        ([7, [0, 0, 0]], "not an id and seven numbers"),
        ([7, [1, 0, 0, 0, 0, 0, 0, 0]], "not an id and seven numbers"),
        ([7, ["1", "0", "0", "0", "0", "0", "0"]], "0 or 1"),
        ([7], "not an id and seven numbers"),
        (["7", [1, 0, 0, 0, 0, 0, 0]], "not an id and seven numbers"),
        ([True, [1, 0, 0, 0, 0, 0, 0]], "not an id and seven numbers"),
        ({"id": 7}, "not an id and seven numbers"),
        (None, "not an id and seven numbers"),
    ],
)
def test_entries_that_mean_nothing_are_told_with_their_place(write, read, value, message):
    index = index_of()
    index["train"]["outside"]["images/x.png"] = value
    with pytest.raises(CohortError, match=message) as error:
        read(format="uihnj", root=write(index, pictures=[*names(), "images/x.png"]))
    assert "fold0.json: train/outside/images/x.png" in error.value.where


def test_ids_agree_with_the_map_however_paths_are_spelled(write, read):
    index = index_of(idmap={"0": "./images/../images/o1.png", "1": "images\\o2.png", "77": "images/gone.png"})
    assert read(format="uihnj", root=write(index)).items.height == 7
    index["idmap"]["2"] = "images/o1.png"
    with pytest.raises(CohortError, match=r"id 2 is that of another picture in 'idmap': 'images/o1.png'") as error:
        read(format="uihnj", root=write(index))
    assert "train/nonsense/images/n1.png" in error.value.where


def test_links_to_one_file_are_one_picture_to_the_map(write, read):
    root = write(index_of(idmap={"0": "by_id/0.png"}))
    (root / "by_id").mkdir()
    (root / "by_id/0.png").symlink_to(root / "images/o1.png")
    assert read(format="uihnj", root=root).items.height == 7


@pytest.mark.parametrize(
    "idmap", [{"x": "images/o1.png"}, {"0": 3}, {"0": ""}, ["images/o1.png"], {"1": "a", "01": "b"}]
)
def test_maps_that_are_none(write, read, idmap):
    with pytest.raises(CohortError, match="idmap"):
        read(format="uihnj", root=write(index_of(idmap=idmap)))


def test_the_map_is_read_by_itself(write):
    root = write({"idmap": {"3": "images/i1.png", "10": "sub\\b.png"}}, "Manifest.json")
    assert read_idmap(root / "Manifest.json") == {3: "images/i1.png", 10: "sub/b.png"}
    (root / "other.json").write_text("[]")
    with pytest.raises(CohortError, match="no 'idmap'"):
        read_idmap(root / "other.json")


def test_paths_may_climb_within_the_root(write, read):
    # The published loader joins paths to the index's own folder, unless it is told another one.
    climbing = {
        key: {subset: {f"../{image}": entry for image, entry in rows.items()} for subset, rows in subsets.items()}
        for key, subsets in FRAMES.items()
    }
    one = read(format="uihnj", root=write(index_of(), root="one"))
    other = read(format="uihnj", root=write(index_of(climbing), root="other"))
    assert set(other.items["id"]) == names()
    assert one.items.equals(other.items)
    assert all(item.path.is_file() for item in other.items_of())


def test_absolute_paths_within_the_root(write, read, tmp_path):
    root = write(index_of())
    absolute = {
        "train": {"all": {str(root / "images/o1.png"): [0, "outside"], f"{root}/x/../images/f1.png": [1, "bbps1"]}}
    }
    (root / "folds/fold0.json").write_text(json.dumps(index_of(absolute)))
    assert set(read(format="uihnj", root=root).items["id"]) == {"images/o1.png", "images/f1.png"}
    # The root may be reached through a link, and paths name what the link leads to.
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    assert set(read(format="uihnj", root=tmp_path / "link").items["id"]) == {"images/o1.png", "images/f1.png"}


@pytest.mark.parametrize("way", ["../outside.png", "images/../../outside.png", "absolute"])
def test_a_path_that_leaves_the_root_must_be_allowed(write, read, tmp_path, way):
    (tmp_path / "outside.png").write_bytes(b"a picture")
    name = str(tmp_path / "outside.png") if way == "absolute" else way
    root = write(index_of({"train": {"outside": {name: [0, "outside"]}}}), "fold0.json")
    with pytest.raises(CohortError, match="lies outside of the root") as error:
        read(format="uihnj", root=root)
    assert "outside_root: true" in error.value.mend
    assert f"train/outside/{name}" in error.value.where
    allowed = read(format="uihnj", root=root, format_options={"outside_root": True})
    assert allowed.items_of()[0].path.resolve() == (tmp_path / "outside.png").resolve()


def test_a_root_is_no_prefix_of_its_neighbour(write, read, tmp_path):
    (tmp_path / "data2").mkdir()
    (tmp_path / "data2/a.png").write_bytes(b"a picture")
    root = write(index_of({"train": {"outside": {"../data2/a.png": [0, "outside"]}}}), "fold0.json")
    with pytest.raises(CohortError, match="outside of the root"):
        read(format="uihnj", root=root)


def test_a_missing_picture_is_told(write, read):
    root = write(index_of())
    (root / "images/n1.png").unlink()
    with pytest.raises(CohortError, match="1 of 7 files do not exist") as error:
        read(format="uihnj", root=root)
    assert "images/n1.png" in error.value.where


def test_a_frame_in_two_subsets_is_read_once(write, read):
    index = index_of()
    index["train"]["hard"] = {"./images/i1.png": index["train"]["ileocecal"]["images/i1.png"]}
    cohort = read(format="uihnj", root=write(index), attributes={"subset": {"column": "subset"}})
    assert cohort.items.height == 7
    assert cohort.notes == ("1 frames stand in more than one subset; each is read once, in its first",)
    assert dict(cohort.media.select("id", "subset").rows())["images/i1.png"] == "ileocecal"


@pytest.mark.parametrize(
    ("key", "entry", "message"),
    [
        ("train", [3, code_of("bbps3")], "two codes: ileocecal bbps3 and bbps3"),
        ("train", [9, code_of("ileocecal bbps3")], "two ids: 3 and 9"),
        ("test", [3, code_of("ileocecal bbps3")], "two splits: train and test"),
    ],
)
def test_entries_that_contradict_each_other(write, read, key, entry, message):
    index = index_of()
    index[key]["again"] = {"images/i1.png": entry}
    with pytest.raises(CohortError, match=message) as error:
        read(format="uihnj", root=write(index))
    assert "train/ileocecal/images/i1.png and " in error.value.where
    assert f"{key}/again/images/i1.png" in error.value.where


def test_an_id_stands_for_one_picture(write, read):
    index = index_of()
    index["test"]["nofeature"]["images/f3.png"][0] = 0
    with pytest.raises(CohortError, match="id 0 stands for two pictures"):
        read(format="uihnj", root=write(index))


def test_empty_splits_and_subsets(write, read):
    index = index_of()
    index["test"] = {}
    index["train"]["bbps0"] = {}
    index["train"]["bbps1"] = None
    cohort = read(format="uihnj", root=write(index))
    assert cohort.split_names == ("train", "val")
    assert cohort.notes == ("the split 'test' of fold0.json is empty",)
    with pytest.raises(CohortError, match="no items"):
        read(format="uihnj", root=write({"code": list(LABELS), "train": {}, "validation": None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vaildation": {"nofeature": {"images/f2.png": [5, code_of("bbps0")]}}}, "'vaildation' holds frames"),
        ({"val": {"nofeature": {"images/f2.png": [5, code_of("bbps0")]}}}, "'val' stands twice"),
        ({"train": [1, 2]}, "no object of subsets"),
        ({"train": {"outside": ["images/o1.png"]}}, "no object of subsets"),
    ],
)
def test_splits_that_are_none(write, read, change, message):
    with pytest.raises(CohortError, match=message):
        read(format="uihnj", root=write({**index_of(), **change}))


def test_what_else_a_file_holds_is_passed_over(write, read):
    more = {"seed": 3, "made_by": {"tool": {"version": [1, 2]}}, "test_statistics": {"a": {"b": [1, [2]]}}}
    assert read(format="uihnj", root=write(index_of(**more))).items.height == 7
    with pytest.raises(CohortError, match="no split"):
        read(format="uihnj", root=write({"code": list(LABELS), "idmap": {}}))


def test_a_key_that_stands_twice_is_no_choice_of_ours(write, read):
    text = json.dumps(index_of())
    twice = text.replace('"images/o2.png"', '"images/o1.png"')
    with pytest.raises(CohortError, match=r"'images/o1.png' stands twice"):
        read(format="uihnj", root=write(twice))
    for broken, message in (("[]", "no object"), (text[:-3], "not JSON"), ("[" * 100_000, "too deeply|not JSON")):
        with pytest.raises(CohortError, match=message):
            read(format="uihnj", root=write(broken))


def test_unscored_frames_have_classes_of_their_own(write, read):
    frames = {"train": {"all": {"images/o1.png": [0, "outside"], "images/f1.png": [1, "readable"]}}}
    cohort = read(format="uihnj", root=write(index_of(frames)))
    assert cohort.classes == (*STATES, "readable")
    assert state_of([0] * 7) == "readable"
