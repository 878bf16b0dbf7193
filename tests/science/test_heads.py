"""The last layer: found in networks of three libraries, and replaced without touching the rest."""

import pytest
import torch
from networks import bare, changed, snapshot
from torch import nn

from tlcourse.finetune import freeze, param_groups, replace_head, stages
from tlcourse.models import small_cnn

HEADED = ["small_cnn", "alexnet", "vgg11", "resnet18", "googlenet", "mobilenet_v2",
          "mobilenet_v3_small", "efficientnet_b0", "densenet121", "vit_b_16", "convnext_tiny",
          "squeezenet1_0", "timm:tf_efficientnet_lite0", "timm:test_vit", "timm:test_convnext",
          "timm:inception_v4"]
LARGE = {"alexnet", "vgg11", "vit_b_16", "convnext_tiny", "timm:inception_v4"}


@pytest.mark.parametrize("name", HEADED)
def test_a_new_head_has_the_new_width_and_the_rest_stays_bit_identical(name):
    # Without values on the meta device, the millions of weights of the large ones cost nothing.
    on = "meta" if name in LARGE else "cpu"
    with torch.device(on):
        model = bare(name, 7)
    before = tensors(model)
    values = {key: tensor.clone() for key, tensor in before.items()}
    assert replace_head(model.eval(), 4) is model
    assert getattr(model, "num_classes", 4) == 4
    assert not any(part.training for part in model.modules())
    after = tensors(model)
    new = {key for key in after if after[key] is not before[key]}
    assert len(new) == (6 if name == "googlenet" else 2), "weight and bias of each classifier"
    for key in new:
        assert len(after[key]) == 4 and before[key].shape == (7, *after[key].shape[1:])
    if on == "cpu":
        assert all(torch.equal(after[key], values[key]) for key in after.keys() - new)
    size = {"timm:test_vit": 160, "vit_b_16": 224, "timm:inception_v4": 128}.get(name, 64)
    with torch.no_grad():
        assert model.eval()(torch.rand(2, 3, size, size, device=on)).shape == (2, 4)


def tensors(model):
    return dict(model.named_parameters()) | dict(model.named_buffers())


def test_the_auxiliary_heads_of_googlenet_answer_with_the_new_classes():
    model = replace_head(bare("googlenet", 10), 4).train()
    outputs = model(torch.rand(2, 3, 64, 64))
    assert [tuple(logits.shape) for logits in outputs] == [(2, 4)] * 3
    names = [name for name, _ in stages(model)]
    assert names[0] == "conv1" and names[-2:] == ["inception5b", "fc"]
    aux = {id(p) for p in [*model.aux1.parameters(), *model.aux2.parameters()]}
    assert aux < {id(p) for p in stages(model)[-1][1].parameters()}, "they are part of the head"


def test_a_network_of_timm_without_a_head_gets_one():
    model = bare("timm:test_convnext", 0)
    with pytest.raises(ValueError, match="no linear layer called"):
        stages(model)
    replace_head(model, 4)
    assert stages(model)[-1][0] == "head.fc" and model.num_classes == 4


def test_both_heads_of_a_distilled_network_are_renewed_and_are_one_stage():
    with torch.device("meta"):
        model = replace_head(bare("timm:deit_tiny_distilled_patch16_224"), 4)
    assert len(model.head.weight) == len(model.head_dist.weight) == 4
    last = {id(p) for p in stages(model)[-1][1].parameters()}
    assert {id(model.head.weight), id(model.head_dist.weight)} <= last


def test_the_seed_of_torch_draws_the_new_head_and_it_learns_on_a_frozen_network():
    models = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        models.append(replace_head(freeze(bare("small_cnn")), 5))
    first, again, other = (m.head.weight for m in models)
    assert torch.equal(first, again) and not torch.equal(first, other)
    trainable = {name for name, p in models[0].named_parameters() if p.requires_grad}
    assert trainable == {"head.weight", "head.bias"}


def test_the_new_head_has_the_precision_and_the_bias_of_the_old_one():
    model = small_cnn(3, seed=0)
    model.head = nn.Linear(64, 3, bias=False)
    replace_head(model.double(), 5)
    assert model.head.weight.dtype == torch.float64 and model.head.bias is None
    model = replace_head(bare("timm:test_convnext").double(), 5)
    assert model.head.fc.weight.dtype == torch.float64


class _AsOlderTimm(nn.Module):
    """Its new classifier has the default precision and place, as in timm 1.0.15."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 8), nn.Linear(8, 7)

    def get_classifier(self):
        return self.head

    def reset_classifier(self, num_classes):
        self.head = nn.Linear(8, num_classes)


def test_the_new_head_follows_the_network_where_timm_does_not_see_to_it():
    model = replace_head(_AsOlderTimm().to("meta", torch.float64), 5)
    assert model.head.weight.shape == (5, 8) and model.head.weight.dtype == torch.float64
    assert model.head.weight.device.type == "meta"


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "ten", None, True])
def test_a_wrong_number_of_classes_is_refused_with_model_and_parts(wrong):
    model = small_cnn(3, seed=0)
    before = snapshot(model)
    with pytest.raises(ValueError, match=r"Network \(parts: backbone, head\).*at least 1; got"):
        replace_head(model, wrong)
    assert not changed(model, before)


def test_a_model_without_a_recognisable_head_is_refused_with_its_parts():
    odd = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    for ask in (lambda: replace_head(odd, 3), lambda: stages(odd), lambda: param_groups(odd, 1, 1)):
        with pytest.raises(ValueError, match="Sequential has no linear layer.*parts are 0, 1"):
            ask()
