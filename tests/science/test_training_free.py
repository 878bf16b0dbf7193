"""Alignment that trains nothing: statistics that become the target's, directions that turn."""

import numpy as np
import pytest
import torch
from torch import nn

from tlcourse.align import adapt_batchnorm, subspace_alignment
from tlcourse.finetune import freeze, unfreeze


def test_adapted_statistics_are_the_targets_own():
    x = 3 + 2 * torch.randn(1000, 5, generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.BatchNorm1d(5)).train()
    model(torch.randn(50, 5))
    adapt_batchnorm(model, x, batch_size=5000)
    assert torch.allclose(model[0].running_mean, x.mean(0), atol=1e-5)
    assert torch.allclose(model[0].running_var, x.var(0), rtol=1e-4)
    adapt_batchnorm(model, x, batch_size=100)
    assert torch.allclose(model[0].running_mean, x.mean(0), atol=1e-4)
    assert torch.allclose(model[0].running_var, x.var(0), rtol=0.03), "but for the batches' means"


@pytest.mark.parametrize("n", [10, 11, 21, 95])
def test_no_batch_of_the_pass_is_too_large_or_a_single_sample(n):
    sizes, model = [], nn.Sequential(nn.BatchNorm1d(2))
    model[0].register_forward_pre_hook(lambda module, given: sizes.append(len(given[0])))
    adapt_batchnorm(model, torch.randn(n, 2), batch_size=10)
    assert sum(sizes) == n and max(sizes) <= 10 and min(sizes) > 1


def test_dropout_is_off_in_the_pass_and_all_parts_are_left_in_evaluation_mode():
    x = torch.randn(50, 5, generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(5), nn.BatchNorm1d(5, momentum=0.3))
    adapt_batchnorm(model.train(), x)
    assert torch.allclose(model[1].running_var, x.var(0), rtol=1e-4)
    assert not any(part.training for part in model.modules())
    assert [part.momentum for part in model[1:]] == [0.1, 0.3]


def test_a_normalisation_without_running_statistics_has_nothing_to_adapt():
    plain, kept = nn.BatchNorm1d(3, track_running_stats=False), nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="no batch normalisation"):
        adapt_batchnorm(nn.Sequential(plain), torch.randn(9, 3))
    adapt_batchnorm(nn.Sequential(plain, kept), torch.randn(9, 3))
    assert kept.num_batches_tracked == 1 and plain.training is False


def test_what_is_frozen_keeps_its_statistics_and_a_frozen_whole_is_refused():
    """Reset and then held by the freezing, they would be 0 and 1, which fit nothing."""
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2)).train()
    x = 3 + 2 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    model(x)
    first = model[0].running_mean.clone()
    freeze(model[0])
    adapt_batchnorm(model, x)
    assert torch.equal(model[0].running_mean, first) and model[1].num_batches_tracked == 1
    with pytest.raises(ValueError, match="all batch normalisation of this Sequential is frozen"):
        adapt_batchnorm(freeze(model), x)
    assert torch.equal(model[0].running_mean, first)
    assert adapt_batchnorm(unfreeze(model), x)[0].running_mean.sub(3).abs().max() < 0.5


def test_too_few_samples_and_missing_values_are_refused_before_anything_changes():
    model, x = nn.Sequential(nn.BatchNorm1d(2)), torch.randn(20, 2)
    model.train()(x)
    before = model[0].running_mean.clone()
    with pytest.raises(ValueError, match="at least 2 samples, got 1 in batches of 512"):
        adapt_batchnorm(model, x[:1])
    with pytest.raises(ValueError, match="got 20 in batches of 1"):
        adapt_batchnorm(model, x, batch_size=1)
    x[3, 1] = torch.nan
    with pytest.raises(ValueError, match="1 of 20 target samples hold NaN"):
        adapt_batchnorm(model, x)
    assert torch.equal(model[0].running_mean, before)


def test_subspace_alignment_projects_both_onto_the_targets_directions():
    rng = np.random.default_rng(0)
    x_s, x_t = rng.normal(size=(30, 5)) * [5, 3, 1, 1, 1], rng.normal(size=(20, 5)) + 4
    z_s, z_t = subspace_alignment(torch.tensor(x_s), torch.tensor(x_t), 2)

    def directions(x):
        values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
        return vectors[:, np.argsort(values)[::-1][:2]]

    p_s, p_t = directions(x_s), directions(x_t)
    expected = (x_s - x_s.mean(0)) @ p_s @ p_s.T @ p_t, (x_t - x_t.mean(0)) @ p_t
    for found, wanted in zip((z_s, z_t), expected, strict=True):
        sign = np.sign((found.numpy() * wanted).sum(0))  # a direction has no sign of its own
        assert np.abs(found.numpy() * sign - wanted).max() < 1e-10


def test_subspace_alignment_undoes_a_rotation_of_the_main_directions():
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([8.0, 4, 2, 0.01, 0.01]).double()
    x = torch.randn(200, 5, generator=generator, dtype=torch.float64) * scale
    z_s, z_t = subspace_alignment(x, x + 7, 3)
    assert torch.allclose(z_s, z_t, atol=1e-9), "equal but for the mean: equal after it"
    z_s, z_t = subspace_alignment(x, x.roll(1, dims=1), 3)
    assert z_s.shape == z_t.shape == (200, 3)


@pytest.mark.parametrize("dim", [0, 6, -1])
def test_more_directions_than_there_are_are_refused(dim):
    with pytest.raises(ValueError, match=f"at least 1 and, .* at most 3, got {dim}"):
        subspace_alignment(torch.randn(4, 5), torch.randn(9, 5), dim)
