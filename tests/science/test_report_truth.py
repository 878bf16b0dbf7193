"""Headline, advice and table of a report say the same, whatever the numbers are."""

import dataclasses
import re

import numpy as np
import pytest
import torch

from tlcourse.data import Domain
from tlcourse.diagnose import causes as causes_of
from tlcourse.diagnose import diagnose, scoring
from tlcourse.diagnose.causes import REPAIRS, Cause
from tlcourse.diagnose.matching import pair
from tlcourse.diagnose.measure import Measurement
from tlcourse.diagnose.report.report import Report
from tlcourse.diagnose.report.results import Baseline
from tlcourse.diagnose.report.text import headline, points
from tlcourse.diagnose.run import STRATEGIES
from tlcourse.stats import Gap


def generated(seed: int) -> Report:
    """A report with gaps of any size and sureness, any causes, and now and then a lost class."""
    rng = np.random.default_rng(seed)
    base, runs = rng.uniform(0.3, 0.9), []
    for s in ("scratch", *STRATEGIES):
        shift = 0 if s == "scratch" else rng.choice([0, 0.0004, 0.05, 0.2]) * rng.choice([-1, 1])
        wide = rng.choice([0.001, 0.01, 0.1])
        spoiled = rng.random() < 0.3
        for k in range(5):
            score = float(np.clip(base + shift + wide * rng.normal(), 0, 1))
            recall = [min(1.0, score + 0.1), 0.0 if spoiled else max(0.0, score - 0.1)]
            runs.append({"strategy": s, "seed": k, "score": score, "recall": recall})
    causes = [Cause(name, float(rng.uniform(0, 1)), "so it is") for name in REPAIRS]
    nothing_common = {s: "no class in common" for s in ("source_only", "aligned")}
    return Report("s", "t", 5, ["a", "b"], list(STRATEGIES),
                  [r for r in runs if seed % 4 or r["strategy"] not in nothing_common],
                  sorted(causes, key=lambda c: -c.evidence),
                  {} if seed % 4 else nothing_common,
                  settings={"finest": 0.001}, baseline=Baseline("a", 0.5))


@pytest.mark.parametrize("seed", range(60))
def test_no_sentence_of_a_report_contradicts_its_table(seed):
    report = generated(seed)
    advice, said, gap = report.advice, headline(report), report.gap
    words = report.verdict
    proven = [s for s in gap if words[s] == "positive"]
    assert said.startswith("Yes") == bool(proven) == advice.startswith("Use ")
    if proven:
        best = max(proven, key=lambda s: gap[s].estimate)
        assert report.advised == best and f"Use {best}" in advice and "take scratch" not in advice
    else:
        best = report.advised
        assert said.startswith("No") == (words[best] == "negative")
    warned = re.findall(r"Avoid ([\w, ]+):", advice)
    avoided = set(warned[0].split(", ")) if warned else set()
    assert avoided == {s for s in words if words[s] == "negative" and s != best}
    assert "use aligned" not in advice or words["aligned"] == "positive"
    assert "align partially" not in advice or not report.not_applicable
    assert "freeze fewer" not in advice or words["fine_tune"] != "negative"
    for s, (estimate, low, high, _) in gap.items():
        assert report.table.loc[s, "gap"] == estimate
        shown = points(gap[s])
        ends = [float(x) for x in re.findall(r"[-+][\d.]+", shown.partition("(")[2])]
        assert [np.sign(x) for x in ends] == [np.sign(low), np.sign(high)], shown
    more = "more" if gap[best].estimate > 0 else "less"
    assert f"{100 * abs(gap[best].estimate):.1f} points {more}" in said
    if report.overall == "positive":
        assert ("recognises" in said) == bool(report.lost_classes(best))
        beaten = report.table.loc[best, "score"] <= report.baseline.score
        assert ("always answering a" in said) == beaten


def test_a_gain_that_loses_a_class_says_so_in_the_headline():
    runs = [{"strategy": s, "seed": k, "score": score + 0.001 * k, "recall": recall}
            for s, score, recall in (("scratch", 0.6, [0.6, 0.6]), ("aligned", 0.9, [1.0, 0.02]))
            for k in range(5)]
    report = Report("s", "t", 5, ["often", "rare"], ["aligned"], runs, [])
    assert report.overall == "positive" and report.lost_classes("aligned") == {"rare": (0.6, 0.02)}
    assert "but recognises rare in 2% of the cases, where scratch does in 60%" in headline(report)
    assert "If rare must not be missed, do not" in report.advice


def test_an_end_of_an_interval_is_written_as_zero_only_where_it_is():
    assert points(Gap(0.014, 0.0004, 0.028, 5)) == "+1.4 (+0.04 to +2.8)"
    assert points(Gap(-0.08, -0.17, 0.00002, 5)) == "-8.0 (-17.0 to +0.002)"
    assert points(Gap(0.0, 0.0, 0.01, 5)) == "+0.0 (+0.0 to +1.0)"


def test_a_rise_is_not_called_a_fall():
    """The network may read the target better than its own source: nothing is lost then."""
    seed = Measurement(0.0, 0.0, 0.9, 0.0, 0.0, 0.1, 0.5, 0.3, 0.6, 0.35, 0.55, 0.0, {"this": 0.0})
    meanings = {c.name: c.meaning for c in causes_of.explain([seed], {}, [])}
    assert "35% of the common classes on the source and 55% on the target; nothing is lost" in \
        meanings["domain distance"]
    fallen = dataclasses.replace(seed, recall_on_source=0.9, preparing={"this": 0.1})
    meanings = {c.name: c.meaning for c in causes_of.explain([fallen], {}, [])}
    assert "of these 35 points framing wins back 10 and other names 0" in \
        meanings["domain distance"]


# --- scores ---

def test_scores_are_those_worked_out_by_hand():
    probabilities = np.eye(2)[[0, 0, 0, 0, 1, 0]] * 0.8 + 0.1  # four right a, one right b, one not
    y = np.array([0, 0, 0, 0, 1, 1])
    found = scoring.scores(probabilities, y)
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert found["balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["macro_f1"] == pytest.approx((8 / 9 + 2 / 3) / 2)
    assert found["auc"] == pytest.approx(0.75), "of 8 pairs 4 are in order and 4 equal"
    assert scoring.always(0, y, 2)["balanced_accuracy"] == 0.5
    assert scoring.always(0, y, 2)["auc"] == 0.5


@pytest.mark.parametrize(("counts", "name"), [
    ([50, 50], "accuracy"), ([60, 40], "accuracy"), ([70, 30], "balanced_accuracy"),
    ([20] * 10, "accuracy"), ([20] * 9 + [4], "balanced_accuracy"), ([90, 5, 5],
                                                                     "balanced_accuracy")])
def test_accuracy_is_the_score_where_no_class_is_rare(counts, name):
    assert scoring.fair_score(np.repeat(np.arange(len(counts)), counts)) == name


def unbalanced(name: str, n: int, seed: int) -> Domain:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.1).astype(int)
    X = rng.normal(size=(n, 8)) + 1.5 * y[:, None]
    return Domain(name, X, y, ("no", "yes"))


def test_blind_answers_gain_nothing_and_another_score_trains_nothing_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    settings = {"labels_per_class": 5, "seeds": 2, "strategies": ["fine_tune"], "progress": False}
    both = unbalanced("s", 300, 0), unbalanced("t", 200, 1)
    report = diagnose(*both, **settings)
    assert report.settings["score"] == "balanced_accuracy"
    assert report.baseline == Baseline("no", 0.5)
    assert report.table.index[0] == "always no" and "balanced accuracy" in str(report)
    kept = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file())
    plain = diagnose(*both, **settings, score="accuracy")
    assert plain.baseline.score > 0.8 and "accuracy" in str(plain)
    assert sorted(p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()) == kept
    with pytest.raises(ValueError, match="score is one of auto, accuracy, balanced_accuracy"):
        diagnose(*both, **settings, score="f1")


# --- rows that belong together ---

def noise(name: str, n: int, seed: int, groups=None) -> Domain:
    rng = np.random.default_rng(seed)
    return Domain(name, rng.normal(size=(n, 6)), rng.permutation(np.arange(n) % 2), groups=groups)


def test_copies_of_a_row_are_never_on_both_sides_and_count_as_one_label():
    single = noise("t", 40, 0)
    target = single.subset(torch.arange(40).repeat_interleave(4))
    both = pair(noise("s", 60, 1), target)
    assert "t repeats 120 rows" in both.notices[0]
    for seed in range(5):
        draw = both.draw(seed, folds=5, labels_per_class=8)
        labelled, tested = (set(map(bytes, part.X.numpy())) for part in
                            (draw.own_few, draw.own_test))
        assert not labelled & tested
        assert len(labelled) == len(draw.few) == 16 and len(draw.test) == 4 * len(tested)


def test_equal_rows_of_a_coarse_table_are_no_copies():
    rng = np.random.default_rng(0)
    both = pair(*(Domain(name, rng.integers(0, 2, (80, 3)), np.arange(80) % 2) for name in "st"))
    assert both.notices == () and len(both.draw(0, folds=5, labels_per_class=3).source) > 40


def test_a_group_is_never_on_both_sides():
    patients = np.repeat([f"patient {k}" for k in range(20)], 6)
    both = pair(noise("s", 120, 0, patients), noise("t", 120, 1, patients))
    assert "20 groups of t are in s too" in both.notices[0]
    for seed in range(5):
        folds = both.folds(5)
        tested = set(patients[folds == seed])
        assert len(tested) == 4 and (folds[np.isin(patients, list(tested))] == seed).all()
        draw = both.draw(seed, folds=5, labels_per_class=3)
        assert len(draw.pool) == 96 and len(draw.source) + len(draw.held_out) == 96


def test_other_groups_are_another_diagnosis(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    settings = {"labels_per_class": 3, "seeds": 2, "strategies": ["frozen"], "progress": False}
    plain = diagnose(noise("s", 60, 0), noise("t", 60, 1), **settings)
    grouped = diagnose(noise("s", 60, 0), noise("t", 60, 1, np.arange(60) // 6), **settings)
    assert [r["score"] for r in plain.runs] != [r["score"] for r in grouped.runs]
    given = diagnose(noise("s", 60, 0), noise("t", 60, 1), groups=np.arange(60) // 6, **settings)
    assert given.runs == grouped.runs


def test_a_split_of_a_domain_keeps_groups_whole():
    patients = np.repeat(list("abcdefghij"), 10)
    domain = noise("d", 100, 0, patients)
    seen = []
    for seed in range(5):
        parts = domain.split(seed=seed, test=0.3, validation=0.2)
        test = parts.test.open("a test of the tests")
        names = [set(part.groups) for part in (parts.train, parts.validation, test)]
        assert [len(part) for part in (parts.train, parts.validation, test)] == [50, 20, 30]
        assert not names[0] & names[1] and not names[2] & (names[0] | names[1])
        seen.append(names[2])
    assert len(set(map(frozenset, seen))) > 1


def test_too_few_groups_and_names_of_the_wrong_length_are_refused():
    from tlcourse.data import DataError

    with pytest.raises(DataError, match="groups must name one group for each of 40 rows"):
        noise("d", 40, 0, ["a", "b"])
    with pytest.raises(DataError, match="t has 3 groups where at least 5 are needed"):
        pair(noise("s", 60, 0), noise("t", 60, 1, np.arange(60) % 3)).folds(5)
    with pytest.raises(DataError, match="2 groups are too few"):
        noise("d", 40, 0, np.arange(40) % 2).split(test=0.1, validation=0.1)


def test_a_name_with_dollars_is_drawn_as_it_is(tmp_path):
    runs = [{"strategy": s, "seed": k, "score": 0.5, "recall": [0.5, 0.5]}
            for s in ("scratch", "frozen") for k in range(3)]
    report = Report("price_$_usd^", "$\\x$", 5, ["$a_", "b$"], ["frozen"], runs, [])
    report.plot().savefig(tmp_path / "both.png")
    assert report.page().count("<img ") == 3
