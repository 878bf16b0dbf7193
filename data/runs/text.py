"""Feature alignment where the input is text: the third kind of pair of lesson 05, recorded.

    python data/runs/text.py

writes ``text.json`` beside this file, with the command, the versions and the date. A test of the
course recomputes a sample of it. For each of the six pairs of domains, method and seed it holds
the ``accuracy`` on the target's test part: of the small network of `diagnose` after
`STEPS` steps, and of logistic regression on the same features. Nothing was chosen here: the
weights are those that ``alignment.json`` took on a pair of pictures.
"""

import json
from itertools import permutations
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from tlcourse.align import adapt
from tlcourse.data import load
from tlcourse.diagnose.strategies import small_mlp
from tlcourse.sweep import sweep
from tlcourse.training import accuracy
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

DOMAINS = ["tweets", "amazon", "movies"]
STEPS, SEEDS = 300, range(10)
SETTINGS = {
    "none": {"method": "none"},
    "coral": {"method": "coral", "weight": 10.0},
    "mmd": {"method": "mmd", "weight": 3.0},
    "ceiling": {"method": "none"},
}
METHODS = [*SETTINGS, "linear", "linear centred"]


def runs(source: str, target: str, method: str, seed: int) -> dict:
    """Train once on the source, the ceiling on the target's own labels; test on the target."""
    train, parts = load(f"sentiment_{source}"), load(f"sentiment_{target}").split(seed=seed)
    unlabelled, test = parts.train.X, parts.test.open("record of text")
    if method.startswith("linear"):
        return {"accuracy": linear(train, unlabelled, test, centred="centred" in method)}
    if method == "ceiling":  # the only one to see target labels
        train = parts.train
    start = small_mlp(2, inputs=train.X.shape[1], seed=seed)
    model, _ = adapt(start, train, unlabelled, steps=STEPS, seed=seed, **SETTINGS[method])
    return {"accuracy": accuracy(model, test)}


def linear(train, unlabelled, test, *, centred: bool) -> float:
    """Accuracy of logistic regression; centred: each domain less its own mean."""
    mean_s, mean_t = (X.mean(0) * centred for X in (train.X, unlabelled))
    return LogisticRegression().fit(train.X - mean_s, train.y).score(test.X - mean_t, test.y)


def record() -> None:
    pairs = [sweep(runs, {"source": [source], "target": [target], "method": METHODS}, seeds=SEEDS)
             for source, target in permutations(DOMAINS, 2)]
    rows = [row for table in pairs for row in table.round(4).to_dict("records")]
    content = {**provenance("python data/runs/text.py", "scikit-learn"), "steps": STEPS,
               "settings": SETTINGS}
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    text = f'{json.dumps(content, indent=1)[:-2]},\n "runs": [\n{lines}\n ]\n}}\n'
    write_atomically(Path(__file__).with_suffix(".json"), text)


if __name__ == "__main__":
    record()
