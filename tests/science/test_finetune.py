"""Fine-tuning: schedules that free a network part by part, and the distance from its start."""

import copy

import pytest
import torch
from networks import changed, epoch, network, snapshot
from torch import nn

from tlcourse.finetune import (
    freeze,
    l2_sp,
    linear_probe_then_fine_tune,
    phases,
    replace_head,
    stages,
    unfreeze_gradually,
)
from tlcourse.models import small_cnn
from tlcourse.training import History, fit

# --- schedules ---

def test_gradual_unfreezing_moves_one_stage_more_in_each_phase(colours, monkeypatch):
    model, moved, seeds = network("small_cnn"), [], set()
    names = [name for name, _ in stages(model)]

    def watched(*args, **options):
        before = snapshot(model)
        history = fit(*args, **options)
        seeds.add(options["seed"])
        moved.append([n for n in names if any(k.startswith(n) for k in changed(model, before))])
        return history

    monkeypatch.setattr(phases, "fit", watched)
    histories = unfreeze_gradually(model, colours, steps_per_stage=2, seed=0, lr=1e-2,
                                   validation=None, every=1)
    assert moved == [names[-k:] for k in range(1, len(names) + 1)]
    assert len(seeds) == len(names), "other batches in each phase"
    assert [history.step for history in histories] == [[1, 2]] * len(names)
    assert all(p.requires_grad for p in model.parameters())


def test_rates_fall_with_depth_and_no_seed_has_the_batches_of_another(colours, monkeypatch):
    calls = []
    monkeypatch.setattr(phases, "fit", lambda *_, **options: calls.append(options) or History())
    for seed in (0, 1):
        unfreeze_gradually(network("small_cnn"), colours, steps_per_stage=1, seed=seed, lr=1e-2,
                           weight_decay=0.1)
    assert len({call["seed"] for call in calls}) == len(calls) == 10, "not seed + phase"
    last = {group["name"]: group for group in calls[-1]["groups"]}
    rates = [last[name]["lr"] for name, _ in stages(network("small_cnn"))]
    assert rates == pytest.approx([1e-2 / 2.6**depth for depth in (4, 3, 2, 1, 0)])
    assert last["head"]["weight_decay"] == 0.1


def test_a_probe_trains_the_head_of_a_network_that_was_frozen_before(colours):
    model = freeze(network("small_cnn"))
    head = model.head.weight.clone()
    linear_probe_then_fine_tune(model, colours, probe_steps=1, tune_steps=1, seed=0, lr=1e-2,
                                tune_lr=1e-30)
    assert (model.head.weight - head).abs().max() > 1e-3


def test_a_probe_leaves_the_backbone_and_tuning_moves_it(colours, monkeypatch):
    model, states = network("resnet18"), []

    def watched(*args, **options):
        states.append((snapshot(model.backbone), options["lr"], options["seed"]))
        return fit(*args, **options)

    monkeypatch.setattr(phases, "fit", watched)
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
