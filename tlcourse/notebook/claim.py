"""What a lesson claims is measured, or the lesson stops."""

from collections.abc import Sequence

from tlcourse.notebook.show import show
from tlcourse.stats import paired_gap
from tlcourse.utils.messages import say

SEEDS = 5
"""A claim rests on at least so many paired runs."""


class ClaimError(AssertionError):
    """A claim that the measurements do not bear out."""


def claim(
    text: str, a: Sequence[float], b: Sequence[float], *, at_least: float, level: float = 0.95
) -> None:
    """State that `a` beats `b`, and fail when the measurements do not say so.

    Prints the words and the floor, which hold on every machine. The measured digits, which differ
    a little between processors, follow as an output of their own.

    Parameters
    ----------
    text : str
        The claim in words.
    a, b : sequences of float, both of length n >= 5
        Scores as fractions, one a seed, paired.
    at_least : float
        Floor of the gap, a fraction: 0.05 is 5 points.
    level : float
        Coverage of the interval whose lower end must reach the floor.

    Raises
    ------
    ClaimError
        The lower end of the interval of a - b lies under the floor.
    ValueError
        Fewer than 5 seeds, unpaired or non-finite scores.
    """
    if len(a) < SEEDS:
        raise ValueError(f"a claim needs at least {SEEDS} seeds, got {len(a)}: run more of them")
    gap = paired_gap(a, b, level=level)
    measured = (f"{100 * gap.estimate:.1f} points, {100 * level:g} % interval "
                f"{100 * gap.low:.1f} to {100 * gap.high:.1f}, {gap.n} seeds")
    points = f"{100 * at_least:g} point{'' if at_least == 0.01 else 's'}"
    floor = f"at least {points} over {gap.n} seeds"
    if not gap.low >= at_least:
        raise ClaimError(f"{text}: does not hold: {floor} was claimed, measured {measured}")
    say(f"{text}: holds: {floor}", indent="  ")
    show(f"measured: {measured}")
