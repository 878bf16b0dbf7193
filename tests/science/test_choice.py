"""`choose` ranks sources and ways, says how sure it is, and keeps what it chose."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from tlcourse.data import Domain
from tlcourse.data.folders import OwnData
from tlcourse.diagnose import choose, predict
from tlcourse.diagnose.choice import Choice

COLUMNS = 60


def table(name, n, seed, *, places=0, lot=False):
    """Four clouds around places of their own; `lot` draws the labels."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 4)
    centres = np.random.default_rng(100 + places).normal(size=(4, COLUMNS))
    X = 4 * (centres / np.linalg.norm(centres, axis=1, keepdims=True))[y]
    return Domain(name, X + rng.normal(size=(n, COLUMNS)), rng.permutation(y) if lot else y,
                  tuple("abcd"))


@pytest.fixture(scope="module")
def choice(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        sources = [table("lot", 300, 1, lot=True), table("far", 300, 2, places=5),
                   table("alike", 300, 3), table("farther", 300, 4, places=7)]
        yield choose(table("t", 100, 0), sources, labels_per_class=2, progress=False)


def test_the_source_that_is_like_the_target_is_chosen(choice):
    assert choice.best[0] == "alike"
    best = choice.table.iloc[0]
    assert best["score"] > 0.9 and best["repetitions"] == 5
    given_up = choice.table[choice.table["repetitions"] == 2]
    assert len(set(given_up["source"])) == 2 and "alike" not in set(given_up["source"])


def test_scratch_is_tried_once_and_every_way_is_a_row(choice):
    ways = list(zip(choice.table["source"], choice.table["strategy"], strict=True))
    assert len(ways) == len(set(ways)) == 1 + 4 * 3 and ways.count(("", "scratch")) == 1


def test_the_lead_is_that_of_the_paired_runs(choice):
    runs = pd.DataFrame(choice.runs).pivot(index="seed", columns=["source", "strategy"],
                                           values="score")
    scratch = choice.table[choice.table["strategy"] == "scratch"].iloc[0]
    difference = (runs[choice.best] - runs[("", "scratch")]).mean()
    assert scratch["lead"] == pytest.approx(difference)
    assert scratch["low"] < difference < scratch["high"]


def test_what_is_said_follows_from_the_table(choice):
    said = str(choice)
    assert said.startswith(f"Use {choice.best[1]} from alike: ")
    scratch = choice.table[choice.table["strategy"] == "scratch"].iloc[0]
    words = "is sure" if scratch["low"] > 0 else "is undecided"
    sentence = next(s for s in said.replace("\n", " ").split(". ") if "training from scratch" in s)
    assert words in sentence and f"{100 * scratch['lead']:+.1f}" in sentence
    assert "the number is a little too good" in said.replace("\n", " ")
    assert said.count("given up early") == 6


def made(**scores):
    """A choice over five repetitions of scratch and fine-tuning from s."""
    runs = [{"source": "" if way == "scratch" else "s", "strategy": way, "seed": seed,
             "score": value} for way, values in scores.items() for seed, value in enumerate(values)]
    own = OwnData(table("s", 40, 0), table("t", 100, 1), [], None)
    return Choice({"s": own}, 5, "accuracy", runs, 20)


def test_an_undecided_choice_says_how_many_labels_would_decide():
    """Half-width 0.1 at five repetitions: an error of 0.036 of a lead of 0.05 needs 4.07 times."""
    wave = np.array([0.05, -0.05, 0.1, -0.1, 0.0]) * (0.036 * 5**0.5 / 0.0790569)
    choice = made(scratch=[0.7] * 5, fine_tune=list(0.75 + wave))
    said = " ".join(str(choice).split())
    assert "Whether it is ahead of training from scratch is undecided" in said
    needed = 100 * (1.96 + 0.84) ** 2 * (0.036 / 0.05) ** 2
    assert f"about {needed:,.0f} labelled samples of t would decide it; there were 100." in said
    sure = " ".join(str(made(scratch=[0.7, 0.71, 0.7, 0.69, 0.7], fine_tune=[0.9] * 5)).split())
    assert "That it is ahead of training from scratch is sure" in sure
    assert "would decide" not in sure


def test_what_is_chosen_can_be_kept_and_asked(choice, tmp_path):
    choice.save(tmp_path / "model")
    new = table("new", 80, 9)
    said = predict(tmp_path / "model", new.X)
    assert (said["class"] == [new.classes[k] for k in new.y]).mean() > 0.9


def test_small_pictures_in_colour_are_tried_with_lite0_too(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    y = torch.arange(30) % 2
    X = torch.rand(30, 3, 16, 16, generator=torch.Generator().manual_seed(0)) / 2
    X[:, 0] += y[:, None, None] / 3
    source, target = Domain("s", X, y), Domain("t", X.flip(0) / 2, y.flip(0))
    found = choose(target, [source], labels_per_class=2, progress=False)
    assert ("", "lite0") in set(zip(found.table["source"], found.table["strategy"], strict=True))
    runs = [run for run in found.runs if run["strategy"] in ("lite0", "scratch")]
    replace(found, runs=[{**run, "score": run["strategy"] == "lite0"} for run in runs]).save(
        tmp_path / "model")
    assert len(predict(tmp_path / "model", X)) == 30


def test_a_short_budget_leaves_out_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    found = choose(table("t", 40, 0), [table("s", 60, 1)], budget=1e-3, progress=False)
    assert found.runs == [] and found.best is None and found.left_out
    assert str(found) == "Nothing was measured: give more time."


def test_sources_need_names_of_their_own():
    with pytest.raises(ValueError, match="each with a name of its own, got s, s"):
        choose(table("t", 40, 0), [table("s", 60, 1), table("s", 60, 2)])
    with pytest.raises(ValueError, match="got none"):
        choose(table("t", 40, 0), [])
