"""Rank agreement and what it costs, on rankings whose answer is known; and their figures."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tlcourse.plots.ranking import interval_rows, score_panels, share_table
from tlcourse.stats import Gap
from tlcourse.transferability.ranking import agreement, points_lost, weighted_tau


def runs(score, outcome, seeds=5):
    """The same sources in every seed, with outcomes that shift a little together."""
    return pd.concat([pd.DataFrame({
        "target": "t", "seed": seed, "source": list("abcd")[: len(score)], "score": score,
        "outcome": np.array(outcome, dtype=float) + seed / 100}) for seed in range(seeds)])


def test_the_same_order_is_1_the_reverse_minus_1_and_no_order_0():
    assert weighted_tau([1, 2, 9], [10, 20, 21]) == pytest.approx(1)
    assert weighted_tau([3, 2, 1], [10, 20, 21]) == pytest.approx(-1)
    assert weighted_tau([5, 5, 5], [1, 2, 3]) == weighted_tau([1, 2, 3], [0, 0, 0]) == 0


def test_a_mistake_at_the_top_costs_more_than_one_at_the_bottom():
    truth = [5, 4, 3, 2, 1]
    assert weighted_tau([4, 5, 3, 2, 1], truth) < weighted_tau([5, 4, 3, 1, 2], truth) < 1


def test_agreement_is_the_mean_over_the_seeds_without_sources_that_lack_a_score():
    table = runs([1, 2, 3, None], [1, 2, 3, 0])
    assert agreement(table, "score", "outcome").estimate == pytest.approx(1)
    table.loc[table["seed"] == 0, "score"] *= -1
    assert agreement(table, "score", "outcome").estimate == pytest.approx(0.6)
    assert agreement(table, "score", "outcome").n == 5


def test_points_lost_are_those_between_the_best_source_and_the_one_taken():
    assert points_lost(runs([1, 3, 2], [0.5, 0.6, 0.9]), "score", "outcome") == pytest.approx(
        [0.3] * 5)
    assert points_lost(runs([1, 2, 3], [0.5, 0.6, 0.9]), "score", "outcome") == [0] * 5
    tied = points_lost(runs([3, 1, 3], [0.5, 0.6, 0.9]), "score", "outcome")
    assert tied == pytest.approx([0.2] * 5), "the mean of the two that share the highest score"
    unscored = points_lost(runs([1, 2, None], [0.5, 0.6, 0.9]), "score", "outcome")
    assert unscored == pytest.approx([0.3] * 5), "the best has no score and cannot be taken"


def test_rankings_of_too_few_or_unequal_lists_are_refused():
    with pytest.raises(ValueError, match="3 sources or more"):
        weighted_tau([1, 2], [1, 2])
    with pytest.raises(ValueError, match=r"got shapes \(3,\) and \(4,\)"):
        weighted_tau([1, 2, 3], [1, 2, 3, 4])
    with pytest.raises(ValueError, match="has no rank; leave it out"):
        weighted_tau([1, 2, np.nan], [1, 2, 3])


def test_the_figures_say_in_words_what_they_show():
    table = runs([1, 3, 2, 0], [0.5, 0.6, 0.9, 0.1])
    letters = dict(zip("abcd", "wxyz", strict=True))
    shown = score_panels(table, "score", "outcome", letters)
    assert "t: highest score b, highest accuracy c" in shown.alt_text
    gaps = {"left": {"LEEP": {"t": Gap(0.5, 0.4, 0.6, 5), "u": Gap(0.1, -0.1, 0.3, 5)}}}
    assert "left, LEEP: t 0.5, u 0.1" in interval_rows(gaps, xlabel="tau").alt_text
    shares = pd.DataFrame({"x": [0.25, 0], "y": [0.001, 1]}, index=["p", "q"])
    table = share_table(shares, xlabel="from", ylabel="into")
    assert "p: x 25%; q: y 100%" in table.alt_text
    assert [t.get_text() for t in table.axes[0].texts] == ["25", "<1", "0", "100"]
    plt.close("all")
