"""Framing: the square around the content, on pictures whose answer is drawn by hand."""

import pytest
import torch

from tlcourse.data.framing import crop_to_content, resize


def picture(*, rows, columns, value=1.0, channels=1):
    X = torch.zeros(1, channels, 10, 12)
    X[:, -1, rows, columns] = value
    return X


@pytest.mark.parametrize(("rows", "columns", "expected"), [
    (slice(2, 5), slice(7, 8), [[0, 1, 0], [0, 1, 0], [0, 1, 0]]),
    (slice(0, 1), slice(9, 12), [[0, 0, 0], [1, 1, 1], [0, 0, 0]]),
    (slice(7, 10), slice(4, 7), [[1, 1, 1]] * 3),
])
def test_the_square_holds_all_of_the_content_in_its_middle(rows, columns, expected):
    for channels in (1, 3):  # content of the last channel only
        found = crop_to_content(picture(rows=rows, columns=columns, channels=channels), 3)
        assert found[0, -1].tolist() == expected and found.shape == (1, channels, 3, 3)


def test_the_precision_of_the_pictures_is_kept():
    X = torch.cat([picture(rows=slice(2, 5), columns=slice(7, 8)), torch.zeros(1, 1, 10, 12)])
    assert crop_to_content(X.double(), 3).dtype == torch.float64
    assert torch.equal(crop_to_content(X.double(), 3).float(), crop_to_content(X, 3))


def test_what_is_below_the_threshold_is_no_content():
    X = picture(rows=slice(4, 6), columns=slice(4, 6), value=0.3)
    X[..., 0, 0] = 0.1
    assert (crop_to_content(X, 2) == X[..., 4:6, 4:6]).all()
    assert crop_to_content(X, 2, threshold=0.05).max() < 0.3, "the corner counts, too"
    assert crop_to_content(X, 2, threshold=0.4).max() == 0, "nothing is left"


@pytest.mark.parametrize("row", range(5, 9))
def test_a_thin_line_does_not_vanish_or_swell_between_the_pixels_of_a_smaller_picture(row):
    X = torch.zeros(1, 1, 16, 16)
    X[..., row, :] = 1
    assert resize(X, 4).mean().item() == pytest.approx(1 / 16, abs=0.005)
    assert resize(X, 16) is X
