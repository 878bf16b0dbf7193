"""How alike two descriptions are: what CKA must ignore, and the cosine of two means."""

import numpy as np
import pytest
import torch

from tlcourse.transferability import cka, cosine_similarity

CLOSE = 1e-9


def rotation(d, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize(("d", "e"), [(6, 9), (70, 80)])
def test_cka_ignores_rotations_shifts_and_a_common_scale_and_sees_other_linear_maps(
    d, e, debiased
):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, d))
    y = np.hstack([x[:, :3], rng.normal(size=(50, e - 3))])
    score = cka(x, y, debiased=debiased)
    assert cka(x, x, debiased=debiased) == pytest.approx(1, abs=CLOSE)
    assert cka(y, x, debiased=debiased) == pytest.approx(score, abs=CLOSE)
    for same in (x @ rotation(d), -7 * x, x + 100, 1e-200 * x, 1e200 * x):
        assert cka(same, y, debiased=debiased) == pytest.approx(score, abs=CLOSE)
    assert abs(cka(x * np.linspace(0.01, 3, d), y, debiased=debiased) - score) > 1e-3


@pytest.mark.parametrize(("d", "e"), [(3, 4), (30, 40)])
def test_debiased_cka_is_the_u_statistic_of_hsic_written_out(d, e):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, d)), rng.normal(size=(12, e))

    def hsic(a, b):
        k, m = a @ a.T, b @ b.T
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
        n = len(k)
        return np.trace(k @ m) + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (
            k.sum(0) @ m.sum(0))

    expected = hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))
    assert cka(x, y, debiased=True) == pytest.approx(expected, abs=CLOSE)


def test_plain_cka_of_unrelated_features_is_high_with_few_samples_and_debiased_is_about_0():
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(20, 500)), rng.normal(size=(20, 500))) for _ in range(20)]
    assert min(cka(x, y) for x, y in pairs) > 0.9
    assert abs(np.mean([cka(x, y, debiased=True) for x, y in pairs])) < 0.02


def test_the_cosine_of_two_means():
    assert cosine_similarity([1.0, 1, 0], [0, 1, 0]) == pytest.approx(np.sqrt(0.5), abs=CLOSE)
    assert cosine_similarity([1e-200, 0], [3e200, 0]) == pytest.approx(1, abs=CLOSE)
    assert cosine_similarity(torch.tensor([1.0, 2]), [-1, -2]) == pytest.approx(-1, abs=CLOSE)
    with pytest.raises(ValueError, match="no direction"):
        cosine_similarity([0.0, 0], [1, 1])
    with pytest.raises(ValueError, match="same length, got 2 and 3"):
        cosine_similarity([1.0, 0], [1, 1, 1])
    with pytest.raises(ValueError, match="average over the samples"):
        cosine_similarity(np.ones((2, 3)), np.ones((2, 3)))


def test_no_cosine_is_above_1_for_rounding():
    vectors = np.random.default_rng(0).normal(size=(200, 7))
    cosines = [cosine_similarity(v, 3 * v) for v in vectors]
    assert max(cosines) == 1 and min(cosines) > 1 - 1e-12


@pytest.mark.parametrize("n", [4, 6, 30])
def test_a_debiased_estimate_of_one_sample_among_equal_ones_is_refused(n):
    """The terms are 0 but for rounding, and their ratio would be anything, -1 included."""
    x = np.zeros((n, 1))
    x[0] = 1.0
    for y in (x, np.random.default_rng(0).normal(size=(n, 3))):
        with pytest.raises(ValueError, match=f"{n} samples are too few"):
            cka(x, y, debiased=True)


def test_tensors_do_as_well_and_a_float_comes_back():
    f = np.random.default_rng(0).normal(size=(30, 4))
    assert type(cka(f, torch.as_tensor(f))) is float


def test_cka_refuses_what_it_cannot_compare():
    f = np.random.default_rng(0).normal(size=(120, 8))
    with pytest.raises(ValueError, match="same samples, got 120 and 119 rows"):
        cka(f, f[1:])
    with pytest.raises(ValueError, match="y are the same for all samples"):
        cka(f, np.full((120, 3), 0.1))
    with pytest.raises(ValueError, match="3 samples where at least 4"):
        cka(f[:3], f[:3], debiased=True)
    with pytest.raises(ValueError, match="NaN"):
        cka(f, f * np.inf)
