"""MONAI bundles, written: a trained in-body gate in the form that MONAI's own commands take."""

from cineloop.exports.monai_bundle.write import write_bundle

__all__ = ["write_bundle"]
