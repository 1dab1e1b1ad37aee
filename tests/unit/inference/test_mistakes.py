"""Misclassified frames as files: by kind of error, under names that do not collide."""

from __future__ import annotations

import pytest

import cineloop
from cineloop.errors import EvaluationError
from tiny_frames import frame_recipe, write_index, write_tree
from video_codes import write_coded_video


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    # One step of training: wrong often enough.
    plain = frame_recipe(write_index(folder / "index"), epochs=1, max_steps=1)
    return cineloop.train(plain, out=folder / "run")


def test_every_mistake_is_the_original_file_in_a_folder_of_its_kind(run, tmp_path):
    judged = cineloop.evaluate(run.path, mistakes=tmp_path / "wrong")
    page = (tmp_path / "wrong" / "index.html").read_text()
    assert judged.mistakes == tmp_path / "wrong" / "index.html"
    kinds = {path.name for path in (tmp_path / "wrong").iterdir() if path.is_dir()}
    assert kinds
    for answer in judged.answers:
        one = answer.evaluation
        for row in (one.decided != one.predictions.targets).nonzero()[0]:
            said, true = (one.predictions.classes[index] for index in (one.decided[row], one.predictions.targets[row]))
            said, true = ({"readable": "fine", "elsewhere": "nofeature"}.get(name, name) for name in (said, true))
            copy = tmp_path / "wrong" / f"pred_{said}_gt_{true}" / one.predictions.ids[row]
            assert copy.read_bytes() == (run.path.parent / "index" / one.predictions.ids[row]).read_bytes()
            assert f"pred_{said}_gt_{true}" in page
            if said.startswith("bbps"):
                coarse = ["lq" if name in ("bbps0", "bbps1") else "hq" for name in (said, true)]
                folder = tmp_path / "wrong" / f"pred_{coarse[0]}_gt_{coarse[1]}"
                assert (folder / one.predictions.ids[row]).exists() == (coarse[0] != coarse[1])
    with pytest.raises(EvaluationError, match="already there"):
        cineloop.evaluate(run.path, mistakes=tmp_path / "wrong")


def test_frames_of_videos_become_pictures(tmp_path):
    rows = ["path,frame,label,patient,split"]
    for patient in range(6):
        write_coded_video(tmp_path / f"P{patient}.mp4", 12)
        split = ("train", "train", "train", "train", "val", "test")[patient]
        rows += [f"P{patient}.mp4,{frame},{label},P{patient},{split}" for frame, label in ((2, "a"), (9, "b"))]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    plain = frame_recipe(tmp_path, epochs=1, max_steps=1, loss="cross-entropy", select={"metric": "auroc"})
    plain["data"] |= {"format": "table", "labels": "exclusive", "patient": {"column": "patient"}}
    plain["data"]["allow_leakage"] = "coded videos look alike"
    plain["evaluate"]["threshold"] = {"rule": "fixed", "at": 0.0}
    plain["evaluate"]["selection"] = "auroc"
    run = cineloop.train(plain, out=tmp_path / "run")
    cineloop.evaluate(run.path, mistakes=tmp_path / "wrong")
    assert [path.name for path in (tmp_path / "wrong" / "pred_b_gt_a").iterdir()] == ["P5.mp4#2-3.png"]


def test_folders_of_equal_base_names_stay_apart(tmp_path):
    root = write_tree(tmp_path / "tree", patients=6)
    plain = frame_recipe(root, epochs=1, max_steps=1, loss="cross-entropy", select={"metric": "auroc"})
    plain["data"] |= {"format": "inbody-tree", "labels": "exclusive", "split": {"val": 0.3, "test": 0.3}}
    plain["evaluate"] |= {"selection": "auroc", "threshold": {"rule": "fixed", "at": 0.0}, "positive": "out_of_body"}
    run = cineloop.train(plain, out=tmp_path / "run")
    judged = cineloop.evaluate(run.path, mistakes=tmp_path / "wrong")
    wrong = judged.evaluation.predictions.targets == 0
    assert len(list((tmp_path / "wrong").rglob("*.png"))) == wrong.sum() > 2
