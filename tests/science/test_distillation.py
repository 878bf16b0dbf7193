"""Distillation: the divergence by its definition, and a gradient that outlives the softening."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy

from tlcourse.finetune import distillation_loss


def logits(n=7, k=5, *, seed=0):
    return 3 * torch.randn(n, k, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("temperature", [0.5, 1, 4])
def test_it_is_the_divergence_of_the_softened_answers_times_the_squared_temperature(temperature):
    s, t = logits(), logits(seed=1)
    p, q = (softmax(z.numpy() / temperature, axis=1) for z in (t, s))
    expected = temperature**2 * np.mean([entropy(*pair) for pair in zip(p, q, strict=True)])
    assert distillation_loss(s, t, temperature).item() == pytest.approx(expected, abs=1e-10)


def test_a_student_that_answers_as_its_teacher_has_no_loss_whatever_is_added_to_the_logits():
    t = logits()
    assert distillation_loss(t + 7, t, 2.0).item() == pytest.approx(0, abs=1e-12)
    assert distillation_loss(logits(seed=1), t, 2.0).item() > 0.1


def gradient_norm(temperature):
    s, t = logits().requires_grad_(), logits(seed=1)
    distillation_loss(s, t, temperature).backward()
    return s.grad.norm().item()


def test_at_high_temperatures_the_gradient_is_that_of_centred_logits_and_does_not_vanish():
    """Without the factor T² it falls to a hundredth from T = 20 to T = 200."""
    s, t = (z - z.mean(1, keepdim=True) for z in (logits(), logits(seed=1)))
    limit = ((s - t) / (5 * 7)).norm().item()  # Hinton's limit: differences over K classes
    assert gradient_norm(1e5) == pytest.approx(limit, rel=1e-3)
    assert gradient_norm(20) == pytest.approx(gradient_norm(200), rel=0.15)


def test_the_teacher_gets_no_gradient():
    s, t = logits().requires_grad_(), logits(seed=1).requires_grad_()
    distillation_loss(s, t, 2.0).backward()
    assert t.grad is None and s.grad.abs().max() > 0


def test_answers_that_are_certain_give_finite_values_and_gradients():
    s, t = (1e4 * z for z in (logits(), logits(seed=1)))
    loss = distillation_loss(s.requires_grad_(), t, 1.0)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(s.grad).all()


def test_what_cannot_be_distilled_is_refused_in_words():
    with pytest.raises(ValueError, match=r"same samples and classes, got \(7, 5\) and \(7, 4\)"):
        distillation_loss(logits(), logits(k=4), 2.0)
    for temperature in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="the temperature is a number above 0, got"):
            distillation_loss(logits(), logits(), temperature)
