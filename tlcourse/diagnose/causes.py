"""What may spoil a transfer: seven causes, each on one scale from 0 to 1, and what it means.

0 says that there is no sign of a cause, 1 that it could not be stronger. Most numbers are shares
of right answers: lost by the cause, or won back by its repair.
"""

from dataclasses import fields
from typing import NamedTuple

import numpy as np

from tlcourse.diagnose.measure import Measurement

HARD = "source hard to learn"
REPAIRS = {
    HARD: "choose a source that can be learned, or look at samples that its network gets wrong: "
          "their labels may be wrong, or the classes alike",
    "label-space mismatch": "train on the classes that both have, or align partially",
    "label shift": "weigh the source's classes by their frequencies in the target",
    "framing mismatch": "prepare both domains in the same way",
    "domain distance": "choose a nearer source",
    "conflict": "compare what the classes mean, give the target a head of its own, or drop the "
                "source",
    "frozen too deep": "freeze fewer layers",
}
"""The causes by name, and what repairs each."""
NO_COMMON = "choose a source with the target's classes, or rename classes that mean the same"
"""What repairs a label-space mismatch without any common class."""
SPOIL_ALIGNMENT = ("label shift", "label-space mismatch")
"""Causes that spoil an alignment even where the source is good."""


class Cause(NamedTuple):
    """A measured cause: its name, the number from 0 to 1, and what it means."""

    name: str
    evidence: float
    meaning: str


def explain(
    measured: list[Measurement], scores: dict[str, float], ckas: list[float]
) -> list[Cause]:
    """Turn the numbers of all seeds into causes, the strongest first.

    Parameters
    ----------
    measured : list of Measurement
        One a seed.
    scores : dict of strategy -> mean score
    ckas : list of float
        Similarity of the features before and after fine-tuning, one a seed.
    """
    causes = []
    if measured:
        mean = _mean(measured)
        causes = [*_hard_to_learn(mean), _label_space(mean), *_between(mean), _conflict(mean, ckas)]
    if "frozen" in scores and "fine_tune" in scores:
        lost = scores["fine_tune"] - scores["frozen"]
        causes.append(Cause("frozen too deep", _share(lost), (
            f"training the head alone scores {scores['frozen']:.0%}, tuning everything "
            f"{scores['fine_tune']:.0%}")))
    return sorted(causes, key=lambda cause: -cause.evidence)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)


def _mean(measured: list[Measurement]) -> Measurement:
    """The mean of each number over the seeds that have it, and the median of the p values."""
    found = {}
    for name in (f.name for f in fields(Measurement) if f.name != "preparing"):
        values = [v for m in measured if (v := getattr(m, name)) is not None]
        average = np.median if name == "mmd_p" else np.mean
        found[name] = float(average(values)) if values else None
    preparations = sorted({name for m in measured for name in m.preparing})
    return Measurement(**found, preparing={
        name: np.mean([m.preparing.get(name, 0.0) for m in measured]) for name in preparations})


def _hard_to_learn(mean: Measurement) -> list[Cause]:
    skill = mean.skill
    return [] if skill is None else [Cause(HARD, _share(1 - skill), (
        f"of what can be learned beyond chance, the source's network reaches {max(0, skill):.0%} "
        "on source samples it has not seen; classes that overlap, wrong labels and too few "
        "samples all look like this"))]


def _label_space(mean: Measurement) -> Cause:
    here, there = mean.source_only, mean.target_only
    return Cause("label-space mismatch", _share(max(here, there)), (
        f"{here:.0%} of the source's samples are of classes that the target lacks, and {there:.0%} "
        "of the target's of classes that the source lacks"))


def _between(mean: Measurement) -> list[Cause]:
    """Label shift, framing and distance: what lies between the inputs of the two domains."""
    distance, p = mean.proxy_a_distance, mean.mmd_p
    apart = min(1.0, max(0.0, distance / 2)) if p < 0.05 else 0.0
    told = f"proxy A-distance {distance:.2f} of 2, MMD permutation p = {p:.3f}"
    causes = []
    if mean.label_shift is not None:
        said = f"class frequencies differ by {mean.label_shift:.0%}, counted from the labels"
        if mean.estimated_shift is not None:
            said += f"; the black-box estimate without target labels is {mean.estimated_shift:.0%}"
            if apart > 0:
                said += (", which assumes that samples of a class look alike in both, and the "
                         f"domain distance ({distance:.2f}) says otherwise")
        causes.append(Cause("label shift", _share(mean.label_shift), said))
    here, there = mean.recall_on_source, mean.recall_on_target
    if here is None:
        return [*causes, Cause("domain distance", _share(apart), (
            f"{told}; without common classes, what it costs cannot be measured"))]
    best = max(mean.preparing, key=mean.preparing.get)
    gain, renaming = max(0.0, mean.preparing[best]), max(0.0, mean.renaming)
    both = f"the source's network recognises {here:.0%} of the common classes on the source and "
    both += f"{there:.0%} on the target"
    kept = (f"of these {100 * (here - there):.0f} points framing wins back {100 * gain:.0f} and "
            f"other names {100 * renaming:.0f}" if here > there else "nothing is lost")
    return [*causes, Cause("framing mismatch", _share(gain), (
        f"with {best}, the source's network goes from {there:.0%} to "
        f"{there + mean.preparing[best]:.0%} of the target's common classes")),
        Cause("domain distance", _share(here - there - gain - renaming),
              f"{both}; {kept}; {told}")]


def _conflict(mean: Measurement, ckas: list[float]) -> Cause:
    cosine, within, renaming = mean.cosine, mean.cosine_within, mean.renaming
    against = max(0.0, -cosine / within) if within > 0.02 else 0.0
    said = f"gradient cosine {cosine:+.2f}, within the source {within:+.2f}"
    if renaming is not None:
        said += f"; classes renamed by the labelled few: {100 * renaming:+z.0f} points"
    if ckas:
        said += f"; CKA of the features before and after tuning {np.mean(ckas):.2f}"
    return Cause("conflict", _share(max(against, renaming or 0.0)), said)
