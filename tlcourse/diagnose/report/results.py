"""What a diagnosis measured, in numbers, and the verdicts that follow from it."""

from dataclasses import dataclass, field, fields
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from tlcourse.diagnose.causes import Cause
from tlcourse.stats import Gap, decided, holm, paired_gap

LOST, CLEARLY_LOST = 0.1, 0.2
"""A class is lost when its recall falls by the first for certain, or by the second on average."""


class Baseline(NamedTuple):
    """The most frequent class of the target, and the score of always answering it."""

    answer: str
    score: float


@dataclass
class Results:
    """The numbers of a diagnosis and the verdicts that follow from them.

    Parameters
    ----------
    source, target : str
        Names of the domains.
    labels_per_class : int
    classes : list of str
        The target's.
    strategies : list of str
        Those that were asked for.
    runs : list of dict
        ``strategy`` ("scratch" too), ``seed``, ``score`` (on the test fold of that seed, from 0 to
        1) and ``recall`` (one a class, None for a class that the fold lacks). They are
        dicts as the rows of a table are: pandas and JSON take them as they are.
    causes : list of Cause
        Name, evidence from 0 to 1, and what it means; the strongest first.
    not_applicable : dict of strategy -> reason
    notices, left_out : list of str
        What was changed or is to be kept in mind; what could not be measured.
    settings : dict
        Steps, learning rates, seeds, the name of the score, and "finest", what one test sample is
        worth of it.
    baseline : Baseline, optional
        What needs no network.
    """

    source: str
    target: str
    labels_per_class: int
    classes: list[str]
    strategies: list[str]
    runs: list[dict]
    causes: list[Cause]
    not_applicable: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    baseline: Baseline | None = None

    @property
    def score_name(self) -> str:
        """The name of the score, as `tlcourse.diagnose.scoring.SCORES` has it."""
        return self.settings.get("score", "accuracy")

    @property
    def gap(self) -> dict[str, Gap]:
        """Score minus that of scratch: strategy -> (estimate, low, high, n), as fractions.

        The intervals are those of `tlcourse.stats.holm`, which exclude 0 when decided; none
        goes beyond what two shares of right answers can differ by.
        """
        by = {(run["strategy"], run["seed"]): run["score"] for run in self.runs}
        seeds = sorted({seed for _, seed in by})
        scores = {s: [by.get((s, seed)) for seed in seeds]
                  for s in ("scratch", *self.strategies) if s not in self.not_applicable}
        scratch = scores.pop("scratch")
        gaps = holm(scores, scratch, finest=self.settings.get("finest", 0.0))
        return {s: g._replace(low=max(g.low, -1.0), high=min(g.high, 1.0)) for s, g in gaps.items()}

    @property
    def verdict(self) -> dict[str, str]:
        """Strategy -> "positive", "negative", "inconclusive", or "not applicable"."""
        return {s: "inconclusive" if word == "not measured" else word
                for s, word in self.words.items()}

    @property
    def words(self) -> dict[str, str]:
        """The verdicts as people read them: "not measured" where there is no gap to judge."""
        gap = self.gap
        return {s: "not applicable" if s in self.not_applicable
                else decided(gap[s]) if s in gap else "not measured" for s in self.strategies}

    @property
    def advised(self) -> str | None:
        """The strategy with the largest gap, of those that are positive where there are any.

        None when nothing was measured.
        """
        gap, verdict = self.gap, self.verdict
        proven = [s for s in gap if verdict[s] == "positive"]
        return max(proven or gap, key=lambda s: gap[s].estimate, default=None)

    @property
    def overall(self) -> str:
        """The verdict for the strategy that is advised, corrected for all that were tried."""
        return self.verdict[self.advised] if self.advised else "inconclusive"

    def lost_classes(self, strategy: str) -> dict[str, tuple[float, float]]:
        """Classes that a strategy recognises much less often: name -> recall of scratch, and its.

        Much less is by 20 points on average, or by 10 with an interval below 0.
        """
        lost = {}
        here, there = (self._recalls(s) for s in ("scratch", strategy))
        for name in self.classes:
            pairs = pd.concat([here[name], there[name]], axis=1).dropna().to_numpy()
            if len(pairs) == 0:
                continue
            before, after = pairs.mean(0)
            sure = len(pairs) > 1 and paired_gap(pairs[:, 1], pairs[:, 0]).high < 0
            if before - after >= (LOST if sure else CLEARLY_LOST):
                lost[name] = (float(before), float(after))
        return lost

    @property
    def table(self) -> pd.DataFrame:
        """Mean score, gap with interval, and verdict in words: of scratch and each strategy.

        The first row, where it is known, is that of always answering the most frequent class.
        """
        rows, gap, words = {}, self.gap, self.words
        if self.baseline:
            rows[f"always {self.baseline.answer}"] = {"score": self.baseline.score, "seeds": 0,
                                                      "verdict": ""}
        for s in ("scratch", *self.strategies):
            scores = [run["score"] for run in self.runs if run["strategy"] == s]
            estimate, low, high, _ = gap.get(s, [np.nan] * 4)
            rows[s] = {"score": np.mean(scores) if scores else np.nan, "gap": estimate, "low": low,
                       "high": high, "seeds": len(scores), "verdict": words.get(s, "")}
        return pd.DataFrame.from_dict(rows, "index").rename_axis("strategy")

    @property
    def per_class(self) -> pd.DataFrame:
        """Recall of scratch for each class, and by how much each strategy changes it."""
        recall = pd.DataFrame({s: self._recall(s) for s in ("scratch", *self.strategies)})
        changes = recall.drop(columns="scratch").sub(recall["scratch"], axis=0)
        return pd.concat([recall[["scratch"]], changes], axis=1).rename_axis("class")

    def _recall(self, strategy: str) -> pd.Series:
        return self._recalls(strategy).mean()

    def _recalls(self, strategy: str) -> pd.DataFrame:
        """A row for each seed, a column for each class."""
        rows = {run["seed"]: run["recall"] for run in self.runs if run["strategy"] == strategy}
        return pd.DataFrame.from_dict(rows, "index", columns=self.classes, dtype=float)

    def to_dict(self) -> dict:
        """What JSON can write; what follows from the runs is there to be read."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**kept, "causes": [cause._asdict() for cause in self.causes],
                "baseline": self.baseline and self.baseline._asdict(),
                "verdict": self.verdict, "overall": self.overall, "advised": self.advised,
                "gap": {s: g._asdict() for s, g in self.gap.items()}}

    @classmethod
    def from_dict(cls, found: dict) -> Self:
        """Read what `to_dict` wrote; verdicts follow from its runs anew."""
        kept = {f.name: found.get(f.name) for f in fields(cls)}
        return cls(**{**kept, "causes": [Cause(**cause) for cause in kept["causes"]],
                      "baseline": kept["baseline"] and Baseline(**kept["baseline"])})
