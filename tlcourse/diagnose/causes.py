"""What may spoil a transfer: seven causes, each on one scale from 0 to 1, and what it means.

0 says that there is no sign of a cause, 1 that it could not be stronger. Most numbers are shares
of right answers: lost by the cause, or won back by its repair.
"""

from typing import NamedTuple

import numpy as np


class Cause(NamedTuple):
    """A measured cause: its name, the number from 0 to 1, and what it means."""

    name: str
    evidence: float
    meaning: str


def explain(measured: list[dict], scores: dict[str, float], ckas: list[float]) -> list[Cause]:
    """Turn the numbers of all seeds into causes, the strongest first.

    Parameters
    ----------
    measured : list of dict
        What `measure` returned, one a seed.
    scores : dict of strategy -> mean score
    ckas : list of float
        Similarity of the features before and after fine-tuning, one a seed.
    """
    def mean(key):
        found = [seed[key] for seed in measured if key in seed]
        return float(np.mean(found)) if found else None

    causes = [*_label_noise(mean), _label_space(mean), *_between(measured, mean),
              _conflict(mean, ckas)] if measured else []
    if "frozen" in scores and "fine_tune" in scores:
        lost = scores["fine_tune"] - scores["frozen"]
        causes.append(Cause("frozen too deep", _share(lost), (
            f"training the head alone scores {scores['frozen']:.2f}, tuning everything "
            f"{scores['fine_tune']:.2f}")))
    return sorted(causes, key=lambda cause: -cause.evidence)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)


def _label_noise(mean) -> list[Cause]:
    skill = mean("skill")
    return [] if skill is None else [Cause("source label noise", _share(1 - skill), (
        f"of what can be learned beyond chance, the source's network reaches {max(0, skill):.0%} "
        "on source samples it has not seen; the rest is wrong labels, or too hard for it"))]


def _label_space(mean) -> Cause:
    here, there = mean("source only"), mean("target only")
    return Cause("label-space mismatch", _share(max(here, there)), (
        f"{here:.0%} of the source's samples are of classes that the target lacks, and {there:.0%} "
        "of the target's of classes that the source lacks"))


def _between(measured: list[dict], mean) -> list[Cause]:
    """Label shift, framing and distance: what lies between the inputs of the two domains."""
    distance, p = mean("proxy A-distance"), float(np.median([seed["MMD p"] for seed in measured]))
    apart = min(1.0, max(0.0, distance / 2)) if p < 0.05 else 0.0
    told = f"proxy A-distance {distance:.2f} of 2, MMD permutation p = {p:.3f}"
    causes, shift = [], mean("label shift")
    if shift is not None:
        flag = ("; the estimate assumes that samples of a class look alike in both, and the "
                f"domain distance ({distance:.2f}) says otherwise" if apart > 0 else "")
        causes.append(Cause("label shift", _share(shift * (1 - apart)), (
            f"class frequencies differ by {shift:.0%} (black-box estimate){flag}")))
    here, there = mean("recall on source"), mean("recall on target")
    if here is None:
        return [*causes, Cause("domain distance", _share(apart), (
            f"{told}; without common classes, what it costs cannot be measured"))]
    ways = {way for seed in measured for way in seed["repairs"]}
    gains = {way: np.mean([seed["repairs"].get(way, 0.0) for seed in measured]) for way in ways}
    way = max(sorted(gains), key=gains.get)
    causes.append(Cause("framing mismatch", _share(gains[way]), (
        f"with {way}, the source's network goes from {there:.2f} to {there + gains[way]:.2f} on "
        "the target")))
    left = here - there - max(0.0, gains[way]) - max(0.0, mean("renaming"))
    return [*causes, Cause("domain distance", _share(left), (
        f"the source's network falls from {here:.2f} on the source to {there:.2f} on the target's "
        f"common classes, and this much is not won back by framing or other names; {told}"))]


def _conflict(mean, ckas: list[float]) -> Cause:
    cosine, within, renaming = mean("cosine"), mean("cosine within"), mean("renaming")
    against = max(0.0, -cosine / within) if within > 0.02 else 0.0
    said = f"gradient cosine {cosine:+.2f}, within the source {within:+.2f}"
    if renaming is not None:
        said += f"; classes renamed by the labelled few: {100 * renaming:+z.0f} points"
    if ckas:
        said += f"; CKA of the features before and after tuning {np.mean(ckas):.2f}"
    return Cause("conflict", _share(max(against, renaming or 0.0)), said)
