"""Does a score put the sources in the right order, and what does it cost to believe it?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tlcourse.stats import Gap, mean_interval


def weighted_tau(scores: Sequence[float], outcomes: Sequence[float]) -> float:
    """Kendall's weighted rank correlation: do scores and outcomes give the same order?

    Every pair of sources counts, pairs near the top of either order more, for it is the top that
    one chooses.

    Parameters
    ----------
    scores, outcomes : sequences of float, length n >= 3
        Larger is better in both.

    Returns
    -------
    float
        1 for the same order, -1 for the reverse, about 0 for unrelated ones and where all scores
        or all outcomes are equal.

    Raises
    ------
    ValueError
        Fewer than 3 sources, lists of unequal length, or a source that lacks one of the two.

    References
    ----------
    Vigna, A weighted correlation index for rankings with ties, WWW 2015.
    """
    from scipy.stats import weightedtau

    a, b = (np.asarray(values, dtype=float) for values in (scores, outcomes))
    if a.shape != b.shape or a.ndim != 1 or len(a) < 3:
        raise ValueError(f"a rank correlation needs 3 sources or more, each with a score and an "
                         f"outcome, got shapes {a.shape} and {b.shape}")
    if not np.isfinite([a, b]).all():
        raise ValueError("a source without a score or an outcome has no rank; leave it out of both")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(weightedtau(a, b).statistic)


def agreement(runs: pd.DataFrame, score: str, outcome: str) -> Gap:
    """Mean of `weighted_tau` over the seeds, with its interval.

    Parameters
    ----------
    runs : DataFrame
        One row for each source and seed, all on one target, with a column ``seed``.
    score, outcome : str
        Columns; sources that lack one of the two are left out.
    """
    return mean_interval([weighted_tau(rows[score], rows[outcome])
                          for rows in _by_seed(runs, [score, outcome])])


def points_lost(runs: pd.DataFrame, score: str, outcome: str) -> list[float]:
    """How far below the best source one ends who takes the source with the highest score.

    Parameters
    ----------
    runs, score, outcome
        As for `agreement`. Sources without a score can be the best one, but cannot be taken;
        where several share the highest score, their mean counts.

    Returns
    -------
    list of float
        One for each seed, in the unit of the outcome.
    """
    lost = []
    for rows in _by_seed(runs, [outcome]):
        taken = rows[rows[score] == rows[score].max()]
        lost.append(float(rows[outcome].max() - taken[outcome].mean()))
    return lost


def _by_seed(runs: pd.DataFrame, needed: list[str]) -> list[pd.DataFrame]:
    return [rows.dropna(subset=needed) for _, rows in runs.groupby("seed")]
