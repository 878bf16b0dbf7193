"""Numbers from NumPy or PyTorch as float64 arrays, or a sentence that says what is wrong."""

import numpy as np
import torch

from tlcourse.utils.messages import counted


def matrix(x, name: str, *, rows: int = 2) -> np.ndarray:
    """A table of finite numbers.

    Parameters
    ----------
    x : array or tensor (N, d), or (N,) for N samples of one number
    name : str
        How a message calls it.
    rows : int
        The fewest samples that the caller can work with.

    Returns
    -------
    float64 array (N, d)

    Raises
    ------
    ValueError
        Another shape, too few samples, NaN or infinite values.
    """
    x = _numbers(x, name)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"{name} must be a table of shape (samples, features), got {x.shape}; "
                         "flatten each sample first")
    if len(x) < rows:
        raise ValueError(f"{name} has {counted(len(x), 'sample')} where at least {rows} are "
                         "needed; take more samples")
    return x


def vector(x, name: str) -> np.ndarray:
    """A float64 array (d,) of finite numbers; ValueError as in `matrix`."""
    x = _numbers(x, name)
    if x.ndim != 1 or len(x) == 0:
        raise ValueError(f"{name} must be a vector of shape (features,), got {x.shape}; average "
                         "over the samples first")
    return x


def same_width(x: np.ndarray, y: np.ndarray, names: str) -> None:
    """Refuse two tables of different numbers of features."""
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"{names} must have the same features, got {x.shape[1]} and {y.shape[1]}; "
                         "take both from one network")


def centred(x: np.ndarray) -> np.ndarray:
    """Columns less their means; one that does not vary is 0, without a rest of rounding."""
    return np.where(np.ptp(x, axis=0) > 0, x - x.mean(0), 0.0)


def classes_of(y, n: int | None, name: str = "y") -> tuple[np.ndarray, np.ndarray]:
    """The classes that occur, and which of them each sample has.

    Parameters
    ----------
    y : array or tensor (n,) of whole numbers
    n : int or None
        How many labels there must be; None takes any number from 2 on.

    Returns
    -------
    classes : array (K,)
    index : int array (n,), from 0 to K - 1

    Raises
    ------
    ValueError
        Another shape or number, or labels that are no whole numbers.
    """
    y = _numbers(y, name)
    if y.ndim != 1 or (n is not None and len(y) != n):
        wanted = "one label a sample" if n is None else f"one label for each of {n} samples"
        raise ValueError(f"{name} must hold {wanted}, got shape {y.shape}; a one-hot table becomes "
                         "labels by argmax(1)")
    if len(y) < 2:
        raise ValueError(f"{name} has {counted(len(y), 'label')} where at least 2 are needed; "
                         "take more samples")
    if (y != np.round(y)).any():
        raise ValueError(f"{name} must hold class numbers, got {y[y != np.round(y)][0]:g}; give "
                         "each class a whole number")
    return np.unique(y.astype(np.int64), return_inverse=True)


def _numbers(x, name: str) -> np.ndarray:
    if isinstance(x, torch.Tensor):
        x = x.detach().cpu().double().numpy()
    try:
        x = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array or a tensor of numbers, got "
                         f"{type(x).__name__} ({error})") from None
    if not np.isfinite(x).all():
        raise ValueError(f"{name} is NaN or infinite in {int((~np.isfinite(x)).sum())} of {x.size} "
                         "values; find the samples that they come from")
    return x
