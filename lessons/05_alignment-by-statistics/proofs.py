"""Proofs of lesson 05: what each wrong answer is told."""

import numpy as np
import torch

from tlcourse.notebook.proof import Proof


def combining(kernel, *, signs=(1, 1, -2), reduce=torch.mean):
    """A solution of 5.4 with another kernel of the distance, other signs, or sums for means."""

    def mmd2(x, y, s):
        def term(a, b):
            return reduce(kernel(torch.cdist(a, b), s))

        xx, yy, xy = (sign * term(a, b) for sign, (a, b) in
                      zip(signs, ((x, x), (y, y), (x, y)), strict=True))
        return xx + yy + xy

    return mmd2


def gaussian(d, s):
    return torch.exp(-d.square() / (2 * s**2))


def without_the_diagonal(k):
    if k.shape[0] != k.shape[1]:
        return k.mean()
    return (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))


def in_loops(x, y, s):
    def mean_kernel(a, b):
        total = 0
        for u in a:
            for v in b:
                total = total + torch.exp(-(u - v).norm().square() / (2 * s**2))
        return total / (len(a) * len(b))

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


def starter(x, y, s):
    def mean_kernel(a, b):
        total = 0
        for u in a:
            for v in b:
                total = total + torch.exp(-(u - v).norm() / (2 * s**2))
        return total / (len(a) * len(b))

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


def cut_off(x, y, s):
    return combining(gaussian)(x.detach(), y.detach(), s)


def forgets_to_return(x, y, s):
    combining(gaussian)(x, y, s)


def equal_sizes_only(x, y, s):
    return gaussian((x - y).norm(dim=1), s).mean()


def not_averaged(x, y, s):
    return gaussian(torch.cdist(x, y), s)


def noise(x):
    return x + 3 + torch.rand(x.shape, generator=torch.Generator().manual_seed(0))


def moved_by_its_largest(x):
    return x + x.abs().max()


def through_a_root(x, y, s):
    def mean_kernel(a, b):
        distances = (a[:, None] - b[None]).square().sum(2).sqrt()
        return torch.exp(-(distances**2) / (2 * s**2)).mean()

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


def mirrored_and_moved(x):
    return 2 * x.mean(0) - x + 5


def one_kernel_of_all(x, y, s):
    both = torch.cat([x, y])
    d2 = (both**2).sum(1)[:, None] + (both**2).sum(1)[None] - 2 * both @ both.T
    k, n = torch.exp(-d2 / (2 * s * s)), len(x)
    return k[:n, :n].mean() + k[n:, n:].mean() - 2 * k[:n, n:].mean()


def each_feature_by_itself(x, y, s):
    def mean_kernel(a, b):
        return torch.exp(-((a[:, None] - b[None]) ** 2) / (2 * s**2)).mean()

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


def with_weights(x, y, s):
    weights = torch.cat([x.new_full((len(x),), 1 / len(x)), y.new_full((len(y),), -1 / len(y))])
    both = torch.cat([x, y])
    d2 = (both.unsqueeze(1) - both.unsqueeze(0)).pow(2).sum(-1)
    return weights @ torch.exp(-0.5 * d2 / s**2) @ weights


PROOFS = [
    Proof("5.1", wrong=[
        ("a", "do statistics need a loss to move?"),
        ("c", "helps more than exchanging the statistics"),
        ("d", "compare the two panels in the middle"),
        ("e", "choose one of 'a', 'b', 'c', 'd'"),
        (..., "no answer yet"),
    ], only_visible=["a"]),
    Proof("5.2", wrong=[
        (lambda x: x.flip(0), "nothing has moved yet"),
        (lambda x: x + torch.eye(x.shape[1], dtype=x.dtype)[0], "1 of 5 means have"),
        (lambda x: 2 * x, "this stretches the sample"),
        (noise, "do not all move in the same way"),
        (lambda x: torch.stack([c.roll(i) for i, c in enumerate(x.T)], 1) + 1,
         "Are the rows still whole?"),
        (lambda x: x.mean(0) + 1, "of the shape of x"),
        (lambda x: x / 0, "not every number of it is finite"),
        (lambda x: x.add_(1), "x itself has changed"),
        (lambda x: ..., "has no body yet"),
    ], only_visible=[moved_by_its_largest],
       right=[mirrored_and_moved, lambda x: x - 1, lambda x: x.flip(0) + 100]),
    Proof("5.3", wrong=[
        (1.0, "the distance itself stands in the exponent"),
        (0.9375, "are pairs as well"),
        (0.625, "not twice their sum"),
        (1.46875, "the mean of k(x, y) counts twice"),
        (2.3125, "what x and y have in common"),
        (1.0897, "this is the root"),
        (2.875, "these are sums over pairs"),
        (0.1875, "a point with itself"),
        (0.3, "0.3 is not it"),
        ("19/16", "one number is needed"),
        (..., "no answer yet"),
    ], only_visible=[1.0], right=[1.1875, 1.19, np.float64(19 / 16)]),
    Proof("5.4", given=lambda: {"torch": torch}, wrong=[
        (starter, "by hand another number comes out"),
        (combining(lambda d, s: torch.exp(-d / (2 * s**2))), "k to the fourth power"),
        (combining(lambda d, s: torch.exp(-d.square() / s**2)), "a factor 2 is missing"),
        (combining(lambda d, s: torch.exp(-d.square() / (2 * s))), "s counts squared"),
        (combining(lambda d, s: torch.exp(-d**4 / (2 * s**2))), "squared twice now"),
        (combining(gaussian, reduce=torch.sum), "each term is a mean"),
        (combining(gaussian, reduce=without_the_diagonal), "leaves out the pairs of a point"),
        (combining(gaussian, signs=(1, 1, -1)), "the mixed term counts twice"),
        (combining(gaussian, signs=(-1, -1, 2)), "signs are turned round"),
        (lambda x, y, s: combining(gaussian)(x, y, s).sqrt(), "this is the root"),
        (combining(lambda d, s: torch.exp(-d.square() / 2 * s**2)), "in brackets"),
        (combining(lambda d, s: torch.exp(d.square() / (2 * s**2))), "grows with the distance"),
        (combining(lambda d, s: 2 ** -d.square()), "the width s plays no part"),
        (lambda x, y, s: combining(gaussian)(x, y, s).item(), "this is a plain number"),
        (in_loops, "the loops over points are still there"),
        (cut_off, "cut off from x"),
        (forgets_to_return, "returns nothing yet"),
        (equal_sizes_only, "RuntimeError"),
        (not_averaged, "a tensor without dimensions"),
        (lambda x, y, s: combining(gaussian)(x, y, 1.0), "of 3 features it gives"),
        (lambda x, y: 0, "one takes (x, y)"),
        (each_feature_by_itself, "have one feature"),
    ], only_visible=[through_a_root], right=[one_kernel_of_all, with_weights]),
]
