"""Alignment that trains nothing: new statistics, or a rotation of the features."""

import torch
from torch import Tensor, nn

from tlcourse.distances.discrepancy import check_features
from tlcourse.finetune.freezing import is_frozen


@torch.no_grad()
def adapt_batchnorm(model: nn.Module, target_x: Tensor, *, batch_size: int = 512) -> nn.Module:
    """Replace the statistics of batch normalisation by those of the target (AdaBN).

    No parameter changes: only the running means and variances, which become the averages over
    the batches of one pass. Layers that `tlcourse.finetune.freezing.freeze` holds keep theirs.

    Parameters
    ----------
    model : Module
        Changed in place, and left in evaluation mode.
    target_x : tensor (m, ...), m >= 2
    batch_size : int
        At most so many samples at once, at least 2.

    Returns
    -------
    Module
        The same module.

    Raises
    ------
    ValueError
        A model without running statistics that may change, fewer than two samples, or NaN.

    References
    ----------
    Li et al., Adaptive batch normalization for practical domain adaptation, Pattern Recognition
    2018.
    """
    layers = normalisations(model)
    if len(target_x) < 2 or batch_size < 2:
        raise ValueError(f"statistics need at least 2 samples, got {len(target_x)} in batches of "
                         f"{batch_size}; give more")
    require_finite(target_x)
    before = [layer.momentum for layer in layers]
    model.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain average over all batches
        layer.train()
    for x in target_x.chunk(-(-len(target_x) // batch_size)):
        model(x.to(layers[0].running_mean.device))
    for layer, momentum in zip(layers, before, strict=True):
        layer.momentum = momentum
    return model.eval()


def require_finite(target_x: Tensor) -> None:
    """Refuse target samples with NaN or infinite values, and say how many there are."""
    if not torch.isfinite(target_x).all():
        bad = int((~torch.isfinite(target_x)).flatten(1).any(1).sum())
        raise ValueError(f"{bad} of {len(target_x)} target samples hold NaN or infinite values; "
                         "leave them out")


def normalisations(model: nn.Module) -> list[nn.Module]:
    """Layers of batch normalisation whose running statistics may change; refuses to find none."""
    kind = nn.modules.batchnorm._BatchNorm
    layers = [m for m in model.modules() if isinstance(m, kind) and m.running_mean is not None]
    if not layers:
        raise ValueError(f"this {type(model).__name__} has no batch normalisation, so there are no "
                         "statistics to adapt; use another method")
    if all(map(is_frozen, layers)):
        raise ValueError(f"all batch normalisation of this {type(model).__name__} is frozen, so "
                         "its statistics must not change; unfreeze the model first")
    return [layer for layer in layers if not is_frozen(layer)]


def subspace_alignment(x_s: Tensor, x_t: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    r"""Rotate the main directions of the source onto those of the target; nothing is trained.

    .. math:: z_s = (x_s - \bar x_s) P_s P_s^\top P_t, \qquad z_t = (x_t - \bar x_t) P_t

    with the first `dim` principal directions P (d, dim) of each domain.

    Parameters
    ----------
    x_s, x_t : tensor (n, d), (m, d)
    dim : int
        At most d, n - 1 and m - 1.

    Returns
    -------
    tensor (n, dim), tensor (m, dim)
        Aligned source and projected target, both centred: train a classifier on the one and use
        it on the other.

    Raises
    ------
    ValueError
        Other shapes, NaN, or more directions than there are.

    References
    ----------
    Fernando et al., Unsupervised visual domain adaptation using subspace alignment, ICCV 2013.
    """
    check_features(x_s, x_t)
    most = min(x_s.shape[1], len(x_s) - 1, len(x_t) - 1)
    if not 1 <= dim <= most:
        raise ValueError(f"dim is at least 1 and, with these samples, at most {most}, got {dim}")
    x_s, x_t = x_s - x_s.mean(0), x_t - x_t.mean(0)
    p_s, p_t = (torch.linalg.svd(x, full_matrices=False)[2][:dim].T for x in (x_s, x_t))
    return x_s @ p_s @ p_s.T @ p_t, x_t @ p_t
