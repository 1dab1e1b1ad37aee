"""Real pictures: polyps and a larynx against a laparoscope on a bench, through gate, page, mistakes and overlay."""

from __future__ import annotations

import json

import numpy as np
import pytest

import cineloop
from cineloop.report.render import render
from cineloop.timeline.storage import read_timeline
from cineloop.video import Video
from support import shared

BENCH = "out_of_body/sksurgery_left_laparoscope_bench.ogv"
REASON = "one bench recording only; plumbing test"


def rows(data):
    yield "path,frame,label,patient,split"
    for number, path in enumerate(sorted((data / "polyps" / "images").iterdir())):
        split = ("train", "train", "train", "val", "test")[number % 5]
        yield f"polyps/images/{path.name},,in_body,{path.stem},{split}"
    for path in sorted((data / "laryngoscopy" / "images").rglob("*.png"))[:30]:
        yield f"{path.relative_to(data)},,in_body,larynx,train"
    for frame in range(10):
        yield f"{BENCH},{frame},out_of_body,bench,{'train' if frame < 5 else 'val' if frame < 7 else 'test'}"


@pytest.mark.slow
def test_a_gate_tells_the_bench_from_the_body(tmp_path):
    data = shared("data")
    (tmp_path / "labels.csv").write_text("\n".join(rows(data)))
    run = cineloop.train(
        "inbody/small",
        [
            "data.format=table",
            f"data.root={data}",
            f"data.path={tmp_path / 'labels.csv'}",
            "data.split=null",
            "data.patient={column: patient}",
            f"data.allow_leakage={REASON}",
            "train.epochs=8",
            "train.workers=0",
            "train.balance=classes",
        ],
        out=tmp_path / "run",
    )
    judged = cineloop.evaluate(run.path, mistakes=tmp_path / "mistakes")
    metrics = json.loads((judged.folder / "metrics.json").read_text())
    assert metrics["headline"]["auroc"]["value"] > 0.95
    assert metrics["missed"]["frames"]["of"] == 3
    assert REASON in (judged.folder / "report.html").read_text()
    assert (tmp_path / "mistakes" / "index.html").exists()
    clip = data / "laryngoscopy" / "clips" / "patient1_seq1.mp4"
    cineloop.predict(run.path, [clip, data / BENCH], timelines=tmp_path / "lines")
    outside = read_timeline(tmp_path / "lines" / f"{(data / BENCH).stem}.parquet")
    inside = read_timeline(tmp_path / "lines" / f"{clip.stem}.parquet")
    assert outside.scores["out_of_body"].mean() > inside.scores["out_of_body"].mean() + 0.3
    render(outside, data / BENCH, out=tmp_path / "shown.mp4")
    with Video(tmp_path / "shown.mp4") as shown, Video(data / BENCH) as source:
        assert len(shown) == len(source)
        assert shown.info.height > source.info.height
        top = shown.frames([5]).pixels[0][: source.info.height].astype(int)
        assert np.abs(top - source.frames([5]).pixels[0]).mean() < 6
