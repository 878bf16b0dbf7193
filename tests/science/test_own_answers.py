"""Learning from its own answers: losses against sums by hand, and what each method may touch."""

import math

import numpy as np
import pytest
import torch
from networks import blobs
from torch import nn

from tlcourse.align import (
    DANN,
    MCC,
    MMD,
    SHOT,
    TENT,
    Consistency,
    Entropy,
    PseudoLabel,
    adapt,
    entropy,
    information_maximisation,
    minimum_class_confusion,
)
from tlcourse.align.own_answers import turned
from tlcourse.data import Domain
from tlcourse.models import small_cnn
from tlcourse.training import predict

SOURCE = blobs(90, brightness=0.6, seed=0)
TARGET = 1 - blobs(60, brightness=0.4, seed=1).X
LOGITS = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)).double()


def by_hand(logits):
    p = np.exp(logits.numpy())
    return p / p.sum(1, keepdims=True)


def run(method, *, model=None, source=SOURCE, **options):
    return adapt(model or small_cnn(3, width=4, seed=0), source, TARGET, method=method, seed=3,
                 batch_size=16, **{"steps": 4, **options})


def states(model):
    return {name: t.clone() for name, t in model.state_dict().items()}


def test_entropy_is_the_mean_of_the_sums_by_hand():
    p = by_hand(LOGITS)
    assert float(entropy(LOGITS)) == pytest.approx(-(p * np.log(p)).sum(1).mean())
    assert float(entropy(torch.zeros(4, 5))) == pytest.approx(math.log(5))
    sure = torch.tensor([[1e4, 0.0], [0.0, 1e4]], requires_grad=True)
    assert float(entropy(sure).detach()) == 0
    entropy(sure).backward()
    assert sure.grad.isfinite().all()


def test_information_is_kept_by_sure_answers_in_all_classes_alone():
    sure, one = 1e4 * torch.eye(3), 1e4 * torch.eye(3)[[0, 0, 0]]
    assert float(information_maximisation(sure)) == pytest.approx(-math.log(3))
    assert float(information_maximisation(one)) == pytest.approx(0, abs=1e-6)
    assert float(information_maximisation(torch.zeros(4, 3))) == pytest.approx(0, abs=1e-6)
    p = by_hand(LOGITS)
    mean = p.mean(0)
    assert float(information_maximisation(LOGITS)) == pytest.approx(
        (mean * np.log(mean)).sum() - (p * np.log(p)).sum(1).mean())


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_class_confusion_is_the_sum_of_loops(temperature):
    p = by_hand(LOGITS / temperature)
    n, classes = p.shape
    w = [1 + math.exp(sum(q * math.log(q) for q in row)) for row in p]
    w = [each * n / sum(w) for each in w]
    confusion = [[sum(w[i] * p[i, k] * p[i, j] for i in range(n)) for j in range(classes)]
                 for k in range(classes)]
    off = sum(confusion[k][j] / sum(confusion[k]) for k in range(classes) for j in range(classes)
              if j != k)
    found = minimum_class_confusion(LOGITS, temperature=temperature)
    assert float(found) == pytest.approx(off / classes)


def test_class_confusion_from_none_to_all():
    assert float(minimum_class_confusion(1e4 * torch.eye(4))) == pytest.approx(0)
    assert float(minimum_class_confusion(torch.zeros(6, 4))) == pytest.approx(3 / 4)


def test_no_gradient_goes_through_the_weights_of_class_confusion():
    """The gradient is that of the same sum with the weights as numbers."""
    logits = LOGITS.clone().requires_grad_()
    minimum_class_confusion(logits).backward()
    fixed = LOGITS.clone().requires_grad_()
    p = (fixed / 2.5).softmax(1)
    w = 1 + torch.exp((p * p.log()).sum(1)).detach()
    c = torch.einsum("ik,i,ij->kj", p, w / w.mean(), p)
    ((c.sum() - 0) * 0 + (1 - (c.diagonal() / c.sum(1)).mean())).backward()
    assert torch.allclose(logits.grad, fixed.grad)


@pytest.mark.parametrize("loss", [entropy, information_maximisation, minimum_class_confusion])
@pytest.mark.parametrize("logits", [torch.zeros(3), torch.zeros(0, 3), torch.zeros(3, 1),
                                    torch.full((2, 2), math.nan)])
def test_what_are_no_logits_is_refused(loss, logits):
    with pytest.raises(ValueError, match="logits are needed as a matrix"):
        loss(logits)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="temperature is above 0, got 0"):
        minimum_class_confusion(LOGITS, temperature=0)
    with pytest.raises(ValueError, match="a probability from 0 to 1, got 95"):
        PseudoLabel(threshold=95)
    with pytest.raises(ValueError, match="average is a share .* got 1"):
        run("mcc", average=1)
    with pytest.raises(TypeError, match="each with its own settings"):
        run([MMD(), MCC()], weight=3)


def test_only_sure_answers_become_labels_and_teach_without_a_gradient():
    teacher = torch.tensor([[5.0, 0, 0], [0.1, 0, 0], [0, 0, 9.0]], requires_grad=True)
    student = torch.zeros(3, 3, requires_grad=True)
    loss = Consistency(threshold=0.9).agreement(teacher, student)
    assert float(loss.detach()) == pytest.approx(2 * math.log(3) / 3)
    loss.backward()
    assert teacher.grad is None and (student.grad[1] == 0).all()
    assert student.grad[0].argmin() == 0 and student.grad[2].argmin() == 2


def test_pictures_are_turned_and_keep_their_range_and_shape():
    torch.manual_seed(0)
    x = torch.rand(20, 1, 16, 16)
    found = turned(x)
    assert found.shape == x.shape and found.min() >= 0 and found.max() <= 1
    assert not torch.allclose(found, x) and not torch.allclose(found, turned(x))
    with pytest.raises(ValueError, match="only pictures .* got .4, 3.; give"):
        turned(torch.zeros(4, 3))


def test_consistency_takes_any_change_of_inputs():
    """Unchanged pictures ask for what pseudo-labels ask for, by a second look."""
    same = Consistency(threshold=0.0, strong=lambda x: x)
    plain = run(same, batchnorm="separate")[1].distance
    assert plain[0] == pytest.approx(run("pseudo_label", threshold=0.0,
                                         batchnorm="separate")[1].distance[0], rel=1e-4)


class Untouchable:
    """A source that says so when it is looked at."""

    def __getattribute__(self, name):
        raise AssertionError(f"the source was asked for its {name}")


@pytest.mark.parametrize("method", [SHOT(), TENT()], ids=["shot", "tent"])
@pytest.mark.parametrize("make", [lambda: None, Untouchable], ids=["none", "untouchable"])
def test_without_source_data_no_source_is_looked_at(method, make):
    found, history = run(method, source=make())
    assert history.source_loss == [] and len(history.distance) == 1
    assert all(p.requires_grad for p in found.parameters())


def test_shot_keeps_the_head_and_tent_all_but_the_normalisation():
    start = small_cnn(3, width=4, seed=0)
    before = states(start)
    moved = {name for name, t in run("shot", model=start)[0].state_dict().items()
             if not torch.equal(t, before[name])}
    assert moved and not any(name.startswith("head") for name in moved)
    kinds = nn.BatchNorm1d | nn.BatchNorm2d
    norms = {name for name, m in start.named_modules() if isinstance(m, kinds)}
    moved = {name for name, t in run("tent", model=start)[0].state_dict().items()
             if not torch.equal(t, before[name])}
    assert moved and all(name.rpartition(".")[0] in norms for name in moved)
    assert states(start).keys() == before.keys()
    assert all(torch.equal(t, before[name]) for name, t in start.state_dict().items())


def test_tent_needs_batch_normalisation():
    from tlcourse.diagnose.strategies import small_mlp

    with pytest.raises(ValueError, match="no batch normalisation"):
        adapt(small_mlp(2, inputs=3, seed=0), None, torch.rand(8, 3), method="tent", steps=1,
              seed=0)


def test_together_methods_add_up_and_weight_0_is_none():
    one = run([MMD(weight=2.0), Entropy(weight=0.0)])
    # All see the target once one of them does, so Entropy's pass is MMD's own.
    assert all(torch.equal(t, one[0].state_dict()[name])
               for name, t in run(MMD(weight=2.0))[0].state_dict().items())
    none = run([MMD(weight=0), MCC(weight=0)])[0]
    assert all(torch.equal(t, none.state_dict()[name])
               for name, t in run("none")[0].state_dict().items())
    _, history = run([DANN(), Consistency()])
    assert history.distance and history.discriminator_accuracy
    assert run([SHOT(), MMD()])[1].source_loss, "the source is seen as soon as one needs it"
    with pytest.raises(ValueError, match="steps is a whole number of at least 1, got 0"):
        run("shot", source=None, steps=0)


def test_a_run_repeats_with_its_seed():
    for each in ([DANN(), Consistency(threshold=0.0)], MCC(), SHOT()):
        noise = []
        for stir in (0, 1):
            torch.manual_seed(stir)
            noise.append(run(each)[0].state_dict())
        assert all(torch.equal(t, noise[1][name]) for name, t in noise[0].items())


def test_the_average_of_the_weights_is_that_of_the_steps():
    seen = []
    average, _ = run("none", average=0.5, every=1,
                     watch=lambda step, model: seen.append(states(model)))
    by_hand = seen[0]["head.weight"]
    for each in seen[1:]:
        by_hand = 0.5 * by_hand + 0.5 * each["head.weight"]
    assert torch.allclose(average.head.weight, by_hand, atol=1e-6)
    assert torch.equal(run("none", average=0.0)[0].head.weight, run("none")[0].head.weight)


def test_from_a_start_that_knows_nothing_the_loss_falls_and_one_class_is_left():
    """Nothing in the loss tells: the number of classes that are still answered does."""
    untrained, answered = small_cnn(3, width=4, seed=0), {}
    for method in ("entropy", "information_maximisation"):
        source = Domain("s", SOURCE.X, torch.zeros(90, dtype=torch.int64), ("a", "b", "c"))
        found, history = run(method, model=untrained, source=source, steps=60, every=10)
        assert history.distance[-1] < history.distance[0]
        answered[method] = len(predict(found, TARGET).argmax(1).unique())
    assert answered["entropy"] == 1 < answered["information_maximisation"]
