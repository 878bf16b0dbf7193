"""Further checks of lesson 05, the variants of its sum by hand, and a case to try its bug on."""

import random
import re

from tlcourse.notebook.ladder import exists, is_number

_POINTS = [((0, 1), 3), ((0, 2), 1), ((0, 2), 3), ((0, 1), -2), ((0, 3), 1)]


def _points(variant):
    return random.Random(variant).choice(_POINTS)


def _words(prompt, variant):
    if not variant:
        return prompt
    (a, b), c = _points(variant)
    return prompt.replace("of the three points", f"of three other points, $x = ({a}, {b})$ and "
                          f"$y = ({c})$,")


def _with_its_kernel(prompt, variant):
    """The text of 5.4 without the names that the lesson defines between the exercises."""
    kernel = ("With the width $s = 0.849$ the Gaussian kernel\n"
              r"$k(a, b) = \exp(-\lVert a - b\rVert^2 / 2s^2)$ is the bump of exercise 5.3." "\n\n")
    here = ("In a cell of yours right below it, print\n"
            "`mmd2(torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0]]), 0.849)`")
    return kernel + re.sub(r"Above the last line of the cell, print\s+`[^`]+`", here, prompt)


def _sum_by_hand(variant):
    """The ladder of 5.3 for other points."""
    (a, b), c = _points(variant)

    def k(u, v):
        return 2.0 ** -((u - v) ** 2)

    within, between = (2 + 2 * k(a, b)) / 4, (k(a, c) + k(b, c)) / 2

    def value(answer, seed):
        for wrong, message in (
            (k(a, b) + 1 - 2 * between, "a point with itself is a pair too."),
            (within + 1 - 4 * between, "the last term is twice the mean of two pairs."),
            (within + 1 - between, "the mean over the pairs between x and y counts twice."),
            (within + 1 + 2 * between, "what x and y have in common is subtracted."),
        ):
            if abs(answer - wrong) < 3e-3:
                return message
        if abs(answer - (within + 1 - 2 * between)) >= 3e-3:
            return f"{answer:g} is not it: three means, over 4 pairs, 1 pair and 2 pairs."

    return [exists(), is_number(-10, 10), value]


def _small_features(answer, seed):
    """Features of a small scale, a few of them, and more of them than samples."""
    import torch

    for n, d in ((6, 2), (5, 9)):
        generator = torch.Generator().manual_seed(seed)
        x = 0.01 * torch.randn(n, d, generator=generator, dtype=torch.float64)
        y = answer(x.clone())
        if y.shape != x.shape:
            return f"{n} samples of {d} features become an array of the shape {tuple(y.shape)}."
        moved = float((y - x).mean(0).abs().min())
        if moved < 1 - 1e-6:
            return (f"where all features are small, one of {d} means has moved by {moved:.2f}, and "
                    "every one should by at least 1.")
        if not torch.allclose(x.T.cov(), y.to(x).T.cov(), atol=1e-8):
            return f"with {d} features of {n} samples the covariance is not what it was."


def _as_a_loss(answer, seed):
    """Other sizes, one feature, one point; and the gradients, which are what a loss is for."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    for n, m, d in ((1, 9, 1), (7, 1, 4), (6, 6, 2)):
        x = torch.randn(n, d, generator=generator, dtype=torch.float64).requires_grad_()
        y = (torch.randn(m, d, generator=generator, dtype=torch.float64) + 1).requires_grad_()
        got, right = answer(x, y, 0.8), _mmd2(x, y, 0.8)
        if not torch.allclose(got, right):
            return f"for {n} and {m} points of {d} numbers it is {got:.4g}, not {right:.4g}."
        for point, side in ((x, "x"), (y, "y")):
            wanted, = torch.autograd.grad(right, point, retain_graph=True)
            moves, = torch.autograd.grad(got, point, retain_graph=True, allow_unused=True)
            if moves is None or not torch.allclose(moves, wanted, atol=1e-8):
                told = "none" if moves is None else (
                    "another one" if moves.isfinite().all() else "not finite")
                return (f"the number is right, but its gradient is not: that of {side} is {told}, "
                        "and it could not be used as a loss.")


def _mmd2(x, y, s):
    def mean_kernel(a, b):
        return (-(a[:, None] - b[None]).square().sum(2) / (2 * s**2)).exp().mean()

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


PROPERTIES = {"5.2": (_small_features,), "5.4": (_as_a_loss,)}
WORDS = {"5.3": _words, "5.4": _with_its_kernel}
CHECKS = {"5.3": _sum_by_hand}
SHOWN = ("5.2", "5.3")
BY_VALUE = ("5.2",)
ASKED = {"5.4": ("mmd2",)}
