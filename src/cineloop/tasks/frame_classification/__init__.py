"""Frame classification: a picture, or a frame of a video, at a time."""

from cineloop.tasks.frame_classification.learner import FrameLearner
from cineloop.tasks.frame_classification.predictor import FramePredictor
from cineloop.tasks.frame_classification.schema import NAME, FrameRecipe
from cineloop.tasks.task import TaskSpec

SPEC = TaskSpec(
    name=NAME,
    summary="a class, or the labels of a colonoscopy frame, a frame at a time",
    Recipe=FrameRecipe,
    learner=FrameLearner,
    predictor=FramePredictor,
)
