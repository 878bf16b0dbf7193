"""An answer that is right passes, however it is written."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls
from scipy.stats import ttest_1samp
from torch import nn
from torch.nn.functional import cross_entropy

from tlcourse.school.classroom import variants
from tlcourse.school.classroom.judge import graded_exercise, judge, visible_exercise
from tlcourse.stats import paired_gap


def tensor_by_tensor(source, target):
    theirs, own, names = source.state_dict(), target.state_dict(), []
    for name, w in own.items():
        if name in theirs and theirs[name].shape == w.shape:
            with torch.no_grad():
                w.copy_(theirs[name])
            names.append(name)
    return tuple(names)


def whole_state(source, target):
    own = target.state_dict()
    fits = {name: w.clone() for name, w in source.state_dict().items()
            if name in own and own[name].shape == w.shape}
    target.load_state_dict({**own, **fits})
    return set(fits)


def leep_in_a_loop(theta, y):
    total = 0.0
    for row, own in zip(theta, y, strict=True):
        of_answer = theta.sum(0)
        given = np.divide(theta[y == own].sum(0), of_answer, out=np.zeros_like(of_answer),
                          where=of_answer > 0)
        total += np.log(given @ row)
    return total / len(y)


def leep_of_a_table(theta, y):
    table = np.eye(y.max() + 1)[y].T @ theta
    return np.log(np.sum(np.nan_to_num(table / table.sum(0))[y] * theta, axis=1)).mean()


def louder_and_louder(z):
    return z * np.logspace(0, 3, z.shape[1])


def mixed_then_loud(z):
    mixed = z @ np.linalg.qr(np.random.default_rng(3).normal(size=(z.shape[1],) * 2))[0]
    mixed[:, -1] *= 50
    return mixed


def with_a_loud_column(z):
    return np.column_stack([z, 1e4 * np.random.default_rng(1).normal(size=len(z))])


def mirrored_and_moved(x):
    return 2 * x.mean(0) - x + 5


def one_kernel_of_all(x, y, s):
    both = torch.cat([x, y])
    d2 = (both**2).sum(1)[:, None] + (both**2).sum(1)[None] - 2 * both @ both.T
    k, n = torch.exp(-d2 / (2 * s * s)), len(x)
    return k[:n, :n].mean() + k[n:, n:].mean() - 2 * k[:n, n:].mean()


def with_weights(x, y, s):
    weights = torch.cat([x.new_full((len(x),), 1 / len(x)), y.new_full((len(y),), -1 / len(y))])
    both = torch.cat([x, y])
    d2 = (both.unsqueeze(1) - both.unsqueeze(0)).pow(2).sum(-1)
    return weights @ torch.exp(-0.5 * d2 / s**2) @ weights


class Saved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.save_for_backward(torch.as_tensor(lam, dtype=x.dtype))
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.neg() * ctx.saved_tensors[0], None


def slope_in_place(loss, w, h=1e-5):
    moved, found = w.detach().clone(), []
    flat = moved.view(-1)
    for i in range(flat.numel()):
        old = flat[i].item()
        flat[i] = old + h
        ahead = loss(moved)
        flat[i] = old - h
        found.append(float(ahead - loss(moved)) / (2 * h))
        flat[i] = old
    return torch.tensor(found, dtype=w.dtype).reshape(w.shape)


def slope_by_index(loss, w, h=1e-5):
    found = torch.empty_like(w)
    for place in np.ndindex(*w.shape):
        ahead, behind = w.clone(), w.clone()
        ahead[place] += h
        behind[place] -= h
        found[place] = (loss(ahead) - loss(behind)) / (2 * h)
    return found


def deep(features):
    return nn.Sequential(nn.Linear(features, 16), nn.Tanh(), nn.Linear(16, 16), nn.LeakyReLU(),
                         nn.Linear(16, 1))


class Discriminator(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.hidden, self.out = nn.Linear(features, 64), nn.Linear(64, 1)

    def forward(self, z):
        return self.out(self.hidden(z).relu())


def by_a_t_test(transfer, scratch):
    gaps = np.subtract(transfer, scratch)
    if ttest_1samp(gaps, 0).pvalue >= 0.05:
        return "inconclusive"
    return "positive" if gaps.mean() > 0 else "negative"


def by_product(transfer, scratch):
    gap = paired_gap(np.array(transfer), np.array(scratch))
    return ("inconclusive" if gap.low * gap.high <= 0 else
            "negative" if gap.estimate < 0 else "positive")


def by_nonnegative_squares(table, answers):
    q, _ = nnls(table, answers)
    return list(q / q.sum())


def by_the_inverse(table, answers):
    q = np.maximum(np.linalg.inv(table) @ answers, 0)
    return q / np.sum(q)


def backward_from_zero(model, source, target):
    found = []
    for part in (source, target):
        model.zero_grad()
        cross_entropy(model(part.X), part.y).backward()
        found.append(torch.hstack([w.grad.reshape(-1) for w in model.backbone.parameters()]))
    model.zero_grad()
    return torch.cosine_similarity(*found, dim=0)


def of_a_copy(model, source, target):
    from copy import deepcopy

    found = []
    for part in (source, target):
        copy = deepcopy(model)
        copy.zero_grad()
        cross_entropy(copy(part.X), part.y).backward()
        found.append(torch.cat([w.grad.ravel() for w in copy.backbone.parameters()]))
    return float(found[0] @ found[1] / found[0].norm() / found[1].norm())


RIGHT = {
    "4.1": [tensor_by_tensor, whole_state],
    "4.2": [leep_in_a_loop, leep_of_a_table],
    "4.4": [louder_and_louder, mixed_then_loud, with_a_loud_column],
    "5.2": [mirrored_and_moved, lambda x: x - 1, lambda x: x.flip(0) + 100],
    "5.3": [1.1875, 1.19, np.float64(19 / 16)],
    "5.4": [one_kernel_of_all, with_weights],
    "6.2": [Saved],
    "6.3": [slope_in_place, slope_by_index],
    "6.4": [deep, Discriminator],
    "8.1": [by_a_t_test, by_product],
    "8.2": [by_nonnegative_squares, by_the_inverse],
    "8.3": [backward_from_zero, of_a_copy],
}


@pytest.mark.parametrize(("id", "answer"), [(id, one) for id, all in RIGHT.items() for one in all])
def test_a_right_answer_passes_in_every_variant(id, answer):
    numbers = id in getattr(variants.own(id), "CHECKS", {})
    for variant in (0,) if numbers else (0, 1, 2, 3):
        result = judge(graded_exercise(id, variant), answer, variants.seeds(variant))
        assert result.passed, result.message
    assert judge(visible_exercise(id), answer, []).passed
