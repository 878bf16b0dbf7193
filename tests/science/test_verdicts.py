"""Verdicts follow from paired intervals, corrected for the number of strategies."""

import numpy as np
import pytest

from tlcourse.stats import decided, holm, paired_gap


def noise(rng, strategies=4, seeds=5):
    return {f"s{i}": rng.normal(size=seeds).tolist() for i in range(strategies)}


def test_one_strategy_is_judged_by_the_plain_paired_interval():
    a, b = [0.8, 0.9, 0.85], [0.7, 0.75, 0.8]
    assert holm({"only": a}, b) == {"only": paired_gap(a, b)}


def test_the_clearest_of_four_is_judged_at_a_quarter_of_the_error():
    rng = np.random.default_rng(0)
    scores = noise(rng) | {"s2": (100 + rng.normal(size=5)).tolist()}
    gaps = holm(scores, [0.0] * 5)
    assert gaps["s2"] == paired_gap(scores["s2"], [0.0] * 5, level=1 - 0.05 / 4)
    assert gaps["s0"] == paired_gap(scores["s0"], [0.0] * 5, level=1 - 0.05 / 3)
    assert list(gaps) == list(scores)


def test_the_clearest_is_neither_the_largest_nor_the_most_positive():
    scores = {"large and unsure": [0.9, -0.5, 0.7, -0.3],
              "small harm": [-0.02, -0.021, -0.02, -0.02]}
    gaps = holm(scores, [0.0] * 4)
    for name, level in (("small harm", 1 - 0.05 / 2), ("large and unsure", 0.95)):
        assert gaps[name] == paired_gap(scores[name], [0.0] * 4, level=level)


def test_without_any_effect_a_false_alarm_in_a_report_is_rarer_than_one_in_twenty():
    rng = np.random.default_rng(1)
    alarms = sum(any(decided(g) != "inconclusive" for g in holm(noise(rng), [0.0] * 5).values())
                 for _ in range(400))
    assert alarms / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_several_clear_effects_are_all_found():
    scores = {f"s{i}": [0.1 * i, 0.1 * i + 0.01, 0.1 * i - 0.01] for i in (-2, -1, 1, 2)}
    found = {name: decided(gap) for name, gap in holm(scores, [0.0] * 3).items()}
    assert found == {"s-2": "negative", "s-1": "negative", "s1": "positive", "s2": "positive"}


def test_too_few_pairs_decide_nothing_and_say_so():
    gaps = holm({"one": [0.9, None], "none": [None, None], "unpaired": [None, 0.5]}, [0.5, None])
    assert gaps["one"] == (pytest.approx(0.4), -1, 1, 1) and set(gaps) == {"one"}
    assert decided(gaps["one"]) == "inconclusive"


def test_a_strategy_that_could_not_be_measured_still_counts_in_the_correction():
    a, b = [0.8, 0.9, 0.85], [0.7, 0.75, 0.8]
    gaps = holm({"measured": a, "not yet": [None] * 3}, b)
    assert gaps["measured"] == paired_gap(a, b, level=1 - 0.05 / 2)


def test_seeds_that_all_differ_by_one_sample_decide_nothing():
    scratch, one_more = [0.8, 0.9], [0.8 + 1 / 57, 0.9 + 1 / 57]
    assert decided(holm({"a": one_more}, scratch)["a"]) == "positive"
    gap = holm({"a": one_more}, scratch, finest=1 / 57)["a"]
    assert decided(gap) == "inconclusive" and gap.high == pytest.approx(2 / 57)
    wide = {"a": [0.7, 0.99]}
    assert holm(wide, scratch, finest=1 / 57)["a"] == pytest.approx(holm(wide, scratch)["a"])
