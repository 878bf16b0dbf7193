"""Which model, which step, which weight, when no target label may be looked at?

Every score here is larger for a better model, or should be: how well each one chooses is
measured in lesson 06. Only `oracle_accuracy` sees target labels.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tlcourse.data.domain import Domain
from tlcourse.models.network import Network
from tlcourse.reweight import density_ratio_weights
from tlcourse.training import accuracy, predict


def source_validation(model: nn.Module, validation: Domain) -> float:
    """Accuracy on held-out source samples, 0 to 1: what it says of the target is what we ask."""
    return accuracy(model, validation)


def negative_entropy(model: nn.Module, target_x: Tensor) -> float:
    r"""How sure the model is of the target: minus the mean entropy of its predictions, in nats.

    .. math:: \frac1m \sum_i \sum_k p_{ik} \log p_{ik}

    From -log K, when all classes are equally likely, to 0. A model that calls every sample the
    same is sure as well.

    Parameters
    ----------
    model : Module
        (m, ...) to logits (m, K).
    target_x : tensor (m, ...)

    References
    ----------
    Morerio, Cavazza and Murino, Minimal-entropy correlation alignment, ICLR 2018.
    """
    log_p = predict(model, target_x).double().log_softmax(1)
    return float((log_p.exp() * log_p).sum(1).mean())


def soft_neighbourhood_density(
    model: nn.Module, target_x: Tensor, *, temperature: float = 0.05
) -> float:
    r"""How densely the predictions on the target lie together, without being all the same.

    .. math:: \frac1m \sum_i H\left(\operatorname{softmax}_{j \ne i}
              \frac{p_i^\top p_j}{\|p_i\| \|p_j\| \tau}\right)

    The entropy H, in nats, is large where a sample has many near neighbours. Memory is O(m²).

    Parameters
    ----------
    model : Module
    target_x : tensor (m, ...), m >= 3
    temperature : float
        The smaller, the fewer neighbours count.

    Returns
    -------
    float
        0 to log(m - 1).

    Raises
    ------
    ValueError
        Fewer than three samples.

    References
    ----------
    Saito et al., Tune it the right way: unsupervised validation of domain adaptation via soft
    neighborhood density, ICCV 2021.
    """
    if len(target_x) < 3:
        raise ValueError(f"neighbourhoods need at least 3 samples, got {len(target_x)}; "
                         "give more")
    p = nn.functional.normalize(predict(model, target_x).double().softmax(1))
    similarity = p @ p.T / temperature
    others = ~torch.eye(len(p), dtype=torch.bool)
    log_q = similarity[others].view(len(p), -1).log_softmax(1)
    return float(-(log_q.exp() * log_q).sum(1).mean())


def importance_weighted_validation(
    model: Network, validation: Domain, target_x: Tensor, *, seed: int = 0
) -> float:
    r"""Accuracy on held-out source samples, each weighted by how much it looks like the target.

    .. math:: \frac1n \sum_i w(x_i) \, [\hat y_i = y_i], \qquad w \propto p_t / p_s, \; \bar w = 1

    The ratio is estimated on the model's features. Deep embedded validation (You et al., 2019)
    adds eta (mean w - 1) to keep the variance low; that is 0 here, for the weights have mean 1.

    Parameters
    ----------
    model : Network
    validation : Domain
        Source samples that the model was not trained on.
    target_x : tensor (m, ...)
    seed : int
        For the folds of `tlcourse.reweight.density_ratio_weights`.

    References
    ----------
    Sugiyama, Krauledat and Müller, Covariate shift adaptation by importance weighted cross
    validation, JMLR 2007.
    """
    z_s, z_t = (predict(model.backbone, x) for x in (validation.X, target_x))
    weights = density_ratio_weights(z_s, z_t, seed=seed)
    right = predict(model, validation.X).argmax(1) == validation.y
    return float(np.mean(np.asarray(weights) * right.numpy()))


def oracle_accuracy(model: nn.Module, target: Domain) -> float:
    """Accuracy on labelled target samples: a choice by it is not unsupervised adaptation."""
    return accuracy(model, target)
