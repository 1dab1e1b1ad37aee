"""What a procedure is, frame after frame: labels, signals over time, and the filters that work on them."""

from cineloop.timeline.segments import Segment, segments_of
from cineloop.timeline.timeline import Timeline

__all__ = ["Segment", "Timeline", "segments_of"]
