"""`diagnose` is right where the answer is known, fair, resumable, and says what it did not do."""

import dataclasses
import html
import json
import os
import re

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tlcourse.data import LOOKS, DataError, Domain
from tlcourse.diagnose import jobs, strategies
from tlcourse.diagnose.causes import Cause
from tlcourse.diagnose.matching import pair, within
from tlcourse.diagnose.report.report import Report
from tlcourse.diagnose.run import STRATEGIES, diagnose
from tlcourse.models import small_cnn

FEW = ("source_only", "frozen", "fine_tune")


@pytest.fixture(scope="module")
def digits():
    """UCI digits as a table of 64 columns, in random order: 1,000 rows and the other 797."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = torch.tensor(X[order] / 16, dtype=torch.float32), torch.tensor(y[order])
    return Domain("first", X[:1000], y[:1000]), Domain("second", X[1000:], y[1000:])


def clouds(name, *, n=90, classes=("a", "b", "c"), move=0.0, seed=0, spread=0.3):
    """A small table: a cloud of points around a corner of its own for each class."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % len(classes)
    X = torch.eye(len(classes), 6)[y] + spread * torch.randn(n, 6, generator=generator) + move
    return Domain(name, X, y, classes)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    return tmp_path


def quick(source, target, **options):
    settings = {"labels_per_class": 2, "seeds": 2, "strategies": FEW, "progress": False}
    return diagnose(source, target, **{**settings, **options})


@pytest.fixture(scope="module")
def report():
    return quick(clouds("near"), clouds("here", seed=1), strategies=STRATEGIES, seeds=3)


# --- known answers ---

def test_a_source_like_the_target_helps_where_labels_are_few(digits):
    found = diagnose(*digits, labels_per_class=5, strategies=FEW, progress=False)
    assert found.verdict["source_only"] == found.verdict["fine_tune"] == "positive"
    assert found.overall == "positive" and found.advice.startswith(f"Use {found.advised}")


def test_shuffled_source_labels_hurt_and_are_named_as_the_cause(digits):
    source, target = digits
    shuffled = source.y[torch.from_numpy(np.random.default_rng(1).permutation(len(source)))]
    found = diagnose(dataclasses.replace(source, y=shuffled), target, labels_per_class=20,
                     strategies=("source_only", "frozen"), progress=False)
    assert found.verdict["source_only"] == "negative" and found.verdict["frozen"] != "positive"
    assert found.causes[0].name == "source hard to learn" and found.causes[0].evidence > 0.9
    assert found.advice.startswith("Train from scratch") and "can be learned" in found.advice


def test_the_gap_is_that_of_the_runs_and_excludes_zero_exactly_when_decided(report):
    scores = {run["strategy"]: [] for run in report.runs}
    for run in report.runs:
        scores[run["strategy"]].append(run["score"])
    for s in STRATEGIES:
        gap = report.gap[s]
        difference = np.mean(scores[s]) - np.mean(scores["scratch"])
        assert gap.estimate == pytest.approx(difference)
        word = "positive" if gap.low > 0 else "negative" if gap.high < 0 else "inconclusive"
        assert report.verdict[s] == word
    assert report.advised == max(STRATEGIES, key=lambda s: report.gap[s].estimate)
    assert report.overall == report.verdict[report.advised]


def test_causes_come_in_the_order_of_their_evidence(report):
    numbers = [evidence for _, evidence, _ in report.causes]
    assert numbers == sorted(numbers, reverse=True) and all(0 <= n <= 1 for n in numbers)
    assert len({name for name, _, _ in report.causes}) == len(report.causes) == 7


# --- how a report reads ---

def test_a_report_survives_json(report):
    again = Report.from_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False)))
    assert again.to_dict() == report.to_dict() and str(again) == str(report)
    assert again.table.equals(report.table) and again.causes == report.causes


def test_a_report_prints_in_short_lines_with_all_that_matters(report):
    said = str(report)
    assert max(map(len, said.splitlines())) <= 90
    assert said.startswith("near -> here, 2 labels a class: ")
    assert report.advice.split()[0] in said and "Holm's correction over the strategies" in said
    for name in (*STRATEGIES, *(cause.name for cause in report.causes)):
        assert name in said


def test_a_report_shows_as_html_and_as_a_page_that_stands_alone(report):
    odd = dataclasses.replace(report, source="<b>&", notices=["1 < 2"])
    assert "&lt;b&gt;&amp;" in odd._repr_html_() and "1 &lt; 2" in odd._repr_html_()
    page = odd.page()
    assert page.startswith("<!doctype html>") and not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('<img alt="Gap to scratch in points: ') == 1
    assert html.escape(odd.causes[0].name) in page and page.count("<img ") == 3


def answered(report):
    found = re.findall(r"<b>([^<]*\?)</b><br><span>(.*?)</span>", report._repr_html_())
    return {question: html.unescape(answer) for question, answer in found}


def test_the_page_begins_with_the_answers(report):
    said, best = answered(report), report.gap[report.advised]
    assert f"{100 * abs(best.estimate):.1f} points" in said["Does transfer help?"]
    assert f"{100 * best.low:+.1f} and {100 * best.high:+.1f}" in said["How sure is that?"]
    assert "widened for 4 strategies that were tried" in said["How sure is that?"]
    assert "Always answering a scores 33.3%" in said["What does it take to beat?"]
    assert said["What to do?"] == report.advice
    cut = dataclasses.replace(report, runs=[], left_out=["everything"])
    assert answered(cut)["What was left out?"] == "everything."


def scored(causes, **scores):
    """A report over five seeds with these mean scores."""
    runs = [{"strategy": s, "seed": seed, "score": value + 0.001 * seed, "recall": [value, value]}
            for s, value in scores.items() for seed in range(5)]
    return Report("s", "t", 5, ["a", "b"], [s for s in scores if s != "scratch"], runs,
                  [Cause(name, evidence, "so it is") for name, evidence in causes])


def test_a_harmful_alignment_is_not_blamed_on_the_source():
    causes = [("source hard to learn", 0.3), ("label shift", 0.2)]
    scores = {"scratch": 0.8, "source_only": 0.82, "aligned": 0.5}
    assert "Strongest cause: label shift" in scored(causes, **scores).advice
    assert "It is the alignment that hurts: source_only scores 32.0 points more" in scored(
        causes[:1], **scores).advice
    both = scored(causes, **{**scores, "source_only": 0.6}).advice
    assert "Strongest cause: source hard to learn" in both


@pytest.mark.parametrize(("score", "words"), [
    (0.9, "Yes: fine_tune scores 10.0 points more"),
    (0.7, "No: even fine_tune scores 10.0 points less"),
    (0.8, "Undecided: fine_tune scores 0.0 points less")])
def test_the_first_answer_is_the_verdict_in_words(score, words):
    assert answered(scored([], scratch=0.8, fine_tune=score))["Does transfer help?"].startswith(
        words)


def test_the_picture_says_in_words_what_it_shows(report):
    text = report.plot().alt_text
    for s in STRATEGIES:
        assert f"{s} {100 * report.gap[s].estimate:+.1f}" in text and report.verdict[s] in text


def test_changes_per_class_add_up_to_the_change_of_the_score_where_classes_are_even(report):
    changes = report.per_class
    assert list(changes.index) == ["a", "b", "c"]
    for s in STRATEGIES:
        assert changes[s].mean() == pytest.approx(report.gap[s].estimate, abs=0.03)


# --- fairness ---

def test_every_strategy_makes_the_same_steps_on_the_target(own_cache, monkeypatch):
    made, seen = [], []
    real_fit, real_mmd = strategies.fit, strategies.aligned

    def fit(model, train, **options):
        made.append((train.name, len(train), options["steps"]))
        return real_fit(model, train, **options)

    def aligned(draw, make, start):
        seen.append(draw)
        return real_mmd(draw, make, start)

    monkeypatch.setattr(strategies, "fit", fit)
    monkeypatch.setitem(strategies.TRAIN, "aligned", aligned)
    quick(clouds("near"), clouds("here"), strategies=STRATEGIES)
    on_target = {steps for name, _, steps in made if name == "here"}
    assert on_target == {strategies.STEPS} and {n for d, n, _ in made if d == "here"} == {6}
    assert len(seen) == 2


def test_labels_are_all_that_a_seed_draws_and_no_test_row_is_among_them():
    both = pair(clouds("s", seed=3), clouds("t"))
    tested = []
    for seed in range(5):
        draw = both.draw(seed, folds=5, labels_per_class=4)
        rows = {d: set(map(bytes, part.numpy())) for d, part in
                (("few", draw.own_few.X), ("test", draw.own_test.X))}
        assert not rows["few"] & rows["test"] and len(draw.few) == 12
        assert draw.few.y.bincount().tolist() == [4, 4, 4] and len(draw.pool) == 72
        assert len(draw.source) + len(draw.held_out) == 90
        tested += np.flatnonzero(both.folds(5) == seed).tolist()
    assert sorted(tested) == list(range(90)), "each row is tested on by exactly one seed"


def test_ordered_rows_are_tested_in_blocks_and_others_with_every_class():
    target = clouds("t")
    blocks = pair(clouds("s"), dataclasses.replace(target, ordered=True)).folds(5)
    assert (np.diff(blocks) >= 0).all() and np.bincount(blocks).tolist() == [18] * 5
    dealt = pair(clouds("s"), target).folds(5)
    for fold in range(5):
        assert target.y[dealt == fold].bincount().tolist() == [6, 6, 6]


def test_rows_that_the_test_part_holds_too_leave_the_source():
    target = clouds("t")
    source = dataclasses.replace(clouds("s", seed=7), X=clouds("s", seed=7).X.clone())
    source.X[:30] = target.X[:30]
    both = pair(source, target)
    assert "t also holds 30 rows of s: those" in both.notices[0]
    for seed in range(5):
        draw = both.draw(seed, folds=5, labels_per_class=2)
        shared = int((both.folds(5)[:30] == seed).sum())
        assert len(draw.source) + len(draw.held_out) == 90 - shared and shared > 0


def test_scratch_does_not_depend_on_the_source():
    near, far = (quick(clouds("s", move=m), clouds("t"), strategies=("frozen",)) for m in (0, 50))
    scores = [[run["score"] for run in r.runs if run["strategy"] == "scratch"] for r in (near, far)]
    assert scores[0] == scores[1]


def test_source_only_and_aligned_use_no_target_label():
    source, target = clouds("s"), clouds("t", seed=1)
    both = pair(source, target)
    make = strategies.default_model(both)
    draw = both.draw(0, folds=5, labels_per_class=2)
    masked = dataclasses.replace(draw, few=None, own_few=None, test=None, own_test=None)
    start = strategies.pretrain(masked, make)
    for way in strategies.UNLABELLED:
        model = strategies.TRAIN[way](masked, make, start)
        assert model(draw.test.X).shape == (len(draw.test), 3)


def test_each_look_at_a_test_part_is_counted(own_cache):
    before = len(LOOKS)
    quick(clouds("looked"), clouds("at"), strategies=("frozen",))
    assert [why for _, _, why in LOOKS[before:]] == ["diagnose"] * (len(LOOKS) - before)
    assert len(LOOKS) - before == 8  # start, scratch, frozen and causes, of two seeds


def test_a_similarity_of_zero_is_a_similarity(own_cache, monkeypatch):
    monkeypatch.setattr(jobs, "cka", lambda *features: 0.0)
    found = {c.name: c.meaning for c in quick(clouds("s"), clouds("t")).causes}
    assert found["conflict"].endswith("CKA of the features before and after tuning 0.00")


# --- kept, interrupted, within a budget ---

def test_a_finished_diagnosis_trains_nothing_again(own_cache, monkeypatch):
    first = quick(clouds("s"), clouds("t"))

    def refuse(*args):
        raise AssertionError("trained again")

    monkeypatch.setattr(jobs, "_run", refuse)
    assert quick(clouds("s"), clouds("t")).to_dict() == first.to_dict()
    with pytest.raises(AssertionError, match="trained again"):
        quick(clouds("s"), clouds("t"), labels_per_class=3)


def test_an_interrupt_ends_with_what_was_measured_and_the_next_call_goes_on(own_cache, monkeypatch):
    real, calls = strategies.TRAIN["fine_tune"], []

    def interrupted(draw, make, start):
        calls.append(draw.seed)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(draw, make, start)

    monkeypatch.setitem(strategies.TRAIN, "fine_tune", interrupted)
    cut = quick(clouds("s"), clouds("t"))
    assert cut.left_out == ["fine_tune (1 of 2 seeds), causes (1 of 2 seeds): it was interrupted; "
                            "the same call goes on from here"]
    assert cut.verdict["fine_tune"] == "inconclusive" and cut.gap["fine_tune"].n == 1
    assert "interrupted" in str(cut)
    whole = quick(clouds("s"), clouds("t"))
    assert calls == [0, 1, 1] and whole.left_out == [] and whole.gap["fine_tune"].n == 2


def test_what_costs_most_comes_last(own_cache, monkeypatch):
    """A budget or an interrupt then leaves all seeds of the others."""
    real, done = jobs._run, []

    def noted(both, draws, make, kind, seed, *paths):
        done.append((kind, seed))
        return real(both, draws, make, kind, seed, *paths)

    monkeypatch.setattr(jobs, "_run", noted)
    quick(clouds("s"), clouds("t"), strategies=("aligned", "frozen"))
    assert done[-2:] == [("aligned", 0), ("aligned", 1)] and len(done) == len(set(done)) == 10


def test_training_the_head_on_kept_features_is_training_with_a_frozen_backbone():
    both = pair(*(Domain(n, torch.rand(60, 1, 16, 16), torch.arange(60) % 3) for n in "st"))
    draw, make = both.draw(0, folds=5, labels_per_class=4), strategies.default_model(both)
    start = make(3, 0).eval()
    model = strategies.with_target_head(draw, make, start)
    strategies.freeze(model.backbone)
    strategies.fit(model, draw.few, steps=strategies.STEPS, seed=0, lr=strategies.RATES["frozen"])
    quick_one = strategies.frozen(draw, make, start)
    assert torch.allclose(quick_one(draw.test.X), model(draw.test.X), atol=1e-3)


@pytest.mark.parametrize("before", [None, "0"])
def test_workers_get_large_pages_and_the_environment_stays_as_it_was(monkeypatch, before):
    name = "THP_MEM_ALLOC_ENABLE"
    monkeypatch.delenv(name, raising=False)
    if before is not None:
        monkeypatch.setenv(name, before)
    with jobs._large_pages():
        assert os.environ[name] == (before or "1")
    assert os.environ.get(name) == before


def test_half_a_job_is_no_result(own_cache, monkeypatch):
    real = strategies.fit

    def stopped(model, train, **options):
        history = real(model, train, **options)
        history.interrupted = train.name == "t"
        return history

    monkeypatch.setattr(strategies, "fit", stopped)
    assert quick(clouds("s"), clouds("t")).runs == []


def test_a_budget_is_kept_and_what_is_left_out_is_said(own_cache):
    found = quick(clouds("s"), clouds("t"), budget=1e-3)
    assert found.runs == [] and found.overall == "inconclusive" and found.advised is None
    assert "causes (2 of 2 seeds): the budget of seconds had no room" in found.left_out[0]
    assert "Left out" in str(found) and str(found).startswith("s -> t, 2 labels a class: not meas")
    assert set(found.verdict.values()) == {"inconclusive"}, "the words of a verdict are three"
    assert (found.table.loc[list(FEW), "verdict"] == "not measured").all()
    assert found._repr_html_().count("not measured") == str(found).count("not measured") == 4
    assert "frozen not measured; fine_tune not measured" in found.plot().alt_text
    json.dumps(found.to_dict(), allow_nan=False)


# --- other class sets, sizes and kinds ---

def test_without_common_classes_two_strategies_do_not_apply_and_the_others_do():
    found = quick(clouds("s", classes=("p", "q", "r")), clouds("t"), strategies=STRATEGIES)
    for s in ("source_only", "aligned"):
        assert found.verdict[s] == "not applicable" and s not in found.gap
        assert found.not_applicable[s] == "s and t have no class in common"
    assert ("classes match by name, and none does: s has p, q, r, t has a, b, c; where they mean "
            "the same, rename them") in found.notices
    assert set(found.gap) == {"frozen", "fine_tune"} and "Not applicable" in str(found)
    assert {c.name: c.evidence for c in found.causes}["label-space mismatch"] == 1


def test_classes_match_by_name_and_a_number_is_a_name():
    source = clouds("s", classes=("c", "x", "a"))
    both = pair(source, clouds("t"))
    assert both.classes == ("a", "b", "c", "x") and both.targets == 3 and both.common == (0, 2)
    assert [both.classes[k] for k in both.source_y[:3]] == ["c", "x", "a"]
    numbers = pair(clouds("s", classes=("02", "1", "00")), clouds("t", classes=("0", "1", "2")))
    assert numbers.common == (0, 1, 2) and numbers.source_y[:3].tolist() == [2, 1, 0]


def test_classes_without_samples_are_no_classes():
    target = clouds("t")
    both = pair(clouds("s"), target.subset(target.y < 2))
    assert both.targets == 2 and both.classes == ("a", "b", "c") and both.common == (0, 1)


def test_images_of_other_sizes_and_channels_are_brought_together_with_a_notice():
    y = torch.arange(12) % 2
    grey, colour = Domain("grey", torch.rand(12, 1, 28, 28), y), Domain(
        "colour", torch.rand(12, 3, 20, 20), y)
    both = pair(grey, colour)
    assert both.source_X.shape == both.target_X.shape == (12, 3, 20, 20)
    assert both.notices == ("the grey images of grey were given 3 equal channels",
                            "grey was resized from 28 × 28 to 20 × 20 pixels")


def test_large_images_become_features_of_a_pretrained_network():
    y = torch.arange(4) % 2
    both = pair(*(Domain(name, torch.rand(4, 3, 80, 80), y) for name in "st"))
    assert both.source_X.shape == (4, 1280) and "EfficientNet-Lite0" in both.notices[0]


def test_a_budget_thins_out_large_images_and_nothing_else():
    y = torch.arange(40) % 2
    large, small = (Domain("d", torch.rand(40, 3, side, side), y) for side in (80, 32))
    (kept, other), (notice,) = within(1.0, large, small)
    assert len(kept) == 12 and other is small
    assert notice == ("28 of 40 images of d: the budget of seconds had no room for their features")
    assert within(None, large)[0] == [large] and within(100.0, large) == ([large], [])


def test_a_tiny_source_is_diagnosed_without_its_causes(own_cache):
    found = quick(clouds("s", n=15), clouds("t"))
    assert set(found.gap) == set(FEW) and [c.name for c in found.causes] == ["frozen too deep"]
    assert found.left_out == ["causes: too few samples of s can be held out"]


def test_label_noise_is_not_read_off_a_handful_of_samples(own_cache):
    """Where nearly all are of one class, a mistake or two would look like noise."""
    source = clouds("s", n=200, classes=("a", "b"), seed=3)
    source = source.subset((source.y == 0) | (torch.arange(200) < 6))
    found = quick(source, clouds("t", classes=("a", "b")))
    assert "source hard to learn" not in {cause.name for cause in found.causes}
    assert found.left_out == ["whether the source can be learned: too few samples of two classes "
                              "of s can be held out"]


def test_images_run_through_the_small_cnn_or_a_model_of_your_own(own_cache):
    y, calls = torch.arange(24) % 2, []

    def tiny(classes, seed):
        calls.append(classes)
        return small_cnn(classes, width=2, seed=seed)

    source, target = (Domain(n, torch.rand(24, 1, 16, 16), y) for n in "st")
    with joblib.parallel_config("sequential"):
        found = quick(source, target, strategies=("frozen",), model=tiny)
    assert set(found.gap) == {"frozen"} and set(calls) == {2}


def test_unbalanced_classes_and_classes_with_few_samples_are_noticed():
    target = clouds("t", n=120)
    keep = (target.y == 0) | (torch.arange(120) < 12)
    found = quick(clouds("s"), target.subset(keep), labels_per_class=6)
    assert any("always answering a scores 83%" in n for n in found.notices)
    assert any("fewer than 6 samples of b, c" in n for n in found.notices)


@pytest.mark.parametrize(("change", "words"), [
    ({"target": clouds("t").subset([0, 1, 2, 3, 4])}, "one sample only of c; at least 2"),
    ({"target": clouds("t", classes=("a",))}, "one class only; a target"),
    ({"source": clouds("s", classes=("a",))}, "one class only; a source"),
    ({"source": Domain("s", torch.rand(9, 1, 16, 16), torch.arange(9) % 3)}, "both must be of one"),
    ({"source": Domain("s", torch.rand(9, 5), torch.arange(9) % 3)}, "the same columns"),
    ({"target": clouds("t", n=9)}, "t has 9 samples where at least 10 are needed"),
    ({"seeds": 60}, "at least 120 are needed"),
    ({"labels_per_class": 0}, "labels_per_class is a whole number of at least 1"),
    ({"seeds": 1}, "seeds is a whole number of at least 2"),
    ({"strategies": ("frozen", "magic")}, "got magic"),
    ({"strategies": ()}, "got none"),
    ({"strategies": "frozen"}, "strategies are a list, got 'frozen'; write ['frozen']"),
    ({"budget": -1}, "seconds above 0"),
])
def test_what_cannot_be_diagnosed_is_refused_in_one_sentence(change, words):
    settings = {"source": clouds("s"), "target": clouds("t"), "labels_per_class": 2} | change
    with pytest.raises(ValueError, match=re.escape(words)) as said:
        diagnose(**settings, progress=False)
    assert "\n" not in str(said.value)


def test_other_things_than_domains_and_missing_values_are_refused():
    with pytest.raises(TypeError, match="a tlcourse Domain is needed, got ndarray"):
        diagnose(np.zeros((3, 3)), clouds("t"), labels_per_class=2)
    with pytest.raises(DataError, match="1 of 3 samples hold NaN"):
        Domain("t", torch.tensor([[0.0], [float("nan")], [1.0]]), torch.arange(3))
    for y, words in (([0, 0.5, 1], "class numbers, got 0.5"), (list("pqr"), "y must be an array")):
        with pytest.raises(DataError, match=words):
            Domain("t", torch.eye(3), y)
    with pytest.raises(DataError, match="two classes have one name among a, a"):
        Domain("t", torch.eye(3), torch.arange(3) % 2, ("a", "a"))
    in_blocks = Domain("t", torch.rand(10, 6), torch.arange(10) > 1, ordered=True)
    with pytest.raises(DataError, match="1 sample to label beside the test part of seed 0"):
        pair(clouds("s", classes=("0", "1")), in_blocks).draw(0, folds=5, labels_per_class=1)
    same = clouds("same")
    with pytest.raises(DataError, match="s is left with 0 rows"):
        pair(Domain("s", same.X[:5], same.y[:5]), same.subset(torch.arange(5).repeat(3))).draw(
            0, folds=1, labels_per_class=1)
