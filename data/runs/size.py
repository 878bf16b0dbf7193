"""At what size should a network see its pictures? The experiment of lesson 02, recorded.

    python data/runs/size.py

EfficientNet-Lite0 with ImageNet's weights, which are made for pictures of 224 pixels, frozen; a
linear probe on 450 emoji of one vendor, scored on the emoji of two vendors, at three sizes of the
same pictures: every run is written to ``size.json`` beside this file, with the command, the
versions and the date. A test of the course recomputes a sample of it.
"""

import json
from dataclasses import replace
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tlcourse.data import Domain, load
from tlcourse.features import features
from tlcourse.models import pretrained
from tlcourse.sweep import sweep
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

SIZES = [32, 64, 128]
"""The pictures have 64 pixels; enlarged, they show nothing that was not there before."""
VENDORS = {"google": "emoji_google", "twitter": "emoji_twitter"}
LABELS, SEEDS = 450, range(5)


def described(vendor: str, size: int) -> Domain:
    """The emoji of a vendor as a table of features, kept on disk after the first time."""
    domain = load(VENDORS[vendor])
    return replace(domain, X=features(pretrained("efficientnet_lite0"), domain, size=size))


def run(size: int, seed: int) -> dict:
    """Trained on google's emoji; the same seed splits both vendors alike."""
    few = described("google", size).split(seed=seed).train.take(LABELS, seed=seed)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(few.X, few.y)
    tests = {v: described(v, size).split(seed=seed).test.open("size") for v in VENDORS}
    return {vendor: probe.score(test.X, test.y) for vendor, test in tests.items()}


def record() -> None:
    for size in SIZES:  # once, and not in every process
        for vendor in VENDORS:
            described(vendor, size)
    table = sweep(run, {"size": SIZES}, seeds=SEEDS)
    table = table.melt(["size", "seed"], list(VENDORS), "vendor", "accuracy")
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/size.py", "timm", "scikit-learn"),
        "labels": LABELS,
        "runs": table.to_dict("records"),
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
