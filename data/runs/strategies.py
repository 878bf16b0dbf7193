"""Which way of fine-tuning, with how many labels? The experiment of lesson 03, recorded.

    python data/runs/strategies.py

writes ``strategies.json`` beside this file: every run, with the command, the versions, the date
and how the settings were chosen. A test of the course recomputes a sample of it.
"""

import json
from copy import deepcopy
from itertools import product
from pathlib import Path

import pandas as pd
from torch import nn

from tlcourse.data import load
from tlcourse.finetune import freeze, l2_sp, linear_probe_then_fine_tune
from tlcourse.models import small_cnn
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, fit
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

SOURCE_STEPS, STEPS = 400, 200
"""Every strategy gets the same steps on the target, scratch too; the source's come on top."""
LABELS = [5, 10, 20, 50, 100, 200, 400]
STRATEGIES = ["scratch", "frozen", "partial", "full", "lp_ft", "l2_sp"]
TARGETS = ["uci_digits", "fashion"]
SEEDS = range(5)
RATES = [3e-4, 1e-3, 3e-3, 1e-2]
"""The same grid for every strategy. The rate with the highest mean accuracy is taken, on a
validation part of another pair, letters to MNIST, with 50 labels and ten seeds that the experiment
does not use. Nothing of the two targets has a say."""
CHOICE = {"source": "printed_letters", "target": "mnist_5k", "labels": 50,
          "seeds": list(range(100, 110))}
L2_WEIGHT = 0.01


def pretrained_on(source: str, seed: int) -> nn.Module:
    domain = load(source)
    model = small_cnn(len(domain.classes), seed=seed)
    fit(model, domain, steps=SOURCE_STEPS, seed=seed)
    return model


def tuned(strategy: str, start: nn.Module, same_task: bool, few, lr: float, seed: int) -> nn.Module:
    """A network for the target, trained on `few` samples in one of the ways."""
    fresh = small_cnn(len(few.classes), seed=seed)
    if strategy == "scratch":
        fit(fresh, few, steps=STEPS, seed=seed, lr=lr)
        return fresh
    model = deepcopy(start)
    if not same_task:  # the old answers are of no use
        model.head = fresh.head
    if strategy == "frozen":
        freeze(model.backbone)
    if strategy == "partial":
        freeze(model.backbone.stage1)
        freeze(model.backbone.stage2)
    if strategy == "lp_ft":
        linear_probe_then_fine_tune(model, few, probe_steps=STEPS // 2, tune_steps=STEPS // 2,
                                    seed=seed, lr=lr, tune_lr=lr / 10)
        return model
    weight = L2_WEIGHT if strategy == "l2_sp" else 0
    near = (lambda m: weight * l2_sp(m.backbone, start.backbone)) if weight else None
    fit(model, few, steps=STEPS, seed=seed, lr=lr, penalty=near)
    return model


def choose(seed: int) -> dict:
    """Validation accuracy of each strategy with each rate, on the pair for choices."""
    parts = load(CHOICE["target"]).split(seed=seed, validation=0.2)
    few = parts.train.take(CHOICE["labels"], seed=seed)
    start, tried = pretrained_on(CHOICE["source"], seed), list(product(STRATEGIES, RATES))
    models = (tuned(strategy, start, False, few, lr, seed) for strategy, lr in tried)
    strategies, rates = zip(*tried, strict=True)
    return {"strategy": strategies, "lr": rates,
            "accuracy": [accuracy(model, parts.validation) for model in models]}


def runs(strategy: str, target: str, labels: list[int], lr: float, seed: int) -> dict:
    """Test accuracy on the target for each number of labels; on the source, if it is one task.

    One call for all numbers of labels, for they share the pretrained network.
    """
    parts, source = load(target).split(seed=seed), load("printed_digits")
    start, test = pretrained_on(source.name, seed), parts.test.open("strategies")
    same_task = test.classes == source.classes
    scores = {"labels": labels, "accuracy": [], "on the source": []}
    for n in labels:
        few = parts.train.take(n, seed=seed)
        model = tuned(strategy, start, same_task, few, lr, seed)
        scores["accuracy"].append(accuracy(model, test))
        scores["on the source"].append(accuracy(model, source) if same_task else None)
    return scores


def record() -> None:
    choice = sweep(choose, {}, seeds=CHOICE["seeds"])
    choice = choice.explode(["strategy", "lr", "accuracy"]).infer_objects()
    means = choice.groupby(["strategy", "lr"], sort=False)["accuracy"].mean()
    rates = {strategy: lr for strategy, lr in means.groupby("strategy", sort=False).idxmax()}
    print("chosen:", means.unstack().round(3), rates, sep="\n")
    table = pd.concat([
        sweep(runs, {"strategy": [strategy], "target": TARGETS, "labels": [LABELS], "lr": [lr]},
              seeds=SEEDS) for strategy, lr in rates.items()])
    table = table.explode(["labels", "accuracy", "on the source"])
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/strategies.py"),
        "steps": {"source": SOURCE_STEPS, "target": STEPS},
        "choice": {**CHOICE, "rates": rates, "validation accuracy": [
            {"strategy": s, "lr": lr, "accuracy": round(a, 4)} for (s, lr), a in means.items()]},
        "runs": table.to_dict("records"),
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
