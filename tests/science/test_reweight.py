"""Weights against ratios that are known, and boosting against its own rules and its bound."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from tlcourse.reweight import (
    density_ratio_weights,
    effective_sample_size,
    select,
    trada_boost,
)


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


def test_what_is_selected_lies_where_the_target_is():
    x_s, x_t = gaussian(1000, 2), gaussian(300, 2, mean=[1.5, 0], seed=1)
    chosen = select(x_s, x_t, 0.2)
    assert len(chosen) == 200 == len(set(chosen)) and x_s[chosen, 0].mean() > 1
    assert sorted(select(x_s, x_t, 1.0)) == list(range(1000))
    with pytest.raises(ValueError, match="share is above 0 and up to 1, got 20"):
        select(x_s, x_t, 20)


def two_domains(bad=0.0, n=300, m=40, seed=0):
    """A line divides the target; the source agrees with it but for a share of its labels."""
    rng = np.random.default_rng(seed)
    x_s, x_t, new = (rng.normal(size=(k, 3)) for k in (n, m, 1000))
    y_s, y_t, y = ((x[:, 0] + x[:, 1] > 0).astype(int) for x in (x_s, x_t, new))
    wrong = rng.random(n) < bad
    return x_s, np.where(wrong, 1 - y_s, y_s), x_t, y_t, new, y, wrong


def test_source_weights_only_fall_and_target_weights_only_rise():
    x_s, y_s, x_t, y_t, *_ = two_domains(0.4)
    fitted = trada_boost(x_s, y_s, x_t, y_t, rounds=12)
    steps = np.diff(fitted.sample_weights, axis=0)
    assert (steps[:, :300] <= 0).all() and (steps[:, 300:] >= 0).all() and (steps != 0).any()


def test_the_weights_of_a_round_are_those_of_the_paper():
    x_s, y_s, x_t, y_t, *_ = two_domains(0.4)
    fitted = trada_boost(x_s, y_s, x_t, y_t, rounds=7)
    x, y = np.concatenate([x_s, x_t]), np.concatenate([y_s, y_t])
    for t, (h, w) in enumerate(zip(fitted.estimators, fitted.sample_weights, strict=False)):
        wrong = h.predict(x) != y
        error = sum(w[300:][wrong[300:]]) / sum(w[300:])
        expected = [weight / (1 + (2 * np.log(300) / 7) ** 0.5) if miss else weight
                    for weight, miss in zip(w[:300], wrong[:300], strict=True)]
        expected += [weight * (1 - error) / error if miss else weight
                     for weight, miss in zip(w[300:], wrong[300:], strict=True)]
        assert fitted.errors[t] == pytest.approx(error)
        assert fitted.sample_weights[t + 1] == pytest.approx(np.array(expected))


def test_only_the_later_half_of_the_rounds_votes():
    x_s, y_s, x_t, y_t, new, *_ = two_domains(0.4)
    fitted = trada_boost(x_s, y_s, x_t, y_t, rounds=5,
                         estimator=DecisionTreeClassifier(max_depth=2))
    later = list(zip(fitted.errors, fitted.estimators, strict=True))[2:]
    assert len(later) == 3 and all(0 < error < 0.5 for error, _ in later)
    ones = sum(np.log((1 - e) / e) * (h.predict(new) == 1) for e, h in later)
    votes = sum(np.log((1 - e) / e) for e, _ in later)
    assert fitted.predict_proba(new)[:, 1] == pytest.approx(ones / votes)
    assert (fitted.predict(new) == (ones > votes / 2)).all()


def test_the_error_on_the_target_keeps_the_bound_of_the_paper():
    """Theorem 2 for boosted rounds: at most the product of 2 sqrt(e (1 - e)), over those that vote.

    All rounds start from equal weights there; the later half starts from what the first left.
    """
    x_s, y_s, x_t, y_t, *_ = two_domains(0.4)
    fitted = trada_boost(x_s, y_s, x_t, y_t, rounds=20,
                         estimator=DecisionTreeClassifier(max_depth=1))
    first = len(fitted.estimators) // 2
    w = fitted.sample_weights[first, 300:]
    wrong = fitted.predict(x_t) != y_t
    bound = np.prod([2 * np.sqrt(e * (1 - e)) for e in fitted.errors[first:]])
    assert w[wrong].sum() / w.sum() <= bound + 1e-4  # an error of 0 counts as 1e-10


def test_source_samples_that_mislead_weigh_less_and_it_pays():
    gained = []
    for seed in range(5):
        x_s, y_s, x_t, y_t, new, y, wrong = two_domains(0.45, seed=seed)
        fitted = trada_boost(x_s, y_s, x_t, y_t, rounds=10)
        last = fitted.sample_weights[-1, :300]
        assert last[wrong].mean() < 0.5 * last[~wrong].mean()
        pooled = LogisticRegression().fit(np.r_[x_s, x_t], np.r_[y_s, y_t])
        gained.append((fitted.predict(new) == y).mean() - (pooled.predict(new) == y).mean())
    assert np.mean(gained) > 0


def test_a_target_that_is_easy_loses_the_source_only_slowly_and_all_classes_can_win():
    x_s, x_t = (gaussian(90, 2, seed=s) + 8 * np.eye(3)[np.arange(90) % 3][:, :2] for s in (0, 1))
    y = np.arange(90) % 3
    fitted = trada_boost(x_s, y, x_t[:15], y[:15], rounds=3)
    assert (fitted.predict(x_t) == y).mean() > 0.9
    assert fitted.predict_proba(x_t).shape == (90, 3)


def test_what_cannot_be_boosted_is_refused():
    x_s, y_s, x_t, y_t, *_ = two_domains()
    with pytest.raises(ValueError, match="first classifier is wrong on 95% of the target"):
        trada_boost(x_s, y_s, x_t, 1 - y_t)
    with pytest.raises(ValueError, match="rounds is a whole number of at least 1, got 0"):
        trada_boost(x_s, y_s, x_t, y_t, rounds=0)
    with pytest.raises(ValueError, match="y_t must hold one label for each of 40"):
        trada_boost(x_s, y_s, x_t, y_t[:3])
