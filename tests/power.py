"""How often does `diagnose` see a gain of ten points? Forty cases, recorded.

    python tests/power.py

In each case a table of two classes is drawn anew, source and target alike, and made so hard that
the source's network is about ten points better than training from scratch with the labels that are
there by default. The result is written to ``data/runs/power.json``; a test reads it and repeats
one case.
"""

import json

import numpy as np
from tqdm.auto import tqdm

from tlcourse.data import Domain
from tlcourse.diagnose import diagnose
from tlcourse.diagnose.report.report import Report
from tlcourse.utils.files import ROOT, write_atomically
from tlcourse.utils.provenance import provenance

REPETITIONS, LABELS = 40, 5
SIZES = {"source": 1000, "target": 400}
COLUMNS, APART = 4, 1.9


def repetition(case: int) -> Report:
    domains = []
    for part, (name, n) in enumerate(SIZES.items()):
        rng = np.random.default_rng([case, part])
        y = rng.permutation(np.arange(n) % 2)
        X = rng.normal(size=(n, COLUMNS))
        X[:, 0] += APART * y
        domains.append(Domain(name, X, y))
    return diagnose(*domains, labels_per_class=LABELS, progress=False)


def main() -> None:
    rows = []
    for case in tqdm(range(REPETITIONS), desc="reports"):
        report = repetition(case)
        rows.append({"case": case, "verdict": report.verdict["source_only"],
                     "gap": round(report.gap["source_only"].estimate, 4)})
    seen = sum(row["verdict"] == "positive" for row in rows) / REPETITIONS
    gap = float(np.mean([row["gap"] for row in rows]))
    write_atomically(ROOT / "data" / "runs" / "power.json", json.dumps({
        **provenance("python tests/power.py"), "samples": SIZES, "labels a class": LABELS,
        "mean gap": round(gap, 4), "seen": seen, "runs": rows}, indent=1) + "\n")
    print(f"a mean gap of {100 * gap:.1f} points is called positive in {seen:.0%} of the reports")


if __name__ == "__main__":
    main()
