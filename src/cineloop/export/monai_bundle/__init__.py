"""MONAI bundles, written: a trained in-body gate in the form that MONAI's own commands take."""

from cineloop.export.monai_bundle.write import write_bundle

__all__ = ["write_bundle"]
