"""What was decided about a procedure at every instant that was looked at: what indicators are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cineloop.timeline.decision import States

Times: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Course:
    """A procedure, a row an instant. K instants; each row holds from its time to its stop.

    A signal is None where no model tells it. In a row a signal is -1 where it does not apply, or where the frame could
    not be decoded. ``nonsense`` is -1 outside; ``ileocecal`` and ``bbps`` are -1 outside and where nothing can be
    recognised.

    Attributes:
        start: When each row begins to hold, seconds of the procedure, float64 [K], increasing from 0.
        stop: When it ceases to, float64 [K]: the start of the next row, or the end of the recording.
        seen: Whether the frame could be decoded, bool [K].
        outside: Out of the body, int8 [K]: 1, 0 or -1.
        nonsense: Nothing can be recognised, int8 [K]: 1, 0 or -1.
        ileocecal: The ileocecal region is in view, int8 [K]: 1, 0 or -1.
        bbps: The score of cleanliness of the frame, int8 [K]: 0 to 3 or -1.
    """

    start: Times
    stop: Times
    seen: Flags
    outside: States | None = None
    nonsense: States | None = None
    ileocecal: States | None = None
    bbps: States | None = None

    def __post_init__(self) -> None:
        assert len(self.start) == len(self.stop) == len(self.seen) > 0, "one stop and one flag a row"
        for name in ("outside", "nonsense", "ileocecal", "bbps"):
            row = getattr(self, name)
            assert row is None or len(row) == len(self.start), f"one value of {name} a row"

    def __len__(self) -> int:
        return len(self.start)

    @property
    def duration(self) -> float:
        """Seconds of the whole recording."""
        return float(self.stop[-1])

    @property
    def held(self) -> Times:
        """Seconds that each row holds, float64 [K]."""
        return self.stop - self.start
