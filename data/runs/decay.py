"""How much slower should the first layers learn? The third experiment of lesson 03, recorded.

    python data/runs/decay.py

writes ``decay.json`` beside this file: the network pretrained on print, tuned with discriminative
learning rates of several decays. The head's rate is the one that ``strategies.py`` chose for full
tuning, on another pair, so that decay 1 is full tuning; nothing is chosen here. A test of the
course recomputes a sample of it.
"""

import json
from copy import deepcopy
from itertools import product
from pathlib import Path

from torch import nn

from tlcourse.data import load
from tlcourse.finetune import param_groups
from tlcourse.models import small_cnn
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, fit
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

SOURCE_STEPS, STEPS, RATE = 400, 200, 3e-3
"""Steps and rate are those of full tuning in ``strategies.py``."""
DECAYS = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
LABELS = [20, 100]
TARGETS = ["uci_digits", "fashion"]
SEEDS = range(5)


def tuned(start: nn.Module, same_task: bool, few, decay: float, seed: int) -> nn.Module:
    """All of it is trained, each stage at `decay` times the rate of the next."""
    model = deepcopy(start)
    if not same_task:  # the old answers are of no use
        model.head = small_cnn(len(few.classes), seed=seed).head
    fit(model, few, steps=STEPS, seed=seed, groups=param_groups(model, RATE, decay))
    return model


def runs(target: str, labels: list[int], decays: list[float], seed: int) -> dict:
    """Test accuracy for each number of labels and each decay; on the source, if it is one task.

    One call for all of them, for they share the pretrained network.
    """
    parts, source = load(target).split(seed=seed), load("printed_digits")
    test = parts.test.open("decay")
    start = small_cnn(len(source.classes), seed=seed)
    fit(start, source, steps=SOURCE_STEPS, seed=seed)
    same_task, tried = test.classes == source.classes, list(product(labels, decays))
    scores = {"labels": [n for n, _ in tried], "decay": [q for _, q in tried],
              "accuracy": [], "on the source": []}
    for n, decay in tried:
        model = tuned(start, same_task, parts.train.take(n, seed=seed), decay, seed)
        scores["accuracy"].append(accuracy(model, test))
        scores["on the source"].append(accuracy(model, source) if same_task else None)
    return scores


def record() -> None:
    grid = {"target": TARGETS, "labels": [LABELS], "decays": [DECAYS]}
    table = sweep(runs, grid, seeds=SEEDS).drop(columns="decays")
    table = table.explode(["labels", "decay", "accuracy", "on the source"])
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/decay.py"),
        "steps": {"source": SOURCE_STEPS, "target": STEPS},
        "rate": RATE,
        "runs": table.to_dict("records"),
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
