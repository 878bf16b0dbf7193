"""Intervals: against SciPy, against simulation, and on bad input."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tlcourse.stats import FLOOR, mean_interval, paired_gap


def test_the_interval_is_that_of_scipys_paired_t_test():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.05, 7), rng.normal(0.7, 0.05, 7)
    expected = scipy_stats.ttest_rel(a, b).confidence_interval(0.9)
    gap = paired_gap(a, b, level=0.9)
    assert gap.estimate == pytest.approx((a - b).mean()) and gap.n == 7
    assert (gap.low, gap.high) == pytest.approx((expected.low, expected.high))


def test_five_seeds_cover_the_truth_as_often_as_promised():
    rng = np.random.default_rng(1)
    truth, trials = 0.1, 2000
    covered = sum(
        gap.low <= truth <= gap.high
        for gap in (mean_interval(rng.normal(truth, 0.05, 5)) for _ in range(trials))
    )
    assert abs(covered / trials - 0.95) < 0.02


def test_what_paired_runs_share_cancels():
    rng = np.random.default_rng(2)
    luck = rng.normal(0, 0.2, 5)
    gap = paired_gap(0.8 + luck + rng.normal(0, 0.01, 5), 0.7 + luck + rng.normal(0, 0.01, 5))
    assert gap.low > 0.05 and gap.high < 0.15


def test_identical_gaps_get_the_floor_and_never_width_zero():
    gap = paired_gap([0.8] * 5, [0.7] * 5)
    assert gap.high - gap.low == pytest.approx(2 * FLOOR)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0.5], [0.4], "at least 2 runs"),
        ([0.5, 0.6], [0.4], "equal numbers"),
        ([0.5, np.nan], [0.4, 0.3], "run 1 has no finite score"),
        ([[0.5, 0.6]], [[0.4, 0.3]], "flat list"),
    ],
)
def test_bad_scores_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        paired_gap(a, b)
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_interval([0.1, 0.2], level=95)
