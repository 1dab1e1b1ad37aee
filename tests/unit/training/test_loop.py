import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from cineloop import runs
from cineloop.errors import RunError, TrainingError
from cineloop.training.learner import Validation
from cineloop.training.logs import RunLog, sample_parts
from cineloop.training.loop import Loop
from cineloop.training.runtime import Runtime
from cineloop.training.schema import TrainSection
from toy_learner import ToyLearner


def section(**changes):
    plain = {
        "epochs": 3,
        "batch_size": 8,
        "workers": 0,
        "threads": 1,
        "optimizer": {"lr": 0.05},
        "select": {"metric": "accuracy"},
        "log": {"tensorboard": False, "every_steps": 1},
        **changes,
    }
    return TrainSection.model_validate(plain)


class Interruption(Exception):
    pass


def loop(tmp_path, config, learner=None, name="run", stop_at=None):
    path = tmp_path / name
    run = runs.Run(path) if runs.is_run(path) else runs.create(path, {})
    runtime = Runtime(config)
    runtime.launch()

    class Stopped(Loop):
        def _step(self, group):
            if stop_at is not None and self.progress.step == stop_at:
                raise Interruption
            return super()._step(group)

    return run, Stopped(
        learner or ToyLearner(),
        config,
        run,
        runtime,
        open_log=lambda keep, first: RunLog(run, [], keep),
        recipe="fingerprint",
    )


def fit(tmp_path, config, **options):
    resume = options.pop("resume", False)
    run, training = loop(tmp_path, config, **options)
    return run, training.fit(resume=resume)


def losses(run):
    return {r["step"]: r["loss"] for r in runs.read_lines(run.metrics_file) if r["kind"] == "step"}


def records(run):
    return [{k: v for k, v in r.items() if "seconds" not in k} for r in runs.read_lines(run.metrics_file)]


def test_it_learns(tmp_path):
    run, result = fit(tmp_path, section(epochs=10))
    values = losses(run)
    assert result.steps == 10 * math.ceil(37 / 8)
    assert np.mean(list(values.values())[-5:]) < 0.5 * np.mean(list(values.values())[:5])
    assert result.best > 0.9
    assert run.weights_file.read_bytes() == run.best_weights.read_bytes()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("options", [{}, {"ema": 0.9, "accumulate": 2, "clip_grad_norm": 0.5}])
def test_interrupted_at_any_step_it_ends_with_the_same_bytes(tmp_path, workers, options):
    config = section(workers=workers, checkpoint={"every_steps": 2}, **options)
    whole, result = fit(tmp_path, config, learner=ToyLearner(dropout=0.3), name="whole")
    for stop in [0, 1, 3, result.steps // 2, result.steps - 1]:
        name = f"stopped-{stop}"
        run, training = loop(tmp_path, config, learner=ToyLearner(dropout=0.3), name=name, stop_at=stop)
        with pytest.raises(Interruption):
            training.fit()
        run, again = fit(tmp_path, config, learner=ToyLearner(dropout=0.3), name=name, resume=True)
        assert run.weights_file.read_bytes() == whole.weights_file.read_bytes()
        assert records(run) == records(whole)
        assert again.best == result.best
        assert again.best_epoch == result.best_epoch
        rows = lambda run: [row for _, path in sample_parts(run.samples) for row in json.loads(path.read_text())]  # noqa: E731
        assert rows(run) == rows(whole)


def test_workers_change_nothing(tmp_path):
    runs_ = [fit(tmp_path, section(workers=n), name=f"w{n}")[0] for n in (0, 1, 3)]
    assert len({run.weights_file.read_bytes() for run in runs_}) == 1


def test_accumulation_equals_a_larger_batch(tmp_path):
    # With unequal class weights and a last batch that is not full, a mean of means would differ.
    one, _ = fit(tmp_path, section(batch_size=8), learner=ToyLearner(weighted=True), name="one")
    two, _ = fit(tmp_path, section(batch_size=4, accumulate=2), learner=ToyLearner(weighted=True), name="two")
    assert losses(one) == pytest.approx(losses(two), rel=1e-5)


def test_another_seed_is_another_run(tmp_path):
    one, _ = fit(tmp_path, section(seed=1), name="one")
    two, _ = fit(tmp_path, section(seed=2), name="two")
    assert one.weights_file.read_bytes() != two.weights_file.read_bytes()


def test_a_loss_that_is_not_finite_stops_before_the_weights_and_names_the_sample(tmp_path):
    learner = ToyLearner(poison=5)
    run, training = loop(tmp_path, section(), learner=learner)
    with pytest.raises(TrainingError, match="point-5"):
        training.fit()
    assert all(torch.isfinite(value).all() for value in learner.module.state_dict().values())
    assert not run.weights_file.exists()


def test_early_stopping_keeps_the_best(tmp_path):
    learner = ToyLearner()
    values = iter([0.5, 0.9, 0.6, 0.7, 0.8, 0.95])
    learner.validate = lambda module, runtime: Validation({"accuracy": next(values)})
    _, result = fit(tmp_path, section(epochs=6, early_stopping={"patience": 3}), learner=learner)
    assert (result.stopped_early, result.epochs, result.best, result.best_epoch) == (True, 5, 0.9, 2)


@pytest.mark.parametrize(("losses", "kept"), [([0.5, 0.4, 0.3, 0.1], 3), ([0.5, 0.2, 0.2, 0.3], 2), ([None] * 4, 1)])
def test_of_equal_epochs_the_one_that_loses_least_is_kept(tmp_path, losses, kept):
    learner = ToyLearner()
    values = iter(zip([1.0, 1.0, 1.0, 0.9], losses, strict=True))

    def validate(module, runtime):
        accuracy, loss = next(values)
        return Validation({"accuracy": accuracy, **({} if loss is None else {"loss": loss})})

    learner.validate = validate
    _, result = fit(tmp_path, section(epochs=4, early_stopping={"patience": 3}), learner=learner)
    assert (result.best, result.best_epoch, result.epochs, result.stopped_early) == (1.0, kept, 4, True)


def test_without_validation_the_last_weights_are_kept(tmp_path):
    run, result = fit(tmp_path, section(), learner=ToyLearner(val=False))
    assert result.best is None
    assert run.weights_file.exists()


def test_an_undefined_metric_never_becomes_the_best(tmp_path):
    _, result = fit(tmp_path, section(select={"metric": "undefined"}))
    assert result.best is None


def test_an_unknown_selection_metric_is_told(tmp_path):
    with pytest.raises(TrainingError, match="aurok"):
        fit(tmp_path, section(select={"metric": "aurok"}))


def test_a_batch_larger_than_the_data_with_drop_last_is_told(tmp_path):
    with pytest.raises(TrainingError, match="no batch"):
        fit(tmp_path, section(batch_size=64, drop_last=True))


def test_max_steps_ends_training(tmp_path):
    _, result = fit(tmp_path, section(max_steps=7))
    assert result.steps == 7


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    _, training = loop(tmp_path, section(), stop_at=6)
    with pytest.raises(Interruption):
        training.fit()
    _, training = loop(tmp_path, section())
    training.recipe = "another"
    with pytest.raises(TrainingError, match="another recipe"):
        training.fit(resume=True)


def test_a_damaged_checkpoint_is_told(tmp_path):
    run, training = loop(tmp_path, section(), stop_at=6)
    with pytest.raises(Interruption):
        training.fit()
    data = run.last_checkpoint.read_bytes()
    run.last_checkpoint.write_bytes(data[: len(data) // 2])
    _, training = loop(tmp_path, section())
    with pytest.raises(RunError, match="cannot be read"):
        training.fit(resume=True)


def test_weighted_draws_are_reproducible(tmp_path):
    weights = np.linspace(1, 5, 37)
    one, _ = fit(tmp_path, section(), learner=ToyLearner(weights=weights), name="one")
    two, _ = fit(tmp_path, section(workers=2), learner=ToyLearner(weights=weights), name="two")
    assert one.weights_file.read_bytes() == two.weights_file.read_bytes()


def test_every_trainable_parameter_is_in_one_group(tmp_path):
    from cineloop.training.learner import ParameterGroup
    from cineloop.training.optimizer import check_groups

    module = ToyLearner().module
    names = tuple(name for name, _ in module.named_parameters())
    check_groups(module, [ParameterGroup("all", names)])
    with pytest.raises(AssertionError, match="missing"):
        check_groups(module, [ParameterGroup("some", names[1:])])
    with pytest.raises(AssertionError, match="twice"):
        check_groups(module, [ParameterGroup("all", names), ParameterGroup("again", names[:1])])
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(TrainingError, match="trainable"):
        check_groups(module, [])


def test_warm_up_rises_and_cosine_falls():
    from cineloop.training.optimizer import learning_rate_scale
    from cineloop.training.schema import ScheduleSection

    config = ScheduleSection(warmup_epochs=1, final_scale=0.1)
    scales = [learning_rate_scale(step, 100, 10, config) for step in range(101)]
    assert scales[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert scales[10] == 1.0
    assert all(a > b for a, b in pairwise(scales[10:]))
    assert scales[100] == pytest.approx(0.1)
    constant = ScheduleSection(name="constant")
    assert {learning_rate_scale(step, 100, 0, constant) for step in range(100)} == {1.0}


def test_metrics_are_also_a_table(tmp_path):
    run, _ = fit(tmp_path, section())
    lines = (run.path / "metrics.csv").read_text().splitlines()
    assert len(lines) == 4
    assert "val_accuracy" in lines[0]


def test_the_learning_rate_follows_the_batch_where_asked(tmp_path):
    config = section(optimizer={"lr": 0.001, "lr_batch": 256}, accumulate=2, schedule={"name": "constant"})
    assert config.learning_rate == pytest.approx(0.001 * 16 / 256)
    run, _ = fit(tmp_path, config)
    assert [r["lr"] for r in records(run) if r["kind"] == "step"] == [pytest.approx(0.001 * 16 / 256)] * 9
    assert section(optimizer={"lr": 0.001}).learning_rate == 0.001


def test_a_schedule_by_epoch_stays_the_same_within_one(tmp_path):
    run, _ = fit(tmp_path, section(schedule={"by": "epoch"}))
    rates = [[r["lr"] for r in records(run) if r["kind"] == "step" and r["epoch"] == epoch] for epoch in (1, 2, 3)]
    # As torch's own cosine annealing, stepped once an epoch.
    expected = [0.05 * 0.5 * (1 + math.cos(math.pi * epoch / 3)) for epoch in range(3)]
    assert rates == [[pytest.approx(rate)] * 5 for rate in expected]


SEQUENCE = [(0.5, 0.5), (0.5, 0.51), (0.58, 0.1), (0.6, 0.5), (0.6, 0.505)]


def _upstream_learner():
    learner = ToyLearner()
    values = iter(SEQUENCE)

    def validate(module, runtime):
        specificity, sensitivity = next(values)
        found = {"specificity": specificity, "sensitivity": sensitivity, "weighted_f1": 0.5, "auroc": 0.5, "auprc": 0.5}
        return Validation(found, ((0, 4), (2, 2)))

    learner.validate = validate
    return learner


def test_the_upstream_rule_compares_with_what_it_kept_last(tmp_path):
    config = section(epochs=5, select={"rule": "upstream"})
    run, result = fit(tmp_path, config, learner=_upstream_learner())
    epochs = [r for r in records(run) if r["kind"] == "epoch"]
    # 2: hardly better; 3: specificity, at the cost of everything else; 4: sensitivity; 5: hardly better.
    assert [("kept" in r) for r in epochs] == [True, False, True, True, False]
    assert epochs[2]["val_composite"] < epochs[1]["val_composite"]
    assert result.best_epoch == 4
    assert epochs[0]["val_confusion"] == [[0, 4], [2, 2]]
    assert "epoch 3 is kept: specificity rose" in run.log_file.read_text()
    header = (run.path / "metrics.csv").read_text().splitlines()[0]
    assert "val_composite" in header
    assert "confusion" not in header


def test_a_resume_knows_the_metrics_of_the_kept_epoch(tmp_path):
    config = section(epochs=5, select={"rule": "upstream"})
    learner = _upstream_learner()
    with pytest.raises(Interruption):
        fit(tmp_path, config, learner=learner, stop_at=14)
    run, result = fit(tmp_path, config, learner=learner, resume=True)
    assert [("kept" in r) for r in records(run) if r["kind"] == "epoch"] == [True, False, True, True, False]
    assert result.best_epoch == 4


def test_other_weights_are_kept_by_metric_and_by_epoch(tmp_path):
    run, _ = fit(tmp_path, section(epochs=4, keep={"best": ["accuracy"], "every_epochs": 2}))
    assert sorted(path.name for path in run.checkpoints.glob("epoch-*")) == [
        "epoch-0002.safetensors",
        "epoch-0004.safetensors",
    ]
    values = [line["val_accuracy"] for line in runs.read_lines(run.metrics_file) if "val_accuracy" in line]
    best = values.index(max(values)) + 1
    kept = (run.checkpoints / "best-accuracy.safetensors").read_bytes()
    if best in (2, 4):
        assert kept == (run.checkpoints / f"epoch-{best:04d}.safetensors").read_bytes()
    assert kept


def test_an_unknown_metric_to_keep_by_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no metric called 'speciality'"):
        fit(tmp_path, section(keep={"best": ["speciality"]}))
