"""Distances between two samples of features, as losses: how far apart are two domains?

Both are 0 in expectation, or nearly so, when the two samples come from one distribution, and
both have a gradient, so that a network can be trained to make them small.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SPREAD = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Factors of the median distance: several kernels, for no single width suits all of training."""

MOST_ROWS = 10_000
"""Rows that `mmd2` takes, both samples together. Its memory is O(n²): about six square matrices,
2.5 GB in float32 at this size."""


def mmd2(
    x: Tensor, y: Tensor, *, bandwidths: Sequence[float] | None = None, unbiased: bool = True,
    weights: Tensor | None = None,
) -> Tensor:
    r"""Squared maximum mean discrepancy between two samples.

    .. math:: \mathrm{MMD}^2 = E\,k(x, x') + E\,k(y, y') - 2 E\,k(x, y), \qquad
              k(a, b) = \operatorname{mean}_s \exp\left(-\frac{\|a - b\|^2}{2 s^2}\right)

    It compares all moments at once, and is 0 only for equal distributions. Without bias, a sample
    is not paired with itself: the mean over equal distributions is then 0, and single values may
    be negative. With bias (the V-statistic) it is never negative.

    Parameters
    ----------
    x : tensor (n, d)
        Features of the source, n >= 2.
    y : tensor (m, d)
        Features of the target, m >= 2. Time and memory are O((n + m)² + (n + m) d).
    bandwidths : sequence of float, optional
        The widths s, in the unit of the features. None: the median distance between two different
        rows of the pooled sample, times 1/4, 1/2, 1, 2 and 4. No gradient flows through it.
    unbiased : bool
    weights : tensor (n,), optional
        How much each row of `x` counts, 0 or more; only their ratios matter. None: all the same.

    Returns
    -------
    tensor ()

    Raises
    ------
    ValueError
        Other shapes, NaN, fewer than two rows, or more than `MOST_ROWS` rows in all.

    References
    ----------
    Gretton et al., A kernel two-sample test, JMLR 2012; as a loss: Long et al., Learning
    transferable features with deep adaptation networks, ICML 2015.
    """
    check_features(x, y)
    n, m = len(x), len(y)
    if n + m > MOST_ROWS:
        raise ValueError(f"mmd2 compares all pairs of rows and takes {MOST_ROWS} rows in all, got "
                         f"{n} + {m}; draw a random part of each, e.g. x[torch.randperm(n)[:2000]]")
    squares = _SquaredDistances.apply(x, y)
    if bandwidths is None:
        median = _median_distance(squares)
        bandwidths = [median * factor for factor in SPREAD]
    if np.ndim(bandwidths) != 1 or not len(bandwidths) or not all(0 < s < math.inf
                                                                  for s in bandwidths):
        raise ValueError(f"bandwidths are positive numbers in a list, got {bandwidths}")
    kernel = _MeanOfGaussians.apply(squares, bandwidths)
    w = x.new_ones(n) if weights is None else _checked(weights, n).to(x)
    return (_pair_weights(w, y.new_ones(m), unbiased) * kernel).sum()


def coral(x: Tensor, y: Tensor) -> Tensor:
    r"""Distance between the covariances of two samples (deep CORAL).

    .. math:: \frac{1}{4 d^2} \, \| C_x - C_y \|_F^2

    with the covariance matrices C (n - 1 in the denominator). It compares second moments only: a
    shift of the mean is invisible to it.

    Parameters
    ----------
    x : tensor (n, d), n >= 2
    y : tensor (m, d), m >= 2

    Returns
    -------
    tensor ()

    Raises
    ------
    ValueError
        Other shapes, NaN, or fewer than two rows.

    References
    ----------
    Sun and Saenko, Deep CORAL: correlation alignment for deep domain adaptation, ECCV 2016.
    """
    check_features(x, y)
    covariance_x, covariance_y = torch.cov(x.T), torch.cov(y.T)
    return (covariance_x - covariance_y).square().sum() / (4 * x.shape[1] ** 2)


def check_features(x: Tensor, y: Tensor) -> None:
    """Refuse what is no pair of feature matrices of one width, and say what is wrong."""
    for name, z in (("x", x), ("y", y)):
        if not isinstance(z, Tensor):
            raise ValueError(f"features are tensors, got {name} as {type(z).__name__}; "
                             "torch.as_tensor makes one")
        if z.ndim != 2 or not z.is_floating_point():
            raise ValueError(f"features are a matrix (n, d) of floats, got {name} of shape "
                             f"{tuple(z.shape)} and {z.dtype}; flatten(1) makes a matrix")
        if len(z) < 2 or z.shape[1] < 1:
            raise ValueError(f"a distribution needs at least 2 rows and 1 column, got {name} of "
                             f"shape {tuple(z.shape)}")
        if not z.detach().sum().isfinite() and not z.isfinite().all():  # the sum is the quick test
            bad = int((~torch.isfinite(z)).any(1).sum())
            raise ValueError(f"{bad} of {len(z)} rows of {name} hold NaN or infinite values; look "
                             "at the inputs, or lower the learning rate")
    if x.shape[1] != y.shape[1] or x.dtype != y.dtype:
        raise ValueError("both samples need the same features, got widths "
                         f"{x.shape[1]} and {y.shape[1]}, {x.dtype} and {y.dtype}")


def _checked(weights: Tensor, n: int) -> Tensor:
    if weights.shape != (n,) or not (weights >= 0).all() or (weights > 0).sum() < 2:
        raise ValueError(f"weights are 0 or more, for each of the {n} rows of x, and not 0 for at "
                         f"least two, got shape {tuple(weights.shape)}: {weights}")
    return weights


def _pair_weights(w: Tensor, v: Tensor, unbiased: bool) -> Tensor:
    """How each pair of rows of the pooled sample counts: + within a sample, - between the two."""
    n, each = len(w), torch.cat([w / w.sum(), -v / v.sum()])
    pairs = torch.outer(each, each)
    if unbiased:  # no row with itself, so that what is left must add up to 1 again
        pairs.fill_diagonal_(0)
        for block in (pairs[:n, :n], pairs[n:, n:]):
            block /= block.sum()
    return pairs


def _median_distance(squares: Tensor) -> float:
    """Median distance of two different rows; where it is 0 the mean, and 1 where all are equal."""
    squares = squares.detach().cpu().numpy()
    n = len(squares)
    upper = n + (n * n - n) // 2  # the n zeros of the diagonal come first
    ordered = np.partition(squares.ravel(), upper)  # half of it is; quicker than np.median
    median = (np.sqrt(ordered[:upper].max()) + np.sqrt(ordered[upper])) / 2
    # Equal rows are apart by rounding, which is no width.
    if median**2 <= 32 * np.finfo(squares.dtype).eps * ordered[upper:].max():
        median = np.sqrt(squares).sum() / (n * n - n)
    return float(median) or 1.0


class _SquaredDistances(torch.autograd.Function):
    """Squared distances (n + m, n + m) of all rows of two matrices.

    Each sample is taken about its own mean, for large numbers are rounded coarsely. The gradient
    must be symmetric, as the distances are: autograd, not knowing, would multiply twice.
    """

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor) -> Tensor:
        n, gap = len(x), x.mean(0) - y.mean(0)
        z = torch.cat([x - x.mean(0), y - y.mean(0)])
        sizes, along = z.square().sum(1), z @ gap
        squares = torch.addmm(sizes[:, None] + sizes, z, z.T, alpha=-2)
        squares[:n, n:] += gap @ gap + 2 * along[:n, None] - 2 * along[n:]
        squares[n:, :n] = squares[:n, n:].T
        ctx.n = n
        ctx.save_for_backward(z, gap)
        return squares.clamp_(min=0).fill_diagonal_(0)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (z, gap), n = ctx.saved_tensors, ctx.n
        towards = gradient.sum(1, keepdim=True) * z - gradient @ z
        towards[:n] += gradient[:n, n:].sum(1, keepdim=True) * gap
        towards[n:] -= gradient[n:, :n].sum(1, keepdim=True) * gap
        return 4 * towards[:n], 4 * towards[n:]


class _MeanOfGaussians(torch.autograd.Function):
    """Mean of exp(-r / 2s²) over the widths s, and its slope on the way.

    Half the width is the fourth power: with widths that double, one exponential is enough.
    """

    @staticmethod
    def forward(ctx, r: Tensor, widths: Sequence[float]) -> Tensor:
        total, slope = torch.zeros_like(r), torch.zeros_like(r)
        kernel = before = None
        for s in sorted(widths, reverse=True):
            rate = min(0.5 / s / s, torch.finfo(r.dtype).max ** 0.5)  # slopes stay finite
            squarings = math.log2(rate / before) if before else math.inf
            if squarings < 9 and math.isclose(squarings, round(squarings), abs_tol=1e-12):
                for _ in range(round(squarings)):
                    kernel = kernel.square()
            else:
                kernel = torch.exp(-rate * r)
            total += kernel
            slope.add_(kernel, alpha=-rate)
            before = rate
        ctx.save_for_backward(slope / len(widths))
        return total / len(widths)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (slope,) = ctx.saved_tensors
        return gradient * slope, None
