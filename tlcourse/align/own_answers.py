"""Learning from its own answers: losses and methods that trust what a network says of the target.

Each of them makes answers on the unlabelled target surer, and none can know whether they are
right. From a poor start, or where the target lacks classes, the loss falls all the same, and what
the network says gathers in a few classes: watch how many it still answers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tlcourse.align.methods import Batch, Method, Term
from tlcourse.align.training_free import normalisations
from tlcourse.models.network import Network

VIEWS = 8
"""Groups of a batch that are transformed each in its own way: one by one takes 7 times as long."""


def entropy(logits: Tensor) -> Tensor:
    r"""Mean entropy of the answers: how unsure the network is of each sample.

    .. math:: H = -\frac1n \sum_i \sum_k p_{ik} \log p_{ik}, \qquad
              p_i = \operatorname{softmax}(l_i)

    Parameters
    ----------
    logits : tensor (n, K)

    Returns
    -------
    tensor ()
        In nats: 0 when all answers are sure, log K when none says anything.

    Raises
    ------
    ValueError
        No matrix of two classes or more, no rows, or NaN.

    References
    ----------
    Grandvalet and Bengio, Semi-supervised learning by entropy minimization, NeurIPS 2004.
    """
    return _entropies(_checked(logits)).mean()


def information_maximisation(logits: Tensor) -> Tensor:
    r"""Mean entropy of the answers, less the entropy of their mean: sure, and not all the same.

    .. math:: L = \frac1n \sum_i H(p_i) - H\Big(\frac1n \sum_i p_i\Big)

    It is minus the mutual information between sample and answer. The second term keeps all
    classes in use, as if the target held equally many of each.

    Parameters
    ----------
    logits : tensor (n, K)

    Returns
    -------
    tensor ()
        In nats, from -log K to 0.

    Raises
    ------
    ValueError
        As for `entropy`.

    References
    ----------
    Krause, Perona and Gomes, Discriminative clustering by regularized information maximization,
    NeurIPS 2010; Liang, Hu and Feng, Do we really need to access the source data? Source
    hypothesis transfer for unsupervised domain adaptation, ICML 2020.
    """
    together = _checked(logits).softmax(1).mean(0)
    return _entropies(logits).mean() + torch.special.xlogy(together, together).sum()


def minimum_class_confusion(logits: Tensor, *, temperature: float = 2.5) -> Tensor:
    r"""How much the answers waver between classes, each sample counting as it is sure.

    .. math:: p_i = \operatorname{softmax}(l_i / T), \quad w_i \propto 1 + e^{-H(p_i)}, \quad
              C = \sum_i w_i \, p_i p_i^\top, \quad
              L = \frac1K \sum_{k \ne j} \frac{C_{kj}}{\sum_{j'} C_{kj'}}

    The weights w have mean 1 and pass no gradient. A row of C says with which classes the samples
    that look like class k are confused; its part off the diagonal is to vanish.

    Parameters
    ----------
    logits : tensor (n, K)
    temperature : float
        T, above 0: larger ones make the answers softer, so that sure mistakes count less.

    Returns
    -------
    tensor ()
        0 when no two classes are confused, 1 - 1/K when all are, evenly.

    Raises
    ------
    ValueError
        As for `entropy`, or a temperature that is not above 0.

    References
    ----------
    Jin et al., Minimum class confusion for versatile domain adaptation, ECCV 2020.
    """
    if not temperature > 0:
        raise ValueError(f"the temperature is above 0, got {temperature}")
    p = (_checked(logits) / temperature).softmax(1)
    weights = 1 + torch.exp(-_entropies(logits / temperature).detach())
    confusion = p.T @ (p * (weights / weights.mean())[:, None])
    confusion = confusion / confusion.sum(1, keepdim=True)
    return 1 - confusion.trace() / len(confusion)


def _entropies(logits: Tensor) -> Tensor:
    """The entropy of the answer on each row, (n,)."""
    log_p = logits.log_softmax(1)
    return -(log_p.exp() * log_p).sum(1)


def _checked(logits: Tensor) -> Tensor:
    if logits.ndim != 2 or len(logits) < 1 or logits.shape[1] < 2 or logits.isnan().any():
        raise ValueError("logits are needed as a matrix (n, K) without NaN, of two classes or more "
                         f"and one row or more, got shape {tuple(logits.shape)}")
    return logits


class Entropy(Method, name="entropy"):
    r"""Surer answers on the target, `entropy`.

    .. math:: L = L_\mathrm{source} + w \, \frac1m \sum_t H(p_t)

    References
    ----------
    Grandvalet and Bengio, Semi-supervised learning by entropy minimization, NeurIPS 2004.
    """

    def loss(self, batch: Batch) -> Term:
        unsure = entropy(batch.logits_t)
        return Term(self.weight * unsure, unsure)


class InformationMaximisation(Method, name="information_maximisation"):
    r"""Surer answers on the target that still use all classes, `information_maximisation`.

    .. math:: L = L_\mathrm{source}
              + w \Big( \frac1m \sum_t H(p_t) - H\Big(\frac1m \sum_t p_t\Big) \Big)

    References
    ----------
    Krause, Perona and Gomes, Discriminative clustering by regularized information maximization,
    NeurIPS 2010.
    """

    def loss(self, batch: Batch) -> Term:
        loss = information_maximisation(batch.logits_t)
        return Term(self.weight * loss, loss)


@dataclass(eq=False)
class MCC(Method, name="mcc"):
    r"""Answers on the target that waver between no two classes, `minimum_class_confusion`.

    .. math:: L = L_\mathrm{source} + w \, \mathrm{MCC}(l_t / T)

    Parameters
    ----------
    weight, temperature : float

    References
    ----------
    Jin et al., Minimum class confusion for versatile domain adaptation, ECCV 2020.
    """

    temperature: float = 2.5

    def loss(self, batch: Batch) -> Term:
        confusion = minimum_class_confusion(batch.logits_t, temperature=self.temperature)
        return Term(self.weight * confusion, confusion)


@dataclass(eq=False)
class PseudoLabel(Method, name="pseudo_label"):
    r"""Take sure answers on the target for labels.

    .. math:: L = L_\mathrm{source}
              + \frac wm \sum_t [\max_k p_{tk} \ge \tau] \; \ell(l_t, \arg\max_k p_{tk})

    Parameters
    ----------
    weight : float
    threshold : float
        How sure an answer must be, tau, from 0 to 1.

    References
    ----------
    Lee, Pseudo-label: the simple and efficient semi-supervised learning method for deep neural
    networks, ICML 2013 Workshops.
    """

    threshold: float = 0.95

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"the threshold is a probability from 0 to 1, got {self.threshold}")

    def loss(self, batch: Batch) -> Term:
        loss = self.agreement(batch.logits_t, batch.logits_t)
        return Term(self.weight * loss, loss)

    def agreement(self, teacher: Tensor, student: Tensor) -> Tensor:
        """Cross-entropy of the student's logits (m, K) with the teacher's sure answers."""
        sure, answer = teacher.detach().softmax(1).max(1)
        each = cross_entropy(student, answer, reduction="none")
        return (each * (sure >= self.threshold)).mean()


@dataclass(eq=False)
class Consistency(PseudoLabel, name="consistency"):
    r"""A strongly changed picture x' must get the answer that the plain one gets.

    .. math:: L = L_\mathrm{source}
              + \frac wm \sum_t [\max_k p_k(x_t) \ge \tau] \; \ell(l(x'_t), \arg\max_k p_k(x_t))

    The plain picture is the teacher and gets no gradient. What is changed must keep its class:
    turned far enough, a 6 is a 9.

    Parameters
    ----------
    weight, threshold : float
    strong : function (tensor (m, ...)) -> tensor (m, ...), optional
        Makes x' of target inputs, by PyTorch's global random state, which the run seeds. None,
        for pictures only: `turned`.

    References
    ----------
    Sohn et al., FixMatch: simplifying semi-supervised learning with consistency and confidence,
    NeurIPS 2020.
    """

    strong: Callable[[Tensor], Tensor] | None = None

    def loss(self, batch: Batch) -> Term:
        changed = (self.strong or turned)(batch.x_t)
        loss = self.agreement(batch.logits_t, batch.model(changed))
        return Term(self.weight * loss, loss)


def turned(x: Tensor) -> Tensor:
    """Pictures (m, C, H, W) turned, moved, scaled, slanted and blurred, eight ways in a batch.

    Up to 20 degrees, an eighth of the side, 30 per cent, 15 degrees; all by `torchvision`.
    """
    from torchvision.transforms import v2

    if x.ndim != 4:
        raise ValueError(f"only pictures (m, C, H, W) can be turned, got {tuple(x.shape)}; give "
                         "Consistency a function of your own, Consistency(strong=...)")
    change = v2.Compose([
        v2.RandomAffine(20, (0.125, 0.125), (0.7, 1.3), 15,
                        interpolation=v2.InterpolationMode.BILINEAR),
        v2.RandomApply([v2.GaussianBlur(3, (0.5, 1.5))])])
    return torch.cat([change(part) for part in x.chunk(VIEWS)])


class SHOT(Method, name="shot"):
    r"""Only the weights of the source, not its data: `information_maximisation` on the target.

    .. math:: L = w \Big( \frac1m \sum_t H(p_t) - H\Big(\frac1m \sum_t p_t\Big) \Big)

    The head stays as the source left it, and the backbone moves the target's features to where
    the head is sure. The source of `adapt` may be None, and is not looked at.

    References
    ----------
    Liang, Hu and Feng, Do we really need to access the source data? Source hypothesis transfer
    for unsupervised domain adaptation, ICML 2020; its pseudo-labels are left out.
    """

    sees_source = False
    sees_target = True

    def start(self, model: Network, seed: int) -> None:
        self.held = _hold(model, set(model.head.parameters()))

    def loss(self, batch: Batch) -> Term:
        loss = information_maximisation(batch.logits_t)
        return Term(self.weight * loss, loss)

    def finish(self, model: Network, target_x: Tensor) -> None:
        for parameter in self.held:
            parameter.requires_grad_(True)


class TENT(SHOT, name="tent"):
    r"""Batch normalisation alone learns, by the `entropy` of its answers on the target.

    .. math:: L = w \, \frac1m \sum_t H(p_t)

    Only the scale and shift of batch normalisation are trained, and its statistics become those
    of the target. No source data is looked at, so it can be done where the model is used.

    References
    ----------
    Wang et al., Tent: fully test-time adaptation by entropy minimization, ICLR 2021.
    """

    def start(self, model: Network, seed: int) -> None:
        learn = {p for layer in normalisations(model) for p in layer.parameters()}
        self.held = _hold(model, set(model.parameters()) - learn)

    def loss(self, batch: Batch) -> Term:
        unsure = entropy(batch.logits_t)
        return Term(self.weight * unsure, unsure)


def _hold(model: Network, parameters: set[Tensor]) -> list[Tensor]:
    """Keep parameters from being trained; returns those that were trained before."""
    held = [p for p in model.parameters() if p in parameters and p.requires_grad]
    for parameter in held:
        parameter.requires_grad_(False)
    return held
