"""Distances between domains: right where the answer is known, and honest where nothing differs."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tlcourse.align import mmd2
from tlcourse.transferability import mmd_permutation_test, proxy_a_distance


def gaussian(n, d=1, mean=0.0, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) + mean


@pytest.mark.parametrize("apart", [0.5, 1.0, 2.0, 4.0])
def test_proxy_a_of_two_gaussians_is_that_of_the_best_error_possible(apart):
    found = [proxy_a_distance(gaussian(10_000, seed=seed), gaussian(10_000, seed=seed + 50,
                              mean=apart), seed=seed) for seed in range(10)]
    assert np.mean(found) == pytest.approx(2 * (1 - 2 * norm.cdf(-apart / 2)), abs=0.02)


def test_unequal_numbers_do_not_tilt_proxy_a():
    z_s, z_t = gaussian(30_000), gaussian(2_000, mean=1.0, seed=1)
    expected = 2 * (1 - 2 * norm.cdf(-0.5))
    assert proxy_a_distance(z_s, z_t) == pytest.approx(expected, abs=0.08)


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


@pytest.mark.parametrize("equal", [0, 16])
def test_the_statistic_of_the_permutation_test_is_the_mmd_of_the_course(equal):
    z_s, z_t = gaussian(31, 5), gaussian(17, 5, mean=0.3, seed=1)
    z_s[:equal], z_t[:equal] = 1.0, 1.0
    expected = mmd2(torch.from_numpy(z_s), torch.from_numpy(z_t))
    assert mmd_permutation_test(z_s, z_t)[0] == pytest.approx(float(expected), abs=1e-10)


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
    with pytest.raises(ValueError, match="z_s holds 60 values that are NaN"):
        distance(z * np.nan, z)
    with pytest.raises(ValueError, match=r"got \(20, 3, 1\); flatten"):
        distance(z[..., None], z)


def test_the_permutation_test_refuses_what_does_not_fit_in_memory():
    with pytest.raises(ValueError, match="20000 samples make a table .* at most 10000"):
        mmd_permutation_test(gaussian(10_000), gaussian(10_000))
    with pytest.raises(ValueError, match="at least 1 permutation, got 0"):
        mmd_permutation_test(gaussian(9), gaussian(9), permutations=0)
