"""The records of lesson 08: complete, with their origin, and what a run of today gives."""

from collections import Counter

import joblib
import pandas as pd
import pytest
from recorded import record as recorded
from recorded import runs_of, script, spread

from tlcourse.data import manifest
from tlcourse.diagnose import strategies
from tlcourse.diagnose.report.report import Report
from tlcourse.plots import drawing, transfer
from tlcourse.plots.transfer import gaps_on_the_map
from tlcourse.stats import decided
from tlcourse.utils.files import IS_CHECKOUT, ROOT

TOLERANCE = 0.05  # at least; where seeds differ by more, as far as they differ

pytestmark = pytest.mark.skipif(not IS_CHECKOUT, reason="the scripts are in the checkout")


@pytest.fixture(scope="module")
def negative():
    return script(ROOT / "data" / "runs" / "negative.py")


@pytest.fixture(scope="module")
def patients():
    return script(ROOT / "data" / "runs" / "patients.py")


@pytest.fixture(scope="module")
def false_alarms():
    return script(ROOT / "tests" / "false_alarms.py")


@pytest.fixture(scope="module")
def known_pairs():
    return script(ROOT / "tests" / "known_pairs.py")


@pytest.fixture(scope="module")
def power():
    return script(ROOT / "tests" / "power.py")


@pytest.mark.parametrize(("name", "command"), [
    ("negative", "python data/runs/negative.py"), ("patients", "python data/runs/patients.py"),
    ("false_alarms", "python tests/false_alarms.py"),
    ("known_pairs", "python tests/known_pairs.py"), ("power", "python tests/power.py")])
def test_a_record_says_where_it_comes_from(name, command):
    record = recorded(name)
    assert record["command"] == command and record["date"] and record["python"]
    assert set(record["versions"]) == {"torch", "numpy", "tlcourse"}


# --- rates, causes and the map ---

def test_the_learning_rates_are_those_that_were_chosen_from_one_grid_for_all(negative):
    choice = recorded("negative")["choice"]
    for way, tried in choice["accuracy"].items():
        assert sorted(map(float, tried)) == sorted(negative.RATES)
        tied = [float(rate) for rate in tried
                if tried[rate] > max(tried.values()) - negative.TIE]
        assert strategies.RATES[way] == choice["rates"][way] == min(tied), way
    assert set(choice["accuracy"]) == {"scratch", "frozen", "fine_tune", "aligned"}
    assert not set(choice["seeds"]) & set(negative.SEEDS)


def test_every_cause_and_every_cell_was_run_with_five_seeds(negative):
    record = recorded("negative")
    causes = Counter(run["name"] for run in record["causes"])
    assert causes == dict.fromkeys(negative.CAUSES, 5) and len(negative.SEEDS) == 5
    cells = Counter(run["source_name"] for run in record["map"]["runs"])
    assert cells == dict.fromkeys(negative.SOURCES, 5)
    assert record["map"]["labels a class"] == negative.LABELS
    assert set(negative.SOURCES) - set(manifest()) == {"shuffled print"}
    assert record["steps"] == {"source": strategies.SOURCE_STEPS, "target": strategies.STEPS}


def test_what_cannot_apply_has_no_cell():
    cells = gaps_on_the_map(recorded("negative")["map"])
    for source in ("printed_letters", "fashion", "animals"):
        assert {s for name, s, _ in cells if name == source} == {"frozen", "fine_tune"}
    for source in ("mnist_5k", "printed_digits", "shuffled print"):
        assert len([1 for name, _, _ in cells if name == source]) == 4 * 5


@pytest.mark.parametrize(("name", "seed"), [
    ("another instrument", 0), ("label shift", 1), ("conflicting gradients", 2)])
def test_a_recorded_cause_is_what_a_run_of_today_gives(negative, name, seed):
    seeds = runs_of(recorded("negative")["causes"], name=name)
    (kept,) = runs_of(seeds, seed=seed)
    today = negative.CAUSES[name](seed)
    for state in ("scratch", "hurt", "repaired"):
        allowed = spread([run[state] for run in seeds], TOLERANCE)
        assert today[state] == pytest.approx(kept[state], abs=allowed), state
    for cause, number in kept["evidence"].items():
        allowed = spread([run["evidence"][cause] for run in seeds], 2 * TOLERANCE)
        assert today["evidence"][cause] == pytest.approx(number, abs=allowed), cause


def test_a_recorded_cell_is_what_a_run_of_today_gives(negative):
    record = recorded("negative")["map"]
    seeds = runs_of(record["runs"], source_name="fashion")
    (kept,) = runs_of(seeds, seed=1)
    today = negative.map_runs("fashion", [2], 1)
    place = record["labels a class"].index(2)
    for way in ("frozen", "fine_tune"):
        allowed = spread([run[way][place] for run in seeds], TOLERANCE)
        assert today[way][0] == pytest.approx(kept[way][place], abs=allowed), way
    assert today["aligned"] == [None] and kept["aligned"] == [None] * 5


# --- patients ---

def test_each_patient_has_one_strongest_cause_and_it_is_the_one_that_was_made():
    made = {"A": "source hard to learn", "B": "label-space mismatch", "C": "framing mismatch",
            "D": "conflict", "E": "domain distance", "F": "label shift"}
    for name, found in recorded("patients")["patients"].items():
        report = Report.from_dict(found)
        assert report.causes[0].name == made[name]
        assert report.causes[0].evidence > report.causes[1].evidence + 0.05
        assert "negative" in report.verdict.values() and not report.left_out
        assert report.to_dict() == found


def test_a_recorded_patient_is_what_a_diagnosis_of_today_gives(patients):
    kept = Report.from_dict(recorded("patients")["patients"]["F"])
    with joblib.parallel_config("sequential"):
        today = patients.examine("F", progress=False)
    assert today.causes[0].name == kept.causes[0].name
    for s in kept.gap:
        assert today.gap[s].estimate == pytest.approx(kept.gap[s].estimate, abs=TOLERANCE)


# --- false alarms ---

def test_where_nothing_has_an_effect_reports_stay_inconclusive(false_alarms):
    record = recorded("false_alarms")
    alarms = sum(set(run["verdict"].values()) != {"inconclusive"} for run in record["runs"])
    assert len(record["runs"]) == record["repetitions"] == false_alarms.REPETITIONS == 60
    assert alarms == record["reports with a verdict"] <= record["at most"] == 3


@pytest.mark.parametrize("case", [0])
def test_a_recorded_report_is_what_a_diagnosis_of_today_gives(false_alarms, case):
    kept = recorded("false_alarms")["runs"][case]
    with joblib.parallel_config("sequential"):
        today = false_alarms.repetition(case)
    assert today.verdict == kept["verdict"]
    for s, (estimate, _, _) in kept["gap"].items():
        assert today.gap[s].estimate == pytest.approx(estimate, abs=TOLERANCE)


# --- known pairs, and how often a gain is seen ---

def test_at_least_eighteen_of_twenty_known_pairs_are_diagnosed_right(known_pairs):
    record = recorded("known_pairs")
    assert [row["name"] for row in record["pairs"]] == list(known_pairs.TRUTH)
    right = 0
    for row in record["pairs"]:
        _, _, verdicts, cause = known_pairs.TRUTH[row["name"]]
        name, evidence = row["causes"][0]
        found = name if evidence >= known_pairs.SHOWN else None
        right += found == cause and all(row["verdict"][s] == w for s, w in verdicts.items())
    assert right == record["right"] >= 18 and len(record["pairs"]) == 20


@pytest.mark.parametrize("name", ["two classes swapped", "unbalanced, else equal"])
def test_a_known_pair_is_diagnosed_right_today(known_pairs, name):
    assert known_pairs.found(name)[1]


def test_the_documentation_says_how_often_a_gain_of_ten_points_is_seen(power):
    record = recorded("power")
    assert 0.09 < record["mean gap"] < 0.11 and len(record["runs"]) == power.REPETITIONS == 40
    seen = sum(run["verdict"] == "positive" for run in record["runs"])
    assert record["seen"] == seen / 40
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    quiet = recorded("false_alarms")
    assert f"was seen in {seen} of 40 such cases" in readme
    assert (f"of {quiet['repetitions']} pairs without any effect, {quiet['reports with a verdict']}"
            " got a report with a verdict") in readme
    assert f"truth was known, {recorded('known_pairs')['right']} were diagnosed right" in readme
    with joblib.parallel_config("sequential"):
        today = power.repetition(0)
    kept = record["runs"][0]
    assert today.gap["source_only"].estimate == pytest.approx(kept["gap"], abs=TOLERANCE)


# --- figures ---

def test_the_figures_say_in_words_what_they_show():
    record = recorded("negative")
    causes = pd.DataFrame(record["causes"])
    cells = gaps_on_the_map(record["map"])
    text = transfer.where_it_pays(record["map"]).alt_text
    shown = [f"{drawing.name(s)} from {drawing.name(source)} at {n}: " in text
             for source, s, n in cells]
    assert shown == [decided(gap) != "inconclusive" for gap in cells.values()]
    words = transfer.hurt_and_repaired(causes).alt_text
    assert all(f"{name} " in words for name in causes["name"])
    assert "label shift: label shift 0." in transfer.evidence_table(causes).alt_text
