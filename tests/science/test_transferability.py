"""Transferability scores: the identities they must keep, and what they refuse."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from tlcourse.transferability import h_score, leep, logme, nce

CLOSE = 1e-9


def draw(seed=0, n=120, d=8, k=4):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    return rng.normal(size=(n, d)) + rng.normal(size=(k, d))[y] + 0.5, y


def probabilities(seed=0, n=120, z=5):
    return np.random.default_rng(seed).dirichlet(np.ones(z), size=n)


def rotation(d, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def entropy(y):
    share = np.unique(y, return_counts=True)[1] / len(y)
    return -(share * np.log(share)).sum()


# LEEP and NCE


def test_leep_of_certain_answers_is_nce():
    _, y = draw()
    z = probabilities().argmax(1)
    assert leep(np.eye(5)[z], y) == pytest.approx(nce(z, y), abs=CLOSE)


def test_leep_of_answers_that_say_nothing_is_minus_the_entropy_of_the_labels():
    y = draw()[1] ** 2  # classes of other numbers
    assert leep(np.full((len(y), 7), 1 / 7), y) == pytest.approx(-entropy(y), abs=CLOSE)
    assert nce(np.zeros(len(y)), y) == pytest.approx(-entropy(y), abs=CLOSE)


def test_leep_is_its_formula_written_out():
    theta, (_, y) = probabilities(), draw()
    joint = np.array([[theta[y == c, z].sum() for z in range(5)] for c in range(4)]) / len(y)
    expected = np.mean([np.log(sum(joint[y[i], z] / joint[:, z].sum() * theta[i, z]
                                   for z in range(5))) for i in range(len(y))])
    assert leep(theta, y) == pytest.approx(expected, abs=CLOSE)


def test_a_source_class_that_nobody_gets_changes_nothing_and_leep_stays_finite():
    theta, (_, y) = probabilities(), draw()
    with_empty = np.insert(theta, 2, 0, axis=1)
    assert leep(with_empty, y) == pytest.approx(leep(theta, y), abs=CLOSE)
    tiny = np.insert(theta, 2, 1e-320, axis=1)  # so small that dividing by it is not exact
    assert leep(tiny, y) == pytest.approx(leep(theta, y), abs=CLOSE)


def test_answers_that_fix_the_label_score_0_under_any_names_of_classes():
    _, y = draw()
    names = np.array([7, 3, 3, 11])  # two target classes under one source class: not fixed
    assert nce(y, y) == leep(np.eye(4)[y], y) == 0
    assert nce(names[y], y) == pytest.approx(-0.5 * np.log(2), abs=CLOSE)
    assert nce(y, names[y]) == 0, "and the other way round they are"


def test_leep_wants_probabilities_and_says_what_it_got():
    _, y = draw()
    with pytest.raises(ValueError, match="rows that add up to 1; .* softmax"):
        leep(np.random.default_rng(0).normal(size=(len(y), 5)), y)
    with pytest.raises(ValueError, match="from 0 and a row that adds up to 0.5"):
        leep(np.array([[0.5, 0.5], [0.5, 0.0]]), [0, 1])


# H-score


@pytest.mark.parametrize("of_the_first_class", [30, 4])
def test_the_h_score_is_the_trace_of_its_definition(of_the_first_class):
    f, y = draw()
    kept = (y > 0) | (np.cumsum(y == 0) <= of_the_first_class)
    f, y = f[kept], y[kept]
    means = np.array([f[y == c].mean(0) for c in y])
    expected = np.trace(np.linalg.pinv(np.cov(f.T)) @ np.cov(means.T))
    assert h_score(f, y) == pytest.approx(expected, abs=CLOSE)


def test_the_h_score_is_at_most_the_number_of_classes_less_1_and_reaches_it():
    f, y = draw()
    assert 0 < h_score(f, y) < 3
    assert h_score(np.eye(4)[y], y) == pytest.approx(3, abs=CLOSE)
    assert h_score(np.random.default_rng(0).normal(size=(120, 500)), y) == pytest.approx(
        3, abs=CLOSE), "with more features than samples even noise gets there"


def test_the_h_score_ignores_invertible_linear_maps_shifts_and_repeated_features():
    f, y = draw()
    score = h_score(f, y)
    invertible = np.random.default_rng(3).normal(size=(8, 8))
    for same in (f @ invertible, 1e-4 * f, f + 100, np.hstack([f, f[:, :3], np.ones((120, 2))])):
        assert h_score(same, y) == pytest.approx(score, abs=CLOSE)


# LogME


def evidence_maximised_directly(f, t):
    """Over log alpha and log beta, from several starts, with SciPy's own normal density."""
    def negative(p):
        cov = f @ f.T * np.exp(-p[0]) + np.eye(len(f)) * np.exp(-p[1])
        return -multivariate_normal.logpdf(t, cov=cov)

    starts = [(a, b) for a in (-2, 4) for b in (0, 5)]
    return max(-minimize(negative, s, method="Nelder-Mead", bounds=[(-30, 30)] * 2, options={
        "xatol": 1e-7, "fatol": 1e-10, "maxiter": 2000}).fun for s in starts) / len(t)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (25, 40), (30, 30)])
def test_logme_is_the_evidence_maximised_directly(n, d):
    f, y = draw(seed=n, n=n, d=d, k=3)
    f = f * np.linspace(0.1, 3, d)
    direct = np.mean([evidence_maximised_directly(f, (y == c) * 1.0) for c in range(3)])
    assert logme(f, y) == pytest.approx(direct, abs=1e-6)


def test_logme_of_features_that_explain_nothing_is_that_of_pure_noise():
    f, y = draw(n=4000, d=2, k=2)
    noise = 1e-9 * np.random.default_rng(0).normal(size=f.shape)
    alone = -0.5 * np.log(2 * np.pi * np.e * 0.5)  # the mean square of the 0/1 target is 1/2
    assert logme(noise, y) == pytest.approx(alone, abs=2e-3)
    assert logme(np.zeros_like(f), y) == pytest.approx(alone, abs=CLOSE)


def test_logme_ignores_rotations_and_the_scale_of_the_features():
    f, y = draw()
    assert logme(f @ rotation(8), y) == pytest.approx(logme(f, y), abs=CLOSE)
    assert logme(1000 * f, y) == pytest.approx(logme(f, y), abs=CLOSE)


def test_logme_is_not_centred_so_a_shift_is_seen():
    f, y = draw()
    assert abs(logme(f + 100, y) - logme(f, y)) > 1e-3


def test_logme_stays_finite_where_the_features_fit_exactly_or_repeat_each_other():
    f, y = draw()
    assert np.isfinite(logme(np.eye(4)[y], y)) and logme(np.eye(4)[y], y) > logme(f, y)
    assert logme(np.hstack([f, f]), y) == pytest.approx(logme(f, y), abs=CLOSE)


# All of them


def test_arrays_tensors_and_half_precision_give_floats():
    f, y = draw()
    theta = probabilities()
    for score, first in ((leep, theta), (h_score, f), (logme, f), (nce, theta.argmax(1))):
        as_tensor = torch.as_tensor(first)
        assert type(score(first, y)) is float
        assert score(as_tensor, torch.as_tensor(y)) == score(first, y)
        if as_tensor.is_floating_point():
            leaf = as_tensor.float().requires_grad_()
            assert score(leaf, y) == pytest.approx(score(first, y), abs=1e-4)


@pytest.mark.parametrize("score", [leep, nce, h_score, logme])
def test_the_order_of_samples_and_the_numbers_of_classes_do_not_matter(score):
    f, y = draw()
    first = {leep: probabilities(), nce: probabilities().argmax(1)}.get(score, f)
    order = np.random.default_rng(5).permutation(len(y))
    assert score(first[order], y[order]) == pytest.approx(score(first, y), abs=CLOSE)
    assert score(first, 10 * y - 3) == pytest.approx(score(first, y), abs=CLOSE)


@pytest.mark.parametrize("score", [leep, h_score, logme])
def test_nan_one_sample_and_wrong_shapes_are_refused_in_a_sentence(score):
    good, y = probabilities(), draw()[1]
    bad = good.copy()
    bad[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinite in 1 of \d+ values"):
        score(bad, y)
    with pytest.raises(ValueError, match="1 sample where at least 2 are needed"):
        score(good[:1], y[:1])
    with pytest.raises(ValueError, match="0 samples where"):
        score(good[:0], y[:0])
    with pytest.raises(ValueError, match=r"shape \(samples, features\), got \(120, 5, 1\)"):
        score(good[..., None], y)
    with pytest.raises(ValueError, match=r"one label for each of 120 samples, got shape \(119,\)"):
        score(good, y[1:])
    with pytest.raises(ValueError, match=r"one-hot table becomes labels by argmax"):
        score(good, np.eye(4)[y])
    with pytest.raises(ValueError, match="class numbers, got 0.5"):
        score(good, y + 0.5 * (y == 0))
    with pytest.raises(ValueError, match="numbers, got list"):
        score(["a", "b"], y)


def test_nce_refuses_labels_that_do_not_fit():
    _, y = draw()
    with pytest.raises(ValueError, match="one label for each of 120"):
        nce(y, y[1:])
    with pytest.raises(ValueError, match="1 label where at least 2"):
        nce(y[:1], y[:1])
    with pytest.raises(ValueError, match="source_labels is NaN or infinite in 1 of 120 values"):
        nce(np.where(np.arange(120) == 7, np.nan, y), y)
