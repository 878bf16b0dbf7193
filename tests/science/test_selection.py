"""Choosing without target labels: each score on cases where the answer is known."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tlcourse.align.model_selection import (
    importance_weighted_validation,
    negative_entropy,
    oracle_accuracy,
    soft_neighbourhood_density,
    source_validation,
)
from tlcourse.data import Domain
from tlcourse.models import Network


def logits_of(rows) -> tuple[nn.Module, torch.Tensor]:
    """A model that hands on its input, and inputs that are the logits wanted."""
    return nn.Identity(), torch.tensor(rows)


def run(score, rows, **options) -> float:
    """`nn.Identity` has no parameters, which `predict` does not need."""
    model, x = logits_of(rows)
    return score(model, x, **options)


def test_entropy_is_the_definition_in_nats():
    p = np.array([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]])
    expected = np.mean([sum(q * math.log(q) for q in row) for row in p])
    assert run(negative_entropy, np.log(p).astype("float32")) == pytest.approx(expected, abs=1e-6)


def test_entropy_runs_from_even_predictions_to_certain_ones_and_stays_finite():
    assert run(negative_entropy, [[3.0] * 5] * 2) == pytest.approx(-math.log(5))
    assert run(negative_entropy, [[1e4, 0.0, -1e4]]) == pytest.approx(0, abs=1e-12)


def density_by_loops(p: np.ndarray, temperature: float) -> float:
    p, entropies = p / np.linalg.norm(p, axis=1, keepdims=True), []
    for i in range(len(p)):
        e = np.exp([p[i] @ p[j] / temperature for j in range(len(p)) if j != i])
        q = e / e.sum()
        entropies.append(-(q * np.log(q)).sum())
    return float(np.mean(entropies))


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_density_is_the_definition(temperature):
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1, 1], size=9)
    found = run(soft_neighbourhood_density, np.log(p), temperature=temperature)
    assert found == pytest.approx(density_by_loops(p, temperature), abs=1e-9)


def test_dense_classes_score_above_scattered_predictions():
    rng = np.random.default_rng(0)
    tight = 8 * np.eye(10)[np.arange(80) % 4] + 0.1 * rng.normal(size=(80, 10))
    scattered = 3 * rng.normal(size=(80, 10))
    apart = run(soft_neighbourhood_density, scattered)
    assert run(soft_neighbourhood_density, tight) > apart + 0.3
    assert run(soft_neighbourhood_density, tight) == pytest.approx(math.log(19), abs=0.02)


def test_a_collapsed_model_has_the_best_entropy_and_density_of_all():
    """Known blind spot of both: they cannot tell certainty from collapse."""
    collapsed = [[50.0, 0.0, 0.0]] * 40
    assert run(negative_entropy, collapsed) == pytest.approx(0, abs=1e-9)
    assert run(soft_neighbourhood_density, collapsed) == pytest.approx(math.log(39), abs=1e-9)


@pytest.fixture(scope="module")
def threshold():
    """y = [x > 0]; the model answers [x > 1] and errs between 0 and 1."""
    network = Network(nn.Identity(), nn.Linear(1, 2))
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor([[0.0], [1.0]]))
        network.head.bias.copy_(torch.tensor([0.0, -1.0]))
    x = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    return network, Domain("source", x, (x[:, 0] > 0).long())


def shifted(n: int, mean: float) -> torch.Tensor:
    return torch.randn(n, 1, generator=torch.Generator().manual_seed(1)) + mean


def test_source_validation_and_the_oracle_are_plain_accuracies(threshold):
    network, source = threshold
    x = shifted(4000, 1.0)
    exact = 1 - 0.3413  # Phi(1) - Phi(0)
    assert source_validation(network, source) == pytest.approx(exact, abs=0.02)
    oracle = oracle_accuracy(network, Domain("target", x, (x[:, 0] > 0).long()))
    assert oracle == pytest.approx(1 - 0.3413, abs=0.02), "Phi(0) - Phi(-1)"


@pytest.mark.parametrize(("mean", "exact"), [(-1.0, 1 - 0.1359), (0.5, 1 - 0.3829)])
def test_under_covariate_shift_the_weighted_score_is_the_targets_accuracy(threshold, mean, exact):
    """P(0 < x < 1) under N(mean, 1); the source's own accuracy is .659 in both cases."""
    network, source = threshold
    found = importance_weighted_validation(network, source, shifted(4000, mean))
    assert found == pytest.approx(exact, abs=0.03)
    assert abs(found - source_validation(network, source)) > 0.03


def test_the_weights_are_of_the_features_not_of_the_answers():
    """The same answer everywhere says nothing of the shift, which the features do show."""
    network = Network(nn.Identity(), nn.Linear(1, 2))
    with torch.no_grad():
        network.head.weight.zero_(), network.head.bias.copy_(torch.tensor([1.0, 0.0]))
    x = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    source = Domain("source", x, (x[:, 0] > 0).long())
    found = importance_weighted_validation(network, source, shifted(4000, -1.0))
    assert found == pytest.approx(0.8413, abs=0.02), "Phi(1); without weights it is 1/2"


def test_the_weighted_score_sees_no_target_label_and_repeats_with_its_seed(threshold):
    network, source = threshold
    scores = [importance_weighted_validation(network, source, shifted(500, 0.5), seed=seed)
              for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


def test_scores_leave_the_weights_as_they_are(threshold):
    network, source = threshold
    before = {name: t.clone() for name, t in network.state_dict().items()}
    for score in (negative_entropy, soft_neighbourhood_density):
        score(network, source.X[:50])
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())


def test_too_few_samples_for_a_neighbourhood_are_refused():
    with pytest.raises(ValueError, match="at least 3 samples, got 2"):
        run(soft_neighbourhood_density, [[1.0, 0.0]] * 2)
