"""Feature alignment without target labels: the experiments of lessons 05 and 06, recorded.

    python data/runs/alignment.py

writes ``alignment.json`` beside this file, with the command, the versions, the date, how the
settings were chosen and how often test sets were looked at. A test of the course recomputes a
sample of it. It holds

- ``choice``: accuracy of each setting on another pair, and the settings that were taken;
- ``runs``: for each pair, method and seed, every `EVERY` steps: ``accuracy`` on the target test,
  and the scores that need no target label; at the end the ``recall`` of each class;
- ``weights``: MMD with other weights, printed digits to UCI digits;
- ``signs``: DANN with the two forms of its loss, and with the wrong sign, on the same pair;
- ``partial``: the same pair, where the target holds the digits 0 to 4 only.

The last three mix the writers in the target's split, as the first pair of ``runs`` does.
"""

import json
from copy import deepcopy
from itertools import product
from pathlib import Path

import pandas as pd
import torch

from tlcourse.align.loop import ADVERSARIAL, adapt
from tlcourse.align.model_selection import (
    importance_weighted_validation,
    negative_entropy,
    oracle_accuracy,
    soft_neighbourhood_density,
    source_validation,
)
from tlcourse.align.training_free import adapt_batchnorm
from tlcourse.data import LOOKS, load
from tlcourse.models import small_cnn
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, evaluate
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

STEPS, EVERY, SEEDS = 600, 100, range(5)
HELD_OUT = 500
"""Source samples that no network is trained on, for the scores without target labels; of the
target's unlabelled samples, the scores see as many."""
PAIRS = [("printed_digits", "uci_digits", True), ("printed_digits", "uci_digits", False),
         ("mnist_5k", "uci_digits", False), ("printed_digits", "mnist_5k", False)]
"""Source, target, and whether the order of the target's rows, which is by writers, is ignored. The
last is the pair that settings were chosen on, with other seeds."""
CONTROLS = {"control": "joint", "control_separate": "separate"}
BASELINES = ["none", *CONTROLS, "adabn", "ceiling"]
METHODS = ["mmd", "coral", "dann", "cdan"]
CHOICE = {"source": "printed_digits", "target": "mnist_5k", "seeds": [100, 101, 102], "steps": 400}
GRID = {"mmd": [0.3, 1, 3], "coral": [1, 10, 100], "dann": [0.3, 1, 3], "cdan": [0.3, 1, 3],
        "partial": [0.3, 1, 3]}
"""Weights tried, each with both ways of batch normalisation and both forms of an adversarial loss,
on the target's validation part of the choice pair; for "partial", on its digits 0 to 4."""
SWEPT = [0, 0.1, 0.3, 1, 3, 10]
KEPT = 5  # digits 0 to 4


def first_digits(domain):
    return domain.subset(domain.y < KEPT)


def choose(method: str, weight: float, batchnorm: str, sign: str, seed: int) -> dict:
    """Accuracy of one setting on the validation part of the choice pair."""
    parts = load(CHOICE["target"]).split(seed=seed, validation=0.2)
    train, validation = parts.train, parts.validation
    if method == "partial":
        train, validation = first_digits(train), first_digits(validation)
    model, _ = adapt(small_cnn(seed=seed), load(CHOICE["source"]), train.X, method=method,
                     weight=weight, batchnorm=batchnorm, sign=sign, steps=CHOICE["steps"],
                     seed=seed)
    return {"accuracy": accuracy(model, validation)}


def chosen(table: pd.DataFrame) -> dict[str, dict]:
    """The setting of each method with the highest mean."""
    means = table.groupby(["method", "weight", "batchnorm", "sign"])["accuracy"].mean()
    best = means.groupby("method").idxmax()
    return {method: dict(zip(("weight", "batchnorm", "sign"), best[method][1:], strict=True))
            for method in GRID}


def settings_of(method: str, choice: dict) -> dict:
    if method in CONTROLS:
        return {"method": "control", "batchnorm": CONTROLS[method]}
    if method in ("none", "adabn", "ceiling"):
        return {"method": "none"}
    return {"method": method, **choice[method]}


def runs(source: str, target: str, shuffle: bool, method: str, settings: dict, seed: int) -> dict:
    """Train once; at every checkpoint the scores without target labels, and the oracle's."""
    parts, whole = load(target).split(seed=seed, shuffle=shuffle), load(source)
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(seed))
    validation, train = whole.subset(order[:HELD_OUT]), whole.subset(order[HELD_OUT:])
    if method == "ceiling":  # the only one to see target labels
        train = parts.train
    pool, curve = parts.train.X[:HELD_OUT], []

    def watch(step, model):
        if method == "adabn":
            model = adapt_batchnorm(deepcopy(model), parts.train.X)
        curve.append({
            "step": step,
            "accuracy": oracle_accuracy(model, parts.test.open("curve of the record")),
            "source_validation": source_validation(model, validation),
            "negative_entropy": negative_entropy(model, pool),
            "soft_neighbourhood_density": soft_neighbourhood_density(model, pool),
            "importance_weighted_validation":
                importance_weighted_validation(model, validation, pool),
        })
        if step == STEPS:
            confusion = evaluate(model, parts.test.open("recall of the record"))["confusion"]
            curve[-1]["recall"] = (confusion.diagonal() / confusion.sum(1)).tolist()

    adapt(small_cnn(seed=seed), train, parts.train.X, steps=STEPS, seed=seed, every=EVERY,
          watch=watch, **settings)
    recall = curve[-1].pop("recall")
    return {**{name: [point[name] for point in curve] for name in curve[0]}, "recall": recall}


def once(settings: dict, digits: int, seed: int) -> dict:
    """One run of printed digits to UCI digits: accuracy at the end, and the history."""
    parts = load("uci_digits").split(seed=seed, shuffle=True)
    train, test = parts.train, parts.test.open("record")
    if digits == KEPT:
        train, test = first_digits(train), first_digits(test)
    source = load("printed_digits")
    model, history = adapt(small_cnn(seed=seed), source, train.X, steps=STEPS, seed=seed,
                           every=EVERY, **settings)
    return {"accuracy": accuracy(model, test), "on the source": accuracy(model, source),
            "distance": history.distance,
            "discriminator_accuracy": history.discriminator_accuracy}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def record() -> None:
    tried = pd.concat([
        sweep(choose, {"method": [method], "weight": weights, "batchnorm": ["joint", "separate"],
                       "sign": ["reversal", "non_saturating"][: 1 + (method in ADVERSARIAL)]},
              seeds=CHOICE["seeds"]) for method, weights in GRID.items()])
    choice = chosen(tried)
    print("chosen:", *choice.items(), sep="\n")
    table = pd.concat([
        sweep(runs, {"source": [source], "target": [target], "shuffle": [shuffle],
                     "method": [method], "settings": [settings_of(method, choice)]}, seeds=SEEDS)
        for (source, target, shuffle), method in product(PAIRS, [*BASELINES, *METHODS])])
    mmd, dann = ({"method": m, **choice[m]} for m in ("mmd", "dann"))
    parts = {
        "weights": (10, [{**mmd, "weight": weight} for weight in SWEPT]),
        "signs": (10, [{**dann, "sign": "reversal"}, {**dann, "sign": "non_saturating"},
                       {**dann, "sign": "reversal", "weight": -dann["weight"]}]),
        "partial": (KEPT, [{"method": "none"}, mmd, {"method": "partial", **choice["partial"]}]),
    }
    parts = {name: sweep(once, {"settings": settings, "digits": [digits]}, seeds=SEEDS)
             for name, (digits, settings) in parts.items()}
    content = {
        **provenance("python data/runs/alignment.py"),
        "steps": STEPS,
        "looks at test sets": len(LOOKS),
        "choice": {**CHOICE, "settings": choice, "tried": tried.to_dict("records")},
        "runs": table.drop(columns="settings").to_dict("records"),
        **{name: rows.to_dict("records") for name, rows in parts.items()},
    }
    write_atomically(Path(__file__).with_suffix(".json"), _lines(rounded(content)))


def _lines(content: dict) -> str:
    """JSON with one line for each run."""
    def text(value):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in value) + "]"
        return json.dumps(value)

    return "{\n" + ",\n".join(f" {json.dumps(k)}: {text(v)}" for k, v in content.items()) + "\n}\n"


if __name__ == "__main__":
    record()
