"""Stages from the stem to the head: each parameter in one, and a learning rate for each."""

from itertools import pairwise

import pytest
import torch
from networks import bare, network, snapshot
from torch import nn

from tlcourse.finetune import freeze, param_groups, stages
from tlcourse.models import Network, as_network, small_cnn
from tlcourse.training import fit

GROUPED = ["small_cnn", "resnet18", "vgg11", "mobilenet_v3_small", "vit_b_16", "googlenet",
           "densenet121", "timm:tf_efficientnet_lite0", "timm:test_vit"]


@pytest.mark.parametrize("name", GROUPED)
@pytest.mark.parametrize("split", [False, True])
def test_each_parameter_is_in_one_group_and_rates_fall_from_head_to_stem(name, split):
    with torch.device("meta" if name in ("vgg11", "vit_b_16") else "cpu"):
        model = bare(name)
    model = as_network(model) if split and name != "small_cnn" else model
    groups = param_groups(model, 1e-2, 0.5, weight_decay=0.1)
    torch.optim.AdamW(groups)
    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())

    by_stage = {}
    for group in groups:
        by_stage.setdefault(group["name"].split(" ")[0], set()).add(group["lr"])
        assert all((p.ndim > 1) == (group["weight_decay"] == 0.1) for p in group["params"])
    assert list(by_stage) == [stage for stage, _ in stages(model)], "from the stem to the head"
    rates = [min(rates) for rates in by_stage.values()]
    assert all(len(rates) == 1 for rates in by_stage.values())
    assert rates[-1] == 1e-2 and all(b == 2 * a for a, b in pairwise(rates))

    norms = (nn.BatchNorm2d, nn.BatchNorm1d, nn.LayerNorm)
    kept = {id(p) for group in groups if group["weight_decay"] == 0 for p in group["params"]}
    assert all(id(p) in kept for m in model.modules() if isinstance(m, norms)
               for p in m.parameters())
    assert all(id(p) in kept for key, p in model.named_parameters() if key.endswith(".bias"))


def test_the_stages_are_named_like_the_parts_they_begin_with():
    assert [name for name, _ in stages(small_cnn(3, seed=0))] == [
        "backbone.stage1", "backbone.stage2", "backbone.stage3", "backbone.embed", "head"]
    model = bare("resnet18")
    assert [name for name, _ in stages(model)] == [
        "conv1", "layer1", "layer2", "layer3", "layer4", "fc"]
    assert list(stages(model)[0][1]) == [model.conv1, model.bn1, model.relu, model.maxpool]


def test_a_network_for_tables_and_one_without_a_backbone_have_stages_too():
    table = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8))
    model = table_network(table)
    assert [name for name, _ in stages(model)] == ["backbone.0", "backbone.3", "head"]
    assert [name for name, _ in stages(table_network(nn.Flatten()))] == ["head"]
    assert [name for name, _ in stages(table_network(nn.Linear(4, 8)))] == ["backbone", "head"]


def test_tokens_of_a_transformer_are_in_its_first_stage():
    with torch.device("meta"):
        model = bare("vit_b_16")
    parts = stages(model)
    assert parts[0][0] == "conv_proj" and parts[-1][0] == "heads.head"
    assert any(p is model.class_token for p in parts[0][1].parameters())


def test_a_normalisation_with_nothing_before_it_is_in_the_stage_of_the_head():
    model = table_network(nn.BatchNorm1d(8))
    ((name, parts),) = stages(model)
    assert name == "head" and set(parts.parameters()) == set(model.parameters())


def table_network(backbone):
    return Network(backbone, nn.Linear(8, 3))


def test_frozen_parameters_are_in_no_group():
    model = small_cnn(3, seed=0)
    freeze(model.backbone.stage1)
    grouped = {id(p) for group in param_groups(model, 1e-2, 0.5) for p in group["params"]}
    assert grouped == {id(p) for p in model.parameters() if p.requires_grad}
    assert not grouped & {id(p) for p in model.backbone.stage1.parameters()}


def test_with_groups_the_stem_moves_less_than_the_head(colours):
    model = network("small_cnn")
    before = snapshot(model)
    fit(model, colours, steps=1, seed=0, groups=param_groups(model, 1e-2, 0.1))
    # The first step of Adam is one learning rate long in each weight.
    for name, rate in (("head.weight", 1e-2), ("backbone.stage3.0.weight", 1e-4)):
        step = (model.state_dict()[name] - before[name]).abs().median().item()
        assert step == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize("wrong", [{"lr": 0}, {"decay": 0}, {"decay": 1.5}, {"weight_decay": -1}])
def test_rates_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="decay above 0 and at most 1"):
        param_groups(small_cnn(3, seed=0), **{"lr": 1e-2, "decay": 0.5} | wrong)
