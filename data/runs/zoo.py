"""Which source for which target, and which score says so? The experiment of lesson 04, recorded.

    python data/runs/zoo.py

writes ``zoo.json`` beside this file: for every source, target and seed the scores, which cost no
training on the target, and the accuracies that they are held against. Scores and training see the
same 100 target labels and no others. A test of the course recomputes a sample of it.
"""

import json
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from tlcourse.data import Domain, load
from tlcourse.features import features
from tlcourse.models import pretrained, small_cnn
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, fit
from tlcourse.transferability import cosine_similarity, h_score, leep, logme, nce, proxy_a_distance
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

SOURCES = ["printed_digits", "printed_letters", "mnist_5k", "uci_digits", "fashion", "animals",
           "narrow", "shuffled", "noise", "untrained", "lite0"]
"""Six data sets; printed digits for a network of a quarter of the width, and with shuffled labels;
pictures and labels drawn at random; a network before any training; ImageNet's."""
TARGETS = ["uci_digits", "mnist_5k", "fashion", "animals"]
SEEDS = range(5)
LABELS, SOURCE_STEPS, STEPS, RATE = 100, 400, 200, 3e-3
"""Steps and rate are those of full tuning in lesson 03, chosen there on another pair."""
PIXELS = 64
"""Lite0 gets the 16 × 16 pictures enlarged to this side, in grey, and stays frozen."""
FEW = 1000
"""Unlabelled samples of either side that the distance of two domains is measured on."""


def source_domain(source: str, seed: int) -> Domain | None:
    """What a source is trained on; None for the two that bring no data."""
    if source in ("untrained", "lite0"):
        return None
    generator = torch.Generator().manual_seed(seed)
    domain = load("printed_digits" if source in ("narrow", "shuffled", "noise") else source)
    if source == "noise":
        return replace(domain, X=torch.rand(domain.X.shape, generator=generator))
    if source == "shuffled":
        return replace(domain, y=domain.y[torch.randperm(len(domain), generator=generator)])
    return domain


def source_network(source: str, seed: int) -> tuple[nn.Module, float | None]:
    """A network and its accuracy on a fifth of the source that it was not trained on."""
    if source == "lite0":
        return pretrained("efficientnet_lite0"), None
    domain = source_domain(source, seed)
    model = small_cnn(len(domain.classes) if domain else 10, seed=seed,
                      width=4 if source == "narrow" else 16)
    if domain is None:
        return model, None
    parts = domain.split(seed=seed, test=0.2)
    fit(model, parts.train, steps=SOURCE_STEPS, seed=seed)
    return model, accuracy(model, parts.test.open("zoo, accuracy on the source"))


def described(model: nn.Module, domain: Domain, source: str) -> Domain:
    """The domain with a network's features in place of its pictures, as a table."""
    z = features(model, domain, size=PIXELS if source == "lite0" else None)
    return replace(domain, X=z)


@torch.no_grad()
def answers(model: nn.Module, z: Tensor) -> Tensor:
    return model.head(z).softmax(1)


def scores(model: nn.Module, few: Domain, unlabelled: Tensor, source_z: Tensor | None) -> dict:
    """All that is known before any training on the target; `few` holds features."""
    theta = answers(model, few.X)
    found = {"leep": leep(theta, few.y), "nce": nce(theta.argmax(1), few.y),
             "h_score": h_score(few.X, few.y), "logme": logme(few.X, few.y),
             "cosine": None, "proxy_a": None}
    if source_z is not None:
        found["cosine"] = cosine_similarity(source_z.mean(0), unlabelled.mean(0))
        found["proxy_a"] = proxy_a_distance(source_z[:FEW], unlabelled[:FEW])
    return found


def probed(few: Domain, test: Domain) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(model.fit(few.X, few.y).score(test.X, test.y))


def fine_tuned(start: nn.Module, few: Domain, test: Domain, seed: int) -> float:
    """Accuracy after training everything, with a new head for every source."""
    model = deepcopy(start)
    width = model.head.in_features // 4
    model.head = small_cnn(len(few.classes), width=width, seed=seed + 1000).head
    fit(model, few, steps=STEPS, seed=seed, lr=RATE)
    return accuracy(model, test)


def runs(source: str, targets: list[str], seed: int) -> dict:
    """Scores and accuracies of one source on each target but itself, as lists."""
    model, on_source = source_network(source, seed)
    parameters = sum(p.numel() for p in model.backbone.parameters())
    data, rows = source_domain(source, seed), []
    source_z = described(model, data.take(FEW, seed=seed), source).X if data else None
    for target in targets:
        if target == source:
            continue
        domain = load(target)
        see = partial(described, model, source=source)
        parts, z = domain.split(seed=seed), see(domain).split(seed=seed)  # the same rows
        few, z_few = (part.train.take(LABELS, seed=seed) for part in (parts, z))
        test, z_test = (part.test.open("zoo") for part in (parts, z))
        unlabelled = z.train.take(min(FEW, len(z.train)), seed=seed).X
        rows.append({
            "target": target, **scores(model, z_few, unlabelled, source_z),
            "source_accuracy": on_source, "parameters": parameters,
            "probe": probed(z_few, z_test),
            "fine_tune": None if source == "lite0" else fine_tuned(model, few, test, seed),
        })
    return {key: [row[key] for row in rows] for key in rows[0]}


def record() -> None:
    table = sweep(runs, {"source": SOURCES, "targets": [TARGETS]}, seeds=SEEDS)
    columns = [c for c in table if c not in ("source", "targets", "seed")]
    table = table.drop(columns="targets").explode(columns)
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/zoo.py"),
        "labels": LABELS,
        "steps": {"source": SOURCE_STEPS, "target": STEPS, "rate": RATE},
        "runs": [{k: None if v != v else v for k, v in row.items()}
                 for row in table.to_dict("records")],
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
