"""How sure we are: intervals over repeated, paired runs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student_t

FLOOR = 0.001
"""Smallest half-width of an interval: a tenth of a point. Five runs that happen to agree to the
last digit do not make us certain; a score from about a thousand test samples is no finer."""


class Gap(NamedTuple):
    """A mean with its confidence interval, in the unit of the scores, over n paired runs."""

    estimate: float
    low: float
    high: float
    n: int


def mean_interval(values: Sequence[float], *, level: float = 0.95) -> Gap:
    r"""Mean of independent runs with Student's t interval.

    .. math:: \bar v \pm t_{n-1} \, s / \sqrt n

    with s the standard deviation (n - 1 in the denominator) and t the quantile that leaves
    (1 - level)/2 on either side. It assumes runs that are independent and roughly normal. For
    five runs it keeps its promise, where a bootstrap of five values errs about three times as
    often as it says.

    Parameters
    ----------
    values : sequence of float, length n >= 2
        One score a run.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    Gap
        ``estimate``, ``low``, ``high``, ``n``. The half-width is never below `FLOOR`.

    Raises
    ------
    ValueError
        Fewer than two runs, more than one dimension, a value that is not finite, or a level that
        is no fraction.
    """
    v = np.asarray(values, dtype=float)
    if v.ndim != 1 or len(v) < 2:
        raise ValueError(f"an interval needs a flat list of at least 2 runs, got shape {v.shape}")
    if not np.isfinite(v).all():
        raise ValueError(f"run {int(np.flatnonzero(~np.isfinite(v))[0])} has no finite score: {v}")
    if not 0 < level < 1:
        raise ValueError(f"level is a fraction between 0 and 1, got {level}")
    quantile = student_t.ppf(0.5 + level / 2, len(v) - 1)
    half = max(quantile * v.std(ddof=1) / np.sqrt(len(v)), FLOOR)
    return Gap(float(v.mean()), float(v.mean() - half), float(v.mean() + half), len(v))


def paired_gap(a: Sequence[float], b: Sequence[float], *, level: float = 0.95) -> Gap:
    """Mean of a - b over paired runs, with its interval.

    Run i of `a` and run i of `b` share their seed: the same draw of labels, the same
    initialisation, the same split. What they share cancels in the difference, so the interval
    is usually much narrower than that of two separate means.

    Parameters
    ----------
    a, b : sequences of float, both of length n >= 2
        Scores of the two methods, in the same order of seeds.
    level : float
        Coverage of the interval.

    Returns
    -------
    Gap
        Positive when `a` is better (for scores where more is better).

    Raises
    ------
    ValueError
        Different lengths, fewer than two pairs, or scores that are not finite.

    Examples
    --------
    >>> gap = paired_gap([0.80, 0.84, 0.82], [0.70, 0.75, 0.71])
    >>> round(gap.estimate, 2), gap.low > 0
    (0.1, True)
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"paired runs come in equal numbers, got shapes {a.shape} and {b.shape}")
    return mean_interval(a - b, level=level)
