"""What a diagnosis measured, in numbers, and the verdicts that follow from it."""

from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
import pandas as pd

from tlcourse.diagnose.causes import Cause
from tlcourse.stats import Gap, decided, holm


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
        ``strategy`` ("scratch" too), ``seed``, ``score`` (share of right answers on the test fold
        of that seed) and ``recall`` (one a class, None for a class that the fold lacks). They are
        dicts as the rows of a table are: pandas and JSON take them as they are.
    causes : list of Cause
        Name, evidence from 0 to 1, and what it means; the strongest first.
    not_applicable : dict of strategy -> reason
    notices, left_out : list of str
        What was changed or is to be kept in mind; what could not be measured.
    settings : dict
        Steps, learning rates, seeds, and "finest", what one test sample is worth of a score.
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
        """The strategy with the largest gap; None when nothing was measured."""
        gap = self.gap
        return max(gap, key=lambda s: gap[s].estimate, default=None)

    @property
    def overall(self) -> str:
        """The verdict for the strategy that is advised, corrected for all that were tried."""
        return self.verdict[self.advised] if self.advised else "inconclusive"

    @property
    def table(self) -> pd.DataFrame:
        """A row for scratch and each strategy: mean score, gap with interval, verdict in words."""
        rows, gap, words = {}, self.gap, self.words
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
        rows = [run["recall"] for run in self.runs if run["strategy"] == strategy]
        return pd.DataFrame(rows or None, columns=self.classes, dtype=float).mean()

    def to_dict(self) -> dict:
        """What JSON can write; what follows from the runs is there to be read."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**kept, "causes": [cause._asdict() for cause in self.causes],
                "verdict": self.verdict, "overall": self.overall, "advised": self.advised,
                "gap": {s: g._asdict() for s, g in self.gap.items()}}

    @classmethod
    def from_dict(cls, found: dict) -> Self:
        """Read what `to_dict` wrote; verdicts follow from its runs anew."""
        kept = {f.name: found[f.name] for f in fields(cls)}
        return cls(**{**kept, "causes": [Cause(**cause) for cause in kept["causes"]]})
