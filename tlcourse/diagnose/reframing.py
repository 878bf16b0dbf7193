"""Framing and brightness of pictures: measured, and changed to those of another domain."""

import torch
from torch.nn.functional import pad

from tlcourse.data.framing import crop_to_content

CONTENT = 0.2
"""A pixel that differs from the background by more than this is content."""


def as_in(X: torch.Tensor, own: torch.Tensor, source: torch.Tensor) -> dict[str, torch.Tensor]:
    """Pictures prepared as the source's are, in each way in which the two domains differ.

    Parameters
    ----------
    X : tensor (N, C, H, W)
        Pictures of the target.
    own, source : tensors (n, C, H, W), (m, C, H, W)
        Samples of target and source, from which the preparation of each is read.

    Returns
    -------
    dict of what was done -> tensor (N, C, H, W)
    """
    fill = frame_filled(source)
    found = {"the source's brightness and contrast": _recoloured(X, own, source)}
    if (_ground(source) - _ground(own)).abs().max() > 0.5:
        found["light and dark exchanged"] = 1 - X
    if abs(fill - frame_filled(own)) > 0.05:
        framed = _framed(X, fill)
        found["the source's framing"] = framed
        found["the source's framing and brightness"] = _recoloured(framed, _framed(own, fill),
                                                                   source)
    return found


def _recoloured(X: torch.Tensor, own: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    (m, s), (m_like, s_like) = ((x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True))
                                for x in (own, like))
    return ((X - m) / s.clamp_min(1e-6) * s_like + m_like).clamp(0, 1)


def frame_filled(X: torch.Tensor) -> float:
    """Median share of an image's side that its content spans; (N, C, H, W) on a plain ground."""
    content = (X - _ground(X)).abs().amax(1) > CONTENT
    spans = []
    for axis in (1, 2):
        seen = content.any(axis).int()
        first, last = seen.argmax(1), seen.shape[1] - 1 - seen.flip(1).argmax(1)
        spans.append(torch.where(seen.any(1), last - first + 1, 0) / seen.shape[1])
    return float(torch.maximum(*spans).median())


def _ground(X: torch.Tensor) -> torch.Tensor:
    """Colour of the background: the median along the border of all images, (1, C, 1, 1)."""
    border = torch.cat([X[..., 0], X[..., -1], X[..., 0, :], X[..., -1, :]], 2)
    return border.movedim(1, 0).flatten(1).median(1).values.view(1, -1, 1, 1)


def _framed(X: torch.Tensor, fill: float) -> torch.Tensor:
    """Images whose content spans this share of their side, in the middle."""
    side, channels, ground = X.shape[-1], X.shape[1], _ground(X)
    lighter, darker = (X - ground).clamp_min(0), (ground - X).clamp_min(0)  # 0 is the background
    size = min(side, max(1, round(fill * side)))
    content = crop_to_content(torch.cat([lighter, darker], 1), size)
    before = (side - size) // 2
    content = pad(content, [before, side - size - before] * 2)
    return (ground + content[:, :channels] - content[:, channels:]).clamp(0, 1)
