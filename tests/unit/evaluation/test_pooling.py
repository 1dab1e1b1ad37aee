from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cineloop.errors import EvaluationError
from cineloop.evaluation.pooling import ensemble, pool_folds, spread
from cineloop.evaluation.scorer import figures
from made_predictions import made


def test_folds_stand_one_after_another():
    folds = [
        made(seed, patients=10, prefix=f"fold{seed}-", attributes={"fold": [float(seed)] * 30}) for seed in range(3)
    ]
    folds[1] = replace(folds[1], attributes={}, identity_known=False)
    pooled = pool_folds(folds)
    assert len(pooled) == 90
    assert pooled.n_clusters == 30
    assert (pooled.probabilities[30:60] == folds[1].probabilities).all()
    assert pooled.attributes["fold"] == (0.0,) * 30 + (None,) * 30 + (2.0,) * 30
    assert not pooled.identity_known


def test_a_patient_held_out_twice_is_refused():
    with pytest.raises(EvaluationError, match="fold 0 and in fold 1"):
        pool_folds([made(0, patients=5), replace(made(1, patients=5), ids=tuple("abcdefghijklmno"))])


def test_an_ensemble_averages_item_by_item():
    members = [made(0), made(0, skill=2.0), made(0, skill=0.5)]
    shuffled = [members[0], members[1].select(np.random.default_rng(0).permutation(120)), members[2]]
    pooled = ensemble(shuffled)
    assert pooled.ids == members[0].ids
    assert pooled.probabilities == pytest.approx(np.mean([one.probabilities for one in members], axis=0))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "nothing to pool"),
        ([made(0), made(0, patients=39)], "other items"),
        ([made(0), replace(made(0), targets=1 - made(0).targets)], "true class"),
        ([made(0), made(0, classes=("a", "b"))], "tells"),
    ],
)
def test_members_that_do_not_match_are_refused(members, said):
    with pytest.raises(EvaluationError, match=said) as raised:
        ensemble(members)
    assert raised.value.mend


def test_the_spread_is_over_the_models_figures():
    members = [made(seed, skill=1.0) for seed in range(4)]
    values = [figures(one, threshold=0.4)["auroc"] for one in members]
    found = next(one for one in spread(members, threshold=0.4) if one.key.metric == "auroc")
    assert found.values == tuple(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.sd == pytest.approx(np.std(values, ddof=1))


def test_one_model_has_no_spread_and_undefined_figures_are_left_out():
    (auroc, *_) = spread([made(0)])
    assert auroc.sd is None
    some = made(0)
    (auroc, *_) = spread([some, some.select(some.targets == 0), some])
    assert auroc.values[1] is None
    assert auroc.sd == 0
