"""Which source, and how to use it? Asked of each source as it is, then tried on the labels.

Few labels decide little: a cross-validation on five of a class errs nearly every second time. So
there is a default, and what was tried replaces it only where that is decided:

- fine-tune the source that finds the target's labels most probable, as it is, among those that
  answer clearly more of them right than whoever always says the most frequent class;
- train from scratch where there is no such source.

How often that is right was recorded: ``data/runs/choice.json``.
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
from tlcourse.stats import Gap, decided, paired_gap
from tlcourse.utils.messages import counted, filled, listed

STRATEGIES = ("source_only", "frozen", "fine_tune")
"""What is tried with each source, the cheap ones first."""
SEEDS = range(FEWEST_FOLDS)
BESIDE_LITE0 = 200
"""Source samples that go through Lite0 beside the target, so that both have features."""
BY_LUCK, SKILL = 0.1, 0.2
"""A source serves when luck would answer as well this seldom, and when it answers right this share
of what the most frequent class leaves wrong: samples of one kind are right or wrong together, so
the first alone would let a source with shuffled labels through."""
LEVEL = 0.99
"""Of the interval that a way must be ahead by to replace the default: it is the best of many."""
SURE = (1.96 + 0.84) ** 2
"""Squared standard errors that a difference must have to be decided 4 times in 5."""
RECORD = {1: (0.85, 0.8), 5: (0.875, 0.5), 20: (0.9, 0.7)}
"""Labels of a class -> how often the choice was within 2 points of the best way, and the mean of
the points that it missed, in ``data/runs/choice.json``."""


@dataclass(frozen=True)
class AsItIs:
    """How a source's network answers the target's labels before any training on them.

    Parameters
    ----------
    right, tested : int
        Labels that it answers right, and all labels.
    usual : int
        How many whoever always says the most frequent class answers right.
    log_likelihood : float
        Mean of the logarithm of the probability that it gives to the label.
    """

    right: int
    tested: int
    usual: int
    log_likelihood: float

    @property
    def serves(self) -> bool:
        """Whether it answers better than the most frequent class, and not by luck."""
        from scipy.stats import binomtest

        luck = binomtest(self.right, self.tested, self.usual / self.tested, alternative="greater")
        skill = (self.right - self.usual) / (self.tested - self.usual)
        return luck.pvalue < BY_LUCK and skill >= SKILL


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
    as_they_are : dict of name -> AsItIs
        For the sources that have classes in common with the target.
    tested : int
        Labelled target samples in the test part of one repetition.
    notices, left_out : list of str
    only_asked : bool
        Some class has one label, so nothing could be trained and tested, and all sources that
        have classes of the target answered as they are.
    """

    pairs: dict[str, OwnData]
    labels_per_class: int
    score: str
    runs: list[dict]
    as_they_are: dict[str, AsItIs]
    tested: int
    notices: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    only_asked: bool = False

    @property
    def target(self) -> Domain:
        """The target, as it was read beside the first source."""
        return next(iter(self.pairs.values())).target

    @property
    def default(self) -> tuple[str, str]:
        """Source and strategy to use where nothing better is decided."""
        serving = {name: each for name, each in self.as_they_are.items() if each.serves}
        if not serving:
            return "", "scratch"
        return max(serving, key=lambda name: serving[name].log_likelihood), "fine_tune"

    @property
    def best(self) -> tuple[str, str] | None:
        """Source (empty where none is needed) and strategy to use; None without any measurement.

        The default, unless the way with the highest score is ahead of it by an interval.
        """
        if not self.runs and not self.only_asked:
            return None
        if self.default not in self._ways or self._ways[0] == self.default:
            return self.default
        first = self._ways[0]
        ahead = self._lead(first, self.default, LEVEL)
        return first if ahead.n >= len(SEEDS) and ahead.low > 0 else self.default

    @property
    def table(self) -> pd.DataFrame:
        """A row for each way that was tried, the highest score first.

        Columns are ``source``, ``strategy``, ``score``, ``repetitions``, and the ``lead`` of
        `best` over it with its 95 % interval, ``low`` and ``high``; none where `best` could not be
        tried.
        """
        scores = self._by_seed
        rows = [{"source": way[0], "strategy": way[1], "score": scores[way].mean(),
                 "repetitions": int(scores[way].count())} for way in self._ways]
        table = pd.DataFrame(rows, columns=["source", "strategy", "score", "repetitions"])
        if self.best in self._ways:
            leads = [self._lead(self.best, way) for way in self._ways]
            for column, values in zip(("lead", "low", "high"), zip(*leads, strict=True),
                                      strict=False):
                table[column] = values
        return table

    @property
    def _by_seed(self) -> pd.DataFrame:
        runs = pd.DataFrame(self.runs, columns=["source", "strategy", "seed", "score"])
        return runs.pivot(index="seed", columns=["source", "strategy"], values="score")

    @property
    def _ways(self) -> list[tuple[str, str]]:
        """Ways that were tried, the highest mean score first."""
        return list(self._by_seed.mean().sort_values(ascending=False, kind="stable").index)

    def _lead(self, way: tuple[str, str], other: tuple[str, str], level: float = 0.95) -> Gap:
        """By how much a way is ahead of another, over the repetitions that both have."""
        if way == other:
            return Gap(0.0, 0.0, 0.0, int(self._by_seed[way].count()))
        both = self._by_seed[[way, other]].dropna().to_numpy()
        if len(both) < 2:
            return Gap(float(-np.diff(both).mean()) if len(both) else 0.0, -1.0, 1.0, len(both))
        gap = paired_gap(both[:, 0], both[:, 1], level=level)
        return gap._replace(low=max(gap.low, -1.0), high=min(gap.high, 1.0))

    def save(self, folder: Path | str) -> None:
        """Train the best way on all labels and keep it, for `tlcourse.diagnose.predict`."""
        source, strategy = self.best
        own = self.pairs.get(source) or next(iter(self.pairs.values()))
        score = None
        if self.best in self._ways:
            score = {"name": self.score, "score": float(self._by_seed[self.best].mean()),
                     "labels_per_class": self.labels_per_class}
        saved.train(own.source, own.target, strategy, own.preparation, measured=score).save(folder)

    @property
    def report(self) -> str:
        """What to use, how sure that is, and the table of ways, in lines."""
        return text(self)

    def __str__(self) -> str:
        return self.report


def choose(
    target: Domain, sources: Sequence[Domain], *, labels_per_class: int = 5,
    score: str = "auto", budget: float | None = None, progress: bool = True,
) -> Choice:
    """Rank sources, and ways to use them, for a target.

    Each source trains one network, which first answers all labels as it is. Then each repetition
    tests on a part of the target of its own and trains with labels from the rest: frozen features
    of all sources, and fine-tuning of the better half. A target with one label of some class can
    only be answered.

    Parameters
    ----------
    target : Domain
        Two samples of each class, so that ways can be trained and tested.
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
        both = pair(source, target, progress=progress, fewest=1)
        if len(both.target_y) < 2 * FEWEST_FOLDS:
            raise DataError(f"{target.name} has {len(both.target_y)} samples where at least "
                            f"{2 * FEWEST_FOLDS} are needed to test on")
        draws = {"folds": FEWEST_FOLDS, "labels_per_class": int(labels_per_class),
                 "one_source": True}
        jobs[name] = Jobs(both, draws, None, time.monotonic(), None, one_process=bool(thinned))
        notices.extend(n for n in [*thinned, *both.notices] if n not in notices)

    def measure(kinds: dict[str, list[str]], rounds_to_come: int) -> None:
        for i, name in enumerate(kinds):
            now = time.monotonic()
            left = len(kinds) - i + rounds_to_come * len(kinds)
            jobs[name].deadline = now + (end - now) / left
            said = jobs[name].run(kinds[name], SEEDS, progress)
            left_out.extend(f"{name or 'Lite0'}: {what}" for what in said)

    for name, each in own.items():
        notices.extend(n for n in each.notices if n not in notices)
        add(name, each.source, each.target)
    first = pairs[0].target
    related = [name for name in own if jobs[name].both.common]
    kinds = {name: ["source_only"] for name in related}
    measure(kinds, 2)
    counts = np.bincount(first.y.numpy())
    alone = [first.classes[k] for k in np.flatnonzero(counts == 1)]
    if alone:
        notices.append(f"{first.name} has one sample only of {listed(alone)}: nothing can be "
                       "trained and tested, so the sources were only asked as they are")
    else:
        if first.X.ndim == 4 and first.X.shape[1] == 3 and max(first.X.shape[2:]) <= SMALL:
            few = pairs[0].source.take(min(BESIDE_LITE0, len(pairs[0].source)), seed=0)
            add("", *(replace(d, X=resize(d.X, LARGE)) for d in (few, first)))
            kinds[""] = ["scratch"]
        cheap = {name: ["frozen"] for name in own}
        cheap[next(iter(own))].insert(0, "scratch")
        measure(cheap | ({"": ["scratch"]} if "" in jobs else {}), 1)
        better = sorted(own, key=lambda name: -_promise(jobs[name]))[: max(2, -(-len(own) // 2))]
        measure({name: ["fine_tune"] for name in better}, 0)
        if given_up := [name for name in own if name not in better]:
            left_out.append(f"fine-tuning from {listed(given_up)}: their features served less")
    score = fair_score(first.y.numpy()) if score == "auto" else score
    runs = [{"source": "" if kind == "scratch" else name, "seed": seed,
             "strategy": kind if name else "lite0", "score": result.scores[score]}
            for name in jobs for kind in ("scratch", *STRATEGIES)
            for seed, result in jobs[name].kept(kind, SEEDS).items()]
    asked = {name: found for name in related if (found := _as_it_is(jobs[name]))}
    return Choice(own, int(labels_per_class), score, runs, asked, len(first) // FEWEST_FOLDS,
                  notices, left_out, bool(alone) and len(asked) == len(related))


def _as_it_is(job: Jobs) -> AsItIs | None:
    """What the source's network answers on all parts of the target; None while parts are missing.
    """
    found = job.kept("source_only", SEEDS)
    if len(found) < len(SEEDS):
        return None
    sizes = np.bincount(job.both.folds(FEWEST_FOLDS), minlength=len(SEEDS))
    right = sum(found[seed].scores["accuracy"] * sizes[seed] for seed in SEEDS)
    likely = sum(found[seed].log_likelihood * sizes[seed] for seed in SEEDS) / sizes.sum()
    return AsItIs(round(right), int(sizes.sum()), int(np.bincount(job.both.target_y).max()),
                  float(likely))


def _promise(job: Jobs) -> float:
    """The best mean log-likelihood of what was tried with a source until now."""
    means = [np.mean([r.log_likelihood for r in found.values()])
             for kind in ("source_only", "frozen") if (found := job.kept(kind, SEEDS))]
    return float(max(means, default=-math.inf))


def text(choice: Choice) -> str:
    """The choice in lines: what to use, how sure that is, and the table of ways."""
    if choice.best is None:
        return "Nothing was measured: give more time."
    table = choice.table
    name = in_words(choice.score)
    lines = [filled(sentence) for sentence in _sentences(choice, table)]
    compared = "lead" in table
    lead_of = f"   lead of {way_name(*choice.best)} over it, in points" if compared else ""
    lines += ["", f"  {'way':36}{name:>18}{lead_of}"] if len(table) else []
    for row in table.itertuples():
        lead = ""
        if compared and (row.source, row.strategy) != choice.best:
            lead = points(Gap(row.lead, row.low, row.high, row.repetitions))
        way = way_name(row.source, row.strategy)
        lines.append(f"  {way[:36]:36}{row.score:>18.1%}   {lead}".rstrip())
    for heading, said in (("Notices", choice.notices), ("Left out", choice.left_out)):
        lines += ["", f"{heading}:", *(filled(f"  {one}.", "  ") for one in said)] if said else []
    return "\n".join(lines)


def way_name(source: str, strategy: str) -> str:
    """A way in words: fine_tune from printed digits."""
    words = {"scratch": "scratch", "lite0": "a head on EfficientNet-Lite0"}
    return words.get(strategy) or f"{strategy} from {source}"


def _sentences(choice: Choice, table: pd.DataFrame) -> list[str]:
    """What to use and why, whether that is decided, and how often such a choice is right."""
    name, best, ways = in_words(choice.score), choice.best, choice._ways
    measured = "It could not be tried on the labels that there are."
    if best in ways:
        reached = choice._by_seed[best].mean()
        measured = (f"It reached {reached:.1%} {name} on {choice.target.name}, "
                    f"{SCORES[choice.score]}.")
    said = [f"Use {way_name(*best)}. {measured}", _reason(choice)]
    rivals = {"training from scratch": ("", "scratch")}
    if others := [way for way in ways if way != best]:
        rivals["the best of the others"] = others[0]
    for which, way in rivals.items():
        if way == best or way not in ways or best not in ways:
            continue
        gap = choice._lead(best, way)
        which += "" if way[1] == "scratch" else f", {way_name(*way)},"
        if decided(gap) == "positive":
            said.append(f"That it is ahead of {which} is sure: by {points(gap)} points.")
        else:
            said.append(f"Whether it is ahead of {which} is undecided: by {points(gap)} points."
                        f"{_labels_needed(choice, gap)}")
    return [*said, _certainty(choice)]


def _reason(choice: Choice) -> str:
    """Why this way: the default of its source, that of no source, or decided by the labels."""
    default, target = choice.default, choice.target.name
    if choice.best != default:
        ahead = points(choice._lead(choice.best, default, LEVEL))
        return (f"It replaces what would be used without a trial, {way_name(*default)}: it is "
                f"ahead by {ahead} points, the interval taken wide because it is the best of "
                f"{counted(len(choice._ways), 'way')}.")
    tried = ", and nothing that was tried is decidedly ahead of it" if choice._ways else ""
    if not choice.as_they_are:
        return f"No source has a class of {target}; then scratch is the default{tried}."
    if not default[0]:
        return (f"No source answers the labels of {target}, as it is, clearly better than whoever "
                f"always says the most frequent class; then scratch is the default{tried}.")
    it = choice.as_they_are[default[0]]
    return (f"As it is, {default[0]} answers {it.right} of {it.tested} labels right, where the "
            f"most frequent class has {it.usual}, and of all such sources it finds the labels most "
            f"probable; fine-tuning it is the default{tried}.")


def _certainty(choice: Choice) -> str:
    """How often such a choice was right where the best way was known."""
    counts = np.bincount(choice.target.y.numpy())
    labels = max(n for n in RECORD if n <= max(counts[counts > 0].min(), min(RECORD)))
    within_two, missed = RECORD[labels]
    return (f"How far to trust this: with {counted(labels, 'label')} of a class, such choices "
            f"among 6 sources for 4 known targets were within 2 points of the best way in "
            f"{within_two:.0%}, and missed {missed:.1f} points on average. Other sources and "
            "targets may be harder.")


def _labels_needed(choice: Choice, gap: Gap) -> str:
    """About how many labelled samples would decide, from the variance over the repetitions."""
    if gap.n < 3 or gap.estimate <= 0:
        return ""
    from scipy.stats import t

    error = (gap.high - gap.low) / 2 / t.ppf(0.975, gap.n - 1)  # of the mean
    more = SURE * (error / gap.estimate) ** 2
    total = choice.tested * FEWEST_FOLDS * more
    if more <= 1 or total > 1e5:
        return ""
    return (f" If the difference is what it seems, about {total:,.0f} labelled samples of "
            f"{choice.target.name} would decide it; there were {len(choice.target):,}.")
