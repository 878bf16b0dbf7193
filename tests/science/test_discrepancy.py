"""Distances between samples: held against closed forms, NumPy and what they must not see."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from tlcourse.align import coral, mmd2
from tlcourse.distances.discrepancy import MOST_ROWS, SPREAD

LOSSES = [mmd2, coral]


def sample(n: int, d: int, seed: int, *, dtype=torch.float64, shift: float = 0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype) + shift


def mmd2_by_loops(x, y, widths=None, *, unbiased=True, weights=None):
    """The definition, one pair at a time."""
    x, y = x.detach().numpy(), y.detach().numpy()
    n, m, pooled = len(x), len(y), np.concatenate([x, y])
    if widths is None:
        distances = [np.linalg.norm(pooled[i] - pooled[j])
                     for i in range(n + m) for j in range(n + m) if i != j]
        widths = np.median(distances) * np.array([1 / 4, 1 / 2, 1, 2, 4])

    def k(a, b):
        return np.mean([np.exp(-((a - b) ** 2).sum() / (2 * s**2)) for s in widths])

    def mean(a, b, w, v, *, same=False):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (same and i == j)]
        total = sum(w[i] * v[j] * k(a[i], b[j]) for i, j in pairs)
        return total / sum(w[i] * v[j] for i, j in pairs)

    w, one = np.ones(n) if weights is None else weights.numpy(), np.ones(m)
    return (mean(x, x, w, w, same=unbiased) + mean(y, y, one, one, same=unbiased)
            - 2 * mean(x, y, w, one))


@pytest.mark.parametrize(("n", "m", "d"), [(7, 12, 3), (2, 2, 1), (15, 4, 6), (5, 6, 40)])
@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("widths", [None, (1.0,), (0.7, 3.1), (2.0, 0.5, 1.0)])
def test_mmd_is_its_definition(n, m, d, unbiased, widths):
    x, y = sample(n, d, 0), sample(m, d, 1, shift=0.3)
    expected = mmd2_by_loops(x, y, widths, unbiased=unbiased)
    assert abs(float(mmd2(x, y, bandwidths=widths, unbiased=unbiased)) - expected) < 1e-10


@pytest.mark.parametrize("unbiased", [True, False])
def test_weighted_mmd_is_its_definition_and_whole_weights_are_repeated_rows(unbiased):
    x, y, w = sample(6, 3, 0), sample(9, 3, 1), torch.tensor([1.0, 2, 0, 1, 0.5, 3]).double()
    expected = mmd2_by_loops(x, y, (1.5,), unbiased=unbiased, weights=w)
    assert abs(float(mmd2(x, y, bandwidths=[1.5], unbiased=unbiased, weights=w)) - expected) < 1e-10
    whole = torch.tensor([1, 2, 0, 1, 3, 1])
    found = mmd2(x, y, bandwidths=[1.5], unbiased=False, weights=whole)
    repeated = mmd2(x.repeat_interleave(whole, 0), y, bandwidths=[1.5], unbiased=False)
    assert float(found) == pytest.approx(float(repeated), abs=1e-12)


@pytest.mark.parametrize(("d", "shift", "s"), [(1, 1.0, 1.0), (4, 0.5, 2.0), (10, 0.3, 3.0)])
def test_mmd_between_two_gaussians_is_the_closed_form(d, shift, s):
    squared_shift = d * shift**2
    exact = 2 * (s**2 / (s**2 + 2)) ** (d / 2) * (1 - np.exp(-squared_shift / (2 * (s**2 + 2))))
    found = [float(mmd2(sample(900, d, i), sample(700, d, 100 + i, shift=shift), bandwidths=[s]))
             for i in range(8)]
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - exact) < 4 * error and 10 * error < exact


def test_without_bias_equal_distributions_give_values_around_0_and_with_bias_none_below():
    pairs = [(sample(20, 3, 2 * i), sample(30, 3, 2 * i + 1)) for i in range(200)]
    plain = np.array([float(mmd2(x, y)) for x, y in pairs])
    biased = np.array([float(mmd2(x, y, unbiased=False)) for x, y in pairs])
    assert abs(plain.mean()) < 3 * plain.std() / np.sqrt(len(pairs)) and plain.min() < 0
    assert biased.min() > 0 and biased.mean() > 0.01
    assert float(mmd2(pairs[0][0], pairs[0][0], unbiased=False)) == pytest.approx(0, abs=1e-15)


def test_the_kernel_has_squared_distances_so_twice_as_far_is_the_fourth_power():
    """Two clouds of one point each: MMD² = 2 - 2 k(r). A Laplacian kernel gives k(2r) = k(r)²."""
    def kernel(r):
        x = torch.zeros(2, 3, dtype=torch.float64)
        y = torch.full_like(x, r / 3**0.5)
        return 1 - float(mmd2(x, y, bandwidths=[1.0])) / 2

    for r in (0.3, 1.0, 1.7):
        assert kernel(2 * r) == pytest.approx(kernel(r) ** 4, rel=1e-12)
        assert kernel(r) == pytest.approx(np.exp(-(r**2) / 2), rel=1e-12)


def test_kernels_are_averaged_and_the_order_of_widths_is_nothing():
    x, y = sample(6, 2, 0), sample(8, 2, 1)
    each = [float(mmd2(x, y, bandwidths=[s])) for s in (0.5, 1.3, 4.0)]
    assert float(mmd2(x, y, bandwidths=[4.0, 0.5, 1.3])) == pytest.approx(np.mean(each), abs=1e-14)


def test_the_bandwidth_is_the_median_distance_and_passes_no_gradient():
    x, y = sample(5, 3, 0).requires_grad_(), sample(8, 3, 1)
    pooled = torch.cat([x, y]).detach()
    median = np.median(torch.pdist(pooled).numpy())
    given = mmd2(x, y, bandwidths=[median * factor for factor in SPREAD])
    assert given.item() == pytest.approx(mmd2(x, y).item(), abs=1e-15)
    (automatic,) = torch.autograd.grad(mmd2(x, y), x)
    (fixed,) = torch.autograd.grad(given, x)
    assert torch.allclose(automatic, fixed, atol=1e-15)
    # A bandwidth that grows with the features would make their scale invisible:
    assert mmd2(10 * x, 10 * y).item() == pytest.approx(mmd2(x, y).item(), abs=1e-12)
    assert (x.detach() * automatic).sum().abs() > 1e-4


@pytest.mark.parametrize("loss", [
    mmd2, coral, lambda x, y: mmd2(x, y, bandwidths=[0.6, 1.2, 5.0], unbiased=False),
    lambda x, y: mmd2(x, y, bandwidths=[1.0], weights=torch.tensor([1.0, 2, 3, 0, 1])),
], ids=["mmd", "coral", "biased mmd", "weighted mmd"])
def test_the_gradient_is_that_of_finite_differences(loss):
    x, y = sample(5, 3, 0), sample(7, 3, 1, shift=0.5)
    if loss is mmd2:  # finite differences would move the median too
        median = float(torch.pdist(torch.cat([x, y])).median())
        def loss(x, y):
            return mmd2(x, y, bandwidths=[median * factor for factor in SPREAD])
    assert gradcheck(loss, (x.requires_grad_(), y.requires_grad_()), eps=1e-6, atol=1e-8)


@pytest.mark.parametrize(("n", "m", "d"), [(9, 14, 5), (2, 3, 4), (30, 8, 1)])
def test_coral_is_numpys_covariance(n, m, d):
    x, y = sample(n, d, 0), 2 * sample(m, d, 1)
    gap = np.cov(x.numpy(), rowvar=False) - np.cov(y.numpy(), rowvar=False)
    assert abs(float(coral(x, y)) - (gap**2).sum() / (4 * d**2)) < 1e-10


def test_coral_sees_no_mean_grows_with_the_fourth_power_and_has_a_square():
    x, y = sample(20, 4, 0), 3 * sample(25, 4, 1)
    assert float(coral(x, x + 100)) == pytest.approx(0, abs=1e-20)
    assert float(coral(5 * x, 5 * y)) == pytest.approx(5**4 * float(coral(x, y)), rel=1e-12)
    assert float(mmd2(x, x + 100)) > 0.5, "which the MMD does see"


HARD = {
    "collapsed to one point": (torch.ones(6, 4), torch.ones(5, 4)),
    "each domain a point": (torch.zeros(6, 4), torch.ones(5, 4)),
    "one row apart": (torch.cat([torch.ones(1, 4), torch.zeros(9, 4)]), torch.zeros(8, 4)),
    "very distant": (sample(6, 4, 0).float(), sample(5, 4, 1).float() + 1e8),
    "very small": (1e-20 * sample(6, 4, 0).float(), 1e-20 * sample(5, 4, 1).float()),
    "very large": (1e7 * sample(6, 4, 0).float(), 1e7 * sample(5, 4, 1).float()),
}


@pytest.mark.parametrize("case", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("loss", [
    *LOSSES, lambda x, y: mmd2(x, y, bandwidths=[1e-6, 1.0], unbiased=False),
], ids=["mmd2", "coral", "fixed widths"])
def test_extreme_features_give_finite_values_and_gradients(loss, case):
    x, y = (z.clone().requires_grad_() for z in case)
    value = loss(x, y)
    value.backward()
    assert all(torch.isfinite(t).all() for t in (value, x.grad, y.grad))


def test_where_most_rows_are_equal_the_width_still_grows_with_the_features():
    """The median distance is 0 there; a fixed width in its place would see the unit."""
    x, y = torch.zeros(10, 3, dtype=torch.float64), torch.zeros(8, 3, dtype=torch.float64)
    x[0] = 2.0
    assert mmd2(50 * x, 50 * y).item() == pytest.approx(mmd2(x, y).item(), abs=1e-12)
    assert mmd2(x, y, unbiased=False).item() > 1e-3


def test_a_row_is_at_distance_0_from_itself_and_from_its_like_whatever_the_rounding():
    apart = 1e4 * sample(12, 5, 0, dtype=torch.float32)
    found = mmd2(apart[:7], apart[7:], bandwidths=[1e-3], unbiased=False)
    assert found.item() == pytest.approx(1 / 7 + 1 / 5, rel=1e-6), "each pairs with itself only"
    for seed in range(20):
        point = 1e4 * sample(1, 5, seed, dtype=torch.float32)
        assert mmd2(point.repeat(7, 1), point.repeat(6, 1)).abs() < 1e-6
        some = torch.cat([point.repeat(12, 1), 1e4 * sample(3, 5, seed + 99, dtype=torch.float32)])
        assert torch.isfinite(mmd2(some, some[5:]))


def test_distant_domains_have_the_mmd_of_their_own_spreads():
    """With the rounding of large squares, the distances within a domain would be noise."""
    x, y = sample(30, 4, 0, dtype=torch.float32), sample(20, 4, 1, dtype=torch.float32)
    far = float(mmd2(x, y + 1e4, bandwidths=[1.0]))
    exact = float(mmd2(x.double(), y.double() + 1e4, bandwidths=[1.0]))
    assert far == pytest.approx(exact, rel=1e-2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_of_the_features_is_kept_and_unequal_ones_are_refused(loss, dtype):
    x, y = sample(5, 3, 0).to(dtype), sample(6, 3, 1).to(dtype)
    assert loss(x, y).dtype == dtype and loss(x, y).shape == ()
    with pytest.raises(ValueError, match="same features.*float16"):
        loss(x, y.half())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("x", "y", "message"), [
    (torch.ones(4, 3), torch.ones(4, 2), "same features, got widths 3 and 2"),
    (torch.ones(1, 3), torch.ones(4, 3), r"at least 2 rows.* got x of shape \(1, 3\)"),
    (torch.ones(4, 3), torch.ones(0, 3), r"at least 2 rows.* got y of shape \(0, 3\)"),
    (torch.ones(4, 3), np.ones((4, 3)), "got y as ndarray; torch.as_tensor makes one"),
    (torch.ones(4), torch.ones(4), r"a matrix \(n, d\)"),
    (torch.ones(4, 1, 2, 2), torch.ones(4, 1, 2, 2), "flatten"),
    (torch.ones(4, 3).long(), torch.ones(4, 3).long(), "matrix .* of floats"),
    (torch.ones(4, 3), torch.tensor([[1.0, 2, 3], [1, torch.nan, 3]]), "1 of 2 rows of y hold NaN"),
    (torch.full((4, 3), torch.inf), torch.ones(4, 3), "4 of 4 rows of x hold NaN or infinite"),
])
def test_what_is_no_pair_of_samples_is_refused_in_words(loss, x, y, message):
    with pytest.raises(ValueError, match=message):
        loss(x, y)


def test_wrong_widths_and_weights_and_too_many_rows_are_refused_in_words():
    x, y = sample(5, 3, 0), sample(6, 3, 1)
    for widths in ([], [0.0], [1.0, -2.0], [float("nan")], [float("inf")], 1.0):
        with pytest.raises(ValueError, match="bandwidths are positive"):
            mmd2(x, y, bandwidths=widths)
    for weights in (torch.ones(6), -torch.ones(5), torch.eye(5)[0]):
        with pytest.raises(ValueError, match="weights are 0 or more, for each of the 5 rows"):
            mmd2(x, y, weights=weights)
    with pytest.raises(ValueError, match=rf"takes {MOST_ROWS} rows in all, got {MOST_ROWS} \+ 2"):
        mmd2(torch.zeros(MOST_ROWS, 1), torch.zeros(2, 1))
