"""Recorded runs: complete, with their origin, and what a run of today gives."""

import importlib.util
import json
from itertools import product

import pandas as pd
import pytest

from tlcourse.data import manifest
from tlcourse.files import IS_CHECKOUT, ROOT

FOLDER = ROOT / "data" / "runs"
TOLERANCE = 0.03  # other processors round differently, and 200 steps add that up

pytestmark = pytest.mark.skipif(not IS_CHECKOUT, reason="the scripts are in the checkout")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("strategies", FOLDER / "strategies.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def record():
    return json.loads((FOLDER / "strategies.json").read_text(encoding="utf-8"))


def test_every_run_is_there_once(record, script):
    found = [(r["strategy"], r["target"], r["labels"], r["seed"]) for r in record["runs"]]
    wanted = product(script.STRATEGIES, script.TARGETS, script.LABELS, script.SEEDS)
    assert sorted(found) == sorted(wanted) and len(script.SEEDS) >= 5


def test_every_run_has_scores_that_can_be(record):
    assert all(0 < run["accuracy"] < 1 for run in record["runs"])
    on_print = {r["target"]: [] for r in record["runs"]}
    for run in record["runs"]:
        on_print[run["target"]].append(run["on the source"])
    assert all(0 < score <= 1 for score in on_print["uci_digits"])
    assert set(on_print["fashion"]) == {None}, "clothes have no score on digits"


def test_the_record_says_where_it_comes_from(record, script):
    assert record["command"] == "python data/runs/strategies.py"
    assert set(record["versions"]) == {"torch", "numpy", "tlcourse"} and record["date"]
    assert record["steps"] == {"source": script.SOURCE_STEPS, "target": script.STEPS}


def test_the_settings_were_chosen_elsewhere_on_the_same_grid_for_all(record, script):
    choice = record["choice"]
    assert choice["target"] not in script.TARGETS and choice["target"] in manifest()
    assert not set(choice["seeds"]) & set(script.SEEDS) and len(choice["seeds"]) >= 10
    tried = [(row["strategy"], row["lr"]) for row in choice["validation accuracy"]]
    assert sorted(tried) == sorted(product(script.STRATEGIES, script.RATES))
    for strategy, rate in choice["rates"].items():
        scores = {row["lr"]: row["accuracy"] for row in choice["validation accuracy"]
                  if row["strategy"] == strategy}
        assert rate == max(scores, key=scores.get), "the best mean, and nothing else"
        assert {r["lr"] for r in record["runs"] if r["strategy"] == strategy} == {rate}


@pytest.mark.parametrize(("strategy", "target", "labels", "seed"), [
    ("scratch", "uci_digits", 400, 0),
    ("frozen", "fashion", 100, 1),
    ("full", "uci_digits", 20, 2),
    ("l2_sp", "uci_digits", 100, 3),
])
def test_a_recorded_run_is_what_a_run_of_today_gives(
    record, script, strategy, target, labels, seed
):
    key = {"strategy": strategy, "target": target, "labels": labels, "seed": seed}
    (kept,) = (run for run in record["runs"] if key.items() <= run.items())
    today = script.runs(strategy, target, [labels], kept["lr"], seed)
    assert today["accuracy"][0] == pytest.approx(kept["accuracy"], abs=TOLERANCE)
    if target == "uci_digits":
        assert today["on the source"][0] == pytest.approx(kept["on the source"], abs=TOLERANCE)


@pytest.fixture(scope="module")
def lite0():
    spec = importlib.util.spec_from_file_location("lite0", FOLDER / "lite0.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lite0_record():
    return json.loads((FOLDER / "lite0.json").read_text(encoding="utf-8"))


def test_lite0_was_frozen_and_tuned_on_the_same_draws_at_rates_chosen_on_other_data(
    lite0, lite0_record
):
    found = [(run["strategy"], run["labels"], run["seed"]) for run in lite0_record["runs"]]
    assert sorted(found) == sorted(product(lite0.STRATEGIES, lite0.LABELS, lite0.SEEDS))
    assert len(lite0.SEEDS) >= 5 and lite0_record["steps"] == {"target": lite0.STEPS}
    assert lite0_record["command"] == "python data/runs/lite0.py" and lite0_record["date"]
    choice = lite0_record["choice"]
    assert choice["target"] != lite0.TARGET and not set(choice["seeds"]) & set(lite0.SEEDS)
    for strategy, rate in choice["rates"].items():
        scores = {row["lr"]: row["accuracy"] for row in choice["validation accuracy"]
                  if row["strategy"] == strategy}
        assert sorted(scores) == sorted(lite0.RATES) and rate == max(scores, key=scores.get)
        assert {run["lr"] for run in lite0_record["runs"] if run["strategy"] == strategy} == {rate}


def test_both_ways_see_the_same_emoji(lite0):
    ways = [lite0.domain_for(way, lite0.TARGET).split(seed=3) for way in lite0.STRATEGIES]
    few = [parts.train.take(45, seed=3).y for parts in ways]
    assert few[0].tolist() == few[1].tolist() and few[0].unique(return_counts=True)[1].min() == 5


@pytest.mark.parametrize(("strategy", "labels", "seed"), [("frozen", 720, 1), ("tuned", 45, 0)])
def test_a_recorded_run_of_lite0_is_what_a_run_of_today_gives(
    lite0, lite0_record, strategy, labels, seed
):
    key = {"strategy": strategy, "labels": labels, "seed": seed}
    (kept,) = (run for run in lite0_record["runs"] if key.items() <= run.items())
    today = lite0.run(strategy, labels, kept["lr"], seed)
    assert today["accuracy"] == pytest.approx(kept["accuracy"], abs=TOLERANCE)


@pytest.fixture(scope="module")
def zoo():
    spec = importlib.util.spec_from_file_location("zoo", FOLDER / "zoo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def zoo_record():
    return json.loads((FOLDER / "zoo.json").read_text(encoding="utf-8"))


def test_the_zoo_scores_every_source_on_every_target_but_itself(zoo, zoo_record):
    found = [(run["source"], run["target"], run["seed"]) for run in zoo_record["runs"]]
    wanted = [key for key in product(zoo.SOURCES, zoo.TARGETS, zoo.SEEDS) if key[0] != key[1]]
    assert sorted(found) == sorted(wanted)
    assert len(zoo.SOURCES) >= 8 and len(zoo.TARGETS) >= 3 and len(zoo.SEEDS) >= 5
    assert zoo_record["command"] == "python data/runs/zoo.py" and zoo_record["labels"] == zoo.LABELS


def test_the_zoo_holds_what_can_be_and_nothing_for_what_cannot(zoo_record):
    for run in zoo_record["runs"]:
        without_data = run["source"] in ("untrained", "lite0")
        for key in ("cosine", "proxy_a", "source_accuracy"):
            assert (run[key] is None) == without_data, (key, run)
        assert (run["fine_tune"] is None) == (run["source"] == "lite0"), "frozen only"
        assert 0 < run["probe"] < 1 and run["leep"] <= 0 >= run["nce"] and run["h_score"] <= 9.001


@pytest.mark.parametrize(("source", "target", "seed"), [
    ("mnist_5k", "uci_digits", 0), ("narrow", "fashion", 1), ("lite0", "uci_digits", 2),
])
def test_a_recorded_source_is_what_a_run_of_today_gives(zoo, zoo_record, source, target, seed):
    key = {"source": source, "target": target, "seed": seed}
    (kept,) = (run for run in zoo_record["runs"] if key.items() <= run.items())
    today = {name: values[0] for name, values in zoo.runs(source, [target], seed).items()}
    for name in ("probe", "fine_tune", "source_accuracy", "logme"):
        assert today[name] == pytest.approx(kept[name], abs=TOLERANCE), name
    for name in ("leep", "nce", "h_score", "cosine", "proxy_a"):
        assert today[name] == pytest.approx(kept[name], abs=0.1), name
    assert today["parameters"] == kept["parameters"]


@pytest.fixture(scope="module")
def alignment():
    spec = importlib.util.spec_from_file_location("alignment", FOLDER / "alignment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def alignment_record():
    return json.loads((FOLDER / "alignment.json").read_text(encoding="utf-8"))


def test_every_method_of_alignment_ran_on_every_pair_beside_its_baselines(
    alignment, alignment_record
):
    found = [(r["source"], r["target"], r["shuffle"], r["method"], r["seed"])
             for r in alignment_record["runs"]]
    methods = [*alignment.BASELINES, *alignment.METHODS]
    wanted = [(*pair, method, seed)
              for pair, method, seed in product(alignment.PAIRS, methods, alignment.SEEDS)]
    assert sorted(found) == sorted(wanted) and len(alignment.SEEDS) >= 5
    assert {"none", "control", "control_separate", "adabn", "ceiling"} <= set(methods)
    checkpoints = list(range(alignment.EVERY, alignment.STEPS + 1, alignment.EVERY))
    for run in alignment_record["runs"]:
        assert run["step"] == checkpoints and len(run["recall"]) == 10
        assert len(run["accuracy"]) == len(checkpoints) and min(run["accuracy"]) > 0


def test_the_record_of_alignment_says_where_it_comes_from(alignment, alignment_record):
    record = alignment_record
    assert record["command"] == "python data/runs/alignment.py" and record["date"]
    assert set(record["versions"]) == {"torch", "numpy", "tlcourse"}
    looks = len(record["runs"]) * (alignment.STEPS // alignment.EVERY + 1)
    looks += sum(len(record[part]) for part in ("weights", "signs", "partial"))
    assert record["looks at test sets"] == looks, "every look is counted"
    assert (FOLDER / "alignment.json").stat().st_size < 300_000


def test_settings_of_alignment_are_the_best_on_the_pair_for_choices_and_stay(
    alignment, alignment_record
):
    choice = alignment_record["choice"]
    assert not set(choice["seeds"]) & set(alignment.SEEDS) and choice["target"] != "uci_digits"
    tried = pd.DataFrame(choice["tried"])
    assert alignment.chosen(tried) == choice["settings"]
    sizes = tried.groupby("method").size()
    for method, weights in alignment.GRID.items():
        forms = 2 if method in ("dann", "cdan") else 1
        assert sizes[method] == len(weights) * 2 * forms * len(choice["seeds"])


@pytest.mark.parametrize(("method", "seed"), [("mmd", 1), ("adabn", 2)])
def test_a_recorded_alignment_is_what_a_run_of_today_gives(
    alignment, alignment_record, method, seed
):
    pair = dict(zip(("source", "target", "shuffle"), alignment.PAIRS[0], strict=True))
    key = {**pair, "method": method, "seed": seed}
    (kept,) = (run for run in alignment_record["runs"] if key.items() <= run.items())
    settings = alignment.settings_of(method, alignment_record["choice"]["settings"])
    today = alignment.runs(**key, settings=settings)
    assert today["accuracy"][-3:] == pytest.approx(kept["accuracy"][-3:], abs=0.06)
    assert today["source_validation"][-1] == pytest.approx(kept["source_validation"][-1], abs=0.02)
