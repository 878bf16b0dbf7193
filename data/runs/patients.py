"""The six patients of lesson 08: pairs of domains with one thing wrong, and their reports.

    python data/runs/patients.py

writes ``patients.json`` beside this file: for each patient what `diagnose` reported, as
``Report.to_dict`` gives it. The file does not say what was made wrong; the functions here do, and
a test of the course diagnoses one patient again.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import pad

from tlcourse.data import Domain, load
from tlcourse.data.framing import resize
from tlcourse.diagnose import diagnose
from tlcourse.diagnose.report.report import Report
from tlcourse.utils.files import write_atomically
from tlcourse.utils.provenance import provenance

LABELS = 5
"""A class."""


def two_of_mnist() -> tuple[Domain, Domain]:
    digits = load("mnist_5k")
    return digits.subset(slice(1500)), digits.subset(slice(1500, 3000))


def patient_a() -> tuple[Domain, Domain]:
    """Seven of ten labels of the source are drawn by lot."""
    source, (_, target) = load("printed_digits"), two_of_mnist()
    rng = np.random.default_rng(0)
    lot = torch.from_numpy(rng.random(len(source)) < 0.7)
    return replace(source, y=torch.where(lot, torch.from_numpy(rng.permutation(source.y)),
                                         source.y)), target


def patient_b() -> tuple[Domain, Domain]:
    """The target holds five of the source's ten classes."""
    _, target = two_of_mnist()
    return load("printed_digits"), target.subset(target.y >= 5)


def patient_c() -> tuple[Domain, Domain]:
    """The same digits, but those of the target lie small in their frame."""
    source, target = two_of_mnist()
    return source, replace(target, X=pad(resize(target.X, 9), [3, 4, 3, 4]))


def patient_d() -> tuple[Domain, Domain]:
    """The same digits under other names."""
    source, target = two_of_mnist()
    return replace(source, y=(source.y + 3) % 10), target


def patient_e() -> tuple[Domain, Domain]:
    """Print and handwriting, as they are."""
    return load("printed_digits"), load("uci_digits")


def patient_f() -> tuple[Domain, Domain]:
    """The same digits as tables of 64 columns; five of the classes are rare in the source."""
    digits = replace(load("uci_digits"), ordered=False)
    table = replace(digits, X=resize(digits.X, 8).flatten(1))
    source, target = table.subset(slice(0, None, 2)), table.subset(slice(1, None, 2))
    kept = torch.from_numpy(np.random.default_rng(0).random(len(source)) < 0.05)
    return source.subset((source.y < 5) | kept), target


PATIENTS = {"A": patient_a, "B": patient_b, "C": patient_c, "D": patient_d, "E": patient_e,
            "F": patient_f}


def examine(name: str, **settings) -> Report:
    source, target = PATIENTS[name]()
    return diagnose(replace(source, name=f"source {name}"), replace(target, name=f"target {name}"),
                    labels_per_class=LABELS, **settings)


def record() -> None:
    write_atomically(Path(__file__).with_suffix(".json"), json.dumps({
        **provenance("python data/runs/patients.py"),
        "patients": {name: examine(name).to_dict() for name in PATIENTS},
    }, indent=1) + "\n")


if __name__ == "__main__":
    record()
