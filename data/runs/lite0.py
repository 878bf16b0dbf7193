"""Does a large backbone want to be tuned? The second experiment of lesson 03, recorded.

    python data/runs/lite0.py

EfficientNet-Lite0 with ImageNet's weights on emoji, frozen and tuned, at three numbers of labels:
every run is written to ``lite0.json`` beside this file, with the command, the versions, the date
and how the learning rates were chosen. A test of the course recomputes a sample of it.
"""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from tlcourse.data import Domain, load
from tlcourse.data.framing import resize
from tlcourse.features import features
from tlcourse.finetune import param_groups, replace_head
from tlcourse.models import pretrained
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, fit
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

STEPS, SIZE = 50, 64
"""Both strategies get the same steps on the target, with pictures of this side."""
DECAY = 0.8
"""Of the learning rate, from each of the ten stages to the one before it."""
STRATEGIES = ["frozen", "tuned"]
LABELS = [45, 180, 720]
TARGET, SEEDS = "emoji_google", range(5)
RATES = [3e-4, 1e-3, 3e-3, 1e-2]
"""The same grid for both strategies. The rate with the highest mean accuracy is taken, on a
validation part of another target, clothes, and with seeds that the experiment does not use."""
CHOICE = {"target": "fashion", "labels": 180, "seeds": list(range(100, 105))}


def domain_for(strategy: str, target: str) -> Domain:
    """Pictures in colour; for the frozen backbone what it makes of them, kept by `features`."""
    domain = load(target, frame="original")
    domain = replace(domain, X=resize(domain.X, SIZE).expand(-1, 3, -1, -1))
    return replace(domain, X=features(pretrained(), domain)) if strategy == "frozen" else domain


def trained(strategy: str, few: Domain, lr: float, seed: int) -> nn.Module:
    """A new head on features, or the whole network from its ImageNet weights."""
    network = pretrained()
    torch.manual_seed(seed)
    replace_head(network, len(few.classes))
    model = network.head if strategy == "frozen" else network
    groups = None if strategy == "frozen" else param_groups(network, lr, DECAY)
    fit(model, few, steps=STEPS, seed=seed, lr=lr, groups=groups)
    return model


def choose(strategy: str, lr: float, seed: int) -> dict:
    """Validation accuracy on the target for choices."""
    parts = domain_for(strategy, CHOICE["target"]).split(seed=seed, validation=0.1)
    model = trained(strategy, parts.train.take(CHOICE["labels"], seed=seed), lr, seed)
    return {"accuracy": accuracy(model, parts.validation)}


def run(strategy: str, labels: int, lr: float, seed: int) -> dict:
    """Test accuracy on the emoji; both strategies see the same ones, for they share the seed."""
    parts = domain_for(strategy, TARGET).split(seed=seed)
    model = trained(strategy, parts.train.take(labels, seed=seed), lr, seed)
    return {"accuracy": accuracy(model, parts.test.open("lite0"))}


def record() -> None:
    choice = sweep(choose, {"strategy": STRATEGIES, "lr": RATES}, seeds=CHOICE["seeds"])
    means = choice.groupby(["strategy", "lr"], sort=False)["accuracy"].mean()
    rates = {strategy: lr for strategy, lr in means.groupby("strategy", sort=False).idxmax()}
    print("chosen:", means.unstack().round(3), rates, sep="\n")
    table = pd.concat([
        sweep(run, {"strategy": [strategy], "labels": LABELS, "lr": [lr]}, seeds=SEEDS)
        for strategy, lr in rates.items()])
    print(table.groupby(["strategy", "labels"])["accuracy"].mean().unstack().round(3))
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/lite0.py", "timm"),
        "steps": {"target": STEPS},
        "choice": {**CHOICE, "rates": rates, "validation accuracy": [
            {"strategy": s, "lr": lr, "accuracy": round(a, 4)} for (s, lr), a in means.items()]},
        "runs": table.to_dict("records"),
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
