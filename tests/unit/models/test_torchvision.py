from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from cineloop import models
from cineloop.models import _torchvision


@pytest.mark.parametrize(
    ("name", "function"), [("r2plus1d-18", "r2plus1d_18"), ("r3d-18", "r3d_18"), ("mc3-18", "mc3_18")]
)
def test_resnets_compute_what_torchvision_computes(name, function):
    library = _torchvision.load()
    torch.manual_seed(0)
    theirs = getattr(library.models.video, function)(weights=None).eval()
    ours = models.create(name).eval()
    result = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not result.missing_keys
    assert result.unexpected_keys == ["fc.weight", "fc.bias"]
    clips = torch.randn(1, 3, 2, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(theirs.fc(ours(clips)), theirs(clips))


def test_mvit_is_built_as_torchvision_builds_it():
    library = _torchvision.load()
    with torch.device("meta"):
        theirs = library.models.video.mvit_v2_s(weights=None)
        ours = models.create("mvit-v2-s")
    # The text form holds every stride, width, kernel and drop rate.
    assert repr(ours.blocks) == repr(theirs.blocks)
    assert [block.attn.num_heads for block in ours.blocks] == [block.attn.num_heads for block in theirs.blocks]
    theirs_shapes = {key: value.shape for key, value in theirs.state_dict().items() if not key.startswith("head.")}
    assert {key: value.shape for key, value in ours.state_dict().items()} == theirs_shapes


@pytest.mark.slow
def test_mvit_computes_what_torchvision_computes():
    library = _torchvision.load()
    torch.manual_seed(0)
    theirs = library.models.video.mvit_v2_s(weights=None).eval()
    ours = models.create("mvit-v2-s").eval()
    ours.load_state_dict(theirs.state_dict(), strict=False)
    clips = torch.randn(1, 3, 16, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(theirs.head(ours(clips)), theirs(clips))


def _run(code):
    subprocess.run([sys.executable, "-c", code], check=True)


# The extension's state is the process's own, so each case has one of its own.
def test_a_missing_extension_is_declared_once():
    _run(
        "import sys, types, torch\n"
        "from cineloop.models import _torchvision\n"
        "library = _torchvision.load()\n"
        "from torchvision.transforms import v2\n"
        "assert library is sys.modules['torchvision'] is _torchvision.load()\n"
        "assert _torchvision.operators_declared() is not library.extension._has_ops()\n"
    )


def test_a_working_torchvision_is_not_touched():
    _run(
        "import sys, types\n"
        "fake = types.ModuleType('torchvision')\n"
        "sys.modules['torchvision'] = fake\n"
        "from cineloop.models import _torchvision\n"
        "assert _torchvision.load() is fake\n"
        "assert not _torchvision.operators_declared()\n"
        "import torch\n"
        "assert not torch._C._dispatch_has_kernel('torchvision::nms')\n"
    )


def test_another_failure_is_not_hidden(monkeypatch):
    def fail(name):
        raise RuntimeError("operator torchvision::roi_align does not exist")

    monkeypatch.setattr(_torchvision.importlib, "import_module", fail)
    _torchvision.load.cache_clear()
    try:
        with pytest.raises(RuntimeError, match="roi_align"):
            _torchvision.load()
    finally:
        monkeypatch.undo()
        _torchvision.load.cache_clear()
