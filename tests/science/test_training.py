"""The training loop: what it repeats, what it restores, and what it refuses."""

import copy

import numpy as np
import pytest
import torch
from networks import blobs
from sklearn.metrics import f1_score, recall_score
from torch.nn.functional import cross_entropy

from tlcourse.data import Domain
from tlcourse.finetune import param_groups
from tlcourse.models import small_cnn
from tlcourse.training import accuracy, batches, evaluate, fit, predict, random_shift


@pytest.fixture(scope="module", name="blobs")
def three_blobs():
    return blobs(90, brightness=0.6, seed=0)


def network(seed=0):
    return small_cnn(3, width=4, seed=seed)


def states_equal(a, b):
    return all(torch.equal(t, b.state_dict()[name]) for name, t in a.state_dict().items())


def test_it_learns_and_hands_back_a_model_in_evaluation_mode(blobs):
    model = network()
    assert accuracy(model, blobs) < 0.7
    history = fit(model, blobs, steps=60, seed=0, every=20)
    assert accuracy(model, blobs) > 0.95 and not model.training
    assert history.step == [20, 40, 60] and history.loss[-1] < history.loss[0]


@pytest.mark.usefixtures("one_thread")
def test_training_is_the_loop_written_out(blobs):
    def penalty(model):
        return 0.1 * model.head.weight.square().sum()

    model, expected = network(), network().train()
    optimiser = torch.optim.AdamW(expected.parameters(), lr=3e-3, weight_decay=0, fused=True)
    generator, losses = torch.Generator().manual_seed(5), []
    for rows, _ in zip(batches(90, 32, seed=5), range(6), strict=False):
        outputs = expected(random_shift(blobs.X[rows], generator))
        optimiser.zero_grad()
        loss = cross_entropy(outputs, blobs.y[rows]) + penalty(expected)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    history = fit(model, blobs, steps=6, seed=5, every=3, augment=random_shift, penalty=penalty)
    assert states_equal(model, expected)
    assert history.loss == pytest.approx([np.mean(losses[:3]), np.mean(losses[3:])], rel=1e-5)


def test_the_seed_draws_dropout_whatever_the_global_state_and_leaves_it_alone(blobs):
    models = [network() for _ in range(2)]
    for noise, model in enumerate(models):
        model.backbone.append(torch.nn.Dropout(0.5))
        torch.manual_seed(noise + 10)
        state = torch.get_rng_state()
        fit(model, blobs, steps=3, seed=0)
        assert torch.equal(state, torch.get_rng_state())
    assert states_equal(*models)


class _WithSideHead(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.main, self.side = (torch.nn.Linear(256, 3) for _ in range(2))

    def forward(self, x):
        x = x.flatten(1)
        return (self.main(x), self.side(x), None) if self.training else self.main(x)


def test_an_auxiliary_head_counts_three_tenths(blobs):
    model, first = _WithSideHead(), next(batches(90, 32, seed=0))
    main, side, _ = model(blobs.X[first])
    expected = cross_entropy(main, blobs.y[first]) + 0.3 * cross_entropy(side, blobs.y[first])
    assert fit(model, blobs, steps=1, seed=0).loss == [pytest.approx(expected.item(), rel=1e-5)]


def test_the_same_seed_gives_the_same_weights_whatever_the_global_state(blobs):
    models = [network() for _ in range(3)]
    for model, seed, noise in zip(models, (1, 1, 2), (10, 20, 20), strict=True):
        torch.manual_seed(noise)
        fit(model, blobs, steps=5, seed=seed)
    assert states_equal(models[0], models[1]) and not states_equal(models[0], models[2])


def test_watching_a_validation_set_does_not_change_the_training(blobs):
    plain = fit(network(), blobs, steps=6, seed=0, every=2)
    watched = fit(network(), blobs, steps=6, seed=0, every=2, validation=blobs)
    assert plain.loss == watched.loss and len(watched.accuracy) == 3


def test_the_best_weights_on_validation_are_kept_and_patience_ends_the_training(blobs):
    contrary = Domain("contrary", blobs.X, (blobs.y + 1) % 3, blobs.classes)
    model = network()
    fit(model, blobs, steps=60, seed=0)
    history = fit(model, contrary, steps=400, seed=0, every=2, validation=blobs, patience=3)
    assert history.step[-1] < 400 and history.step[-1] - history.best_step == 6
    assert accuracy(model, blobs) == max(history.accuracy) > history.accuracy[-1]


def test_only_parameters_that_require_gradients_are_trained(blobs):
    model = network()
    model.backbone.requires_grad_(False)
    before = copy.deepcopy(model)
    fit(model, blobs, steps=3, seed=0)
    assert all(map(torch.equal, model.backbone.parameters(), before.backbone.parameters()))
    assert not torch.equal(model.head.weight, before.head.weight)
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing to train"):
        fit(model, blobs, steps=3, seed=0)


def test_an_interrupt_keeps_what_was_reached(blobs):
    calls = []

    def stop_at_30(x, generator):
        calls.append(1)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return x

    model = network()
    history = fit(model, blobs, steps=500, seed=0, every=10, augment=stop_at_30)
    assert history.interrupted and history.step == [10, 20] and not model.training
    assert accuracy(model, blobs) > 0.8


def test_an_augmentation_that_fails_leaves_the_best_weights(blobs):
    def fail_at_21(x, generator):
        kept.append({key: value.clone() for key, value in model.state_dict().items()})
        if len(kept) == 21:
            raise RuntimeError("out of pictures")
        return x

    contrary, kept = Domain("contrary", blobs.X, (blobs.y + 1) % 3, blobs.classes), []
    model = network()
    fit(model, blobs, steps=60, seed=0)
    with pytest.raises(RuntimeError, match="out of pictures"):
        fit(model, contrary, steps=50, seed=0, every=10, validation=blobs, augment=fail_at_21)
    assert all(map(torch.equal, model.state_dict().values(), kept[10].values()))
    assert not model.training


def test_a_loss_that_is_not_finite_restores_the_last_good_weights(blobs):
    def poison(x, generator):
        poison.calls += 1
        return x * (float("nan") if poison.calls == 15 else 1)

    poison.calls = 0
    model = network()
    with pytest.raises(ValueError, match=r"nan at step 20.*step 10 are restored"):
        fit(model, blobs, steps=50, seed=0, every=10, augment=poison)
    assert all(torch.isfinite(t).all() for t in model.state_dict().values())


def test_settings_that_cannot_work_are_refused(blobs):
    for wrong in ({"steps": 0}, {"steps": 2.5}, {"batch_size": 0}, {"every": 0},
                  {"patience": 0, "validation": blobs}):
        (name, value), *_ = wrong.items()
        with pytest.raises(ValueError, match=f"{name} is a whole number .* least 1, got {value}"):
            fit(network(), blobs, **{"steps": 1, "seed": 0} | wrong)
    with pytest.raises(ValueError, match="at least 2 samples, and blobs has 1"):
        fit(network(), blobs.subset([0]), steps=1, seed=0)
    with pytest.raises(TypeError, match="needs a Domain, got tuple"):
        fit(network(), (blobs.X, blobs.y), steps=1, seed=0)
    with pytest.raises(ValueError, match="needs a validation set"):
        fit(network(), blobs, steps=1, seed=0, patience=2)
    with pytest.raises(ValueError, match="labels up to 2, but the model has 2 outputs"):
        fit(small_cnn(2, width=4, seed=0), blobs, steps=1, seed=0)


def test_groups_of_another_model_would_train_nothing_and_are_refused(blobs):
    model = network()
    groups = param_groups(copy.deepcopy(model), 1e-2, 0.5)
    with pytest.raises(ValueError, match="parameters of another model"):
        fit(model, blobs, steps=1, seed=0, groups=groups)
    head = model.head.weight.clone()
    fit(model, blobs, steps=1, seed=0, groups=[{"params": model.head.parameters()}])
    assert not torch.equal(model.head.weight, head), "an iterator, as PyTorch takes it"


@pytest.mark.parametrize("n", [3, 10, 64])
def test_an_epoch_of_batches_shows_no_row_twice(n):
    stream = batches(n, 4, seed=0)
    for _ in range(3):
        epoch = torch.cat([next(stream) for _ in range(n // min(n, 4))])
        assert len(epoch.unique()) == len(epoch)
    one_epoch = [next(batches(n, n, seed)) for seed in (0, 0, 1)]
    assert torch.equal(one_epoch[0], one_epoch[1]) and not torch.equal(one_epoch[0], one_epoch[2])
    several = batches(n, n, seed=0)
    assert len({tuple(next(several).tolist()) for _ in range(6)}) > 1, "a new order each epoch"


def test_a_small_network_trains_on_one_thread_and_the_others_come_back(blobs):
    before, during = torch.get_num_threads(), []

    def note(x, generator):
        during.append(torch.get_num_threads())
        return x

    torch.set_num_threads(2)
    try:
        fit(network(), blobs, steps=1, seed=0, augment=note)
        assert during == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_class_without_a_sample_has_its_place_in_the_confusion_matrix(blobs):
    assert evaluate(network(), blobs.subset(blobs.y < 1))["confusion"].shape == (3, 3)


def test_scores_are_those_of_scikit_learn(blobs):
    model = network(3)
    blobs = blobs.subset((blobs.y > 0) | (torch.arange(90) < 15))  # five of the first class
    scores = evaluate(model, blobs)
    guess = predict(model, blobs.X, batch_size=7).argmax(1).numpy()
    truth = blobs.y.numpy()
    assert scores["accuracy"] == pytest.approx((guess == truth).mean()) == accuracy(model, blobs)
    assert scores["recall"] == recall_score(truth, guess, average="macro")
    assert scores["f1"] == f1_score(truth, guess, average="macro", zero_division=0)
    assert scores["confusion"].sum() == len(blobs)
    assert np.array_equal(scores["confusion"].sum(1), np.bincount(truth))
    logits = predict(model, blobs.X).double()
    assert scores["loss"] == pytest.approx(
        -logits.log_softmax(1)[torch.arange(len(blobs)), blobs.y].mean().item(), rel=1e-5
    )


def test_a_shift_moves_pictures_without_bending_them():
    x = torch.zeros(50, 2, 6, 6)
    x[:, :, 2, 3] = 1
    moved = random_shift(x, torch.Generator().manual_seed(0))
    assert moved.shape == x.shape and torch.equal(moved.sum((2, 3)), x.sum((2, 3)))
    places = {tuple(p[1:].tolist()) for p in torch.nonzero(moved[:, 0])}
    assert places == {(r, c) for r in (1, 2, 3) for c in (2, 3, 4)}
    edge = torch.ones(20, 1, 3, 3)
    assert random_shift(edge, torch.Generator().manual_seed(0)).sum((1, 2, 3)).min() == 4
