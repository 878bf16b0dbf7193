"""Fine-tuning: heads that fit, parts that stay frozen, rates by depth, distance from the start."""

import copy
import pickle
from itertools import pairwise

import joblib
import pytest
import torch
import torchvision
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.hooks import RemovableHandle

from tlcourse import finetune
from tlcourse.data import Domain
from tlcourse.finetune import (
    freeze,
    l2_sp,
    linear_probe_then_fine_tune,
    param_groups,
    replace_head,
    stages,
    unfreeze,
    unfreeze_gradually,
)
from tlcourse.models import as_network, small_cnn
from tlcourse.training import fit


def bare(name, num_classes=3):
    """A network with weights drawn at random; "timm:" before the name takes it from timm."""
    if name.startswith("timm:"):
        import timm

        return timm.create_model(name[5:], pretrained=False, num_classes=num_classes)
    if name == "small_cnn":
        return small_cnn(num_classes, channels=3, width=4, seed=0)
    options = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(name, weights=None, num_classes=num_classes, **options)


def network(name):
    return bare(name) if name == "small_cnn" else as_network(bare(name))


@pytest.fixture(scope="module")
def colours():
    """Three classes of 32 × 32 colour pictures: noise, with one channel brighter."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(24) % 3
    X = 0.5 * torch.rand(24, 3, 32, 32, generator=generator)
    X[torch.arange(24), y] += 0.4
    return Domain("colours", X, y)


def epoch(model, domain, **options):
    return fit(model, domain, steps=3, batch_size=8, seed=0, **options)


def snapshot(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(module, before):
    return {name for name, t in module.state_dict().items() if not torch.equal(t, before[name])}


# --- replace_head ---

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
    assert replace_head(model, 4) is model
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


# --- freeze and unfreeze ---

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


# --- stages and rates ---

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


def table_network(backbone):
    from tlcourse.models import Network

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


# --- schedules ---

def test_gradual_unfreezing_moves_one_stage_more_in_each_phase(colours, monkeypatch):
    model, moved = network("small_cnn"), []
    names = [name for name, _ in stages(model)]

    def watched(*args, **options):
        before = snapshot(model)
        history = fit(*args, **options)
        moved.append([n for n in names if any(k.startswith(n) for k in changed(model, before))])
        return history

    monkeypatch.setattr(finetune, "fit", watched)
    histories = unfreeze_gradually(model, colours, steps_per_stage=2, seed=0, lr=1e-2,
                                   validation=None, every=1)
    assert moved == [names[-k:] for k in range(1, len(names) + 1)]
    assert [history.step for history in histories] == [[1, 2]] * len(names)
    assert all(p.requires_grad for p in model.parameters())


def test_a_probe_leaves_the_backbone_and_tuning_moves_it(colours, monkeypatch):
    model, states = network("resnet18"), []

    def watched(*args, **options):
        states.append((snapshot(model.backbone), options["lr"], options["seed"]))
        return fit(*args, **options)

    monkeypatch.setattr(finetune, "fit", watched)
    start = snapshot(model)
    probe, tune = linear_probe_then_fine_tune(model, colours, probe_steps=3, tune_steps=2, seed=0,
                                              lr=1e-2, tune_lr=1e-3, batch_size=8)
    assert (probe.step, tune.step) == ([3], [2])
    (_, lr, seed), (probed, tune_lr, other_seed) = states
    assert all(torch.equal(probed[key], start[f"backbone.{key}"]) for key in probed)
    assert changed(model.backbone, probed) == probed.keys()
    assert (lr, tune_lr) == (1e-2, 1e-3) and seed != other_seed


def test_schedules_repeat_with_their_seed(colours):
    def run(seed):
        model = network("small_cnn")
        linear_probe_then_fine_tune(model, colours, probe_steps=2, tune_steps=2, seed=seed,
                                    lr=1e-2, tune_lr=1e-3, batch_size=8)
        unfreeze_gradually(model, colours, steps_per_stage=1, seed=seed, lr=1e-2, batch_size=8)
        return snapshot(model)

    first, again, other = run(1), run(1), run(2)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_an_interrupt_ends_the_whole_schedule(colours):
    def interrupt(batch, generator):
        raise KeyboardInterrupt

    steps = {"seed": 0, "lr": 1e-2, "augment": interrupt}
    histories = unfreeze_gradually(network("small_cnn"), colours, steps_per_stage=2, **steps)
    assert [history.interrupted for history in histories] == [True]
    probe, tune = linear_probe_then_fine_tune(network("small_cnn"), colours, probe_steps=2,
                                              tune_steps=2, tune_lr=1e-3, **steps)
    assert probe.interrupted and tune.interrupted and tune.step == []


# --- distance from the start ---

def test_the_distance_is_the_sum_of_squares_and_its_gradient_twice_the_difference():
    model = small_cnn(3, width=4, seed=0).double()
    reference = copy.deepcopy(model)
    assert l2_sp(model, reference).item() == 0
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.5
    distance = l2_sp(model, reference)
    count = sum(p.numel() for p in model.parameters())
    assert distance.shape == () and distance.item() == pytest.approx(0.25 * count)
    distance.backward()
    for w, w0 in zip(model.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(w.grad, 2 * (w - w0).detach()) and w0.grad is None


def test_a_replaced_head_and_buffers_are_left_out_of_the_distance():
    model = small_cnn(10, width=4, seed=0)
    reference = copy.deepcopy(model)
    replace_head(model, 3)
    for buffer in model.buffers():
        buffer += 1
    assert l2_sp(model, reference).item() == 0
    with torch.no_grad():
        model.backbone.stage1[0].weight[0, 0, 0, 0] += 3
    assert l2_sp(model, reference).item() == pytest.approx(9)


def test_an_alias_of_the_live_weights_is_refused():
    model = small_cnn(3, width=4, seed=0)
    half = copy.deepcopy(model)
    half.head = model.head
    assigned = copy.deepcopy(model)
    assigned.load_state_dict(model.state_dict(), assign=True)
    for alias in (model, copy.copy(model), half, assigned):
        with pytest.raises(ValueError, match=r"keep a copy\.deepcopy"):
            l2_sp(model, alias)


def test_models_with_nothing_in_common_are_refused():
    with pytest.raises(ValueError, match="no parameter of the same name and shape"):
        l2_sp(small_cnn(3, seed=0), nn.Linear(2, 2))


def test_the_penalty_holds_the_network_near_its_start(colours):
    distances = []
    for weight in (0.0, 10.0):
        model = network("small_cnn")
        start = copy.deepcopy(model)
        epoch(model, colours, penalty=lambda m, w=weight, s=start: w * l2_sp(m, s))
        distances.append(l2_sp(model, start).item())
    assert 0 < distances[1] < 0.5 * distances[0]
