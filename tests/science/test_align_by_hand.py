"""Training with alignment, step by step: `adapt` does what the same loop, written out, does."""

import copy
import math

import pytest
import torch
from networks import blobs
from torch import nn
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from tlcourse.align import adapt, adapt_batchnorm, adversarial, coral, loop, mmd2
from tlcourse.models import small_cnn
from tlcourse.training import batches, predict

SOURCE = blobs(90, brightness=0.6, seed=0)
TARGET = (1 - blobs(60, brightness=0.4, seed=1).X)[:10]  # 10 of them, and 16 of the source, a step


@pytest.fixture
def drawn(monkeypatch):
    """What `adapt` draws: the rows of each step by the size of the domain, and its adversaries."""
    seen = {len(SOURCE): [], len(TARGET): [], "adversaries": []}
    make = adversarial.discriminator

    def noted(n, *args):
        for rows in batches(n, *args):
            seen[n].append(rows)
            yield rows

    def drawn_too(*args, **options):
        seen["adversaries"].append(copy.deepcopy(make(*args, **options)))
        return copy.deepcopy(seen["adversaries"][-1])

    monkeypatch.setattr(loop, "batches", noted)
    monkeypatch.setattr(adversarial, "discriminator", drawn_too)
    return seen


def bce(logits, domain: float):
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, domain))


def adversary(disc, z_s, z_t, strength, sign):
    """D's own loss on fixed features, and for the features a loss that leaves D as it is."""
    own = (bce(disc(z_s.detach()), 1) + bce(disc(z_t.detach()), 0)) / 2
    fixed = {name: p.detach() for name, p in disc.named_parameters()}
    logits_s, logits_t = (functional_call(disc, fixed, z) for z in (z_s, z_t))
    theirs = {"reversal": -(bce(logits_s, 1) + bce(logits_t, 0)) / 2,
              "non_saturating": bce(logits_t, 1)}[sign]
    told = ((logits_s > 0).double().mean() + (logits_t < 0).double().mean()) / 2
    return own + strength * theirs, own.item(), told.item()


def distance_of(method, z_s, z_t, weights):
    if method == "partial":
        return mmd2(z_s, z_t, weights=weights.clamp(min=0.01))
    return {"mmd": mmd2, "coral": coral}[method](z_s, z_t)


def forward(model, x_s, x_t, batchnorm):
    if batchnorm == "separate":
        return model.features(x_s), model.features(x_t)
    both = model.features(torch.cat([x_s, x_t]))
    return both[: len(x_s)], both[len(x_s) :]


def by_hand(drawn, method, *, weight, steps, batchnorm, sign, class_weights):
    """The network after the steps, and the losses, distances and D's accuracies of each."""
    model, seen = small_cnn(3, width=4, seed=0).train(), []
    disc = drawn["adversaries"][0] if drawn["adversaries"] else nn.Identity()
    optimiser = torch.optim.AdamW([*model.parameters(), *disc.parameters()], lr=1e-3,
                                  weight_decay=0, fused=True)
    share = torch.ones(3) if class_weights is None else class_weights / class_weights.mean()
    for step, rows in enumerate(zip(drawn[len(SOURCE)], drawn[len(TARGET)], strict=True), 1):
        y_s = SOURCE.y[rows[0]]
        z_s, z_t = forward(model, SOURCE.X[rows[0]], TARGET[rows[1]], batchnorm)
        answers, guesses = model.head(z_s), model.head(z_t).softmax(1).detach()
        each, told = cross_entropy(answers, y_s, reduction="none"), math.nan
        own = (share[y_s] * each).mean() if method == "partial" else each.mean()
        if method in ("dann", "cdan"):
            if method == "cdan":
                z_s, z_t = (torch.einsum("nk,nd->nkd", p, z).flatten(1)
                            for p, z in ((answers.softmax(1).detach(), z_s), (guesses, z_t)))
            strength = weight * (2 / (1 + math.exp(-10 * step / steps)) - 1)
            extra, distance, told = adversary(disc, z_s, z_t, strength, sign)
        else:
            apart = distance_of(method, z_s, z_t, share[y_s])
            extra, distance = weight * apart, apart.item()
        if class_weights is None:
            share = 0.95 * share + 0.05 * 3 * guesses.mean(0)
        optimiser.zero_grad()
        (own + extra).backward()
        optimiser.step()
        seen.append((own.item(), distance, told))
    return model.eval(), *zip(*seen, strict=True)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("batchnorm", ["joint", "separate"])
@pytest.mark.parametrize(("method", "sign", "class_weights"), [
    ("mmd", "reversal", None), ("coral", "reversal", None),
    ("dann", "reversal", None), ("dann", "non_saturating", None),
    ("cdan", "reversal", None), ("cdan", "non_saturating", None),
    ("partial", "reversal", None), ("partial", "reversal", torch.tensor([1.0, 3, 0])),
])
def test_a_run_is_the_loop_written_out(drawn, method, sign, class_weights, batchnorm):
    options = {"weight": 3.0, "steps": 8, "batchnorm": batchnorm, "sign": sign}
    partial = {"class_weights": class_weights} if method == "partial" else {}
    found, history = adapt(small_cnn(3, width=4, seed=0), SOURCE, TARGET, method=method, seed=3,
                           batch_size=16, every=4, **options, **partial)
    expected, losses, distances, accuracies = by_hand(drawn, method, **options,
                                                      class_weights=class_weights)
    for X in (SOURCE.X, TARGET):
        assert torch.allclose(predict(found, X), predict(expected, X), atol=1e-4)

    def halves(values):
        return pytest.approx([sum(values[:4]) / 4, sum(values[4:]) / 4], abs=1e-4)

    assert history.source_loss == halves(losses) and history.distance == halves(distances)
    if method in ("dann", "cdan"):
        assert history.discriminator_accuracy == halves(accuracies)


def test_streams_of_random_numbers_are_different_ones_and_change_with_the_seed(drawn):
    target_x = TARGET.repeat(9, 1, 1, 1)  # as many as in the source
    firsts = []
    for seed in (0, 1):
        drawn[90].clear()
        adapt(small_cnn(3, width=4, seed=0), SOURCE, target_x, method="dann", steps=2, seed=seed)
        firsts += [rows.tolist() for rows in drawn[90][:2]]
    assert len({tuple(rows) for rows in firsts}) == 4, "source and target, seeds 0 and 1"
    first, other = (disc[0].weight for disc in drawn["adversaries"])
    assert not torch.equal(first, other)


def test_the_seed_draws_dropout_whatever_the_global_state_and_leaves_it_alone():
    model = small_cnn(3, width=4, seed=0)
    model.backbone.append(nn.Dropout(0.5))
    found = []
    for noise in (10, 20):
        torch.manual_seed(noise)
        state = torch.get_rng_state()
        found.append(adapt(model, SOURCE, TARGET, method="mmd", steps=3, seed=0)[0])
        assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(*(predict(m, TARGET) for m in found))


def test_adabn_is_source_only_and_then_the_targets_statistics():
    none, found = (adapt(small_cnn(3, width=4, seed=0), SOURCE, TARGET, method=method, steps=3,
                         seed=0)[0] for method in ("none", "adabn"))
    expected = adapt_batchnorm(none, TARGET).state_dict()
    assert all(torch.equal(t, expected[name]) for name, t in found.state_dict().items())
