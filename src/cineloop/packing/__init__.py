"""A run as an archive that may be shared: its weights, figures and settings, without identifiers or pixels."""

from cineloop.packing.archive import Packed, pack

__all__ = ["Packed", "pack"]
