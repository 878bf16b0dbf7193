"""Moving instances: weigh the source samples so that together they look like the target."""

import numpy as np

from tlcourse.utils.arrays import matrix, same_width, vector

FOLDS = 5


def density_ratio_weights(x_s, x_t, *, seed: int = 0) -> np.ndarray:
    r"""Weights of source samples, proportional to how much denser the target is where they lie.

    .. math:: w(x) \propto \frac{p_t(x)}{p_s(x)}
              \propto \frac{P(\text{target} \mid x)}{P(\text{source} \mid x)}

    The odds on the right come from a regularised logistic regression on the standardised features
    and their squares: with these the true ratio of two Gaussians is among its answers, as long
    as their features are uncorrelated within each or have equal covariances. Each sample is
    weighed by a model that was fitted without it.

    Look at the `effective_sample_size` before you train with the weights. And where the target
    lies outside of all source samples no weight can repair that, and the regularisation may even
    keep the weights alike: `tlcourse.distances.domain_distance.proxy_a_distance` is then 2.

    Parameters
    ----------
    x_s, x_t : arrays or tensors (n, d) and (m, d)
        Source and target, at least 5 samples each. No labels are used.
    seed : int
        Draws the five folds.

    Returns
    -------
    float64 array (n,)
        Positive, mean 1.

    Raises
    ------
    ValueError
        NaN, different widths or too few samples.

    References
    ----------
    Bickel, Brückner and Scheffer, Discriminative learning for differing training and test
    distributions, ICML 2007; Shimodaira, Improving predictive inference under covariate shift,
    Journal of Statistical Planning and Inference 2000.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x_s, x_t = matrix(x_s, "x_s", rows=FOLDS), matrix(x_t, "x_t", rows=FOLDS)
    same_width(x_s, x_t, "x_s and x_t")
    x = StandardScaler().fit_transform(np.concatenate([x_s, x_t]))
    is_target = np.repeat([0, 1], [len(x_s), len(x_t)])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    log_odds = cross_val_predict(model, np.concatenate([x, x**2], axis=1), is_target, cv=folds,
                                 method="decision_function")[: len(x_s)]
    weights = np.exp(log_odds - log_odds.max())
    return weights / weights.mean()


def effective_sample_size(weights) -> float:
    r"""How many equally weighted samples are worth as much as these weighted ones.

    .. math:: \frac{\left(\sum_i w_i\right)^2}{\sum_i w_i^2}

    Parameters
    ----------
    weights : array or tensor (n,)
        At least 0, not all 0; their scale does not matter.

    Returns
    -------
    float
        From 1, when one sample has all the weight, to n.

    Raises
    ------
    ValueError
        NaN, weights below 0, or all of them 0.

    References
    ----------
    Kish, Survey sampling, Wiley 1965.

    Examples
    --------
    >>> effective_sample_size([1, 1, 1, 1]), effective_sample_size([1, 0, 0, 0])
    (4.0, 1.0)
    """
    w = vector(weights, "weights")
    if w.min() < 0 or w.max() == 0:
        raise ValueError(f"weights must be at least 0 and not all 0, got {w.min():.3g} to "
                         f"{w.max():.3g}; take densities, not their logarithms")
    w = w / w.max()
    return float(w.sum()**2 / (w**2).sum())
