"""What one seed shows of the causes that may spoil a transfer, in numbers.

Cosines of gradients are those of Yu et al., Gradient surgery for multi-task learning, NeurIPS 2020.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from tlcourse.data.domain import Domain
from tlcourse.diagnose.pair import Draw
from tlcourse.diagnose.reframing import as_in
from tlcourse.diagnose.strategies import AT_ONCE, Maker
from tlcourse.distances.domain_distance import mmd_permutation_test, proxy_a_distance
from tlcourse.models.network import Network
from tlcourse.training import predict

FEWEST = 10
"""Held-out source samples that anything can be measured on."""
FEWEST_OF_A_CLASS = 5
"""Those of them that the recall of a class can be measured on."""
MOST_COMPARED = 500
"""Samples of each domain that distances and gradients are measured on."""
MOST_NUMBERS = 1_000_000
"""Numbers in the samples of one gradient: of large pictures, what a network makes of many samples
at once would fill the memory."""


@dataclass(frozen=True)
class Measurement:
    """Numbers of one seed, None for what could not be measured.

    Parameters
    ----------
    source_only, target_only : float
        Shares of held-out source samples and of test samples whose class the other domain lacks.
    skill : float
        Mean recall of the source's network on held-out source samples, with chance as 0, each
        class given an equal chance.
    label_shift : float
        Total variation distance of the class frequencies of both domains, from 0 to 1, counted
        from their labels; 0 where it is not more than chance makes.
    estimated_shift : float
        The same, estimated without target labels.
    proxy_a_distance, mmd_p : float
        How well the domains are told apart by their features, and the p value of that.
    cosine, cosine_within : float
        Of the gradients of source and target, and of two samples of the source.
    recall_on_source, recall_on_target : float
        Mean recall of the source's network over the common classes.
    renaming : float
        By how much the target's recall rises when classes are renamed by the labelled few.
    preparing : dict of preparation -> float
        By how much it rises when the target's inputs are prepared so.
    """

    source_only: float | None = None
    target_only: float | None = None
    skill: float | None = None
    label_shift: float | None = None
    estimated_shift: float | None = None
    proxy_a_distance: float | None = None
    mmd_p: float | None = None
    cosine: float | None = None
    cosine_within: float | None = None
    recall_on_source: float | None = None
    recall_on_target: float | None = None
    renaming: float | None = None
    preparing: dict[str, float] = field(default_factory=dict)


def measure(draw: Draw, make: Maker, start: Network) -> Measurement:
    """Measure one seed, of which `start` is the network that was trained on the source.

    Target labels enter in three places: the labelled few, as every strategy may use them, and the
    scores on the test fold and the frequencies of the classes, which describe and decide nothing.
    """
    held_out, common = draw.held_out, list(draw.common)
    if len(held_out) < FEWEST:
        return Measurement()
    logits = _logits(start, held_out.X)
    skill, estimate, weights = _skill(logits, draw), None, None
    if skill is not None and skill >= 0.5:
        estimate, weights = _estimated_shift(draw, logits, _logits(start, draw.pool))
    return Measurement(
        _private(held_out.y, common), _private(draw.test.y, common), skill, _label_shift(draw),
        estimate, *_distance(start, draw, weights), *_gradients(draw, make),
        *(_recalls(draw, start, logits, common) if len(common) >= 2 else ()))


def _skill(logits: torch.Tensor, draw: Draw) -> float | None:
    """Mean recall on the held-out source with chance as 0, of classes with enough samples there.

    The frequencies of the classes in training are taken out of the answers: a network that saw a
    class rarely may still tell it apart.
    """
    y = draw.held_out.y
    enough = torch.flatten(torch.nonzero(y.bincount() >= FEWEST_OF_A_CLASS))
    if len(enough) < 2:
        return None
    often = draw.source.y.bincount(minlength=logits.shape[1]).double() + 1
    answers = enough[(logits.double() - often.log())[:, enough].argmax(1)]
    recall = float(np.mean([float((answers[y == k] == k).double().mean()) for k in enough]))
    chance = 1 / len(enough)
    return (recall - chance) / (1 - chance)


def _private(y: torch.Tensor, common: list[int]) -> float:
    """Share of samples whose class the other domain does not have."""
    return 1 - float(torch.isin(y, torch.tensor(common, dtype=torch.int64)).double().mean())


def black_box_shift(
    on_source: torch.Tensor, y: torch.Tensor, on_target: torch.Tensor, before: torch.Tensor
) -> torch.Tensor:
    """Class frequencies of the target, from the answers of a network and its mistakes.

    Solves C q = mu with q >= 0, where C[i, k] is the share of answer i among source samples of
    class k, and mu[i] its share on the target. That is true as long as the samples of a class look
    alike in both domains. One right answer is added to each class, so that a class with few samples
    is not taken for one that is never recognised.

    Parameters
    ----------
    on_source : tensor (n, K)
        Logits of source samples that the network was not trained on.
    y : tensor (n,)
        Their classes.
    on_target : tensor (m, K)
        Logits of unlabelled target samples.
    before : tensor (K,)
        How often each class occurs in the source; one that does not is held to be absent.

    Returns
    -------
    float64 tensor (K,)
        Non-negative, with sum 1.

    References
    ----------
    Lipton, Wang and Smola, Detecting and correcting for label shift with black box predictors,
    ICML 2018.
    """
    from scipy.optimize import nnls

    classes = on_source.shape[1]
    table = torch.eye(classes, dtype=torch.double)
    table.index_put_((on_source.argmax(1), y), torch.tensor(1.0, dtype=torch.double),
                     accumulate=True)
    table = table / table.sum(0) * (before > 0)
    answers = on_target.argmax(1).bincount(minlength=classes).double() / len(on_target)
    found = torch.from_numpy(nnls(table.numpy(), answers.numpy())[0])
    return found / found.sum() if found.sum() > 0 else before.double() / before.sum()


def _label_shift(draw: Draw) -> float | None:
    """Distance of the frequencies of the common classes, by the labels of both domains."""
    from scipy.stats import chi2_contingency

    common = list(draw.common)
    source = torch.cat([draw.source.y, draw.held_out.y]).bincount(minlength=len(draw.counts))
    table = torch.stack([source[common], draw.counts[common]]).double()
    if len(common) < 2:
        return None
    here, there = table / table.sum(1, keepdim=True)
    by_chance = chi2_contingency(table.numpy()).pvalue >= 0.05
    return 0.0 if by_chance else float((here - there).abs().sum() / 2)


def _estimated_shift(
    draw: Draw, on_source: torch.Tensor, on_target: torch.Tensor
) -> tuple[float, torch.Tensor] | tuple[None, None]:
    """The same distance without target labels, and how to weigh each source class."""
    common = list(draw.common)
    before = draw.source.y.bincount(minlength=on_source.shape[1]).double()
    after = black_box_shift(on_source, draw.held_out.y, on_target, before)
    if len(common) < 2 or not (before[common].sum() > 0 and after[common].sum() > 0):
        return None, None
    here, there = (part[common] / part[common].sum() for part in (before, after))
    weights = torch.where(before > 0, after * before.sum() / before, 0.0)
    return float((here - there).abs().sum() / 2), weights


def _distance(start: Network, draw: Draw, weights: torch.Tensor | None) -> tuple[float, float]:
    """How well the domains are told apart by their features, at equal class frequencies."""
    rng = np.random.default_rng(draw.seed)
    rows = np.arange(len(draw.held_out))
    if weights is not None:  # thin the source, so that only what a class looks like is compared
        keep = weights[draw.held_out.y].numpy()
        thinned = rows[rng.random(len(rows)) < keep / max(keep.max(), 1e-9)]
        rows = thinned if len(thinned) >= 20 else rows
    rows = rng.permutation(rows)[:MOST_COMPARED]
    z_s, z_t = (_features(start, X) for X in (draw.held_out.X[rows], draw.pool[:MOST_COMPARED]))
    _, p = mmd_permutation_test(z_s, z_t, seed=draw.seed)
    return proxy_a_distance(z_s, z_t, seed=draw.seed), p


@torch.no_grad()
def _features(model: Network, X: torch.Tensor) -> torch.Tensor:
    return torch.cat([model.eval().features(x) for x in X.split(AT_ONCE)])


def _logits(model: Network, X: torch.Tensor) -> torch.Tensor:
    return predict(model, X, batch_size=AT_ONCE)


def _gradients(draw: Draw, make: Maker) -> tuple[float, float]:
    """Cosine of the first gradients of both losses on a fresh backbone, and within the source.

    A fresh network can still move in every direction. The cosine between two samples of the source
    says how near to 1 the other could come.
    """
    few, half = draw.few, len(draw.source) // 2
    here = draw.source.subset(slice(half))
    there = draw.source.subset(slice(half, half + len(few)))
    first, second, target = (_gradient(make, draw, part) for part in (here, there, few))
    return float(cosine_similarity(first, target, 0)), float(cosine_similarity(first, second, 0))


def _gradient(make: Maker, draw: Draw, part: Domain) -> torch.Tensor:
    model = make(len(part.classes), draw.seed).train()
    part = part.subset(slice(min(MOST_COMPARED, MOST_NUMBERS // part.X[0].numel())))
    loss = cross_entropy(model(part.X), part.y)
    found = torch.autograd.grad(loss, list(model.backbone.parameters()))
    return torch.cat([g.flatten() for g in found])


def _recalls(
    draw: Draw, start: Network, on_source: torch.Tensor, common: list[int]
) -> tuple[float, float, float, dict[str, float]]:
    """Recall of the common classes on source and target, and what renaming and preparing add."""
    test = draw.test

    def recall(logits, y, names=None):
        answer = torch.tensor(common)[logits[:, common].argmax(1)]
        answer = answer if names is None else names[answer]
        return float(np.mean([float((answer[y == k] == k).double().mean())
                              for k in common if (y == k).any()] or [0.0]))

    plain = _logits(start, test.X)
    here, there = recall(on_source, draw.held_out.y), recall(plain, test.y)
    prepared = {name: recall(_logits(start, X), test.y) - there
                for name, X in _prepared(draw).items()}
    renamed = recall(plain, test.y, _new_names(_logits(start, draw.few.X), draw.few.y, common))
    return here, there, renamed - there, prepared


def _new_names(logits: torch.Tensor, y: torch.Tensor, common: list[int]) -> torch.Tensor:
    """The renaming of classes, one to one, under which the labelled few agree best."""
    from scipy.optimize import linear_sum_assignment

    answer = logits[:, common].argmax(1)
    agree = np.array([[float((answer[y == k] == j).double().sum()) for k in common]
                      for j in range(len(common))])
    agree += 1e-6 * np.eye(len(common))  # where nothing speaks for a change, names stay
    names = torch.arange(logits.shape[1])
    for j, k in zip(*linear_sum_assignment(-agree), strict=True):
        names[common[j]] = common[k]
    return names


def _prepared(draw: Draw) -> dict[str, torch.Tensor]:
    """The target's test inputs, prepared as the source's are, in one or more ways."""
    if draw.test.X.ndim == 2:
        return {"standardising each domain by itself": draw.own_test.X}
    return as_in(draw.test.X, draw.pool[:MOST_COMPARED], draw.source.X[:MOST_COMPARED])
