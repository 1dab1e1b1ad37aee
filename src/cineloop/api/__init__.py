"""What the verbs call and users import: train, evaluate, predict, analyze, export, features, sampling, load."""

from cineloop.api.analyzing import Analyzed, analyze
from cineloop.api.auditing import Audited, audit_privacy
from cineloop.api.exporting import export
from cineloop.api.judging import evaluate
from cineloop.api.predicting import features, predict
from cineloop.api.training import Plan, plan, train
from cineloop.exports.write import Exported
from cineloop.inference.answer import Prediction
from cineloop.inference.features import Features
from cineloop.inference.load import load
from cineloop.inference.sampled import Sampled, sampling
from cineloop.inference.sampling import Choice

__all__ = [
    "Analyzed",
    "Audited",
    "Choice",
    "Exported",
    "Features",
    "Plan",
    "Prediction",
    "Sampled",
    "analyze",
    "audit_privacy",
    "evaluate",
    "export",
    "features",
    "load",
    "plan",
    "predict",
    "sampling",
    "train",
]
