"""Which source, and how to use it? Ways are tried on the target's labels, the cheap ones first.

All sources get two repetitions; the better half of them gets three more. That is successive
halving, of Karnin, Koren and Somekh, Almost optimal exploration in multi-armed bandits, ICML 2013.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tlcourse.data.domain import DataError, Domain
from tlcourse.data.folders import OwnData
from tlcourse.data.framing import resize
from tlcourse.diagnose import saved
from tlcourse.diagnose.jobs import Jobs
from tlcourse.diagnose.matching import LARGE, SMALL, pair, within
from tlcourse.diagnose.report.text import points
from tlcourse.diagnose.run import FEWEST_FOLDS, check_settings
from tlcourse.diagnose.scoring import SCORES, fair_score, in_words
from tlcourse.diagnose.strategies import UNLABELLED
from tlcourse.stats import Gap, decided, paired_gap
from tlcourse.utils.messages import counted, filled, listed

STRATEGIES = ("source_only", "frozen", "fine_tune")
"""What is tried with each source, the cheap ones first."""
FIRST, THEN = (0, 1), (2, 3, 4)
"""Repetitions of all sources, and of those that are left."""
BESIDE_LITE0 = 200
"""Source samples that go through Lite0 beside the target, so that both have features."""
SURE = (1.96 + 0.84) ** 2
"""Squared standard errors that a difference must have to be decided 4 times in 5."""


@dataclass
class Choice:
    """Ways to a network for a target, ranked by what they reached on its labels.

    Parameters
    ----------
    pairs : dict of name -> OwnData
        Each source with the target, as they were read.
    labels_per_class : int
    score : str
        Its name, as in `tlcourse.diagnose.scoring.SCORES`.
    runs : list of dict
        ``source`` (empty for those that need none), ``strategy``, ``seed`` and ``score``.
    tested : int
        Labelled target samples in the test part of one repetition.
    notices, left_out : list of str
    """

    pairs: dict[str, OwnData]
    labels_per_class: int
    score: str
    runs: list[dict]
    tested: int
    notices: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def target(self) -> Domain:
        """The target, as it was read beside the first source."""
        return next(iter(self.pairs.values())).target

    @property
    def table(self) -> pd.DataFrame:
        """A row for each way, the best first.

        Columns are ``source``, ``strategy``, ``score``, ``repetitions``, and the ``lead`` of the
        best way over it with its 95 % interval, ``low`` and ``high``. Ways with fewer repetitions
        were given up, and come last.
        """
        runs = pd.DataFrame(self.runs, columns=["source", "strategy", "seed", "score"])
        ways = runs.groupby(["source", "strategy"])["score"].agg(["mean", "count"]).reset_index()
        ways.columns = ["source", "strategy", "score", "repetitions"]
        ways = ways.sort_values(["repetitions", "score"], ascending=False, ignore_index=True)
        by_seed = runs.pivot(index="seed", columns=["source", "strategy"], values="score")
        leads = [_lead(by_seed, tuple(ways.loc[0, ["source", "strategy"]]), (source, strategy))
                 for source, strategy in zip(ways["source"], ways["strategy"], strict=True)]
        for column, values in zip(("lead", "low", "high"), zip(*leads, strict=True), strict=False):
            ways[column] = values
        return ways

    @property
    def best(self) -> tuple[str, str] | None:
        """Source (empty where none is needed) and strategy of the best way; None without any."""
        return tuple(self.table.loc[0, ["source", "strategy"]]) if self.runs else None

    def save(self, folder: Path | str) -> None:
        """Train the best way on all labels and keep it, for `tlcourse.diagnose.predict`."""
        source, strategy = self.best
        own = self.pairs.get(source) or next(iter(self.pairs.values()))
        score = {"name": self.score, "score": float(self.table.loc[0, "score"]),
                 "labels_per_class": self.labels_per_class}
        saved.train(own.source, own.target, strategy, own.preparation, measured=score).save(folder)

    @property
    def report(self) -> str:
        """What to use, how sure that is, and the table of ways, in lines."""
        return text(self)

    def __str__(self) -> str:
        return self.report


def _lead(by_seed: pd.DataFrame, best: tuple[str, str], other: tuple[str, str]) -> Gap:
    both = by_seed[[best, other]].dropna().to_numpy()
    if best == other:
        return Gap(0.0, 0.0, 0.0, len(both))
    if len(both) < 2:
        return Gap(float(np.diff(both[:, ::-1]).mean()), -1.0, 1.0, len(both))
    gap = paired_gap(both[:, 0], both[:, 1])
    return gap._replace(low=max(gap.low, -1.0), high=min(gap.high, 1.0))


def choose(
    target: Domain, sources: Sequence[Domain], *, labels_per_class: int = 5,
    score: str = "auto", budget: float | None = None, progress: bool = True,
) -> Choice:
    """Rank sources, and ways to use them, for a target.

    Each repetition tests on a part of the target of its own and trains with labels from the rest:
    a cross-validation on the labels that there are.

    Parameters
    ----------
    target : Domain
        Two samples of each class at least.
    sources : sequence of Domain
        With names of their own.
    labels_per_class : int
        Labelled target samples that a way is trained with, as many as there are of a class with
        fewer.
    score : str
        As for `tlcourse.diagnose.diagnose`.
    budget : float, optional
        Seconds, shared out between the sources. What does not fit is left out, and is said.
    progress : bool
        Show bars.

    Returns
    -------
    Choice
        Also after Ctrl-C, of what was measured until then.

    Raises
    ------
    TypeError, ValueError
        Settings out of range, or domains that cannot be compared, in one sentence.
    """
    return choose_among([OwnData(source, target, [], None) for source in sources],
                        labels_per_class=labels_per_class, score=score, budget=budget,
                        progress=progress)


def choose_among(
    pairs: Sequence[OwnData], *, labels_per_class: int = 5, score: str = "auto",
    budget: float | None = None, progress: bool = True,
) -> Choice:
    """`choose` for sources that were read from files, each with the target beside it."""
    end = time.monotonic() + (math.inf if budget is None else budget)
    check_settings(labels_per_class, FEWEST_FOLDS, STRATEGIES, score, budget)
    own = {each.source.name: each for each in pairs}
    if len(own) < len(pairs) or not pairs:
        raise ValueError("sources are one or more, each with a name of its own, got "
                         f"{listed([each.source.name for each in pairs]) or 'none'}")
    jobs, notices, left_out = {}, [], []

    def add(name: str, source: Domain, target: Domain) -> None:
        (source, target), thinned = within(budget, source, target)
        both = pair(source, target, progress=progress)
        if len(both.target_y) < 2 * FEWEST_FOLDS:
            raise DataError(f"{target.name} has {len(both.target_y)} samples where at least "
                            f"{2 * FEWEST_FOLDS} are needed to test on")
        draws = {"folds": FEWEST_FOLDS, "labels_per_class": int(labels_per_class)}
        jobs[name] = Jobs(both, draws, None, time.monotonic(), None, one_process=bool(thinned))
        notices.extend(n for n in [*thinned, *both.notices] if n not in notices)

    def measure(kinds: dict[str, list[str]], seeds: Sequence[int], to_come: int) -> None:
        for i, name in enumerate(kinds):
            now = time.monotonic()
            jobs[name].deadline = now + (end - now) / (len(kinds) - i + to_come)
            said = jobs[name].run(kinds[name], seeds, progress)
            left_out.extend(f"{name or 'Lite0'}: {what}" for what in said)

    for name, each in own.items():
        notices.extend(n for n in each.notices if n not in notices)
        add(name, each.source, each.target)
    first = pairs[0]
    if first.target.X.ndim == 4 and first.target.X.shape[1] == 3 and (
            max(first.target.X.shape[2:]) <= SMALL):
        few = first.source.take(min(BESIDE_LITE0, len(first.source)), seed=0)
        add("", *(replace(d, X=resize(d.X, LARGE)) for d in (few, first.target)))
    kept = max(2, math.ceil(len(own) / 2))
    kinds = {name: _kinds(name, jobs) for name in jobs}
    measure(kinds, FIRST, kept + ("" in jobs))
    given_up = sorted(own, key=lambda name: _best_of(jobs[name]))[: len(own) - kept]
    left = {name: [kind for kind in kinds[name] if kind == "scratch" or name not in given_up]
            for name in jobs}
    measure({name: some for name, some in left.items() if some}, THEN, 0)
    score = fair_score(first.target.y.numpy()) if score == "auto" else score
    runs = [{"source": "" if kind == "scratch" else name, "seed": seed,
             "strategy": kind if name else "lite0", "score": result.scores[score]}
            for name in jobs for kind in kinds[name]
            for seed, result in jobs[name].kept(kind, (*FIRST, *THEN)).items()]
    return Choice(own, int(labels_per_class), score, runs, len(first.target) // FEWEST_FOLDS,
                  notices, left_out)


def _kinds(name: str, jobs: dict[str, Jobs]) -> list[str]:
    """What is run for a source; training from scratch is the same for all, so once is enough."""
    if not name:
        return ["scratch"]
    able = [s for s in STRATEGIES if jobs[name].both.common or s not in UNLABELLED]
    return ["scratch", *able] if name == next(iter(jobs)) else able


def _best_of(job: Jobs) -> float:
    """The mean accuracy of the best strategy in the first repetitions."""
    means = [np.mean([r.scores["accuracy"] for r in job.kept(kind, FIRST).values()] or [-1.0])
             for kind in STRATEGIES]
    return float(max(means))


def text(choice: Choice) -> str:
    """The choice in lines: what to use, how sure that is, and the table of ways."""
    if not choice.runs:
        return "Nothing was measured: give more time."
    table = choice.table
    name = in_words(choice.score)
    lines = [filled(sentence) for sentence in _sentences(choice, table)]
    lines += ["", f"  {'way':36}{name:>18}   lead of the best, in points"]
    for row in table.itertuples():
        lead = "" if row.Index == 0 else points(Gap(row.lead, row.low, row.high, row.repetitions))
        early = "" if row.repetitions == table["repetitions"].max() else "  given up early"
        way = _way(row.source, row.strategy)
        lines.append(f"  {way[:36]:36}{row.score:>18.1%}   {lead}{early}".rstrip())
    for heading, said in (("Notices", choice.notices), ("Left out", choice.left_out)):
        lines += ["", f"{heading}:", *(filled(f"  {one}.", "  ") for one in said)] if said else []
    return "\n".join(lines)


def _way(source: str, strategy: str) -> str:
    words = {"scratch": "scratch", "lite0": "a head on EfficientNet-Lite0"}
    return words.get(strategy) or f"{strategy} from {source}"


def _sentences(choice: Choice, table: pd.DataFrame) -> list[str]:
    """What to use, and whether that is decided against scratch and against the second."""
    best, tried, name = table.iloc[0], len(table), in_words(choice.score)
    said = [f"Use {_way(best.source, best.strategy)}: {best.score:.1%} {name} on "
            f"{choice.target.name}, {SCORES[choice.score]}. It was the best of "
            f"{counted(tried, 'way')} on the same labels, so the number is a little too good."]
    rivals = {"training from scratch": table[table.strategy == "scratch"],
              "the second best": table.iloc[1:2]}
    for name, rows in rivals.items():
        if rows.empty or rows.index[0] == 0:
            continue
        row = rows.iloc[0]
        gap = Gap(row.lead, row.low, row.high, int(row.repetitions))
        way = "" if row.strategy == "scratch" else f", {_way(row.source, row.strategy)},"
        if decided(gap) == "positive":
            said.append(f"That it is ahead of {name}{way} is sure: by {points(gap)} points.")
        else:
            said.append(f"Whether it is ahead of {name}{way} is undecided: by {points(gap)} "
                        f"points.{_labels_needed(choice, row)}")
    return said


def _labels_needed(choice: Choice, row: pd.Series) -> str:
    """About how many labelled samples would decide, from the variance over the repetitions."""
    if row.repetitions < 3 or row.lead <= 0:
        return ""
    from scipy.stats import t

    error = (row.high - row.low) / 2 / t.ppf(0.975, row.repetitions - 1)  # of the mean
    more = SURE * (error / row.lead) ** 2
    total = choice.tested * FEWEST_FOLDS * more
    if more <= 1 or total > 1e5:
        return ""
    return (f" If the difference is what it seems, about {total:,.0f} labelled samples of "
            f"{choice.target.name} would decide it; there were {len(choice.target):,}.")
