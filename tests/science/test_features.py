"""Features: what a network, or one of its layers, says of each sample."""

import weakref
from dataclasses import replace

import pytest
import torch
from networks import noise
from torch import nn

from tlcourse.data import Domain, load
from tlcourse.features import features
from tlcourse.models import Network, pretrained, small_cnn

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_features_are_the_backbones_in_the_order_of_the_rows(batch_size):
    model, domain = small_cnn(width=4, seed=0), noise()
    found = features(model, domain, batch_size=batch_size)
    model.eval()
    with torch.no_grad():
        assert torch.allclose(found, model.features(domain.X), atol=1e-6)
    assert found.shape == (20, 16) and not found.requires_grad


def test_a_named_layer_gives_the_mean_over_the_places_of_its_output():
    model, domain = small_cnn(5, width=4, seed=0).eval(), noise()
    with torch.no_grad():
        expected = model.backbone[:3](domain.X).mean((2, 3))
        assert torch.allclose(features(model, domain, layer="backbone.stage2"), expected, atol=1e-6)
        assert torch.allclose(features(model, domain, layer="head"), model(domain.X), atol=1e-6)


class _Tokens(nn.Module):
    def forward(self, x):
        return x.flatten(2).transpose(1, 2)  # (N, places, channels), as in a transformer


def test_a_layer_of_tokens_gives_their_mean():
    domain = noise(channels=3)
    found = features(nn.Sequential(_Tokens()), domain, layer="0")
    assert torch.allclose(found, domain.X.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize("size", [32, 8])
def test_images_are_resized_when_asked_and_only_then(size):
    model, domain = small_cnn(width=4, seed=0), noise(size=16)
    resized = torch.nn.functional.interpolate(
        domain.X, (size, size), mode="bilinear", antialias=True
    )
    expected = features(model, replace(domain, X=resized))
    assert torch.allclose(features(model, domain, size=size), expected, atol=1e-6)
    assert not torch.allclose(features(model, domain), expected, atol=1e-3)


def test_grey_images_are_repeated_for_a_network_of_colour():
    model, grey = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), noise()
    colour = replace(grey, X=grey.X.repeat(1, 3, 1, 1))
    found, expected = (features(model, domain, layer="1") for domain in (grey, colour))
    assert torch.allclose(found, expected, atol=1e-6)


def test_a_table_goes_through_a_network_for_tables():
    table = Domain("table", torch.rand(6, 4), torch.arange(6) % 2)
    model = Network(nn.Linear(4, 3), nn.Linear(3, 2))
    assert torch.equal(features(model, table), model.features(table.X).detach())
    with pytest.raises(ValueError, match="table is a table"):
        features(model, table, size=8)


def test_lite0_reads_both_emoji_sets():
    model = pretrained()
    for name in ("emoji_google", "emoji_twitter"):
        found = features(model, load(name).subset(slice(4)), size=96)
        assert found.shape == (4, 1280) and found.std() > 0


def test_no_batch_is_held_when_the_next_one_starts():
    outputs, held = [], []
    model = small_cnn(width=4, seed=0)
    start, end = model.backbone.stage1, model.backbone.stage3
    end.register_forward_hook(lambda module, given, output: outputs.append(weakref.ref(output)))
    start.register_forward_pre_hook(
        lambda module, given: held.append(sum(ref() is not None for ref in outputs))
    )
    features(model, noise(64), batch_size=4, layer="backbone.stage3")
    assert len(outputs) == 16 and held == [0] * 16


class _Aside(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Flatten(), nn.Flatten()

    def forward(self, x):
        return self.used(x)


def test_a_layer_that_is_not_there_or_not_used_is_refused_by_name():
    domain = noise()
    with pytest.raises(ValueError, match=r"no layer 'stage9'; there is backbone, backbone.norm"):
        features(small_cnn(width=4, seed=0), domain, layer="stage9")
    with pytest.raises(ValueError, match="does not use its layer 'unused'"):
        features(_Aside(), domain, layer="unused")
    with pytest.raises(ValueError, match="_Aside is no Network .* name a layer"):
        features(_Aside(), domain)


def test_images_of_other_channels_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match="noise has 3 channels and the network takes 1"):
        features(small_cnn(width=4, seed=0), noise(channels=3))
