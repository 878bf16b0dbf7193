"""Features: what a network says of each sample, kept on disk, and never an old answer."""

import multiprocessing
import weakref
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

import tlcourse.features
from tlcourse.data import Domain, load
from tlcourse.features import features
from tlcourse.files import cache_folder
from tlcourse.models import Network, pretrained, small_cnn


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))


def pictures(n: int = 20, *, channels: int = 1, size: int = 16) -> Domain:
    generator = torch.Generator().manual_seed(3)
    X = torch.rand(n, channels, size, size, generator=generator)
    return Domain("noise", X, torch.arange(n) % 2)


def kept() -> list:
    return sorted((cache_folder() / "features").glob("*.safetensors"))


@pytest.fixture
def computed(monkeypatch) -> list:
    """The layer of every computation that the cache did not spare."""
    calls, compute = [], tlcourse.features._compute

    def counted(model, layer, *rest):
        calls.append(layer)
        return compute(model, layer, *rest)

    monkeypatch.setattr(tlcourse.features, "_compute", counted)
    return calls


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_features_are_the_backbones_in_the_order_of_the_rows(batch_size):
    model, domain = small_cnn(width=4, seed=0), pictures()
    found = features(model, domain, batch_size=batch_size)
    model.eval()
    with torch.no_grad():
        assert torch.allclose(found, model.features(domain.X), atol=1e-6)
    assert found.shape == (20, 16) and not found.requires_grad


def test_a_named_layer_gives_the_mean_over_the_places_of_its_output():
    model, domain = small_cnn(5, width=4, seed=0).eval(), pictures()
    with torch.no_grad():
        expected = model.backbone[:3](domain.X).mean((2, 3))
        assert torch.allclose(features(model, domain, layer="backbone.stage2"), expected, atol=1e-6)
        assert torch.allclose(features(model, domain, layer="head"), model(domain.X), atol=1e-6)


class _Tokens(nn.Module):
    def forward(self, x):
        return x.flatten(2).transpose(1, 2)  # (N, places, channels), as in a transformer


def test_a_layer_of_tokens_gives_their_mean():
    domain = pictures(channels=3)
    found = features(nn.Sequential(_Tokens()), domain, layer="0")
    assert torch.allclose(found, domain.X.mean((2, 3)), atol=1e-6)


def test_images_are_resized_when_asked_and_only_then():
    model, domain = small_cnn(width=4, seed=0), pictures(size=16)
    large = torch.nn.functional.interpolate(
        domain.X, (32, 32), mode="bilinear", antialias=True
    )
    expected = features(model, replace(domain, X=large))
    assert torch.allclose(features(model, domain, size=32), expected, atol=1e-6)
    assert not torch.allclose(features(model, domain), expected, atol=1e-3)


def test_grey_images_are_repeated_for_a_network_of_colour():
    model, grey = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), pictures()
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


def test_the_second_call_is_read_from_disk_and_equal_to_the_last_bit(computed):
    first = features(small_cnn(width=4, seed=0), pictures())
    again = features(small_cnn(width=4, seed=0), pictures())
    assert len(computed) == len(kept()) == 1
    assert torch.equal(first, again)


class _Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor, self.offset = 2.0, torch.zeros(1)
        self.register_buffer("shift", torch.zeros(1), persistent=False)

    def forward(self, x):
        return x.flatten(1) * self.factor + self.shift + self.offset


def _other_method(self, x):
    return x.flatten(1) - self.factor


CHANGES = {
    "a weight": lambda m: m.backbone.stage1[0].weight.data[0, 0, 0, 0].add_(1e-3),
    "a statistic": lambda m: m.backbone.stage1[1].running_mean[0].add_(1e-3),
    "a buffer that is not saved": lambda m: m.backbone.scaled.shift.add_(1),
    "a setting in the printed form": lambda m: setattr(m.backbone.stage1[1], "eps", 0.1),
    "a plain attribute": lambda m: setattr(m.backbone.scaled, "factor", 3.0),
    "a tensor that is no buffer": lambda m: m.backbone.scaled.offset.add_(1),
    "a layer's kind": lambda m: m.backbone.stage1.__setitem__(2, nn.GELU()),
}


def _with_scaled(seed: int = 0) -> Network:
    model = small_cnn(width=4, seed=seed)
    model.backbone.add_module("scaled", _Scaled())
    return model


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_of_the_network_is_computed_anew(change, computed):
    model, domain = _with_scaled(), pictures()
    before = features(model, domain)
    change(model)
    after = features(model, domain)
    assert len(computed) == 2 and not torch.equal(before, after)


def test_a_rewritten_forward_is_computed_anew(computed, monkeypatch):
    model, domain = _with_scaled(), pictures()
    before = features(model, domain)
    monkeypatch.setattr(_Scaled, "forward", _other_method)
    assert not torch.equal(features(model, domain), before) and len(computed) == 2


def test_another_pixel_layer_or_size_is_computed_anew(computed):
    model, domain = small_cnn(width=4, seed=0), pictures()
    features(model, domain)
    altered = domain.X.clone()
    altered[3, 0, 5, 5] += 1 / 255
    features(model, replace(domain, X=altered.clamp(max=1)))
    features(model, domain, layer="backbone.stage1")
    features(model, domain, layer="backbone.stage2")
    features(model, domain, size=20)
    assert len(computed) == 5


def test_training_mode_matters_neither_to_the_result_nor_to_what_is_kept(computed):
    model, domain = small_cnn(width=4, seed=0), pictures()
    model.train()
    model.backbone.stage1.eval()
    flags = [module.training for module in model.modules()]
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    found = features(model, domain, layer="backbone.stage3")
    assert [module.training for module in model.modules()] == flags
    assert all(torch.equal(buffers[name], buffer) for name, buffer in model.named_buffers())
    assert not model.backbone.stage3._forward_hooks, "the hook is gone"
    assert torch.equal(features(model.eval(), domain, layer="backbone.stage3"), found)
    assert len(computed) == 1


DAMAGE = {
    "cut short": lambda raw: raw[:-40],
    "one bit turned": lambda raw: raw[:-40] + bytes([raw[-40] ^ 1]) + raw[-39:],
    "empty": lambda raw: b"",
    "something else": lambda raw: b"<html>" * 99,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_computed_anew_and_repaired(damage, computed):
    model, domain = small_cnn(width=4, seed=0), pictures()
    expected = features(model, domain)
    (path,) = kept()
    raw = path.read_bytes()
    path.write_bytes(damage(raw))
    assert torch.equal(features(model, domain), expected)
    assert len(computed) == 2 and path.read_bytes() == raw


def test_two_processes_at_once_leave_one_whole_file():
    model, domain = small_cnn(width=4, seed=0), pictures(400)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        found = [job.result() for job in [pool.submit(features, model, domain) for _ in range(2)]]
    assert torch.equal(*found)
    assert sorted((cache_folder() / "features").iterdir()) == kept() and len(kept()) == 1
    assert torch.equal(features(model, domain), found[0])


def test_no_batch_is_held_when_the_next_one_starts():
    outputs, held = [], []
    model = small_cnn(width=4, seed=0)
    start, end = model.backbone.stage1, model.backbone.stage3
    end.register_forward_hook(lambda module, given, output: outputs.append(weakref.ref(output)))
    start.register_forward_pre_hook(
        lambda module, given: held.append(sum(ref() is not None for ref in outputs))
    )
    features(model, pictures(64), batch_size=4, layer="backbone.stage3")
    assert len(outputs) == 16 and held == [0] * 16


def test_a_full_disk_costs_the_cache_and_not_the_result(monkeypatch):
    def full(path, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(tlcourse.features, "write_atomically", full)
    with pytest.warns(UserWarning, match="could not be kept .*No space left"):
        assert features(small_cnn(width=4, seed=0), pictures()).shape == (20, 16)


class _Aside(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Flatten(), nn.Flatten()

    def forward(self, x):
        return self.used(x)


def test_a_layer_that_is_not_there_or_not_used_is_refused_by_name():
    domain = pictures()
    with pytest.raises(ValueError, match=r"no layer 'stage9'; there is backbone, backbone.norm"):
        features(small_cnn(width=4, seed=0), domain, layer="stage9")
    with pytest.raises(ValueError, match="does not use its layer 'unused'"):
        features(_Aside(), domain, layer="unused")
    with pytest.raises(ValueError, match="_Aside is no Network .* name a layer"):
        features(_Aside(), domain)


def test_images_of_other_channels_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match="noise has 3 channels and the network takes 1"):
        features(small_cnn(width=4, seed=0), pictures(channels=3))


def test_features_that_are_nan_are_refused_and_not_kept():
    model = small_cnn(width=4, seed=0)
    model.backbone.stage1[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="features of 20 of 20 samples of noise are NaN"):
        features(model, pictures())
    assert kept() == []
