"""How often does `choose` choose right? Few labels of four targets, six sources, recorded.

    python data/runs/choice.py

writes ``choice.json`` beside this file: for every target, number of labels and draw of them by how
much a choice misses the best way on a thousand other samples. Beside `choose` stand the way with
the highest cross-validated score of the same table, fine-tuning from the nearest source, and a way
drawn by lot. The rules of `choose` were made on other draws. A test recomputes one.
"""

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from tlcourse.align import mmd2
from tlcourse.data import Domain, load
from tlcourse.diagnose import choose, strategies
from tlcourse.diagnose.choice import STRATEGIES
from tlcourse.diagnose.matching import pair
from tlcourse.diagnose.run import FEWEST_FOLDS
from tlcourse.sweep import sweep
from tlcourse.training import accuracy
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

SOURCES = ["printed_digits", "printed_letters", "mnist_5k", "uci_digits", "fashion", "animals",
           "shuffled"]
"""Those of lesson 04 that bring data; printed digits with shuffled labels are the seventh, so that
six are left when one is the target."""
TARGETS = ["uci_digits", "mnist_5k", "fashion", "animals"]
LABELS = [1, 5, 20]
"""Of each class."""
DRAWS = range(100, 110)
TEST, NEAR = 1000, 300
CLOSE = 0.02


def source_domain(name: str) -> Domain:
    if name != "shuffled":
        return replace(load(name), name=name, ordered=False)
    order = torch.randperm(len(load("printed_digits")), generator=torch.Generator().manual_seed(0))
    domain = source_domain("printed_digits")
    return replace(domain, name=name, y=domain.y[order])


def drawn(target: str, labels: int, draw: int) -> tuple[Domain, Domain]:
    """`labels` samples of each class, and a test part of others."""
    domain, rng = source_domain(target), np.random.default_rng([draw, TARGETS.index(target)])
    order = rng.permutation(len(domain))
    size = min(TEST, len(domain) // 2)
    test, rest = order[:size], order[size:]
    y = domain.y.numpy()
    few = np.concatenate([rest[y[rest] == k][:labels] for k in range(len(domain.classes))])
    return domain.subset(few), domain.subset(test)


def ways(target: str, source: str, seed: int) -> dict:
    """Accuracies on the test parts, of scratch and of each way of using one network of a source.

    Lists over every second draw, from `seed` on, and in each over the numbers of labels.
    """
    both = pair(source_domain(source), source_domain(target))
    draw = both.draw(seed, folds=FEWEST_FOLDS, labels_per_class=1, one_source=True)
    make = strategies.default_model(both)
    start = strategies.pretrain(draw, make)
    order = [load(target).classes.index(name) for name in both.classes[: both.targets]]
    found = []
    for number, labels in product(DRAWS[seed::2], LABELS):
        few, test = (replace(d, y=torch.tensor([order.index(k) for k in d.y.tolist()]),
                             classes=both.classes) for d in drawn(target, labels, number))
        known = replace(draw, seed=number, few=few, own_few=few)
        kinds = [kind for kind in ("scratch", *STRATEGIES)
                 if (kind != "scratch" or source == sources_of(target)[0])
                 and (kind != "source_only" or both.common)]
        found.append({"draw": number, "labels": labels, **{
            kind: accuracy(strategies.TRAIN[kind](known, make, start), test) for kind in kinds}})
    return {"found": found}


def sources_of(target: str) -> list[str]:
    return [name for name in SOURCES if name != target]


def nearest(few: Domain, sources: list[str]) -> str:
    """The source whose pictures are nearest to the target's, by MMD of their pixels."""
    def distance(name: str) -> float:
        return float(mmd2(source_domain(name).take(NEAR, seed=0).X.flatten(1), few.X.flatten(1)))

    return min(sources, key=distance)


def misses(target: str, labels: int, draw: int, truth: dict) -> dict:
    """By how much each way of choosing misses the best way, in shares."""
    few, _ = drawn(target, labels, draw)
    sources = sources_of(target)
    found = choose(few, [source_domain(name) for name in sources], labels_per_class=labels,
                   score="accuracy", progress=False)
    best, rng = max(truth.values()), np.random.default_rng(draw)
    chosen = {"choose": found.best, "nearest": (nearest(few, sources), "fine_tune"),
              "random": list(truth)[rng.integers(len(truth))]}
    if labels > 1:
        chosen["cross_validation"] = found._ways[0]
    return {"target": target, "labels": labels, "draw": draw, "best": best,
            "way": " from ".join(part for part in reversed(found.best) if part),
            **{how: best - truth[way] for how, way in chosen.items()}}


def record() -> None:
    truths = {}
    for target in TARGETS:
        table = sweep(ways, {"target": [target], "source": sources_of(target)}, seeds=[0, 1])
        for source, found in zip(table["source"], table["found"], strict=True):
            for row in found:
                truth = truths.setdefault((target, row.pop("labels"), row.pop("draw")), {})
                truth |= {("" if kind == "scratch" else source, kind): reached
                          for kind, reached in row.items()}
    draws = []
    for (target, labels, draw), truth in sorted(truths.items(), key=lambda each: each[0][::-1]):
        draws.append(misses(target, labels, draw, truth))
        print(draws[-1], flush=True)
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/choice.py"),
        "close": CLOSE, "draws": draws,
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
