import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional as F

from cineloop.errors import RecipeError
from cineloop.named import choose
from cineloop.training.losses import LOSSES, CrossEntropyConfig, FocalConfig, balanced_weights


def build(name, counts=(5, 5), **options):
    chosen = choose(LOSSES, {"name": name, **options}, where="test", key="train.loss")
    return LOSSES.get(name).build(chosen.config, list(counts))


logits = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
target = torch.arange(12) % 3


def test_focal_without_focus_is_cross_entropy():
    loss = build("focal", (4, 4, 4), gamma=0.0)
    assert torch.allclose(loss(logits, target), F.cross_entropy(logits, target, reduction="none"))


def test_focal_follows_its_formula():
    loss = build("focal", (4, 4, 4), gamma=1.5, alpha=[0.2, 0.3, 0.5])
    p = logits.softmax(1)[torch.arange(12), target]
    expected = -torch.tensor([0.2, 0.3, 0.5])[target] * (1 - p) ** 1.5 * p.log()
    assert torch.allclose(loss(logits, target), expected, atol=1e-6)


def test_focal_alpha_of_two_classes_weighs_the_second():
    loss = build("focal", alpha=0.25, gamma=0.0)
    two, y = logits[:, :2], torch.arange(12) % 2
    expected = torch.where(y == 1, 0.25, 0.75) * F.cross_entropy(two, y, reduction="none")
    assert torch.allclose(loss(two, y), expected)


def test_focal_alpha_of_more_classes_must_be_a_list():
    with pytest.raises(RecipeError, match="two classes"):
        build("focal", (4, 4, 4), alpha=0.25)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_focal_gradient_is_finite_where_the_model_is_certain(gamma):
    certain = torch.tensor([[40.0, -40.0], [-40.0, 40.0], [200.0, -200.0]], requires_grad=True)
    build("focal", gamma=gamma)(certain, torch.tensor([0, 0, 0])).sum().backward()
    assert torch.isfinite(certain.grad).all()


def test_cross_entropy_is_averaged_by_class_weights():
    loss = build("cross-entropy", (4, 4, 4), class_weight=[1.0, 2.0, 3.0])
    value = loss(logits, target).sum() / loss.weight(target).sum()
    assert torch.allclose(value, F.cross_entropy(logits, target, weight=torch.tensor([1.0, 2.0, 3.0])))


def test_balanced_weights_make_classes_count_alike():
    counts = [30, 10]
    weights = balanced_weights(counts)
    assert weights[0] * 30 == pytest.approx(weights[1] * 10)
    assert sum(w * c for w, c in zip(weights, counts, strict=True)) == pytest.approx(40)
    with pytest.raises(RecipeError, match="every class"):
        balanced_weights([3, 0])


def test_weighted_mean_matches_an_independent_reference():
    y = (torch.arange(12) % 2).tolist()
    loss = build("cross-entropy", (8, 4), class_weight="balanced")
    two = logits[:, :2]
    value = loss(two, torch.tensor(y)).sum() / loss.weight(torch.tensor(y)).sum()
    weights = balanced_weights([8, 4])
    reference = log_loss(y, two.softmax(1).numpy(), sample_weight=[weights[label] for label in y])
    assert float(value) == pytest.approx(reference, rel=1e-5)


def test_wrong_number_of_weights_is_told():
    with pytest.raises(RecipeError, match="2 values for 3 classes"):
        build("cross-entropy", (1, 1, 1), class_weight=[1.0, 2.0])


def test_defaults_are_plain():
    assert FocalConfig().alpha is None
    assert CrossEntropyConfig().class_weight is None
