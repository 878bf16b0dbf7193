"""How transfer comes to hurt, what repairs it, and where it pays: lesson 08, recorded.

    python data/runs/negative.py

writes ``negative.json`` beside this file: how the learning rates of `diagnose` were chosen, the
causes that are made on purpose with their repairs, and the map of sources, strategies and labels.
A test of the course recomputes a sample of it.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tlcourse.align import adapt
from tlcourse.data import Domain, load
from tlcourse.data.framing import resize
from tlcourse.diagnose import strategies as ways
from tlcourse.diagnose.causes import explain
from tlcourse.diagnose.matching import pair
from tlcourse.diagnose.measure import black_box_shift, measure
from tlcourse.diagnose.pair import Draw
from tlcourse.finetune.freezing import freeze
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, fit, predict
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

SEEDS, FOLDS = range(5), 5
RATES = [3e-4, 1e-3, 3e-3, 1e-2]
"""The same grid for every strategy; the choice is made on other pairs and with other seeds."""
CHOICE_SEEDS, CHOICE_LABELS = [100, 101], 5
TIE = 0.01
"""Rates whose mean accuracy is within a point of the best tie: the smallest is taken."""
LABELS = [1, 2, 5, 10, 20]
"""A class: ten times as many in all."""
SOURCES = ["mnist_5k", "printed_digits", "printed_letters", "fashion", "animals", "shuffled print"]
STRATEGIES = ["source_only", "frozen", "fine_tune", "aligned"]


# --- sources and targets, with one thing wrong ---

def shuffled(domain: Domain) -> Domain:
    order = np.random.default_rng(8).permutation(len(domain))
    return replace(domain, name="shuffled print", y=domain.y[torch.from_numpy(order)])


def renamed(domain: Domain) -> Domain:
    return replace(domain, y=(domain.y + 3) % 10)


def with_margin(domain: Domain) -> Domain:
    """The digits as they were published, with a margin, at 16 × 16 pixels."""
    whole = load(domain.name, frame="original")
    return replace(whole, X=resize(whole.X, 16))


def source(name: str) -> Domain:
    return shuffled(load("printed_digits")) if name == "shuffled print" else load(name)


def halves() -> tuple[Domain, Domain]:
    """Every other handwritten digit, and the rest: two domains with nothing between them."""
    digits = replace(load("uci_digits"), ordered=False)
    return digits.subset(slice(0, None, 2)), digits.subset(slice(1, None, 2))


# --- the causes: scratch, what it does to a way of transferring, and the repair ---

def drawn(source: Domain, target: Domain, labels: int, seed: int):
    """The draw of a seed, how to make a network, and the network trained on the source."""
    both = pair(source, target)
    make = ways.default_model(both)
    draw = both.draw(seed, folds=FOLDS, labels_per_class=labels)
    return draw, make, ways.pretrain(draw, make)


def scores(draw: Draw, make, start, hurt, repaired) -> dict:
    """Accuracies, and the evidence for each cause; the last cause is read off two accuracies."""
    scratch = accuracy(ways.scratch(draw, make, None), draw.own_test)
    two = {way: accuracy(ways.TRAIN[way](draw, make, start), draw.test)
           for way in ("frozen", "fine_tune")}
    found = explain([measure(draw, make, start)], two, [])
    return {"scratch": scratch, "hurt": accuracy(hurt, draw.test),
            "repaired": accuracy(repaired, draw.test),
            "evidence": {cause.name: cause.evidence for cause in found}}


def unrelated_source(seed: int) -> dict:
    draw, make, start = drawn(load("animals"), load("uci_digits"), 2, seed)
    other, _, better = drawn(load("mnist_5k"), load("uci_digits"), 2, seed)
    return scores(draw, make, start, ways.frozen(draw, make, start),
                  ways.frozen(other, make, better))


def label_noise(seed: int) -> dict:
    draw, make, start = drawn(source("shuffled print"), load("uci_digits"), 2, seed)
    other, _, better = drawn(load("printed_digits"), load("uci_digits"), 2, seed)
    return scores(draw, make, start, ways.frozen(draw, make, start),
                  ways.frozen(other, make, better))


def frozen_too_deep(seed: int) -> dict:
    draw, make, start = drawn(load("printed_digits"), load("uci_digits"), 20, seed)
    model = ways.with_target_head(draw, make, start)
    freeze(model.backbone.stage1)
    fit(model, draw.few, steps=ways.STEPS, seed=seed, lr=ways.RATES["fine_tune"])
    return scores(draw, make, start, ways.frozen(draw, make, start), model)


def framing_mismatch(seed: int) -> dict:
    """MNIST as it was published, with a margin, and without."""
    digits, target = load("mnist_5k"), load("mnist_5k").subset(slice(2500, 4000))
    draw, make, start = drawn(with_margin(digits).subset(slice(2500)), target, 10, seed)
    _, _, better = drawn(digits.subset(slice(2500)), target, 10, seed)
    return scores(draw, make, start, start, better)


def another_instrument(seed: int) -> dict:
    """The digits as tables of 64 columns, each column of the target with a gain and an offset."""
    here, there = (replace(d, X=resize(d.X, 8).flatten(1)) for d in halves())
    rng = np.random.default_rng(seed)
    gain, offset = (torch.from_numpy(rng.uniform(*between, 64)).float()
                    for between in ((0.5, 2), (-1, 1)))
    draw, make, start = drawn(here, replace(there, X=there.X * gain + offset), 5, seed)
    found = scores(draw, make, start, start, start)
    return {**found, "repaired": accuracy(start, draw.own_test)}


def label_set_mismatch(seed: int) -> dict:
    target = load("uci_digits")
    draw, make, start = drawn(load("printed_digits"), target.subset(target.y < 5), 2, seed)
    aligned, partial = (
        adapt(start, draw.source, draw.pool, method=method, steps=ways.STEPS, seed=seed,
              lr=ways.RATES["aligned"])[0] for method in ("mmd", "partial"))
    found = scores(draw, make, start, aligned, partial)
    return {**found, "source only": accuracy(start, draw.test)}


def label_shift(seed: int) -> dict:
    here, there = halves()
    keep = torch.from_numpy(np.random.default_rng(seed).random(len(here))) < 0.05
    draw, make, start = drawn(here.subset((here.y < 5) | keep), there, 10, seed)
    before = draw.source.y.bincount(minlength=10)
    answers = (predict(start, X) for X in (draw.held_out.X, draw.pool))
    after = black_box_shift(next(answers), draw.held_out.y, next(answers), before)
    weights = torch.where(before > 0, after / (before / before.sum()), 0).clamp_min(1e-3)
    model = deepcopy(start)
    with torch.no_grad():  # a class that is w times as frequent is w times as probable
        model.head.bias += weights.log()
    return scores(draw, make, start, start, model)


def conflicting_gradients(seed: int) -> dict:
    draw, make, start = drawn(renamed(load("mnist_5k")), load("uci_digits"), 2, seed)
    model = deepcopy(start)
    model.head = make(10, seed).head  # a head of the target's own
    fit(model, draw.few, steps=ways.STEPS, seed=seed, lr=ways.RATES["fine_tune"])
    return scores(draw, make, start, ways.fine_tune(draw, make, start), model)


CAUSES: dict[str, Callable[[int], dict]] = {
    "unrelated source": unrelated_source, "source label noise": label_noise,
    "frozen too deep": frozen_too_deep, "framing mismatch": framing_mismatch,
    "another instrument": another_instrument, "label-set mismatch": label_set_mismatch,
    "label shift": label_shift, "conflicting gradients": conflicting_gradients,
}



# --- how the learning rates of `diagnose` were chosen ---

def table_pair() -> tuple[Domain, Domain]:
    """A table with four classes, and the same with the first columns moved."""
    from sklearn.datasets import make_classification

    X, y = make_classification(2400, n_features=20, n_informative=8, n_redundant=4, n_classes=4,
                               flip_y=0.02, class_sep=1.2, random_state=1)
    X[1200:, :6] += np.random.default_rng(1).normal(size=6)
    return tuple(Domain(name, torch.from_numpy(X[rows]), torch.from_numpy(y[rows]))
                 for name, rows in (("here", slice(1200)), ("there", slice(1200, None))))


def choice_pair(name: str) -> tuple[Domain, Domain]:
    if name == "a table and another":
        return table_pair()
    if name == "fashion and fashion":
        clothes = load("fashion")
        return clothes.subset(slice(2500)), clothes.subset(slice(2500, None))
    return load("printed_letters" if name.startswith("letters") else "printed_digits"), load(
        "mnist_5k")


def choose(name: str, seed: int) -> dict:
    """Accuracy with each rate, a list of one for each strategy."""
    draw, make, start = drawn(*choice_pair(name), CHOICE_LABELS, seed - CHOICE_SEEDS[0])
    draw, kept = replace(draw, seed=seed), dict(ways.RATES)
    found = {"rate": RATES}
    try:
        for way in ("scratch", *STRATEGIES[1:]):
            found[way] = []
            for ways.RATES[way] in RATES:
                test = draw.own_test if way == "scratch" else draw.test
                able = draw.common or way != "aligned"
                found[way].append(
                    accuracy(ways.TRAIN[way](draw, make, start), test) if able else None)
    finally:
        ways.RATES.update(kept)
    return found


# --- the map: sources, strategies, numbers of labels ---

def scratch_runs(labels: list[int], seed: int) -> dict:
    both = pair(load("printed_digits"), load("uci_digits"))
    make, found = ways.default_model(both), []
    for n in labels:
        draw = both.draw(seed, folds=FOLDS, labels_per_class=n)
        found.append(accuracy(ways.scratch(draw, make, None), draw.own_test))
    return {"accuracy": found}


def map_runs(source_name: str, labels: list[int], seed: int) -> dict:
    """Accuracies of each strategy, one for each number of labels; None where one cannot apply."""
    both = pair(source(source_name), load("uci_digits"))
    draw, make, start = drawn(source(source_name), load("uci_digits"), labels[0], seed)
    found = {way: [None] * len(labels) for way in STRATEGIES}
    for way in ways.UNLABELLED if both.common else ():  # the same for every number of labels
        found[way] = [accuracy(ways.TRAIN[way](draw, make, start), draw.test)] * len(labels)
    for i, n in enumerate(labels):
        draw = both.draw(seed, folds=FOLDS, labels_per_class=n)
        for way in ("frozen", "fine_tune"):
            found[way][i] = accuracy(ways.TRAIN[way](draw, make, start), draw.test)
    return found


def record() -> None:
    names = ["letters to MNIST", "print to MNIST", "fashion and fashion", "a table and another"]
    choice = sweep(choose, {"name": names}, seeds=CHOICE_SEEDS)
    tried = choice.explode(["rate", "scratch", *STRATEGIES[1:]]).drop(columns="seed")
    means = tried.groupby(["name", "rate"]).mean().groupby("rate").mean().astype(float)
    rates = {way: float(means.index[means[way] > means[way].max() - TIE].min()) for way in means}
    print(means, rates, sep="\n")
    causes = pd.concat([sweep(run, {}, seeds=SEEDS).assign(name=name)
                        for name, run in CAUSES.items()])
    print(causes.groupby("name", sort=False).mean(numeric_only=True))
    scratch = sweep(scratch_runs, {"labels": [LABELS]}, seeds=SEEDS)
    runs = sweep(map_runs, {"source_name": SOURCES, "labels": [LABELS]}, seeds=SEEDS)
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/negative.py"),
        "steps": {"source": ways.SOURCE_STEPS, "target": ways.STEPS},
        "choice": {"labels a class": CHOICE_LABELS, "seeds": CHOICE_SEEDS, "pairs": names,
                   "rates": rates,
                   "accuracy": {way: {str(rate): round(float(value), 4)
                                      for rate, value in means[way].items()} for way in means}},
        "causes": [{k: v for k, v in row.items() if v == v} for row in causes.to_dict("records")],
        "map": {"labels a class": LABELS,
                "scratch": scratch.drop(columns="labels").to_dict("records"),
                "runs": runs.drop(columns="labels").to_dict("records")},
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
