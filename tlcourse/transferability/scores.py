"""Which source suits a target? Scores that need its labels and one forward pass, no training.

LEEP and NCE look at what a source network *answers* on the target, the H-score and LogME at the
*features* it computes there. All of them take NumPy arrays or tensors, compute in float64 and
return a float in nats (the H-score has no unit); larger is better. They rank sources on one
target: the number alone says nothing about the accuracy to come.
"""

import numpy as np

from tlcourse.distances.domain_distance import mmd_permutation_test, proxy_a_distance
from tlcourse.distances.similarity import cka, cosine_similarity
from tlcourse.utils.arrays import centred, classes_of, matrix

__all__ = ["cka", "cosine_similarity", "h_score", "leep", "logme", "mmd_permutation_test", "nce",
           "proxy_a_distance"]


def leep(source_probs, y) -> float:
    r"""Log expected empirical prediction: how well the source's answers predict the target's.

    .. math:: \frac1N \sum_i \log \sum_z \hat P(y_i \mid z) \, \theta(x_i)_z, \qquad
              \hat P(y, z) = \frac1N \sum_{i: y_i = y} \theta(x_i)_z

    A source class z that no sample gets any probability of adds nothing to either sum.

    Parameters
    ----------
    source_probs : array or tensor (N, Z)
        :math:`\theta(x_i)`, the source network's probabilities, rows that add up to 1.
    y : array or tensor (N,)
        Target labels, whole numbers.

    Returns
    -------
    float
        From -H(y), where the answers say nothing of the labels, to 0.

    Raises
    ------
    ValueError
        NaN, one sample, other shapes, or rows that are no probabilities (logits, for instance).

    References
    ----------
    Nguyen, Hassner, Seeger and Archambeau, LEEP: a new measure to evaluate transferability of
    learned representations, ICML 2020.
    """
    theta = matrix(source_probs, "source_probs")
    _, y = classes_of(y, len(theta))
    sums = theta.sum(1)
    if theta.min() < -1e-6 or np.abs(sums - 1).max() > 1e-3:
        raise ValueError(f"source_probs must be probabilities, rows that add up to 1; got values "
                         f"from {theta.min():.3g} and a row that adds up to "
                         f"{sums[np.abs(sums - 1).argmax()]:.3g}; put logits through a softmax")
    joint = np.zeros((y.max() + 1, theta.shape[1]))
    np.add.at(joint, y, theta)
    seen = joint.sum(0)
    given_z = np.divide(joint, seen, out=np.zeros_like(joint), where=seen > 0)
    return float(np.log((given_z[y] * theta).sum(1)).mean())


def nce(source_labels, y) -> float:
    r"""Negative conditional entropy of the target labels, given the source's answers.

    .. math:: -H(y \mid z) = \sum_{y, z} \hat P(y, z) \log \hat P(y \mid z)

    It is `leep` where the source answers with certainty.

    Parameters
    ----------
    source_labels : array or tensor (N,)
        The class z that the source network gives to each target sample.
    y : array or tensor (N,)
        Target labels.

    Returns
    -------
    float
        From -H(y) to 0.

    Raises
    ------
    ValueError
        One sample, unequal lengths, or labels that are no whole numbers.

    References
    ----------
    Tran, Nguyen and Hassner, Transferability and hardness of supervised classification tasks,
    ICCV 2019.
    """
    classes, z = classes_of(source_labels, None, "source_labels")
    _, y = classes_of(y, len(z))
    joint = np.zeros((y.max() + 1, len(classes)))
    np.add.at(joint, (y, z), 1.0)
    given_z = joint / joint.sum(0)
    there = joint > 0
    return float((joint[there] * np.log(given_z[there])).sum() / len(y))


def h_score(features, y) -> float:
    r"""How much of the features' variation is variation between the classes.

    .. math:: \operatorname{tr}\left(\operatorname{cov}(f)^+
              \operatorname{cov}(\mathbb E[f \mid y])\right)

    with the same degrees of freedom in both covariances and the pseudo-inverse :math:`{}^+`.

    Parameters
    ----------
    features : array or tensor (N, d)
    y : array or tensor (N,)

    Returns
    -------
    float
        From 0 to the number of classes less 1. With d near N or above it is at its upper end
        whatever the features are worth: keep d well below N.

    Raises
    ------
    ValueError
        NaN, one sample, or other shapes.

    References
    ----------
    Bao, Li, Huang, Zhang, Zheng, Zamir and Guibas, An information-theoretic approach to
    transferability in task transfer learning, ICIP 2019.
    """
    f = matrix(features, "features")
    _, y = classes_of(y, len(f))
    _, along, _ = _project(centred(f), np.eye(y.max() + 1)[y])
    # The features' own directions u make cov(f) the identity, so the trace is a sum of squares.
    return float((along**2 / np.bincount(y)).sum())


def logme(features, y) -> float:
    r"""Log maximum evidence of a Bayesian linear model from the features to each class.

    The 0/1 indicator t of a class is modelled as :math:`t = F w + \varepsilon` with
    :math:`w \sim N(0, \alpha^{-1} I)` and :math:`\varepsilon \sim N(0, \beta^{-1} I)`:

    .. math:: \frac1N \max_{\alpha, \beta} \log p(t \mid F, \alpha, \beta)
              = \frac1N \max_{\alpha, \beta} \log N(t; 0, \alpha^{-1} F F^\top + \beta^{-1} I)

    averaged over the classes that occur. The features are not centred.

    Parameters
    ----------
    features : array or tensor (N, d)
    y : array or tensor (N,)

    Returns
    -------
    float
        Evidence in nats for each sample; positive where the fit is close. Where the features fit
        a class exactly it has no maximum: the noise is then held at 1e-15 of the signal.

    Raises
    ------
    ValueError
        NaN, one sample, or other shapes.

    References
    ----------
    You, Liu, Wang and Long, LogME: practical assessment of pre-trained models for transfer
    learning, ICML 2021.
    """
    f = matrix(features, "features")
    _, y = classes_of(y, len(f))
    s, along, rest = _project(f, np.eye(y.max() + 1)[y])
    return float(np.mean([_best_evidence(s, a**2, r, len(f))
                          for a, r in zip(along.T, rest, strict=True)]))


def _project(f: np.ndarray, targets: np.ndarray):
    """Write targets in the orthonormal directions u that the columns of `f` span.

    One QR of both side by side, then an SVD of the small triangle: no Gram matrix, whose
    eigenvalues would lose half of the digits, and no matrix of N rows beside the given ones.

    Returns
    -------
    s : array (r,), squared singular values of `f`, those above rounding
    along : array (r, K), u·t for each target t
    rest : array (K,), squared length of what of t the features cannot express
    """
    d = f.shape[1]
    triangle = np.linalg.qr(np.concatenate([f, targets], axis=1), mode="r")
    u, s, _ = np.linalg.svd(triangle[:d, :d], full_matrices=False)
    along = u.T @ triangle[:d, d:]
    real = s > max(f.shape) * np.finfo(float).eps * max(s[0], np.finfo(float).tiny)
    rest = (triangle[d:, d:]**2).sum(0) + (along[~real]**2).sum(0)
    return s[real]**2, along[real], rest


def _best_evidence(s: np.ndarray, along2: np.ndarray, rest: float, n: int) -> float:
    """Maximum over alpha and beta of the log evidence of one target, divided by n.

    In the directions u the evidence is a product over coordinates of variance (1 + s/r)/beta,
    r = alpha/beta. For a given r the best 1/beta is a mean, so one number is left to search: on a
    grid first, for there may be two maxima.
    """
    from scipy.optimize import minimize_scalar

    least = 1e-15 * (along2.sum() + rest) / n

    def negative(log_r):
        scale = 1 + s / np.exp(log_r)[..., None]
        noise = np.maximum(((along2 / scale).sum(-1) + rest) / n, least)
        fit = ((along2 / scale).sum(-1) + rest) / noise
        return (n * np.log(2 * np.pi * noise) + np.log(scale).sum(-1) + fit) / (2 * n)

    if len(s) == 0:
        return float(-negative(np.zeros(())))
    grid = np.linspace(np.log(s.min()) - 35, np.log(s.max()) + 35, 200)
    values = negative(grid)
    best = values.argmin()
    around = grid[[max(best - 1, 0), min(best + 1, len(grid) - 1)]]
    found = minimize_scalar(lambda r: negative(np.asarray(r)), bounds=around, method="bounded",
                            options={"xatol": 1e-6})
    return float(-min(found.fun, values[best]))
