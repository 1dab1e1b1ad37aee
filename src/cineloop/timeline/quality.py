"""The seven labels of a colonoscopy frame, and the states that a frame can be in.

A frame is outside of the body, or not readable, or readable; a readable one may show the ileocecal region and has a
score of the Boston Bowel Preparation Scale (Lai et al. 2009, doi 10.1016/j.gie.2008.05.057), where it is known. Each
state has one name and one code of seven numbers, the code of the published indices.
"""

from __future__ import annotations

from collections.abc import Sequence

LABELS = ("outside", "nonsense", "ileocecal", "bbps0", "bbps1", "bbps2", "bbps3")
"""The labels in the order of a code and of a network's outputs."""

SCORES = LABELS[3:]
"""The labels of cleanliness, of which a readable frame has one."""

STATES = ("outside", "nonsense", *SCORES, *(f"ileocecal {score}" for score in SCORES))
"""The states of frames whose cleanliness is known or does not apply."""

UNSCORED = ("readable", "ileocecal")
"""The states of readable frames whose cleanliness is not known."""

Code = tuple[int, int, int, int, int, int, int]


def thresholds_of(value: float | Sequence[float]) -> tuple[float, float, float]:
    """Return the thresholds of outside, nonsense and ileocecal that a published setting means.

    One number, or a list of one or two, stands for all three; of a longer list the first three count.
    """
    given = [value] if isinstance(value, int | float) else list(value)
    if len(given) < 3:
        given = [given[0]] * 3
    return (float(given[0]), float(given[1]), float(given[2]))


def code_of(state: str) -> Code:
    """Return the seven numbers, 0 or 1, of a state.

    Raises:
        ValueError: There is no such state.
    """
    if state not in STATES and state not in UNSCORED:
        raise ValueError(f"{state!r} is no state of a frame; known: {', '.join((*STATES, *UNSCORED))}")
    bits = [0] * len(LABELS)
    for name in state.split():
        if name != "readable":
            bits[LABELS.index(name)] = 1
    return (bits[0], bits[1], bits[2], bits[3], bits[4], bits[5], bits[6])


def state_of(code: Sequence[float]) -> str:
    """Return the state that seven numbers, each 0 or 1, stand for.

    Raises:
        ValueError: There are not seven, one is neither 0 nor 1, or the labels contradict each other.
    """
    if len(code) != len(LABELS):
        raise ValueError(f"a code has {len(LABELS)} numbers ({', '.join(LABELS)}), not {len(code)}")
    if any(value not in (0, 1) for value in code):
        raise ValueError(f"a code's numbers are 0 or 1, not {list(code)}")
    held = [name for name, value in zip(LABELS, code, strict=True) if value]
    exclusive = {"outside", "nonsense"} & set(held)
    if exclusive and len(held) > 1:
        raise ValueError(f"a frame is {' and '.join(held)} at once; {sorted(exclusive)[-1]!r} excludes all others")
    if sum(name in SCORES for name in held) > 1:
        raise ValueError(f"a frame has one BBPS score, not {' and '.join(name for name in held if name in SCORES)}")
    return " ".join(held) or "readable"
