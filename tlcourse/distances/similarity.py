"""How alike are two descriptions of data? Centred kernel alignment, and the cosine of two means."""

import numpy as np

from tlcourse.utils.arrays import centred, matrix, vector


def cosine_similarity(mean_s, mean_t) -> float:
    """Cosine of the angle between two mean feature vectors, a plain baseline.

    It sees where the two clouds lie from the origin, and neither their spread nor their classes;
    after a ReLU all features are positive and it is near 1 for almost any two domains.

    Parameters
    ----------
    mean_s, mean_t : arrays or tensors (d,)
        Mean features of source and target, under the same network.

    Returns
    -------
    float
        From -1 to 1.

    Raises
    ------
    ValueError
        NaN, other shapes, or a vector of zeros, which has no direction.
    """
    a, b = vector(mean_s, "mean_s"), vector(mean_t, "mean_t")
    if a.shape != b.shape:
        raise ValueError(f"mean_s and mean_t must have the same length, got {len(a)} and {len(b)}; "
                         "take both from one network")
    a, b = (v / (np.abs(v).max() or 1) for v in (a, b))  # no square overflows or vanishes
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    if lengths == 0:
        raise ValueError("a mean of zeros has no direction; take a layer whose features are not "
                         "all 0")
    return float(np.clip(a @ b / lengths, -1, 1))


def cka(x, y, *, debiased: bool = False) -> float:
    r"""Linear centred kernel alignment: are two descriptions of the same samples alike?

    .. math:: \frac{\lVert X^\top Y \rVert_F^2}
                   {\lVert X^\top X \rVert_F \, \lVert Y^\top Y \rVert_F}

    with centred columns. It does not change under rotations and a common scaling of the features
    of either side, and does change under other linear maps.

    Parameters
    ----------
    x : array or tensor (N, d)
    y : array or tensor (N, e)
        Another description of the same N samples, in the same order.
    debiased : bool
        Use the unbiased estimate of each of the three terms, which needs 4 samples. The plain
        form lies near 1 for *any* two descriptions when N is small beside d and e; this one has
        mean about 0 for unrelated ones, and may be negative.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        NaN, other shapes, different numbers of samples, or features that do not vary.

    References
    ----------
    Kornblith, Norouzi, Lee and Hinton, Similarity of neural network representations revisited,
    ICML 2019; Song, Smola, Gretton, Bedo and Borgwardt, Feature selection via dependence
    maximization, JMLR 2012 (the unbiased estimate).
    """
    x, y = (matrix(v, name, rows=4 if debiased else 2) for v, name in ((x, "x"), (y, "y")))
    if len(x) != len(y):
        raise ValueError(f"x and y must describe the same samples, got {len(x)} and {len(y)} rows; "
                         "compute both features on one set of samples")
    x, y = centred(x), centred(y)
    for v, name in ((x, "x"), (y, "y")):
        if not v.any():
            raise ValueError(f"the features {name} are the same for all samples; nothing can be "
                             "compared with a constant")
    x, y = (v / np.abs(v).max() for v in (x, y))
    between, own = _dependence(x, y, debiased), [_dependence(v, v, debiased) for v in (x, y)]
    # 0 where all samples but one are alike, and not above the rounding of what was subtracted.
    if any(o <= 1e-12 * (v**2).sum()**2 for o, v in zip(own, (x, y), strict=True)):
        raise ValueError(f"{len(x)} samples are too few for a debiased estimate of these features; "
                         "take more samples")
    return float(between / np.sqrt(own[0] * own[1]))


def _dependence(x: np.ndarray, y: np.ndarray, debiased: bool) -> float:
    """HSIC of centred features, up to a factor that all three terms of CKA share."""
    n, few_features = len(x), x.shape[1] * y.shape[1] <= len(x)**2
    # The same number in two ways; with few samples the N × N Gram matrices are the smaller ones.
    total = ((x.T @ y)**2).sum() if few_features else ((x @ x.T) * (y @ y.T)).sum()
    if not debiased:
        return total
    # What the diagonals of the two Gram matrices, each sample with itself, have added.
    a, b = (x**2).sum(1), (y**2).sum(1)
    return total - n / (n - 2) * (a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2))
