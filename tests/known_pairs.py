"""Is `diagnose` right where the truth is known? Pairs of domains made so, recorded.

    python tests/known_pairs.py

Each pair has one thing made wrong, or nothing. `TRUTH` says beforehand what a report must find: the
verdicts that the construction decides, and the strongest cause, None where there is none. The
result is written to ``data/runs/known_pairs.json``; a test reads it and repeats two of the pairs.
"""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import pad
from tqdm.auto import tqdm

from tlcourse.data import Domain, load
from tlcourse.data.framing import resize
from tlcourse.diagnose import diagnose
from tlcourse.diagnose.report.report import Report
from tlcourse.utils.files import ROOT, write_atomically
from tlcourse.utils.provenance import provenance

COLUMNS, CLASSES = 100, 4
SHOWN = 0.1
"""Evidence below this is no cause."""


def table(name: str, n: int, seed: int, *, places: int = 0, shares=None, apart: float = 4.5,
          classes: str = "abcd") -> Domain:
    """Clouds of points, one a class, around places that a seed draws."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(classes), n, p=shares) if shares else rng.permutation(np.arange(n) % 4)
    centres = np.random.default_rng(1000 + places).normal(size=(CLASSES, COLUMNS))
    centres *= apart / np.linalg.norm(centres, axis=1, keepdims=True)
    return Domain(name, centres[y] + rng.normal(size=(n, COLUMNS)), y, tuple(classes))


def lot(domain: Domain, share: float = 1.0) -> Domain:
    """A share of the labels drawn by lot."""
    rng = np.random.default_rng(7)
    drawn = torch.from_numpy(rng.random(len(domain)) < share)
    return replace(domain, y=torch.where(drawn, torch.from_numpy(rng.permutation(domain.y)),
                                         domain.y))


def swapped(domain: Domain) -> Domain:
    """Two classes under each other's names."""
    return replace(domain, y=torch.tensor([1, 0, 2, 3])[domain.y])


def instrument(domain: Domain) -> Domain:
    """Each column with a gain and an offset of its own."""
    rng = np.random.default_rng(3)
    gain, offset = rng.uniform(0.2, 5, COLUMNS), rng.normal(0, 10, COLUMNS)
    return replace(domain, X=domain.X * torch.tensor(gain) + torch.tensor(offset))


def copies(domain: Domain) -> Domain:
    return domain.subset(torch.arange(len(domain)).repeat_interleave(4))


def halves() -> tuple[Domain, Domain]:
    digits = replace(load("uci_digits"), ordered=False)
    return (replace(digits.subset(slice(0, None, 2)), name="s"),
            replace(digits.subset(slice(1, None, 2)), name="t"))


def pictures(change: Callable[[Domain, Domain], tuple[Domain, Domain]]) -> Callable:
    return lambda: change(*halves())


def rare(domain: Domain) -> Domain:
    """One in ten of the digits from 5 on."""
    kept = torch.from_numpy(np.random.default_rng(0).random(len(domain)) < 0.1)
    return domain.subset((domain.y < 5) | kept)


S, T = (lambda **more: table("s", 800, 1, **more)), (lambda **more: table("t", 400, 2, **more))
TRUTH = {
    "equal tables": (lambda: (S(), T()), 2, {"source_only": "positive"}, None),
    "labels of both by lot": (lambda: (lot(S()), lot(T())), 10, dict.fromkeys(
        ("source_only", "frozen", "fine_tune", "aligned"), "inconclusive"),
        "source hard to learn"),
    "source labels by lot": (lambda: (lot(S()), T()), 20, {"source_only": "negative"},
                             "source hard to learn"),
    "seven in ten source labels by lot": (lambda: (lot(S(), 0.7), T()), 5, {},
                                          "source hard to learn"),
    "two classes swapped": (lambda: (swapped(S()), T()), 20, {"source_only": "negative"},
                            "conflict"),
    "half of the classes in the target": (
        lambda: (S(), (t := T()).subset(t.y < 2)), 2, {},
        "label-space mismatch"),
    "no class in common": (lambda: (S(classes="efgh", places=5), T()), 20,
                           {"source_only": "not applicable", "aligned": "not applicable"},
                           "label-space mismatch"),
    "a rare class becomes common": (
        lambda: (S(shares=[0.04, 0.32, 0.32, 0.32]), T(shares=[0.7, 0.1, 0.1, 0.1])), 5, {},
        "label shift"),
    "another instrument": (lambda: (S(), instrument(T())), 20, {"source_only": "negative"},
                           "framing mismatch"),
    "classes look different": (lambda: (S(), T(places=9)), 20, {"source_only": "negative"},
                               "domain distance"),
    "unbalanced, else equal": (
        lambda: (S(shares=[0.85, 0.05, 0.05, 0.05]), T(shares=[0.85, 0.05, 0.05, 0.05])), 2,
        {"source_only": "positive"}, None),
    "copied rows, labels by lot": (
        lambda: (lot(S()), copies(lot(table("t", 100, 2)))), 10, dict.fromkeys(
            ("source_only", "frozen", "fine_tune", "aligned"), "inconclusive"),
        "source hard to learn"),
    "a tiny target": (lambda: (lot(S()), lot(table("t", 24, 2))), 2, dict.fromkeys(
        ("source_only", "frozen", "fine_tune", "aligned"), "inconclusive"),
        "source hard to learn"),
    "clouds that cannot be mistaken": (
        lambda: (S(apart=14), T(apart=14)), 50, {"fine_tune": "inconclusive"}, None),
    "equal digits": (halves, 5, {"source_only": "positive"}, None),
    "digits with labels by lot": (pictures(lambda s, t: (lot(s), t)), 20,
                                  {"source_only": "negative"}, "source hard to learn"),
    "digits under other names": (pictures(lambda s, t: (replace(s, y=(s.y + 3) % 10), t)), 20,
                                 {"source_only": "negative"}, "conflict"),
    "dark on light digits": (pictures(lambda s, t: (replace(s, X=1 - s.X), t)), 20,
                             {"source_only": "negative"}, "framing mismatch"),
    "digits small in their frame": (
        pictures(lambda s, t: (replace(s, X=pad(resize(s.X, 8), [4] * 4)), t)), 20,
        {"source_only": "negative"}, "framing mismatch"),
    "digits 5 to 9 are rare": (pictures(lambda s, t: (s, rare(t))), 5,
                               {"source_only": "positive"}, "label shift"),
}
"""What is made, labels a class, the verdicts that are sure, and the strongest cause."""


def found(name: str) -> tuple[Report, bool]:
    """The report on a pair, and whether it is right."""
    make, labels, verdicts, cause = TRUTH[name]
    report = diagnose(*make(), labels_per_class=labels, progress=False)
    first = report.causes[0].name if report.causes[0].evidence >= SHOWN else None
    right = first == cause and all(report.words[s] == word for s, word in verdicts.items())
    return report, right


def main() -> None:
    rows = []
    for name in tqdm(TRUTH, desc="pairs"):
        report, right = found(name)
        rows.append({"name": name, "right": right, "verdict": report.words,
                     "causes": [[c.name, c.evidence] for c in report.causes[:3]],
                     "advice": report.advice})
        if not right:
            print(rows[-1], flush=True)
    write_atomically(ROOT / "data" / "runs" / "known_pairs.json", json.dumps({
        **provenance("python tests/known_pairs.py"),
        "right": sum(row["right"] for row in rows), "pairs": rows}, indent=1) + "\n")
    print(f"{sum(row['right'] for row in rows)} of {len(rows)} pairs are diagnosed right")


if __name__ == "__main__":
    main()
