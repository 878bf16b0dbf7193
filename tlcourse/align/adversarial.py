"""Alignment by an adversary: features from which nobody can tell the domain.

A discriminator D learns to tell source features from target features, and the backbone f learns
to make that impossible. With z = f(x),

    L_D = - E_source log D(z) - E_target log(1 - D(z)),        D minimises it, f maximises it.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits

from tlcourse.align.methods import Batch, Method, Term, one_of
from tlcourse.distances.discrepancy import check_features
from tlcourse.models.network import Network
from tlcourse.training import stream_seed


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, lam: float) -> Tensor:
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return -ctx.lam * gradient, None


def grad_reverse(x: Tensor, lam: float) -> Tensor:
    """Do nothing in the forward pass; multiply the gradient by -lam in the backward pass.

    Parameters
    ----------
    x : tensor of any shape
    lam : float
        0 lets no gradient through; a negative value does not reverse it.

    Returns
    -------
    tensor, equal to x

    References
    ----------
    Ganin and Lempitsky, Unsupervised domain adaptation by backpropagation, ICML 2015.
    """
    return _Reverse.apply(x, float(lam))


def dann_lambda(progress: float) -> float:
    r"""Strength of the reversal as training goes on: none at first, while D knows nothing.

    .. math:: \lambda(p) = \frac{2}{1 + \exp(-10 p)} - 1

    Parameters
    ----------
    progress : float
        Share of the training that is done, 0 to 1. It depends on nothing else, so neither on the
        number of calls nor of steps.

    Returns
    -------
    float
        0 at the start, .987 half way, .9999 at the end.

    Raises
    ------
    ValueError
        A progress that is no share.

    References
    ----------
    Ganin et al., Domain-adversarial training of neural networks, JMLR 2016.
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress is a share of the training from 0 to 1, got {progress}; use "
                         "step / steps")
    return 2 / (1 + math.exp(-10 * progress)) - 1


def domain_adversarial_loss(disc: nn.Module, z_s: Tensor, z_t: Tensor, lam: float) -> Tensor:
    r"""Loss of the discriminator, through a reversal of the gradient.

    .. math:: L_D = \tfrac12 \left( -E_s \log D(z) - E_t \log(1 - D(z)) \right)

    D gets the gradient of L_D at full strength; the features get -lam times theirs, so that one
    optimiser that minimises lets D win and f resist. Put the weight of the method into `lam`: in
    front of this loss, it would slow D down as well.

    Parameters
    ----------
    disc : Module
        (N, d) features to (N, 1) logits; large means source.
    z_s, z_t : tensor (n, d), (m, d)
        Features of source and target. Each domain counts for one half, whatever n and m.
    lam : float

    Returns
    -------
    tensor ()
        In nats; log 2 = .693 when D can do no better than guess.

    Raises
    ------
    ValueError
        Other shapes, NaN, fewer than two rows, or a discriminator that can answer one value only.

    References
    ----------
    Ganin et al., Domain-adversarial training of neural networks, JMLR 2016.
    """
    check_features(z_s, z_t)
    source, target = domain_logits(disc, grad_reverse(z_s, lam), grad_reverse(z_t, lam))
    return _telling_apart(source, target)


def non_saturating_loss(disc: nn.Module, z_s: Tensor, z_t: Tensor, lam: float) -> Tensor:
    r"""The other adversarial form (GAN, ADDA): f makes target features look like source.

    .. math:: L_f = -E_t \log D(z)

    where the reversal has f minimise ``-L_D``. When D is sure of itself, the gradient of -L_D is
    nearly 0 and that of L_f is not. The value is L_D and its gradient goes to D; the features of
    the target get lam times the gradient of L_f, which D does not see, and those of the source
    get none.

    Parameters, returns and errors are those of `domain_adversarial_loss`.

    References
    ----------
    Goodfellow et al., Generative adversarial nets, NeurIPS 2014; Tzeng et al., Adversarial
    discriminative domain adaptation, CVPR 2017.
    """
    check_features(z_s, z_t)
    loss = _telling_apart(*domain_logits(disc, z_s.detach(), z_t.detach()))
    fixed = {name: p.detach() for name, p in disc.named_parameters()}
    logits = functional_call(disc, fixed, z_t)
    confusion = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    return loss + lam * (confusion - confusion.detach())


def cdan_map(z: Tensor, logits: Tensor) -> Tensor:
    r"""Features together with what the classifier says of them, for a conditional discriminator.

    .. math:: (g, z) \mapsto \operatorname{vec}(g z^\top), \qquad g = \operatorname{softmax}(l)

    D then sees one copy of the features for each class, weighted with its probability, and so
    compares threes with threes. The probabilities are detached: the adversary shall change the
    features, not the answers.

    Parameters
    ----------
    z : tensor (N, d)
    logits : tensor (N, K)

    Returns
    -------
    tensor (N, K * d)

    Raises
    ------
    ValueError
        No two matrices of the same rows.

    References
    ----------
    Long et al., Conditional adversarial domain adaptation, NeurIPS 2018.
    """
    if z.ndim != 2 or logits.ndim != 2 or len(z) != len(logits):
        raise ValueError("cdan_map needs features (N, d) and logits (N, K) of the same rows, got "
                         f"{tuple(z.shape)} and {tuple(logits.shape)}")
    probabilities = logits.softmax(1).detach()
    return (probabilities[:, :, None] * z[:, None, :]).flatten(1)


def discriminator(features: int, *, hidden: int = 64, seed: int) -> nn.Sequential:
    """Make a small discriminator: (N, features) to (N, 1) logits, one hidden layer.

    `seed` draws its weights, and leaves the global random state as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))


def domain_logits(disc: nn.Module, z_s: Tensor, z_t: Tensor) -> tuple[Tensor, Tensor]:
    """What D says of both domains, (n, 1) and (m, 1); refuses a D that always says the same."""
    logits = disc(torch.cat([z_s, z_t]))
    rows = len(z_s) + len(z_t)
    if logits.shape != (rows, 1):
        raise ValueError(f"the discriminator needs one logit a sample, shape ({rows}, 1), got "
                         f"{tuple(logits.shape)}; end it with nn.Linear(..., 1)")
    if (logits == 1).all():
        raise ValueError("the discriminator says exactly 1 of every sample, as a softmax over one "
                         "output does: it can learn nothing; end it with nn.Linear(..., 1)")
    return logits.split([len(z_s), len(z_t)])


def _telling_apart(source: Tensor, target: Tensor) -> Tensor:
    """Mean of the two domains' mean binary cross-entropy."""
    loss = binary_cross_entropy_with_logits
    return (loss(source, torch.ones_like(source)) + loss(target, torch.zeros_like(target))) / 2


@torch.no_grad()
def _accuracy(disc: nn.Module, z_s: Tensor, z_t: Tensor) -> Tensor:
    """Share of samples whose domain D tells, mean of both domains."""
    source, target = domain_logits(disc, z_s, z_t)
    return ((source > 0).double().mean() + (target < 0).double().mean()) / 2


FORMS = {"reversal": domain_adversarial_loss, "non_saturating": non_saturating_loss}
"""The losses that the backbone may get, by the `sign` of `DANN`."""


@dataclass(eq=False)
class DANN(Method, name="dann"):
    r"""Features from which a discriminator D cannot tell the domain.

    .. math:: \min_{f, g} \max_D \; L_\mathrm{source}(g \circ f) - w \lambda(p) L_D(D, z_s, z_t)

    with `dann_lambda` for lambda at the share p of the training. The weight stands in the
    reversal: in front of the loss, it would slow D down as well.

    Parameters
    ----------
    weight : float
    sign : {"reversal", "non_saturating"}
        The loss that the backbone gets: `domain_adversarial_loss` or `non_saturating_loss`.

    References
    ----------
    Ganin et al., Domain-adversarial training of neural networks, JMLR 2016.
    """

    sign: str = "reversal"

    def __post_init__(self):
        super().__post_init__()
        one_of("sign", self.sign, FORMS)

    def inputs(self, z: Tensor, logits: Tensor) -> Tensor:
        """What D sees of samples: the features (n, d)."""
        return z

    def start(self, model: Network, seed: int) -> None:
        head = model.head.weight  # (K, d)
        width = self.inputs(head.new_zeros(1, head.shape[1]), head.new_zeros(1, len(head))).shape[1]
        self.disc = discriminator(width, seed=stream_seed(seed, 2)).to(head.device)
        self.trained = list(self.disc.parameters())

    def loss(self, batch: Batch) -> Term:
        z_s, z_t = self.inputs(batch.z_s, batch.logits_s), self.inputs(batch.z_t, batch.logits_t)
        strength = self.weight * dann_lambda(batch.progress)
        loss = FORMS[self.sign](self.disc, z_s, z_t, strength)
        return Term(loss, loss, _accuracy(self.disc, z_s, z_t))


class CDAN(DANN, name="cdan"):
    """DANN whose discriminator sees the features together with the predictions, `cdan_map`.

    References
    ----------
    Long et al., Conditional adversarial domain adaptation, NeurIPS 2018.
    """

    def inputs(self, z: Tensor, logits: Tensor) -> Tensor:
        """What D sees of samples: features times probabilities, (n, K * d)."""
        return cdan_map(z, logits)
