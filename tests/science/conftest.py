"""What several test files of the science share."""

import pytest
import torch

from tlcourse.data import Domain


@pytest.fixture(scope="module")
def colours():
    """Three classes of 32 × 32 colour pictures: noise, with one channel brighter."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(24) % 3
    X = 0.5 * torch.rand(24, 3, 32, 32, generator=generator)
    X[torch.arange(24), y] += 0.4
    return Domain("colours", X, y)


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def one_thread():
    """As training has it: sums of two threads differ in their last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
