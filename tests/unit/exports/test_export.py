"""Exports compute what the model does, or are not written."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import cineloop
from cineloop.errors import ExportError, VideoError
from cineloop.exports import write as write_module
from cineloop.exports.graph import graph_of
from cineloop.exports.onnx_graph import write_onnx
from cineloop.exports.openvino_graph import read_graph
from cineloop.exports.parity import compare, expected, preparation_of
from cineloop.exports.preparation import ClipPreparation, FramePreparation
from cineloop.exports.tensorrt import Ranges, command
from cineloop.exports.vectors import made_inputs, picture
from cineloop.exports.write import TOLERANCES, Guard, export
from cineloop.video.frame_input import FrameInput
from cineloop.video.spatial import SpatialConfig
from cineloop.video.transforms import EvalTransform
from frame_models import clip_weights, frame_weights
from video_codes import write_coded_video

SMALL = {"img_size": 48, "widths": [8, 8, 16, 16], "csra_heads": 2}
INBODY = {"labels": "exclusive", "positive": "out_of_body", "img_size": 64, "width": 8}


@pytest.fixture(scope="module")
def quality(tmp_path_factory):
    return frame_weights(tmp_path_factory.mktemp("quality") / "weights.safetensors", **SMALL)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    return frame_weights(tmp_path_factory.mktemp("gate") / "weights.safetensors", "seresnet-tiny", **INBODY)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, quality):
    return export(quality, "onnx", tmp_path_factory.mktemp("out") / "onnx", questions={"outside": 0.3})


@pytest.mark.parametrize(
    "config",
    [
        FrameInput(size=(48, 64), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)),
        FrameInput(size=(48, 64), arithmetic="float"),
        FrameInput(size=(64, 64), resize="short_side"),
        FrameInput(size=(48, 56), resize="short_side", resize_to=60, arithmetic="float"),
        FrameInput(size=(96, 80), resize="none"),
        FrameInput(size=(64, 48), antialias=False, arithmetic="float", values="z-score", transposed=True),
    ],
    ids=str,
)
def test_the_graph_prepares_frames_as_training_does(config):
    graph = FramePreparation(config)
    for number, (height, width) in enumerate([(100, 140), (141, 99), (96, 80), (240, 333)]):
        pixels = picture(height, width, number=number)[np.newaxis]
        found, wanted = graph(torch.from_numpy(pixels)), config.tensor(pixels)
        # Rounding to whole pixel values may fall to the other side, seldom and by one.
        step = 1 / 255 / min(config.std) if config.arithmetic == "integer" else 2e-5
        assert found.shape == wanted.shape
        assert (found - wanted).abs().max() <= step * 2.01
        assert (found - wanted).abs().mean() <= step / 10


@pytest.mark.parametrize(
    "spatial",
    [SpatialConfig(size=32), SpatialConfig(size=32, short_side=40), SpatialConfig(size=32, fit="stretch"),
     SpatialConfig(size=33, short_side=40, antialias=False)],
    ids=str,
)  # fmt: skip
def test_the_graph_prepares_clips_as_training_does(spatial):
    graph = ClipPreparation(spatial)
    for height, width in [(60, 90), (91, 57), (40, 40)]:
        clip = made_inputs((height, width), frames=3)[0]
        found, wanted = graph(torch.from_numpy(clip[np.newaxis]))[0], EvalTransform(spatial)(clip)
        step = 1 / 255 / min(spatial.std) if spatial.antialias else 2e-5
        assert (found - wanted).abs().max() <= step * 2.01
        assert (found - wanted).abs().mean() <= step / 10


def test_a_folder_holds_all_that_a_device_needs(exported):
    folder = exported.folder
    names = {"contract.json", "model.onnx", "parity.json", "run.py", "test_vectors.npz"}
    assert {path.name for path in folder.iterdir()} == names
    contract = json.loads((folder / "contract.json").read_text())
    assert contract["input"]["dtype"] == "uint8"
    assert contract["thresholds"] == {"outside": 0.3, "nonsense": 0.5, "ileocecal": 0.5}
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["passed"]
    assert parity["largest_difference"]["network"] <= 1e-5
    assert parity["spread_of_probabilities"] > 0.05


def test_the_graph_takes_any_size_and_batch(exported, quality):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported.folder / "model.onnx"), providers=["CPUExecutionProvider"])
    prepare = preparation_of(quality.predictor)
    for count, height, width in [(1, 48, 48), (3, 101, 77), (2, 300, 500)]:
        pixels = np.stack([picture(height, width, number=number) for number in range(count)])
        probabilities, decision, _ = session.run(None, {"image": pixels})
        with torch.no_grad():
            wanted = torch.sigmoid(quality.predictor.module(prepare(pixels))).numpy()
        np.testing.assert_allclose(probabilities, wanted, atol=5e-3)
        assert decision.shape == (count, 7)


def test_the_runner_needs_no_torch_and_gives_the_same_rows(exported, quality, tmp_path):
    files = []
    for number, size in enumerate([(48, 48), (90, 120)]):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(picture(*size, number=number)).save(files[-1])
    script = (
        "import sys, runpy\n"
        "class Refuse:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('torch', 'cineloop', 'torchvision'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    runner = str(exported.folder / "run.py")

    def call(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", script, runner, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "7 vectors" in call("--check")
    rows = [line.split(",") for line in call(*files).splitlines()]
    model = cineloop.predict(quality, files)
    assert rows[0] == ["path", "label", *(f"p_{name}" for name in model.classes)]
    for row, wanted in zip(rows[1:], model.rows, strict=True):
        np.testing.assert_allclose([float(value) for value in row[2:]], wanted.probabilities, atol=5e-3)


def test_predict_takes_the_folder_and_gives_the_same_rows(exported, quality, tmp_path):
    files = []
    for number, size in enumerate([(48, 48), (48, 48), (90, 120), (48, 48)]):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(picture(*size, number=number)).save(files[-1])
    files.append(write_coded_video(tmp_path / "v.mp4", 12))
    ours, graph = (cineloop.predict(model, files, rate=5) for model in (quality, exported.folder))
    assert [row.id for row in ours.rows] == [row.id for row in graph.rows]
    assert [row.frames for row in ours.rows] == [row.frames for row in graph.rows]
    for one, other in zip(ours.rows, graph.rows, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=5e-3)
    assert dict(graph.context.decision.questions) == {"outside": 0.3, "nonsense": 0.5, "ileocecal": 0.5}


def test_the_runner_reads_every_kind_of_picture_as_cineloop_does(exported, tmp_path):
    import runpy

    pixels = picture(40, 60, number=1)
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 250 + 77).save(tmp_path / "grey16.png")
    alpha = np.linspace(0, 255, 60).astype(np.uint8)[None].repeat(40, 0)
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "rgba.png")
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(pixels).convert("P").save(tmp_path / "palette.png")
    turned = Image.fromarray(pixels)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    read = runpy.run_path(str(exported.folder / "run.py"))["read"]
    for path in sorted(tmp_path.iterdir()):
        with cineloop.Video(path) as video:
            np.testing.assert_array_equal(read(path), video.frames([0]).pixels[0], err_msg=path.name)


def test_a_broken_picture_is_skipped_or_refused_alike(exported, tmp_path):
    for number in range(3):
        Image.fromarray(picture(48, 48, number=number)).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:50])
    with pytest.raises(VideoError):
        cineloop.predict(exported.folder, [tmp_path], stills=True)
    found = cineloop.predict(exported.folder, [tmp_path], stills=True, on_error="skip")
    assert [row.id for row in found.rows] == ["0.png", "2.png"]
    assert [item for item, _ in found.failed] == ["1.png"]


def test_clips_of_a_graph_are_those_of_the_model(tmp_path):
    loaded = clip_weights(tmp_path / "weights.safetensors")
    folder = export(loaded, "onnx", tmp_path / "onnx").folder
    video = write_coded_video(tmp_path / "v.mp4", 30)
    for views in (1, 3):
        ours, graph = (cineloop.predict(model, [video], temporal_views=views) for model in (loaded, folder))
        assert ours.rows[0].frames == graph.rows[0].frames
        np.testing.assert_allclose(ours.rows[0].probabilities, graph.rows[0].probabilities, atol=5e-3)


def test_an_export_without_a_contract_is_an_error_in_words(exported, tmp_path):
    (tmp_path / "contract.json").write_text("{}")
    with pytest.raises(ExportError, match="contract of the export cannot be read"):
        cineloop.load(tmp_path)


def test_a_damaged_graph_fails_its_own_check(exported, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(exported.folder, folder)
    vectors = dict(np.load(folder / "test_vectors.npz"))
    vectors["probabilities_0"] = vectors["probabilities_0"] + 0.01
    np.savez(folder / "test_vectors.npz", **vectors)
    done = subprocess.run([sys.executable, str(folder / "run.py"), "--check"], capture_output=True, check=False)
    assert done.returncode == 1


def test_an_export_that_computes_otherwise_is_not_written(quality, tmp_path, monkeypatch):
    real = write_module.onnx_engine

    def drifting(path):
        name, run = real(path)
        return name, lambda pixels: (lambda found: (found[0] + 2e-4, *found[1:]))(run(pixels))

    monkeypatch.setattr(write_module, "onnx_engine", drifting)
    with pytest.raises(ExportError, match="does not compute what the model does"):
        export(quality, "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_nan_does_not_pass(quality):
    _, answer = graph_of(quality.predictor, threshold=None, questions={})
    inputs = made_inputs((48, 48))
    wanted = expected(answer, inputs, preparation_of(quality.predictor))

    def broken(pixels):
        return tuple(np.full((len(pixels), 7), np.nan, np.float32) for _ in range(3))

    parity = compare("broken", broken, inputs, wanted, tolerance=TOLERANCES["fp32"], thresholds=answer.thresholds)
    assert not parity.passed


def test_a_gate_decides_at_its_threshold(gate, tmp_path):
    _, answer = graph_of(gate.predictor, threshold=0.7, questions={})
    pixels = torch.from_numpy(np.stack(made_inputs((64, 64))[:3]))
    probabilities, decision, _ = answer(pixels)
    assert decision.tolist() == (probabilities[:, 1] >= 0.7).long().tolist()
    swapped = dataclasses.replace(gate)
    swapped.predictor.head = swapped.predictor.head.model_copy(update={"positive": "in_body"})
    _, other = graph_of(swapped.predictor, threshold=0.7, questions={})
    assert other(pixels)[1].tolist() == (1 - (probabilities[:, 0] >= 0.7).long()).tolist()
    swapped.predictor.head = swapped.predictor.head.model_copy(update={"positive": "out_of_body"})


def test_clips_are_exported_too(tmp_path):
    loaded = clip_weights(tmp_path / "weights.safetensors", spatial=SpatialConfig(size=32, short_side=40))
    found = export(loaded, "onnx", tmp_path / "onnx")
    contract = json.loads((found.folder / "contract.json").read_text())
    assert contract["input"]["shape"] == ["batch", 4, "height", "width", 3]
    assert found.parity.network <= 1e-5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_openvino_keeps_antialiasing_and_computes_the_same(gate, tmp_path, precision):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install cineloop[openvino]")
    found = export(gate, "openvino", tmp_path / "openvino", precision=precision)
    assert found.parity.resized <= (5e-3 if precision == "fp32" else 5e-2)
    assert (found.folder / "model.xml").exists()
    assert not (found.folder / "model.onnx").exists()


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    return frame_weights(tmp_path_factory.mktemp("vit") / "weights.safetensors", "vit-tiny-csra", depth=2)


def test_a_transformer_becomes_products_that_engines_fuse(transformer, tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install cineloop[openvino]")
    _, answer = graph_of(transformer.predictor, threshold=None, questions={})
    write_onnx(answer, "frame", tmp_path / "model.onnx", frames=1, metadata={})
    graph = read_graph(tmp_path / "model.onnx")
    kinds = [operation.get_type_name() for operation in graph.get_ops()]
    assert "Convolution" not in kinds
    found = 0
    for softmax in graph.get_ordered_ops():
        product = softmax.input_value(0).get_node() if softmax.get_type_name() == "Softmax" else None
        if product is None or product.get_type_name() != "MatMul":
            continue
        # Scores come straight from queries and whole rows of keys, each turned round once, head by head.
        assert product.get_attributes()["transpose_b"]
        for side in (0, 1):
            turned = product.input_value(side).get_node()
            assert list(turned.input_value(1).get_node().get_data()) == [0, 2, 1, 3]
            assert turned.input_value(0).get_node().get_type_name() == "Reshape"
        found += 1
    assert found == 2


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_a_transformer_computes_the_same(transformer, tmp_path, form):
    if form == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install cineloop[openvino]")
    found = export(transformer, form, tmp_path / form)
    assert found.parity.network <= 1e-5


def test_eight_bits_are_calibrated_and_guarded(gate, tmp_path):
    pytest.importorskip("nncf", reason="NNCF is not installed: pip install cineloop[openvino]")
    frames = [picture(64, 64, number=number) for number in range(40)]
    guard = Guard(frames[:20], frames[20:], [number % 2 for number in range(20)], least_agreement=0.0)
    found = export(gate, "openvino", tmp_path / "int8", precision="int8", guard=guard)
    assert found.guard["frames"] == 20
    assert 0 <= found.guard["same_decision"] <= 1
    assert found.guard["logit_drift"]["max"] > 0
    strict = dataclasses.replace(guard, least_agreement=1.01)
    with pytest.raises(ExportError, match=r"changes .* of the decisions"):
        export(gate, "openvino", tmp_path / "strict", precision="int8", guard=strict)
    assert not (tmp_path / "strict").exists()
    with pytest.raises(ExportError, match="calibrated on frames of the cohort"):
        export(gate, "openvino", tmp_path / "none", precision="int8")


def test_torchscript_has_the_published_methods(quality, tmp_path):
    found = export(quality, "torchscript", tmp_path / "script", questions={"ileocecal": 0.2})
    module = torch.jit.load(str(found.folder / "model.ths"))
    images = torch.from_numpy(picture(90, 130, number=1)).permute(2, 0, 1)[None].float() / 255
    probabilities, labels = module.forward_activate(images)
    wanted, decided = quality.predictor.module.activate(images, [0.5, 0.5, 0.2])
    assert torch.allclose(probabilities, wanted, atol=1e-6)
    assert torch.equal(labels, decided)
    square = torch.rand(2, 3, 48, 48)
    assert torch.allclose(module(square), quality.predictor.module(square), atol=1e-5)
    assert "deprecated" in found.notes[0]


def test_torchscript_of_two_classes_decides_at_the_threshold(gate, tmp_path):
    plain = export(gate, "torchscript", tmp_path / "half")
    images = torch.from_numpy(np.stack(made_inputs((64, 64))[:3])).permute(0, 3, 1, 2).float() / 255
    probabilities, _ = torch.jit.load(str(plain.folder / "model.ths")).forward_activate(images)
    for threshold in (0.0, float(probabilities[:, 1].median()), 1.0):
        found = export(gate, "torchscript", tmp_path / f"at{threshold}", threshold=threshold)
        _, labels = torch.jit.load(str(found.folder / "model.ths")).forward_activate(images)
        assert labels[:, 1].tolist() == (probabilities[:, 1] >= threshold).float().tolist()
        assert torch.equal(labels.sum(1), torch.ones(3))


def test_tensorrt_gives_the_command_and_says_that_nothing_was_built(quality, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = export(quality, "tensorrt", tmp_path / "trt", ranges=Ranges(480, 640, 4))
    words = (found.folder / "BUILD.txt").read_text().split()
    assert words[0] == "trtexec"
    assert "--maxShapes=image:4x480x640x3" in words
    assert "No engine was built" in found.notes[0]
    assert not (found.folder / "model.engine").exists()
    assert "--minShapes=clip:1x8x480x640x3" in command("clip", "m", "e", Ranges(480, 640, 4), frames=8, fp16=True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"form": "onnx", "precision": "bf16"}, "written in fp32"),
        ({"form": "coreml"}, "no format 'coreml'"),
        ({"precision": "int4"}, "no precision 'int4'"),
        ({}, "Weights alone have no folder"),
    ],
)
def test_what_cannot_be_exported_is_said(quality, options, complaint, tmp_path):
    out = {} if not options else {"out": tmp_path / "out"}
    with pytest.raises(ExportError, match=complaint):
        cineloop.export(quality, **options, **out)


def test_nothing_is_overwritten(quality, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportError, match="already there"):
        export(quality, "onnx", tmp_path / "out")


def test_frames_cut_to_their_content_are_refused(quality, tmp_path):
    cut = dataclasses.replace(quality)
    head = cut.predictor.head
    cut.predictor.head = head.model_copy(update={"crop": "content"})
    try:
        with pytest.raises(ExportError, match="cuts frames"):
            export(cut, "onnx", tmp_path / "out")
    finally:
        cut.predictor.head = head
