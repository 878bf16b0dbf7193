"""Recorded runs: complete, with their origin, and what a run of today gives."""

import importlib.util
import json
from itertools import product

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
    assert not set(choice["seeds"]) & set(script.SEEDS)
    tried = [(row["strategy"], row["lr"]) for row in choice["validation accuracy"]]
    assert sorted(tried) == sorted(product(script.STRATEGIES, script.RATES))
    for strategy, rate in choice["rates"].items():
        scores = {row["lr"]: row["accuracy"] for row in choice["validation accuracy"]
                  if row["strategy"] == strategy}
        tied = [lr for lr in scores if scores[lr] > max(scores.values()) - script.TIE]
        assert rate == min(tied), "within a point of the best, the smallest rate"
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
