"""How far apart are two domains? What a classifier can tell of them, and a test by permutation."""

import numpy as np

from tlcourse.distances.discrepancy import SPREAD
from tlcourse.utils.arrays import matrix, same_width

MOST_SAMPLES = 10_000
"""Of both domains together: the test holds two tables of all pairs, 0.8 GB each."""


def proxy_a_distance(z_s, z_t, *, seed: int = 0) -> float:
    r"""Proxy A-distance: how well a linear classifier tells source from target.

    .. math:: \hat d_A = 2 (1 - 2 \epsilon)

    where :math:`\epsilon` is the error of a logistic regression, regularised with C = 0.1, on
    standardised features: the mean of the errors on source and on target, so that unequal numbers
    do not tilt it. It is measured on a half of each domain that was used neither to fit nor to
    tune.

    Parameters
    ----------
    z_s, z_t : arrays or tensors (n, d) and (m, d)
        Features of source and target.
    seed : int
        Draws the halves.

    Returns
    -------
    float
        About 0 where they cannot be told apart, 2 where they always can. Not clipped: chance can
        take it a little below 0.

    Raises
    ------
    ValueError
        NaN, different widths, or fewer than 2 samples of a domain.

    References
    ----------
    Ben-David, Blitzer, Crammer and Pereira, Analysis of representations for domain adaptation,
    NeurIPS 2006.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    z, is_target = _pooled(z_s, z_t)
    fit_on, held_out = train_test_split(np.arange(len(z)), test_size=0.5, stratify=is_target,
                                        random_state=seed)
    model = make_pipeline(StandardScaler(),
                          LogisticRegression(C=0.1, class_weight="balanced", max_iter=200))
    model.fit(z[fit_on], is_target[fit_on])
    error = 1 - balanced_accuracy_score(is_target[held_out], model.predict(z[held_out]))
    return float(2 * (1 - 2 * error))


def mmd_permutation_test(
    z_s, z_t, *, permutations: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Do two samples come from one distribution? The squared MMD, and how often chance gives it.

    If they do, who belongs to which sample is an accident: the memberships are exchanged at
    random, and the p-value is the share of exchanges, the true one counted, with an MMD at least
    as large. The kernel depends on the pooled sample alone, so one table of all pairs serves
    every exchange: time and memory grow with (n + m)².

    Parameters
    ----------
    z_s, z_t : arrays or tensors (n, d) and (m, d)
    permutations : int
    seed : int

    Returns
    -------
    statistic : float
        The unbiased `tlcourse.distances.mmd2` with its default bandwidths; may be below 0.
    p_value : float
        At least 1 / (permutations + 1).

    Raises
    ------
    ValueError
        NaN, different widths, fewer than 2 samples of a domain or too many together.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf and Smola, A kernel two-sample test, JMLR 2012.
    """
    z, is_target = _pooled(z_s, z_t)
    if permutations < 1:
        raise ValueError(f"a permutation test needs at least 1 permutation, got {permutations}")
    if len(z) > MOST_SAMPLES:
        raise ValueError(f"{len(z)} samples make a table of {len(z)}² pairs; draw at most "
                         f"{MOST_SAMPLES} of them")
    kernel = _mean_kernel(z)
    np.fill_diagonal(kernel, 0)  # unbiased: no sample is paired with itself
    rng = np.random.default_rng(seed)
    members = [is_target, *(rng.permutation(is_target) for _ in range(permutations))]
    values = _mmd2(kernel, np.array(members, dtype=float).T)
    # Rounding must not decide between exchanges that are equal, such as those of equal samples.
    as_large = (values[1:] >= values[0] - 1e-12).sum()
    return float(values[0]), float((1 + as_large) / (1 + permutations))


def _pooled(z_s, z_t) -> tuple[np.ndarray, np.ndarray]:
    """Both samples as one table, and which rows are the target's."""
    z_s, z_t = matrix(z_s, "z_s"), matrix(z_t, "z_t")
    same_width(z_s, z_t, "z_s and z_t")
    return np.concatenate([z_s, z_t]), np.repeat([0, 1], [len(z_s), len(z_t)])


def _mean_kernel(z: np.ndarray) -> np.ndarray:
    """The kernel of `tlcourse.distances.mmd2` for all pairs, in float64."""
    from scipy.spatial.distance import squareform

    z = z - z.mean(0)  # distances are the same, and small beside the rounding of the squares
    squares = (z**2).sum(1)
    distance2 = squares[:, None] + squares - 2 * z @ z.T
    distance2[distance2 < 1e-13 * squares.max()] = 0  # equal rows, but for rounding
    pairs = np.sqrt(squareform(distance2, checks=False))
    middle = np.median(pairs) or pairs.mean() or 1.0
    kernel = np.zeros_like(distance2)
    for factor in SPREAD:
        kernel += np.exp(distance2 / (-2 * (factor * middle)**2)) / len(SPREAD)
    return kernel


def _mmd2(kernel: np.ndarray, is_target: np.ndarray) -> np.ndarray:
    """Unbiased squared MMD for each column of memberships, from a kernel with an empty diagonal."""
    m = is_target[:, 0].sum()
    n = len(kernel) - m
    with_target = kernel @ is_target
    target = (is_target * with_target).sum(0)
    across = with_target.sum(0) - target
    source = kernel.sum() - target - 2 * across
    return source / (n * (n - 1)) + target / (m * (m - 1)) - 2 * across / (n * m)
