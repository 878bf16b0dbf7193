"""The adversary: who minimises what, checked against finite differences and plain losses."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tlcourse.align import (
    cdan_map,
    dann_lambda,
    discriminator,
    domain_adversarial_loss,
    grad_reverse,
    non_saturating_loss,
)

FORMS = [domain_adversarial_loss, non_saturating_loss]


def features(n: int, m: int, *, d: int = 4, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    def draw(rows):
        return torch.randn(rows, d, generator=generator, dtype=torch.float64)
    return draw(n).requires_grad_(), (draw(m) + 0.5).requires_grad_()


def make_discriminator(d: int = 4, seed: int = 0):
    return discriminator(d, hidden=8, seed=seed).double()


def l_d(disc, z_s, z_t) -> float:
    """L_D by the definition, in NumPy, at probabilities far from 0 and 1."""
    with torch.no_grad():
        p_s, p_t = (1 / (1 + np.exp(-disc(z).numpy())) for z in (z_s, z_t))
    return (-np.log(p_s).mean() - np.log(1 - p_t).mean()) / 2


def finite_differences(function, z: torch.Tensor, *, h: float = 1e-6) -> torch.Tensor:
    gradient = torch.zeros_like(z)
    for i in np.ndindex(*z.shape):
        step = torch.zeros_like(z)
        step[i] = h
        gradient[i] = (function((z + step).detach()) - function((z - step).detach())) / (2 * h)
    return gradient


def test_reversal_is_the_identity_forward_and_minus_lambda_backward():
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    y = grad_reverse(x, 0.7)
    assert torch.equal(x, y) and y.dtype == torch.float64
    (gradient,) = torch.autograd.grad((y**2).sum(), x)
    assert torch.allclose(gradient, -0.7 * 2 * x, atol=1e-15)


@pytest.mark.parametrize(("progress", "strength"), [(0, 0), (0.5, 0.98661), (1, 0.99991)])
def test_the_schedule_is_the_papers_at_every_call(progress, strength):
    for _ in range(3):  # a hidden counter would show
        assert dann_lambda(progress) == pytest.approx(strength, abs=5e-6)


@pytest.mark.parametrize("progress", [-0.1, 1.01, 300, math.nan])
def test_progress_is_a_share_and_a_step_is_refused(progress):
    with pytest.raises(ValueError, match="share of the training from 0 to 1, got"):
        dann_lambda(progress)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("n", "m"), [(6, 6), (9, 2)])
def test_the_value_is_the_definition_each_domain_one_half(form, n, m):
    (z_s, z_t), disc = features(n, m), make_discriminator()
    assert abs(form(disc, z_s, z_t, 0.3).item() - l_d(disc, z_s, z_t)) < 1e-10
    many = form(disc, z_s.repeat(5, 1), z_t, 0.3)
    assert many.item() == pytest.approx(form(disc, z_s, z_t, 0.3).item(), abs=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lam", [0.0, 0.4, 3.0])
def test_the_discriminator_gets_the_gradient_of_plain_cross_entropy(form, lam):
    (z_s, z_t), disc = features(7, 5), make_discriminator()
    found = torch.autograd.grad(form(disc, z_s, z_t, lam), list(disc.parameters()))
    bce = nn.functional.binary_cross_entropy_with_logits
    plain = (bce(disc(z_s), torch.ones(7, 1).double())
             + bce(disc(z_t), torch.zeros(5, 1).double())) / 2
    expected = torch.autograd.grad(plain, list(disc.parameters()))
    assert all(torch.allclose(a, b, atol=1e-14) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("lam", [0.4, 1.0])
def test_the_encoder_gets_minus_lambda_times_the_finite_differences_of_l_d(lam):
    """Differences taken through the reversal give +1 times: its forward pass is the identity."""
    torch.manual_seed(0)
    encoder, disc = nn.Linear(3, 4).double(), make_discriminator()
    x_s, x_t = torch.randn(6, 3).double(), torch.randn(8, 3).double() + 1
    start = encoder.weight.detach().clone()

    def at(weight, value):
        encoder.weight.data = weight
        found = value(encoder(x_s), encoder(x_t))
        encoder.weight.data = start
        return found

    domain_adversarial_loss(disc, encoder(x_s), encoder(x_t), lam).backward()
    of_l_d = finite_differences(lambda w: at(w, lambda s, t: l_d(disc, s, t)), start)
    through = finite_differences(
        lambda w: at(w, lambda s, t: domain_adversarial_loss(disc, s, t, lam).item()), start)
    assert of_l_d.abs().max() > 1e-3
    assert torch.allclose(encoder.weight.grad, -lam * of_l_d, atol=1e-9)
    assert torch.allclose(through, of_l_d, atol=1e-9)


def test_in_the_non_saturating_form_target_features_minimise_minus_log_d():
    (z_s, z_t), disc = features(6, 8), make_discriminator()
    non_saturating_loss(disc, z_s, z_t, 0.4).backward()

    def minus_log_d(z):
        with torch.no_grad():
            return float(np.log1p(np.exp(-disc(z).numpy())).mean())

    assert torch.allclose(z_t.grad, 0.4 * finite_differences(minus_log_d, z_t), atol=1e-9)
    assert z_s.grad is None, "the source stays where its labels want it"


def test_when_d_is_sure_the_reversal_has_hardly_a_gradient_and_the_other_form_has_one():
    size = {}
    for form in FORMS:
        z_s, z_t = (torch.full((4, 1), at, dtype=torch.float64, requires_grad=True)
                    for at in (2.0, -2.0))
        disc = nn.Linear(1, 1).double()
        nn.init.constant_(disc.weight, 5.0), nn.init.zeros_(disc.bias)
        form(disc, z_s, z_t, 1.0).backward()
        size[form] = z_t.grad.abs().sum().item()
    assert size[domain_adversarial_loss] < 1e-3 < 1 < size[non_saturating_loss]


@pytest.mark.parametrize("form", FORMS)
def test_a_step_along_the_gradient_makes_d_better_and_the_features_harder_to_tell(form):
    (z_s, z_t), disc = features(40, 40), make_discriminator()
    before = l_d(disc, z_s, z_t)
    form(disc, z_s, z_t, 1.0).backward()
    moved = z_s if z_s.grad is None else z_s - z_s.grad
    assert l_d(disc, moved, z_t - z_t.grad) > before
    with torch.no_grad():
        for p in disc.parameters():
            p -= 0.1 * p.grad
    assert l_d(disc, z_s, z_t) < before


def test_the_conditional_map_is_the_outer_product_of_probabilities_and_features():
    z, logits = torch.randn(5, 3).double(), torch.randn(5, 4).double()
    p = np.exp(logits.numpy())
    p /= p.sum(1, keepdims=True)
    expected = np.einsum("nk,nd->nkd", p, z.numpy()).reshape(5, 12)
    assert np.abs(cdan_map(z, logits).numpy() - expected).max() < 1e-12
    assert torch.allclose(cdan_map(z, logits + 7), cdan_map(z, logits)), "softmax, not raw logits"
    assert torch.allclose(cdan_map(z, logits).view(5, 4, 3).sum(1), z)


@pytest.mark.parametrize("form", FORMS)
def test_the_head_gets_no_gradient_from_the_adversary_and_the_features_do(form):
    (z_s, z_t), head = features(6, 6), nn.Linear(4, 3).double()
    disc = make_discriminator(12)
    form(disc, cdan_map(z_s, head(z_s)), cdan_map(z_t, head(z_t)), 1.0).backward()
    assert head.weight.grad is None and head.bias.grad is None
    assert z_t.grad.abs().max() > 0


class _OverOneOutput(nn.Module):
    """Seen in published code: D is 1 for every sample, and no weight changes anything."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, z):
        return self.layers(z).softmax(1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("disc", "message"), [
    (nn.Linear(4, 2), r"one logit a sample, shape \(12, 1\), got \(12, 2\)"),
    (nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)), r"got \(12,\)"),
    (nn.Sequential(nn.Linear(4, 1), nn.Softmax(1)), "exactly 1 of every sample, as a softmax"),
    (_OverOneOutput(), "exactly 1 of every sample, as a softmax"),
])
def test_a_discriminator_that_cannot_answer_is_refused(form, disc, message):
    z_s, z_t = features(6, 6)
    with pytest.raises(ValueError, match=message):
        form(disc.double(), z_s, z_t, 1.0)


def test_a_discriminator_that_knows_nothing_yet_is_not_refused():
    disc = make_discriminator()
    nn.init.zeros_(disc[-1].weight), nn.init.zeros_(disc[-1].bias)
    assert domain_adversarial_loss(disc, *features(3, 4), 1.0).item() == pytest.approx(math.log(2))


EXTREME = {
    "collapsed": (torch.ones(6, 4), torch.ones(5, 4)),
    "very distant": (torch.zeros(6, 4), torch.full((5, 4), 1e6)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", EXTREME.values(), ids=EXTREME.keys())
def test_extreme_features_give_finite_values_and_gradients(form, case):
    z_s, z_t = (z.clone().requires_grad_() for z in case)
    value = form(discriminator(4, seed=0), z_s, z_t, 1.0)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(z_t.grad).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("z_s", "z_t", "message"), [
    (torch.ones(3, 4), torch.ones(3, 5), "widths 4 and 5"),
    (torch.ones(1, 4), torch.ones(3, 4), "at least 2 rows"),
    (torch.ones(3, 4), torch.full((3, 4), torch.nan), "3 of 3 rows of y hold NaN"),
])
def test_what_is_no_pair_of_feature_matrices_is_refused(form, z_s, z_t, message):
    with pytest.raises(ValueError, match=message):
        form(discriminator(4, seed=0), z_s, z_t, 1.0)


def test_the_map_refuses_unequal_rows():
    with pytest.raises(ValueError, match=r"same rows, got \(5, 3\) and \(4, 2\)"):
        cdan_map(torch.ones(5, 3), torch.ones(4, 2))


def test_a_discriminator_is_drawn_by_its_seed_and_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    nets = [discriminator(4, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(nets[0][0].weight, nets[1][0].weight)
    assert not torch.equal(nets[0][0].weight, nets[2][0].weight)
    assert nets[0](torch.ones(7, 4)).shape == (7, 1)
