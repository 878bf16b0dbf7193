"""Proofs of lesson 08: what each wrong answer is told."""


import numpy as np
import torch
from scipy.optimize import nnls
from scipy.stats import ttest_1samp
from torch.nn.functional import cross_entropy

from tlcourse.notebook import exercises
from tlcourse.notebook.proof import Proof
from tlcourse.stats import mean_interval, paired_gap


def by_the_mean(transfer, scratch):
    return "positive" if np.mean(transfer) > np.mean(scratch) else "negative"


def crossed(transfer, scratch):
    gap = paired_gap(scratch, transfer)
    return "positive" if gap.low > 0 else "negative" if gap.high < 0 else "inconclusive"


def unpaired(transfer, scratch):
    a, b = mean_interval(transfer), mean_interval(scratch)
    return "positive" if a.low > b.high else "negative" if a.high < b.low else "inconclusive"


def never_negative(transfer, scratch):
    return "positive" if paired_gap(transfer, scratch).low > 0 else "inconclusive"


def by_the_interval_above_only(transfer, scratch):
    gap = paired_gap(transfer, scratch)
    return "positive" if gap.low > 0 else "negative" if gap.estimate < 0 else "inconclusive"


def wins_every_run(transfer, scratch):
    better = [a > b for a, b in zip(transfer, scratch, strict=True)]
    return "positive" if all(better) else "inconclusive" if any(better) else "negative"


def another_word(transfer, scratch):
    return "better" if paired_gap(transfer, scratch).low > 0 else "worse"


def normal(q):
    q = np.clip(q, 0, None)
    return q / q.sum()


def gradients(model, part, layers, keep):
    model.zero_grad()
    cross_entropy(model(part.X), part.y).backward()
    found = torch.cat([w.grad.flatten() for w in layers.parameters()])
    if not keep:
        model.zero_grad()
    return found


def one_tensor(model, source, target):
    found = []
    for part in (source, target):
        cross_entropy(model(part.X), part.y).backward()
        found.append([w.grad for w in model.backbone.parameters()])
    g_s, g_t = (torch.cat([g.flatten() for g in part]) for part in found)
    return torch.cosine_similarity(g_s, g_t, dim=0).item()


def added_up(model, source, target):
    found = []
    for part in (source, target):
        cross_entropy(model(part.X), part.y).backward()
        found.append(torch.cat([w.grad.flatten() for w in model.backbone.parameters()]).clone())
    return torch.cosine_similarity(*found, dim=0).item()


def whole_network(model, source, target):
    found = [gradients(model, part, model, False) for part in (source, target)]
    return torch.cosine_similarity(*found, dim=0).item()


def product(model, source, target):
    g_s, g_t = (gradients(model, part, model.backbone, False) for part in (source, target))
    return (g_s @ g_t).item()


def leaves_gradients(model, source, target):
    found = [gradients(model, part, model.backbone, True) for part in (source, target)]
    return torch.cosine_similarity(*found, dim=0).item()


def sign_lost(model, source, target):
    found = [gradients(model, part, model.backbone, False) for part in (source, target)]
    return torch.cosine_similarity(*found, dim=0).item() / 2 + 0.5


def chart(**other):
    return {**exercises.get("8.4").reference(), **other}


def as_if_the_runs_were_many(transfer, scratch):
    gaps = np.array(transfer) - np.array(scratch)
    half = 1.96 * gaps.std(ddof=1) / len(gaps) ** 0.5
    return ("positive" if gaps.mean() > half else
            "negative" if gaps.mean() < -half else "inconclusive")


def in_fifty_steps(table, answers):
    q = answers
    for _ in range(50):
        q = q + answers - table @ q
    q = np.clip(q, 0, None)
    return q / q.sum()


def on_top_of_what_was_there(model, source, target):
    found = []
    for part in (source, target):
        cross_entropy(model(part.X), part.y).backward()
        found.append(torch.cat([w.grad.flatten() for w in model.backbone.parameters()]))
        model.zero_grad()
    return torch.cosine_similarity(*found, dim=0).item()


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


PROOFS = [
    Proof("8.1", given=lambda: {"paired_gap": paired_gap}, wrong=[
        (by_the_mean, "where does their interval begin and end?"),
        (crossed, "the signs are crossed"),
        (unpaired, "are the runs compared in pairs?"),
        (never_negative, "that is worse in all five runs by 3 points is called inconclusive"),
        (by_the_interval_above_only, "gaps of -10, +6, -5, +5, -2 points are called negative"),
        (wins_every_run, "gaps of +20, +1, +1, +1, +1 points are called positive"),
        (another_word, "one of the words positive, negative, inconclusive"),
        (paired_gap, "one verdict is of type Gap"),
        (lambda transfer, scratch: ..., "has no body yet"),
        ("negative", "a function of 2"),
    ], only_visible=[as_if_the_runs_were_many], right=[by_a_t_test, by_product]),
    Proof("8.2", given=lambda: {"np": np}, wrong=[
        (lambda table, answers: normal(answers), "mistakes are still in them"),
        (lambda table, answers: normal(table @ answers), "adds the mistakes a second time"),
        (lambda table, answers: normal(np.linalg.solve(table.T, answers)), "turned over"),
        (lambda table, answers: normal(answers / table.diagonal()), "right answers only"),
        (lambda table, answers: np.linalg.solve(table, answers), "comes out below 0"),
        (lambda table, answers: np.ones(4) / 4, "should give the answers back"),
        (lambda table, answers: np.linalg.solve(table, answers)[:2], "the shape (2,)"),
        (lambda table, answers: np.array([...] * 4), "a gap is left"),
        (lambda table, answers: ..., "has no body yet"),
    ], only_visible=[in_fifty_steps], right=[by_nonnegative_squares, by_the_inverse]),
    Proof("8.3", given=lambda: {"torch": torch}, wrong=[
        (one_tensor, "which have nothing to agree on"),
        (added_up, "still holds the first"),
        (whole_network, "over the whole network"),
        (product, "without their lengths"),
        (leaves_gradients, "keep a gradient"),
        (sign_lost, "the cosine of the two gradients of the backbone is"),
        (lambda model, source, target: 3.0, "from -1 to 1"),
    ], only_visible=[on_top_of_what_was_there], right=[backward_from_zero, of_a_copy]),
    Proof("8.4", wrong=[
        (chart(E="label shift"), "that number is an estimate"),
        (chart(B="domain distance"), "patient B: the evidence for domain distance"),
        (chart(A="frozen too deep"), "patient A: the evidence for frozen too deep"),
        (chart(D=("conflict", 0.95)), "the name of a cause alone"),
        (chart(A=...), "no entry yet for A"),
        (chart(C="bad luck"), "C has no cause called 'bad luck'"),
        (["source hard to learn"], "a dictionary with an entry"),
    ], only_visible=[dict.fromkeys("ABCDE", "domain distance")]),
]

