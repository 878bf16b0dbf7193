"""How sure we are: intervals over repeated, paired runs, and the verdicts that they allow."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student_t

FLOOR = 0.001
"""Smallest half-width of an interval: a tenth of a point. Five runs that happen to agree to the
last digit do not make us certain; a score from about a thousand test samples is no finer."""

ALPHA = 0.05
"""How often a report in which nothing has an effect may hold any verdict but inconclusive."""


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


def decided(gap: Gap) -> str:
    """The verdict of an interval: "positive", "negative", or "inconclusive" when it holds 0."""
    if gap.low > 0:
        return "positive"
    return "negative" if gap.high < 0 else "inconclusive"


def holm(
    scores: Mapping[str, Sequence[float | None]], baseline: Sequence[float | None],
    *, finest: float = 0.0,
) -> dict[str, Gap]:
    """Paired gaps to a baseline, with intervals as wide as Holm's correction makes them.

    With m comparisons, the clearest one is tested at the level 1 - 0.05/m, the next one at
    1 - 0.05/(m - 1), and so on until one is not decided; all that are left keep its level. So the
    chance that any of m comparisons without effect is called decided stays at 5 %, and an interval
    excludes 0 exactly when its comparison is decided.

    Parameters
    ----------
    scores : dict of name -> scores, one a seed
        None where a seed was not measured; an interval needs two pairs.
    baseline : scores of the same seeds
    finest : float
        What one test sample is worth. No half-width is below it: a few seeds that all differ by
        one sample agree by chance.

    Returns
    -------
    dict of name -> Gap
        In the order of `scores`. With fewer than two pairs the interval is all that two shares
        of right answers can differ by, -1 to 1; with none there is no gap.

    References
    ----------
    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 1979.
    """
    pairs = {name: [(a, b) for a, b in zip(values, baseline, strict=True)
                    if a is not None and b is not None] for name, values in scores.items()}
    gaps = {name: Gap(sum(a - b for a, b in found) / len(found), -1.0, 1.0, len(found))
            for name, found in pairs.items() if found}
    waiting = [name for name, gap in gaps.items() if gap.n >= 2]
    m = len(scores)  # one that could not be measured counts too
    while waiting:
        now = {name: _at_least(paired_gap(*zip(*pairs[name], strict=True), level=1 - ALPHA / m),
                               finest) for name in waiting}
        clearest = max(waiting, key=lambda name: abs(now[name].estimate) / _half(now[name]))
        if decided(now[clearest]) == "inconclusive":
            return gaps | now
        gaps[clearest] = now[clearest]
        waiting.remove(clearest)
        m -= 1
    return gaps


def _at_least(gap: Gap, half: float) -> Gap:
    if _half(gap) >= half:
        return gap
    return gap._replace(low=gap.estimate - half, high=gap.estimate + half)


def _half(gap: Gap) -> float:
    return (gap.high - gap.low) / 2
