"""The trained models of an analysis: opened, and held to what they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cineloop.analysis.indicator import StageName
from cineloop.analysis.result import StageFacts
from cineloop.analysis.words import Said, Words
from cineloop.cohort.formats.inbody import Names, folded
from cineloop.errors import ModelError
from cineloop.inference.load import Loaded, load
from cineloop.inference.measured import chosen_threshold, chosen_thresholds
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.frame_classification.predictor import FramePredictor
from cineloop.tasks.stages import trained_on
from cineloop.timeline.quality import LABELS

_HALF = 0.5
_INSIDE = frozenset(map(folded, (*Names().in_body, "in", "inbody", "body")))
_OPTIONS = {"inbody": "--inbody", "quality": "--quality", "classify": "--classify"}


@dataclass(frozen=True)
class Model:
    """A model and its part in an analysis.

    Attributes:
        stage: What it is for.
        loaded: The model.
        outputs: The names of its scores, in order.
        positive: Of two classes, the one that is decided at a threshold; None otherwise.
        thresholds: By class or label.
        tuned: Whether thresholds were chosen on validation.
    """

    stage: StageName
    loaded: Loaded
    outputs: tuple[str, ...]
    positive: str | None
    thresholds: Mapping[str, float]
    tuned: bool

    @property
    def watermark(self) -> str | None:
        """The reason of a leak that was allowed when it was trained."""
        run = self.loaded.run
        reason: str | None = run.ledger()["cohort"]["allow_leakage"] if run is not None else None
        return reason or self.loaded.passport.leak

    @property
    def learned(self) -> frozenset[str] | None:
        """The SHA-256 of the files that it learned from; None where they are not known, as of what left its run."""
        run = self.loaded.run
        return None if run is None or run.ledger().get("packed") else trained_on(run)

    @property
    def warnings(self) -> tuple[Said, ...]:
        """What a reader must know of it."""
        untuned = [Said("untuned", {"stage": self.stage})] if self.thresholds and not self.tuned else []
        leak = [Said("leak", {"stage": self.stage, "reason": self.watermark})] if self.watermark else []
        return (*untuned, *leak)

    def facts(self, engine: str, looked: int, words: Words) -> StageFacts:
        """Return what a report says of it.

        Args:
            engine: What computed it.
            looked: Frames or clips that it judged.
            words: Of the report's language.
        """
        run, passport = self.loaded.run, self.loaded.passport
        return StageFacts(
            stage=self.stage,
            run=run.name if run is not None else None,
            architecture=passport.architecture,
            weights_sha256=passport.sha256,
            corpus=passport.corpus,
            engine=engine,
            classes=self.outputs,
            thresholds=dict(self.thresholds),
            tuned=self.tuned,
            looked=looked,
            warnings=tuple(map(words.say, self.warnings)),
        )


def open_model(
    stage: StageName, source: str | Path | Loaded, *, positive: str | None = None, device: str | None = None
) -> Model:
    """Open a model for a stage.

    Args:
        stage: ``inbody`` needs a model of frames with two classes; ``quality`` one of the labels of a colonoscopy
            frame; ``classify`` one of clips.
        source: A run, a weights file, an export or a bundle; or a model that was loaded.
        positive: The class that is out of the body, or that raises an alarm, where the model does not say.
        device: Where torch computes.

    Raises:
        ModelError: It is a model of another task, or it does not say which class is meant.
        WeightsError: It cannot be read.
    """
    loaded = source if isinstance(source, Loaded) else load(source, device=device)
    predictor = loaded.predictor
    if stage == "classify":
        if not isinstance(predictor, ClipPredictor):
            raise _other(stage, loaded, "a model of clips (task clip-classification)")
        found = positive or _raises(loaded)
        return _binary(stage, loaded, _known(found, loaded, stage) if found else None)
    if not isinstance(predictor, FramePredictor):
        raise _other(stage, loaded, "a model of frames (task frame-classification)")
    if stage == "quality":
        if not predictor.asks:
            raise _other(stage, loaded, "a model of the labels of a colonoscopy frame (recipes frame-quality/*)")
        chosen = chosen_thresholds(loaded)
        thresholds = {name: chosen.get(name, _HALF) for name in predictor.asks}
        return Model(stage, loaded, LABELS, None, thresholds, set(predictor.asks) <= set(chosen))
    if predictor.asks or len(predictor.classes) != 2:
        raise _other(stage, loaded, "a model of two classes, in and out of the body (recipes inbody/*)")
    return _binary(stage, loaded, _known(positive or _outside(loaded), loaded, stage))


def _binary(stage: StageName, loaded: Loaded, positive: str | None) -> Model:
    classes = loaded.predictor.classes
    if len(classes) != 2 or positive is None:
        return Model(stage, loaded, classes, positive, {}, False)
    chosen = chosen_threshold(loaded)
    # A threshold is of the class that the run itself calls positive; of the other one it is what is left of 1.
    own = loaded.predictor.positive or classes[1]
    if chosen is not None and own != positive:
        chosen = 1 - chosen
    return Model(stage, loaded, classes, positive, {positive: _HALF if chosen is None else chosen}, chosen is not None)


def _raises(loaded: Loaded) -> str | None:
    """Return the class that raises an alarm: of two the one that the run calls positive, or has a threshold for."""
    if len(loaded.predictor.classes) != 2:
        return None
    # Where no class is called so, an evaluation chose its threshold for the second.
    return loaded.predictor.positive or (loaded.predictor.classes[1] if chosen_threshold(loaded) is not None else None)


def _outside(loaded: Loaded) -> str | None:
    """Return the class that is out of the body: whose name says so, or which stands beside one that is inside."""
    classes = loaded.predictor.classes
    named = [
        name for name in classes if "out" in name.lower().replace("-", "_").split("_") or "outside" in name.lower()
    ]
    named = named or [name for name in classes if name.lower() in ("outbody", "outofbody")]
    inside = [name for name in classes if folded(name) in _INSIDE]
    if not named and len(inside) == 1:
        named = [name for name in classes if name not in inside]
    return named[0] if len(named) == 1 else None


def _known(name: str | None, loaded: Loaded, stage: StageName) -> str:
    classes = loaded.predictor.classes
    if name is None:
        raise ModelError(
            f"Which class is out of the body? The model has {' and '.join(classes)}",
            where=loaded.path,
            mend="Name it with --outside-class.",
        )
    if name not in classes:
        raise ModelError(
            f"The model has no class {name!r}; it has {', '.join(classes)}",
            where=loaded.path,
            mend="Name one of them with --outside-class." if stage == "inbody" else "Name one with --alarm-class.",
        )
    return name


def _other(stage: StageName, loaded: Loaded, wanted: str) -> ModelError:
    head = loaded.passport.head
    task = head.task if head is not None else "no task"
    classes = loaded.predictor.classes
    labels = ", ".join(classes[:4]) + (f" and {len(classes) - 4} others" if len(classes) > 4 else "")
    return ModelError(
        f"{_OPTIONS[stage]} needs {wanted}; this one is of {task}, with the classes {labels}",
        where=loaded.path,
        mend="Name a run of the right kind, or leave the option out.",
    )


def plain(model: Model) -> dict[str, object]:
    """Return what of a model decides the results: for the key of unfinished work and the fingerprint."""
    return {
        "stage": model.stage,
        "weights": model.loaded.passport.sha256,
        "source": model.loaded.path.name,
        "positive": model.positive,
        "thresholds": dict(model.thresholds),
    }
