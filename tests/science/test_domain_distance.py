"""Distances between domains: right where the answer is known, and honest where nothing differs."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.stats import hypergeom, norm
from sklearn.model_selection import train_test_split

from tlcourse.align import mmd2
from tlcourse.transferability import mmd_permutation_test, proxy_a_distance


def gaussian(n, d=1, mean=0.0, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) + mean


@pytest.mark.parametrize("apart", [0.5, 1.0, 2.0, 4.0])
def test_proxy_a_of_two_gaussians_is_that_of_the_best_error_possible(apart):
    found = [proxy_a_distance(gaussian(10_000, seed=seed), gaussian(10_000, seed=seed + 50,
                              mean=apart), seed=seed) for seed in range(10)]
    assert np.mean(found) == pytest.approx(2 * (1 - 2 * norm.cdf(-apart / 2)), abs=0.02)


def by_hand(z_s, z_t, *, seed, C):
    """The same halves; the classifier by a general minimiser of its regularised loss."""
    z, sign = np.concatenate([z_s, z_t]), np.repeat([-1.0, 1.0], [len(z_s), len(z_t)])
    fit_on, held_out = train_test_split(np.arange(len(z)), test_size=0.5, stratify=sign,
                                        random_state=seed)
    mean, std = z[fit_on].mean(0), z[fit_on].std(0)
    x, y = (z - mean) / std, sign[fit_on]
    each = np.where(y > 0, len(y) / (y > 0).sum(), len(y) / (y < 0).sum()) / 2

    def loss(w):
        margins = y * (x[fit_on] @ w[1:] + w[0])
        return w[1:] @ w[1:] / 2 + C * (each * np.logaddexp(0, -margins)).sum()

    w = minimize(loss, np.zeros(z.shape[1] + 1), options={"gtol": 1e-4}).x
    wrong = np.sign(x[held_out] @ w[1:] + w[0]) != sign[held_out]
    errors = [wrong[sign[held_out] == side].mean() for side in (-1, 1)]
    return 2 * (1 - 2 * np.mean(errors))


def test_proxy_a_is_that_of_a_classifier_minimised_by_hand_with_this_regularisation():
    """In 30 directions with 60 samples the classifier overfits, and how far depends on C."""
    pairs = [(gaussian(70, 30, seed=2 * i), gaussian(50, 30, mean=0.25, seed=2 * i + 1))
             for i in range(6)]
    found = [proxy_a_distance(*pair, seed=i) for i, pair in enumerate(pairs)]
    assert found == pytest.approx([by_hand(*p, seed=i, C=0.1) for i, p in enumerate(pairs)])
    for other in (0.02, 0.5):
        assert found != pytest.approx([by_hand(*p, seed=i, C=other) for i, p in enumerate(pairs)])


def test_unequal_numbers_do_not_tilt_proxy_a():
    z_s, z_t = gaussian(30_000), gaussian(2_000, mean=1.0, seed=1)
    expected = 2 * (1 - 2 * norm.cdf(-0.5))
    assert proxy_a_distance(z_s, z_t) == pytest.approx(expected, abs=0.08)


def test_each_domain_counts_one_half_even_where_one_is_harder_to_recognise():
    """A wide source around a narrow target: all errors are made on the source."""
    z_s, z_t = 3 * gaussian(9_000), 0.1 * gaussian(900, seed=1) + 2
    few = proxy_a_distance(z_s[:900], z_t)
    assert proxy_a_distance(z_s, z_t) == pytest.approx(few, abs=0.15) and 1 < few < 1.5


def test_two_samples_of_a_domain_are_enough_one_to_fit_and_one_to_test():
    z_s, z_t = gaussian(40, 3), gaussian(2, 3, mean=20, seed=1)
    assert {proxy_a_distance(z_s, z_t, seed=seed) for seed in range(10)} == {2}


def test_equal_domains_are_0_apart_on_average_and_not_clipped():
    found = [proxy_a_distance(*(gaussian(60, 30, seed=2 * i + side) for side in (0, 1)), seed=i)
             for i in range(40)]
    assert abs(np.mean(found)) < 0.1 and min(found) < 0, "tuned on its own test half: 0.2"


def test_domains_without_overlap_are_2_apart():
    assert proxy_a_distance(gaussian(50, 3), gaussian(50, 3, mean=20)) == 2


def test_the_scale_and_the_origin_of_the_features_do_not_matter():
    z_s, z_t = gaussian(200, 4), gaussian(150, 4, mean=0.5, seed=1)
    distance = proxy_a_distance(z_s, z_t)
    assert proxy_a_distance(1e4 * z_s - 9, 1e4 * z_t - 9) == pytest.approx(distance, abs=1e-9)


def test_the_seed_draws_the_halves():
    z_s, z_t = gaussian(80, 4), gaussian(80, 4, mean=0.5, seed=1)
    distances = [proxy_a_distance(z_s, z_t, seed=seed) for seed in (0, 0, 1, 2)]
    assert distances[0] == distances[1] and len(set(distances)) > 1


def test_the_permutation_test_errs_as_often_as_it_says_and_sees_what_differs():
    equal = [mmd_permutation_test(gaussian(25, 3, seed=2 * i), gaussian(30, 3, seed=2 * i + 1),
                                  permutations=99, seed=i)[1] for i in range(100)]
    assert sum(p <= 0.1 for p in equal) <= 18, "10 expected, 18 with a chance of 1 %"
    assert 0.35 < np.mean(equal) < 0.65
    statistic, p = mmd_permutation_test(gaussian(60, 3), gaussian(50, 3, mean=1.0, seed=1))
    assert statistic > 0.05 and p == 1 / 201
    spread = mmd_permutation_test(gaussian(80, 3), 2 * gaussian(80, 3, seed=1))
    assert spread[1] < 0.02, "equal means, other spread: seen too"


def test_the_p_value_of_two_coins_is_the_exact_one():
    """3 of 10 heads against 7 of 10: many exchanges are as large, and rounding must not choose."""
    z_s, z_t = np.repeat([0.0, 1.0], [7, 3]), np.repeat([0.0, 1.0], [3, 7])
    heads = hypergeom(20, 10, 10)
    exact = heads.cdf(3) + heads.sf(6)
    found = [mmd_permutation_test(z_s, z_t, permutations=2000, seed=seed)[1] for seed in range(3)]
    assert found == pytest.approx([exact] * 3, abs=0.035) and len(set(found)) > 1
    assert mmd_permutation_test(z_s, z_t, seed=1) == mmd_permutation_test(z_s, z_t, seed=1)


def test_far_from_the_origin_the_statistic_is_the_same():
    z_s, z_t = gaussian(31, 5), gaussian(17, 5, mean=0.3, seed=1)
    statistic, p = mmd_permutation_test(z_s, z_t)
    assert mmd_permutation_test(z_s + 1e6, z_t + 1e6) == (pytest.approx(statistic, abs=1e-7), p)


@pytest.mark.parametrize(("equal", "rounding"), [(0, 1e-10), (16, 1e-10), (22, 1e-8)])
def test_the_statistic_of_the_permutation_test_is_the_mmd_of_the_course(equal, rounding):
    z_s, z_t = gaussian(31, 5), gaussian(17, 5, mean=0.3, seed=1)
    z_s[:equal], z_t[:equal] = 1.0, 1.0
    expected = mmd2(torch.from_numpy(z_s), torch.from_numpy(z_t))
    assert mmd_permutation_test(z_s, z_t)[0] == pytest.approx(float(expected), abs=rounding)


def test_where_most_samples_are_equal_the_statistic_does_not_hang_on_the_unit():
    z_s, z_t = np.zeros((12, 3)), np.zeros((9, 3))
    z_s[:2] = 1.0
    statistic, _ = mmd_permutation_test(z_s, z_t)
    assert mmd_permutation_test(50 * z_s, 50 * z_t)[0] == pytest.approx(statistic, abs=1e-12)
    assert abs(statistic) > 1e-3


def test_equal_samples_and_constant_ones_are_no_evidence():
    z = gaussian(30, 2)
    assert mmd_permutation_test(z, z)[1] == 1
    assert mmd_permutation_test(np.ones((9, 2)), np.ones((7, 2))) == (0, 1)


def test_tensors_do_as_well_and_floats_come_back():
    z_s, z_t = (torch.from_numpy(gaussian(40, 3, seed=seed)) for seed in (0, 1))
    assert type(proxy_a_distance(z_s, z_t)) is float
    assert [type(v) for v in mmd_permutation_test(z_s.requires_grad_(), z_t)] == [float, float]


@pytest.mark.parametrize("distance", [proxy_a_distance, mmd_permutation_test])
def test_what_cannot_be_compared_is_refused_in_a_sentence(distance):
    z = gaussian(20, 3)
    with pytest.raises(ValueError, match="same features, got 3 and 2"):
        distance(z, z[:, :2])
    with pytest.raises(ValueError, match="z_t has 1 sample where at least 2"):
        distance(z, z[:1])
    with pytest.raises(ValueError, match="z_s is NaN or infinite in 60 of 60 values"):
        distance(z * np.nan, z)
    with pytest.raises(ValueError, match=r"got \(20, 3, 1\); flatten"):
        distance(z[..., None], z)


def test_the_permutation_test_refuses_what_does_not_fit_in_memory():
    with pytest.raises(ValueError, match="10001 samples make a table .* at most 10000"):
        mmd_permutation_test(gaussian(9_999), gaussian(2))
    with pytest.raises(ValueError, match="at least 1 permutation, got 0"):
        mmd_permutation_test(gaussian(9), gaussian(9), permutations=0)
