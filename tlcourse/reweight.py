"""Moving instances: weigh or select source samples, so that they serve the target."""

from dataclasses import dataclass

import numpy as np

from tlcourse.utils.arrays import classes_of, matrix, same_width, vector

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


def select(x_s, x_t, share: float, *, seed: int = 0) -> np.ndarray:
    """Choose the source samples that are most like the target.

    Parameters
    ----------
    x_s, x_t : arrays or tensors (n, d) and (m, d)
        As for `density_ratio_weights`, which ranks the samples. No labels are used.
    share : float
        Of the source samples, above 0 and up to 1; at least one is chosen.
    seed : int
        Draws the folds.

    Returns
    -------
    int array (round(share * n),)
        Rows of `x_s`, the one most like the target first.

    Raises
    ------
    ValueError
        A share out of range, or what `density_ratio_weights` refuses.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is above 0 and up to 1, got {share}")
    weights = density_ratio_weights(x_s, x_t, seed=seed)
    return np.argsort(-weights, kind="stable")[: max(round(share * len(weights)), 1)]


@dataclass
class TrAdaBoost:
    """Classifiers of several rounds that vote, fitted by `trada_boost`.

    Parameters
    ----------
    classes : array (K,)
    estimators : list
        One classifier a round.
    errors : list of float
        The share of the target's weight that each gets wrong.
    sample_weights : array (rounds + 1, n + m)
        Before the first round and after each one: n source samples, then m of the target.
    """

    classes: np.ndarray
    estimators: list
    errors: list[float]
    sample_weights: np.ndarray

    def predict_proba(self, x) -> np.ndarray:
        """The share of the votes that each class gets, (N, K); the first half has no vote."""
        x, first = matrix(x, "x", rows=1), len(self.estimators) // 2
        votes = np.zeros((len(x), len(self.classes)))
        for estimator, error in zip(self.estimators[first:], self.errors[first:], strict=True):
            votes += np.log(1 / _beta(error)) * (estimator.predict(x)[:, None] == self.classes)
        return votes / votes.sum(1, keepdims=True)

    def predict(self, x) -> np.ndarray:
        """The class with most votes for each row, (N,)."""
        return self.classes[self.predict_proba(x).argmax(1)]


def trada_boost(x_s, y_s, x_t, y_t, *, rounds: int = 10, estimator=None) -> TrAdaBoost:
    r"""Boost on source and target together: source samples that mislead lose their weight.

    In round t a classifier h is fitted to all samples with weights w. With its weighted error
    :math:`\epsilon` on the target samples alone,

    .. math:: w_i \leftarrow w_i \, \beta^{[h(x_i) \ne y_i]} \text{ for the source}, \qquad
              w_j \leftarrow w_j \, \beta_t^{-[h(x_j) \ne y_j]} \text{ for the target},

    .. math:: \beta = \frac{1}{1 + \sqrt{2 \ln n / T}}, \qquad
              \beta_t = \frac{\epsilon}{1 - \epsilon}

    for n source samples and T rounds. So weights of the source only fall, and those of the target
    only rise. An error of one half or more ends it. The later half of the rounds votes, each with
    :math:`\ln (1 / \beta_t)`.

    Parameters
    ----------
    x_s, y_s : arrays or tensors (n, d) and (n,)
        Source.
    x_t, y_t : arrays or tensors (m, d) and (m,)
        The few labelled samples of the target.
    rounds : int
        T, at least 1.
    estimator : scikit-learn classifier, optional
        One that takes ``sample_weight``. None: logistic regression.

    Returns
    -------
    TrAdaBoost

    Raises
    ------
    ValueError
        Inputs of other shapes or with NaN, no rounds, or a first classifier that is wrong on half
        of the target or more.

    References
    ----------
    Dai, Yang, Xue and Yu, Boosting for transfer learning, ICML 2007; for more than two classes the
    votes are counted for each.
    """
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression

    x_s, x_t = matrix(x_s, "x_s"), matrix(x_t, "x_t")
    same_width(x_s, x_t, "x_s and x_t")
    classes_of(y_s, len(x_s), "y_s"), classes_of(y_t, len(x_t), "y_t")
    if not isinstance(rounds, int | np.integer) or rounds < 1:
        raise ValueError(f"rounds is a whole number of at least 1, got {rounds!r}")
    n, x = len(x_s), np.concatenate([x_s, x_t])
    y = np.concatenate([vector(y_s, "y_s"), vector(y_t, "y_t")]).astype(np.int64)
    beta = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))
    weights, estimators, errors = [np.ones(len(x))], [], []
    for _ in range(rounds):
        w = weights[-1]
        fitted = clone(LogisticRegression(max_iter=1000) if estimator is None else estimator)
        wrong = fitted.fit(x, y, sample_weight=w / w.mean()).predict(x) != y
        error = float(w[n:] @ wrong[n:] / w[n:].sum())
        if error >= 0.5:
            break
        estimators.append(fitted)
        errors.append(error)
        weights.append(w * np.where(wrong, np.repeat([beta, 1 / _beta(error)], [n, len(x_t)]), 1))
    if not estimators:
        raise ValueError(f"the first classifier is wrong on {error:.0%} of the target, where less "
                         "than half is needed; give more target samples, or leave the source out")
    return TrAdaBoost(np.unique(y), estimators, errors, np.stack(weights))


def _beta(error: float) -> float:
    """error / (1 - error); of no error at all, a little, for its logarithm is needed."""
    error = max(error, 1e-10)
    return error / (1 - error)
