"""Features kept on disk: read when nothing changed, computed anew when anything did."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest
import torch
from networks import noise
from torch import nn

import tlcourse.features
from tlcourse.features import features
from tlcourse.models import Network, small_cnn
from tlcourse.utils import cache
from tlcourse.utils.files import cache_folder

pytestmark = pytest.mark.usefixtures("own_cache")


def kept() -> list:
    return sorted((cache_folder() / "features").glob("[!.]*"))


@pytest.fixture
def computed(monkeypatch) -> list:
    """The layer of every computation that the cache did not spare."""
    calls, compute = [], tlcourse.features._compute

    def counted(model, layer, *rest):
        calls.append(layer)
        return compute(model, layer, *rest)

    monkeypatch.setattr(tlcourse.features, "_compute", counted)
    return calls


def test_the_second_call_is_read_from_disk_and_equal_to_the_last_bit(computed):
    first = features(small_cnn(width=4, seed=0), noise())
    again = features(small_cnn(width=4, seed=0), noise())
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
    model, domain = _with_scaled(), noise()
    before = features(model, domain)
    change(model)
    after = features(model, domain)
    assert len(computed) == 2 and not torch.equal(before, after)


def test_a_rewritten_forward_is_computed_anew(computed, monkeypatch):
    model, domain = _with_scaled(), noise()
    before = features(model, domain)
    monkeypatch.setattr(_Scaled, "forward", _other_method)
    assert not torch.equal(features(model, domain), before) and len(computed) == 2


def test_a_layer_of_another_kind_without_settings_is_computed_anew(computed):
    for kind in (nn.Tanh, nn.Sigmoid):
        model = small_cnn(width=4, seed=0)
        model.backbone.append(kind())
        features(model, noise())
    assert len(computed) == 2


def test_another_version_of_pytorch_is_computed_anew(computed, monkeypatch):
    features(small_cnn(width=4, seed=0), noise())
    monkeypatch.setattr(torch, "__version__", "99.0")
    features(small_cnn(width=4, seed=0), noise())
    assert len(computed) == 2


def test_another_pixel_layer_or_size_is_computed_anew(computed):
    model, domain = small_cnn(width=4, seed=0), noise()
    features(model, domain)
    altered = domain.X.clone()
    altered[3, 0, 5, 5] += 1 / 255
    features(model, replace(domain, X=altered.clamp(max=1)))
    features(model, domain, layer="backbone.stage1")
    features(model, domain, layer="backbone.stage2")
    features(model, domain, size=20)
    assert len(computed) == 5


def test_training_mode_matters_neither_to_the_result_nor_to_what_is_kept(computed):
    model, domain = small_cnn(width=4, seed=0), noise()
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
    model, domain = small_cnn(width=4, seed=0), noise()
    expected = features(model, domain)
    (path,) = kept()
    raw = path.read_bytes()
    path.write_bytes(damage(raw))
    assert torch.equal(features(model, domain), expected)
    assert len(computed) == 2 and path.read_bytes() == raw


def test_two_processes_at_once_leave_one_whole_file():
    model, domain = small_cnn(width=4, seed=0), noise(400)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        found = [job.result() for job in [pool.submit(features, model, domain) for _ in range(2)]]
    assert torch.equal(*found)
    assert sorted((cache_folder() / "features").iterdir()) == kept() and len(kept()) == 1
    assert torch.equal(features(model, domain), found[0])


def test_a_full_disk_costs_the_cache_and_not_the_result(monkeypatch):
    def full(path, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(cache, "write_atomically", full)
    with pytest.warns(UserWarning, match="could not be kept .*No space left"):
        assert features(small_cnn(width=4, seed=0), noise()).shape == (20, 16)


def test_features_that_are_nan_are_refused_and_not_kept():
    model = small_cnn(width=4, seed=0)
    model.backbone.stage1[0].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="features of 20 of 20 samples of noise are NaN"):
        features(model, noise())
    assert kept() == []
