"""Density-ratio weights against ratios that are known."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tlcourse.reweight import density_ratio_weights, effective_sample_size


def gaussian(n, d=1, mean=0.0, std=1.0, seed=0):
    return std * np.random.default_rng(seed).normal(size=(n, d)) + mean


@pytest.mark.parametrize(("mean", "std"), [(0.5, 1.0), (1.0, 1.0), (0.0, 0.6), (0.5, 0.7)])
def test_between_two_gaussians_the_weights_are_the_known_ratio(mean, std):
    x_s, x_t = gaussian(4000), gaussian(4000, mean=mean, std=std, seed=1)
    ratio = (norm.pdf(x_s, mean, std) / norm.pdf(x_s)).ravel()
    found = density_ratio_weights(x_s, x_t)
    assert np.abs(found - ratio / ratio.mean()).mean() < 0.08
    assert np.corrcoef(found, ratio)[0, 1] > 0.97
    size = effective_sample_size(ratio)
    assert effective_sample_size(found) == pytest.approx(size, rel=0.15)


def test_weighted_the_source_has_the_targets_mean():
    x_s, x_t = gaussian(3000, 4), gaussian(2000, 4, mean=[0.6, 0, -0.4, 0], seed=1)
    w = density_ratio_weights(x_s, x_t)
    assert np.abs((w[:, None] * x_s).mean(0) - x_t.mean(0)).max() < 0.12
    assert np.abs(x_s.mean(0) - x_t.mean(0)).max() > 0.5, "unweighted it has not"


def test_weights_are_positive_have_mean_1_and_hang_on_the_seed_alone():
    x_s, x_t = gaussian(300, 3), gaussian(100, 3, mean=0.5, seed=1)
    w = density_ratio_weights(x_s, x_t)
    assert w.shape == (300,) and w.min() > 0 and w.mean() == pytest.approx(1, abs=1e-12)
    assert (w == density_ratio_weights(torch.from_numpy(x_s), torch.from_numpy(x_t))).all()
    assert (w != density_ratio_weights(x_s, x_t, seed=1)).any()


def test_the_scale_of_the_features_does_not_matter():
    x_s, x_t = gaussian(300, 3), gaussian(200, 3, mean=0.5, seed=1)
    scale, shift = np.array([1e-3, 1, 1e3]), np.array([5, -5, 1e3])
    same = density_ratio_weights(x_s * scale + shift, x_t * scale + shift)
    assert same == pytest.approx(density_ratio_weights(x_s, x_t), rel=1e-3)


def test_equal_domains_keep_nearly_all_of_the_sample():
    w = density_ratio_weights(gaussian(1000, 5), gaussian(1000, 5, seed=1))
    assert effective_sample_size(w) > 900


def test_the_further_the_target_the_fewer_samples_count():
    sizes = [effective_sample_size(density_ratio_weights(
        gaussian(500, 3), gaussian(500, 3, mean=mean, seed=1))) for mean in (0, 0.4, 0.8, 1.2)]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 100


def test_domains_that_do_not_touch_still_give_finite_weights():
    assert np.isfinite(density_ratio_weights(gaussian(50), gaussian(50) + 1e6)).all()


def test_the_effective_sample_size_of_known_weights():
    assert effective_sample_size(np.ones(7)) == 7
    assert effective_sample_size(torch.tensor([0.0, 2, 0])) == 1
    assert effective_sample_size([1e300, 1e300]) == 2
    assert effective_sample_size([1, 2]) == pytest.approx(9 / 5)


def test_what_cannot_be_weighed_is_refused_in_a_sentence():
    x = gaussian(20, 3)
    with pytest.raises(ValueError, match="same features, got 3 and 2"):
        density_ratio_weights(x, x[:, :2])
    with pytest.raises(ValueError, match="x_t has 4 samples where at least 5"):
        density_ratio_weights(x, x[:4])
    with pytest.raises(ValueError, match="x_s is NaN or infinite in 60 of 60 values"):
        density_ratio_weights(x * np.nan, x)
    with pytest.raises(ValueError, match="take densities, not their logarithms"):
        effective_sample_size([-1.0, 2])
    with pytest.raises(ValueError, match="not all 0"):
        effective_sample_size([0.0, 0])
