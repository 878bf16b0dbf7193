"""Frozen is frozen: no parameter and no buffer changes, whatever happens to the network later."""

import copy
import pickle

import joblib
import pytest
import torch
from networks import changed, epoch, network, snapshot
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.hooks import RemovableHandle

from tlcourse.finetune import freeze, param_groups, unfreeze
from tlcourse.training import fit

FROZEN = ["small_cnn", "resnet18", "mobilenet_v3_small", "timm:tf_efficientnet_lite0"]


def through_pickle(model, folder):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def through_state_dict(model, folder):
    other = copy.deepcopy(model)
    for tensor in other.state_dict().values():
        tensor.zero_()
    freeze(other.backbone).load_state_dict(model.backbone.state_dict())
    return other


@pytest.mark.parametrize("name", FROZEN)
def test_nothing_frozen_changes_over_epochs_whoever_calls_train(name, colours, tmp_path):
    model = network(name)
    assert freeze(model.backbone) is model.backbone
    assert not any(part.training for part in model.backbone.modules())
    before, head = snapshot(model.backbone), model.head.weight.clone()
    epoch(model, colours)
    assert not torch.equal(model.head.weight, head), "the head does learn"
    model.backbone.train()
    model.train()
    model(colours.X)
    assert changed(model.backbone, before) == set()
    copies = [copy.deepcopy, lambda m: through_pickle(m, tmp_path),
              lambda m: through_joblib(m, tmp_path), lambda m: through_state_dict(m, tmp_path)]
    for travel in copies:
        other = travel(model)
        other.backbone.train()
        for part in other.modules():
            part.train()
        fit(other, colours, steps=1, seed=0)
        other.train()(colours.X)
        assert changed(other.backbone, before) == set()


@pytest.mark.parametrize("name", FROZEN)
def test_without_freeze_the_buffers_of_a_backbone_do_move(name, colours):
    model = network(name)
    model.backbone.requires_grad_(False)
    before = snapshot(model.backbone)
    epoch(model, colours)
    kinds = {key.rpartition(".")[2] for key in changed(model.backbone, before)}
    assert kinds == {"running_mean", "running_var", "num_batches_tracked"}


def test_one_frozen_stage_stays_while_its_neighbours_learn(colours):
    model = network("small_cnn")
    freeze(model.backbone.stage1)
    before = snapshot(model)
    epoch(model, colours, groups=param_groups(model, 3e-3, 0.5))
    moved = {name.rsplit(".", 2)[0] for name in changed(model, before)}
    assert "backbone.stage1" not in moved and {"backbone.stage2", "backbone.embed"} <= moved


def test_a_gradient_from_before_does_not_move_a_frozen_weight(colours):
    model = network("small_cnn")
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):  # the second time with momentum
        cross_entropy(model(colours.X), colours.y).backward()
        optimiser.step()
    cross_entropy(model(colours.X), colours.y).backward()
    freeze(model.backbone)
    before = snapshot(model.backbone)
    optimiser.step()
    assert changed(model.backbone, before) == set()


def test_dropout_is_off_in_what_is_frozen():
    part = freeze(nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))).train()
    x = torch.rand(4, 8)
    assert torch.equal(part(x), part(x))


@pytest.mark.parametrize("times", [1, 2])
def test_unfreeze_undoes_freeze_however_often_it_was_called(times, colours):
    model = network("small_cnn")
    for _ in range(times):
        freeze(model)
    with pytest.raises(ValueError, match="nothing to train"):
        epoch(model, colours)
    assert unfreeze(model) is model
    assert all(p.requires_grad for p in model.parameters())
    assert not any(part._forward_pre_hooks for part in model.modules())
    before = snapshot(model)
    epoch(model, colours)
    still = {name for name in before if "normalise" in name}
    assert changed(model, before) == before.keys() - still, "weights and statistics"


def test_hooks_of_a_new_process_do_not_take_the_place_of_the_frozen_ones(colours, monkeypatch):
    monkeypatch.setattr(RemovableHandle, "next_id", 0)
    model = freeze(network("small_cnn"))
    before = snapshot(model)
    monkeypatch.setattr(RemovableHandle, "next_id", 0)  # a new process counts hooks from 0 again
    for part in model.modules():
        part.register_forward_pre_hook(lambda module, inputs: None)
    model.train()(colours.X)
    assert changed(model, before) == set()
