"""Framing: how the content of a picture fills it, which is preprocessing too."""

import torch
from torch.nn.functional import interpolate


def crop_to_content(X: torch.Tensor, size: int, *, threshold: float = 0.2) -> torch.Tensor:
    """Cut each image to the square around its content and bring it to `size` × `size`.

    Parameters
    ----------
    X : tensor (N, C, H, W), light content on black
    size : int
        Side of the result in pixels.
    threshold : float
        Pixels above this value are content.

    Returns
    -------
    tensor (N, C, size, size)
    """
    cropped = []
    for image in X:
        rows, columns = torch.nonzero(image.amax(0) > threshold, as_tuple=True)
        if len(rows) == 0:  # an empty picture stays an empty picture
            cropped.append(X.new_zeros(X.shape[1], size, size))
            continue
        (top, bottom), (left, right) = rows.aminmax(), columns.aminmax()
        side = int(max(bottom - top, right - left)) + 1
        square = X.new_zeros(X.shape[1], side, side)
        cut = image[:, top : bottom + 1, left : right + 1]
        down, across = (side - cut.shape[1]) // 2, (side - cut.shape[2]) // 2
        square[:, down : down + cut.shape[1], across : across + cut.shape[2]] = cut
        cropped.append(resize(square[None], size)[0])
    return torch.stack(cropped)


def resize(X: torch.Tensor, size: int) -> torch.Tensor:
    """Bring images (N, C, H, W) with values in [0, 1] to `size` × `size` pixels."""
    if X.shape[-2:] == (size, size):
        return X
    return interpolate(X, (size, size), mode="bilinear", antialias=True).clamp(0, 1)
