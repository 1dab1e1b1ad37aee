"""SE-ResNet against MONAI's own and timm's, and look-alikes refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from cineloop import models
from cineloop.errors import WeightsError
from cineloop.models import _torchvision
from cineloop.models.passport import Passport
from cineloop.models.seresnet_weights import reference, variant_of
from cineloop.models.weights import save_weights
from support import shared


def _exercised(network):
    """Give a network random weights whose norms and biases do something."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, value in network.state_dict().items():
        noise = torch.randn(value.shape, generator=generator) if value.is_floating_point() else None
        if noise is None:
            state[key] = value
        elif value.ndim > 1:
            state[key] = noise * (2 / value[0].numel()) ** 0.5
        else:
            state[key] = noise.abs() / 4 + 0.8 if key.endswith(("weight", "running_var")) else noise / 10
    network.load_state_dict(state)
    return network.eval()


@pytest.fixture(scope="module")
def monai_network():
    _torchvision.load()
    pytest.importorskip("monai", reason="MONAI is not installed: pip install cineloop[monai]")
    from monai.networks.nets import SEResNet50

    return _exercised(SEResNet50(spatial_dims=2, in_channels=3, num_classes=2))


def timm_network(name):
    _torchvision.load()
    import timm

    return _exercised(timm.create_model(name, num_classes=2))


def _saved(network, path, prefix=""):
    torch.save({f"{prefix}{key}": value for key, value in network.state_dict().items()}, path)
    return path


@pytest.mark.parametrize("prefix", ["", "module."])
def test_monais_weights_compute_the_same_on_real_pictures(monai_network, tmp_path, prefix):
    path = _saved(monai_network, tmp_path / "model.pt", prefix)
    network = models.create("seresnet50-inbody", weights=path).eval()
    folder = shared("data", "polyps", "images")
    for file in sorted(folder.iterdir())[:3]:
        prepared = network.preprocess(np.asarray(Image.open(file).convert("RGB")))
        with torch.no_grad():
            expected, found = monai_network(prepared), network(prepared)
        assert (found - expected).abs().max() <= 1e-4 * max(1.0, float(expected.abs().max()))


def test_preparation_is_that_of_monais_transforms(tmp_path, monai_network):
    from monai.transforms import Compose, EnsureChannelFirst, LoadImage, NormalizeIntensity, Resize

    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (90, 140, 3), dtype=np.uint8)
    picture[:20] = 0
    Image.fromarray(picture).save(tmp_path / "a.png")
    steps = [
        LoadImage(image_only=True),
        EnsureChannelFirst(channel_dim=-1),
        Resize((256, 256), mode="bilinear"),
        NormalizeIntensity(nonzero=True, channel_wise=True),
    ]
    expected = torch.as_tensor(np.asarray(Compose(steps)(str(tmp_path / "a.png"))))
    found = models.create("seresnet-tiny").preprocess(picture)[0]
    assert (found - expected).abs().max() < 2e-5


def test_the_legacy_network_of_timm_is_the_published_one(tmp_path):
    source = timm_network("legacy_seresnet50")
    network = models.create("seresnet50-inbody", weights=_saved(source, tmp_path / "timm.pt")).eval()
    probe = torch.randn((2, 3, 97, 130), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = source(probe)
        assert (network(probe) - expected).abs().max() <= 1e-4 * float(expected.abs().max())


def test_a_look_alike_is_refused_by_numbers_and_leaves_the_network_alone(tmp_path):
    source = timm_network("seresnet50")
    path = _saved(source, tmp_path / "timm.pt")
    network = models.create("seresnet50-inbody")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    from cineloop.models.weights import load_into

    with pytest.raises(WeightsError, match=r"(?s)logits differ by .*modern SE-ResNet.*variant=modern"):
        load_into(network, path, spec=models.spec("seresnet50-inbody"))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    # Where it says so, the same file is right.
    modern = models.create("seresnet50-inbody", weights=path, variant="modern").eval()
    probe = torch.randn((1, 3, 97, 130), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = source(probe)
        assert (modern(probe) - expected).abs().max() <= 1e-4 * float(expected.abs().max())


def test_published_weights_are_refused_by_the_modern_network(tmp_path):
    source = _exercised(models.create("seresnet50-inbody", depths=[1, 1, 1, 1], width=16))
    path = _saved(source, tmp_path / "model.pt")
    with pytest.raises(WeightsError, match="variant=published"):
        models.create("seresnet50-inbody", weights=path, depths=[1, 1, 1, 1], width=16, variant="modern")


def test_weights_with_a_passport_are_taken_at_their_word(tmp_path):
    spec = models.spec("seresnet-tiny")
    config = models.configure("seresnet-tiny", {})
    network = _exercised(spec.build(config))
    path = tmp_path / "weights.safetensors"
    save_weights(path, network, Passport.of(spec, config))
    again = models.create("seresnet-tiny", weights=path).eval()
    probe = torch.randn((1, 3, 64, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(network(probe), again(probe))


@pytest.mark.parametrize("variant", ["published", "modern"])
def test_the_reference_is_the_network(variant):
    network = _exercised(models.create("seresnet-tiny", variant=variant))
    probe = torch.randn((2, 3, 75, 91), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found, expected = network(probe), reference(network.state_dict(), probe, variant)
    assert (found - expected).abs().max() <= 1e-5 * float(expected.abs().max())
    assert variant_of(network.state_dict()) == "published"


def test_a_look_alike_of_other_classes_is_refused_too(tmp_path):
    from cineloop.models.weights import load_into

    _torchvision.load()
    import timm

    path = _saved(_exercised(timm.create_model("seresnet50", num_classes=10)), tmp_path / "timm.pt")
    network = models.create("seresnet50-inbody")
    with pytest.raises(WeightsError, match="modern SE-ResNet"):
        load_into(network, path, spec=models.spec("seresnet50-inbody"), min_match=0.9)
    load_into(models.create("seresnet50-inbody", variant="modern"), path, spec=models.spec("seresnet50-inbody"),
              min_match=0.9)  # fmt: skip
