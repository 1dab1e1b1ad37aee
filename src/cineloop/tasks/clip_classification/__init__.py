"""Clip classification: one label a video or clip, from a fixed number of its frames."""

from cineloop.tasks.clip_classification.learner import ClipLearner
from cineloop.tasks.clip_classification.predictor import ClipPredictor
from cineloop.tasks.clip_classification.schema import NAME, ClipRecipe
from cineloop.tasks.task import TaskSpec

SPEC = TaskSpec(
    name=NAME,
    summary="one label a video or clip",
    Recipe=ClipRecipe,
    learner=ClipLearner,
    predictor=ClipPredictor,
    sampler=lambda recipe, split: recipe.data.sampling.sampler(split),
)
