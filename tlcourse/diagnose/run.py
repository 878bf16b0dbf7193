"""Does transfer help or hurt, how sure is that, and why? One call measures it.

Every strategy is trained over paired seeds with the same labels and the same number of steps on
the target.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tlcourse.data.domain import DataError, Domain
from tlcourse.diagnose.causes import explain
from tlcourse.diagnose.jobs import Jobs
from tlcourse.diagnose.matching import pair, within
from tlcourse.diagnose.measure import Measurement
from tlcourse.diagnose.pair import Pair
from tlcourse.diagnose.report.report import Report
from tlcourse.diagnose.report.results import Baseline
from tlcourse.diagnose.scoring import SCORES, always, fair_score, worth_of_a_sample
from tlcourse.diagnose.strategies import SETTINGS, STRATEGIES, UNLABELLED, Maker
from tlcourse.utils.messages import counted, listed

FEWEST_FOLDS = 5


def diagnose(
    source: Domain, target: Domain, *, labels_per_class: int, seeds: int = 5,
    strategies: Sequence[str] = STRATEGIES, score: str = "auto",
    groups: Sequence | None = None, model: Maker | None = None, budget: float | None = None,
    progress: bool = True,
) -> Report:
    """Measure ways of transferring from source to target against training from scratch.

    Each seed tests on a part of the target of its own and draws, from the rest, the labelled
    samples, the initial weights and the order of batches; all strategies share them. There is no
    validation: the number of steps is fixed, so the labels are all that a strategy gets.

    Parameters
    ----------
    source, target : Domain
        Both images or both tables. Classes match by name; one without a name is called by its
        number. Rows of one group, and equal rows, are never on both sides of a split.
    labels_per_class : int
        Labelled target samples of each class, as many as there are of a class with fewer.
    seeds : int
        Paired runs, at least 2.
    strategies : sequence of str
        Of "source_only", "frozen", "fine_tune", "aligned".
    score : str
        "accuracy", "balanced_accuracy", "macro_f1", "auc", or "auto": accuracy, or balanced
        accuracy where the target's classes are unbalanced. Another score trains nothing again.
    groups : sequence (N,), optional
        The patient, writer or machine of each target row, where the domain does not know it.
    model : function (num_classes, seed) -> Network, optional
        Makes a fresh network. None: the small CNN for images of up to 64 pixels, and a small
        network for tables, which are standardised by the source, and for the features that
        EfficientNet-Lite0 finds in larger images.
    budget : float, optional
        Seconds. What does not fit is left out, and the report says so.
    progress : bool
        Show a bar.

    Returns
    -------
    Report
        Also after Ctrl-C, of what was measured until then.

    Raises
    ------
    TypeError, ValueError
        Settings out of range, or domains that cannot be compared, in one sentence.
    """
    began = time.monotonic()
    if isinstance(strategies, str):
        raise ValueError(f"strategies are a list, got {strategies!r}; write [{strategies!r}]")
    strategies = tuple(dict.fromkeys(strategies))
    check_settings(labels_per_class, seeds, strategies, score, budget)
    if groups is not None:
        target = replace(target, groups=groups)
    (source, target), thinned = within(budget, source, target)
    both = pair(source, target, progress=progress)
    draws = {"folds": max(int(seeds), FEWEST_FOLDS), "labels_per_class": int(labels_per_class)}
    if len(both.target_y) < 2 * draws["folds"]:
        raise DataError(f"{target.name} has {len(both.target_y)} samples where at least "
                        f"{2 * draws['folds']} are needed, two to test on for each of "
                        f"{draws['folds']} parts; add samples or ask for fewer seeds")
    not_applicable = {} if both.common else {
        s: f"{both.source_name} and {both.target_name} have no class in common"
        for s in UNLABELLED if s in strategies}
    kinds = ["scratch", *(s for s in strategies if s not in not_applicable), "causes"]
    work = Jobs(both, draws, model, began, budget, one_process=bool(thinned))
    left_out = [*thinned, *work.run(kinds, range(seeds), progress)]

    found = {kind: work.kept(kind, range(seeds)) for kind in kinds}
    score = fair_score(both.target_y) if score == "auto" else score
    runs = [{"strategy": kind, "seed": seed, "score": result.scores[score],
             "recall": result.recall}
            for kind in kinds[:-1] for seed, result in found[kind].items()]
    scores = {kind: float(np.mean([r.scores[score] for r in found[kind].values()]))
              for kind in kinds[:-1] if found[kind]}
    ckas = [r.cka for r in found.get("fine_tune", {}).values() if r.cka is not None]
    measured = [m for m in found["causes"].values() if m != Measurement()]
    left_out += _unmeasured(list(found["causes"].values()), both)
    notices = [*both.notices, *_short_of_labels(both, labels_per_class)]
    return Report(
        both.source_name, both.target_name, int(labels_per_class),
        list(both.classes[: both.targets]), list(strategies), runs,
        explain(measured, scores, ckas), not_applicable, notices, left_out,
        {**SETTINGS, "seeds": int(seeds), "score": score,
         "finest": worth_of_a_sample(score, np.bincount(both.target_y), draws["folds"])},
        _always_the_most_frequent(both, score, draws["folds"], range(seeds)))


def _always_the_most_frequent(both: Pair, score: str, folds: int, seeds: range) -> Baseline:
    """What needs no network: every test sample is answered with the most frequent class."""
    answer, fold = int(np.bincount(both.target_y).argmax()), both.folds(folds)
    reached = [always(answer, both.target_y[fold == seed], both.targets)[score] for seed in seeds]
    return Baseline(both.classes[answer], float(np.mean(reached)))


def check_settings(labels_per_class, seeds, strategies, score, budget) -> None:
    """Refuse settings of `diagnose` that are out of range."""
    unknown = [s for s in strategies if s not in STRATEGIES]
    if unknown or not strategies:
        raise ValueError(f"strategies are some of {', '.join(STRATEGIES)}, got "
                         f"{', '.join(map(str, unknown)) or 'none'}")
    if score not in ("auto", *SCORES):
        raise ValueError(f"score is one of auto, {', '.join(SCORES)}, got {score!r}")
    for name, value, least in (("labels_per_class", labels_per_class, 1), ("seeds", seeds, 2)):
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} is a whole number of at least {least}, got {value!r}")
    if budget is not None and not budget > 0:
        raise ValueError(f"budget is a number of seconds above 0, got {budget!r}")


def _unmeasured(measured: list[Measurement], both: Pair) -> list[str]:
    """What too small a source does not show."""
    if Measurement() in measured:
        return [f"causes: too few samples of {both.source_name} can be held out"]
    if measured and all(m.skill is None for m in measured):
        return [f"whether the source can be learned: too few samples of two classes of "
                f"{both.source_name} can be held out"]
    return []


def _short_of_labels(both: Pair, wanted: int) -> list[str]:
    counts = np.bincount(both.target_y)
    short = [both.classes[k] for k in np.flatnonzero(counts - -(-counts // FEWEST_FOLDS) < wanted)]
    return [f"{both.target_name} has fewer than {counted(wanted, 'sample')} of {listed(short)} "
            "beside the test part: all that there are were used as labels"] if short else []
