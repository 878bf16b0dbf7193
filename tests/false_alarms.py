"""How often does `diagnose` report an effect where there is none? Sixty cases, recorded.

    python tests/false_alarms.py

In each case the labels of source and target are drawn by lot, so no strategy can be better than
another: every verdict but "inconclusive" is a false alarm. Half of the cases are tables, half are
pictures. The result is written to ``data/runs/false_alarms.json``; a test reads it and repeats the
first cases.
"""

import json

import torch
from tqdm.auto import tqdm

from tlcourse.data import Domain
from tlcourse.diagnose import diagnose
from tlcourse.diagnose.report.report import Report
from tlcourse.models import small_cnn
from tlcourse.utils.files import ROOT, write_atomically
from tlcourse.utils.provenance import provenance

REPETITIONS, MOST = 60, 3
CLASSES, SAMPLES, LABELS = 3, 300, 10
MODELS = (None, lambda classes, seed: small_cnn(classes, width=4, seed=seed))


def by_lot(name: str, case: int, generator: torch.Generator) -> Domain:
    """Inputs without any relation to their labels: a table in even cases, pictures in odd ones."""
    shape = (8,) if case % 2 == 0 else (1, 8, 8)
    X = torch.rand(SAMPLES, *shape, generator=generator)
    return Domain(name, X, torch.randint(CLASSES, (SAMPLES,), generator=generator))


def repetition(case: int) -> Report:
    generator = torch.Generator().manual_seed(case)
    source, target = (by_lot(name, case, generator) for name in ("source", "target"))
    return diagnose(source, target, labels_per_class=LABELS, model=MODELS[case % 2],
                    progress=False)


def main() -> None:
    found = []
    for case in tqdm(range(REPETITIONS), desc="reports"):
        report = repetition(case)
        found.append({"case": case, "verdict": report.verdict,
                      "gap": {s: [round(v, 4) for v in g[:3]] for s, g in report.gap.items()}})
    alarms = sum(set(row["verdict"].values()) != {"inconclusive"} for row in found)
    write_atomically(ROOT / "data" / "runs" / "false_alarms.json", json.dumps({
        **provenance("python tests/false_alarms.py"),
        "repetitions": REPETITIONS,
        "reports with a verdict": alarms,
        "at most": MOST,
        "runs": found,
    }, indent=1) + "\n")
    print(f"{alarms} of {REPETITIONS} reports hold a verdict; at most {MOST} may")


if __name__ == "__main__":
    main()
