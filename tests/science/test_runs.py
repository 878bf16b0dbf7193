"""Recorded runs: complete, with their origin, and what a run of today gives."""

from itertools import permutations, product

import pandas as pd
import pytest
import torch
from recorded import FOLDER, record, runs_of, script, spread, the_run

from tlcourse.data import manifest
from tlcourse.utils.files import IS_CHECKOUT

TOLERANCE = 0.03  # at least; where seeds differ by more, as far as they differ

pytestmark = pytest.mark.skipif(not IS_CHECKOUT, reason="the scripts are in the checkout")


@pytest.mark.parametrize("name", ["strategies", "decay", "lite0", "size", "zoo", "alignment",
                                  "text", "choice"])
def test_a_record_says_where_it_comes_from(name):
    kept = record(name)
    assert kept["command"] == f"python data/runs/{name}.py" and kept["date"]
    assert set(kept["versions"]) >= {"torch", "numpy", "tlcourse"}


def the_best_rate_of_each(kept, rates, strategies):
    """Settings chosen on other data: the best mean on the same grid, and used in every run."""
    choice = kept["choice"]
    tried = [(row["strategy"], row["lr"]) for row in choice["validation accuracy"]]
    assert sorted(tried) == sorted(product(strategies, rates))
    for strategy, rate in choice["rates"].items():
        scores = {row["lr"]: row["accuracy"] for row in choice["validation accuracy"]
                  if row["strategy"] == strategy}
        assert rate == max(scores, key=scores.get), "the best mean, and nothing else"
        assert {r["lr"] for r in kept["runs"] if r["strategy"] == strategy} == {rate}


# --- strategies of lesson 03 ---

@pytest.fixture(scope="module")
def strategies():
    return script(FOLDER / "strategies.py")


@pytest.fixture(scope="module")
def strategies_record():
    return record("strategies")


def test_every_run_is_there_once(strategies_record, strategies):
    found = [(r["strategy"], r["target"], r["labels"], r["seed"])
             for r in strategies_record["runs"]]
    wanted = product(strategies.STRATEGIES, strategies.TARGETS, strategies.LABELS, strategies.SEEDS)
    assert sorted(found) == sorted(wanted) and len(strategies.SEEDS) >= 5
    steps = {"source": strategies.SOURCE_STEPS, "target": strategies.STEPS}
    assert strategies_record["steps"] == steps


def test_every_run_has_scores_that_can_be(strategies_record):
    assert all(0 < run["accuracy"] < 1 for run in strategies_record["runs"])
    on_print = {r["target"]: [] for r in strategies_record["runs"]}
    for run in strategies_record["runs"]:
        on_print[run["target"]].append(run["on the source"])
    assert all(0 < score <= 1 for score in on_print["uci_digits"])
    assert set(on_print["fashion"]) == {None}, "clothes have no score on digits"


def test_the_settings_were_chosen_elsewhere_on_the_same_grid_for_all(strategies_record, strategies):
    choice = strategies_record["choice"]
    assert choice["target"] not in strategies.TARGETS and choice["target"] in manifest()
    assert not set(choice["seeds"]) & set(strategies.SEEDS) and len(choice["seeds"]) >= 10
    the_best_rate_of_each(strategies_record, strategies.RATES, strategies.STRATEGIES)


@pytest.mark.parametrize(("strategy", "target", "labels", "seed"), [
    ("scratch", "uci_digits", 400, 0),
    ("frozen", "fashion", 100, 1),
    ("full", "uci_digits", 20, 2),
    ("l2_sp", "uci_digits", 100, 3),
])
def test_a_recorded_run_is_what_a_run_of_today_gives(
    strategies_record, strategies, strategy, target, labels, seed
):
    kept = the_run(strategies_record, strategy=strategy, target=target, labels=labels, seed=seed)
    today = strategies.runs(strategy, target, [labels], kept["lr"], seed)
    seeds = runs_of(strategies_record["runs"], strategy=strategy, target=target, labels=labels)
    is_like_the_record(today, kept, seeds)


def is_like_the_record(today, kept, seeds):
    for name in ("accuracy", "on the source"):
        if kept[name] is not None:
            allowed = spread([run[name] for run in seeds], TOLERANCE)
            assert today[name][0] == pytest.approx(kept[name], abs=allowed), name


# --- slower first layers, lesson 03 ---

@pytest.fixture(scope="module")
def decay():
    return script(FOLDER / "decay.py")


@pytest.fixture(scope="module")
def decay_record():
    return record("decay")


def test_every_decay_ran_on_every_draw_and_decay_1_is_full_tuning(
    decay, decay_record, strategies, strategies_record
):
    found = [(r["target"], r["labels"], r["decay"], r["seed"]) for r in decay_record["runs"]]
    wanted = product(decay.TARGETS, decay.LABELS, decay.DECAYS, decay.SEEDS)
    assert sorted(found) == sorted(wanted) and len(decay.SEEDS) >= 5
    assert decay_record["steps"] == strategies_record["steps"]
    assert decay_record["rate"] == strategies_record["choice"]["rates"]["full"]
    for kept in decay_record["runs"]:
        assert (kept["on the source"] is None) == (kept["target"] == "fashion")
        if kept["decay"] == 1:
            same = {key: kept[key] for key in ("target", "labels", "seed")}
            full = the_run(strategies_record, strategy="full", **same)
            assert kept["accuracy"] == pytest.approx(full["accuracy"], abs=TOLERANCE)


@pytest.mark.parametrize(("target", "labels", "q", "seed"), [
    ("uci_digits", 20, 0.4, 1), ("fashion", 100, 0.1, 2),
])
def test_a_recorded_decay_is_what_a_run_of_today_gives(
    decay, decay_record, target, labels, q, seed
):
    kept = the_run(decay_record, target=target, labels=labels, decay=q, seed=seed)
    today = decay.runs(target, [labels], [q], seed)
    is_like_the_record(today, kept, runs_of(decay_record["runs"], target=target, labels=labels,
                                            decay=q))


# --- the size of pictures, lesson 02 ---

@pytest.fixture(scope="module")
def size():
    return script(FOLDER / "size.py")


def test_every_size_ran_on_every_draw_for_both_vendors(size):
    found = [(r["size"], r["vendor"], r["seed"]) for r in record("size")["runs"]]
    assert sorted(found) == sorted(product(size.SIZES, size.VENDORS, size.SEEDS))
    assert len(size.SEEDS) >= 5 and record("size")["labels"] == size.LABELS


def test_a_recorded_size_is_what_a_run_of_today_gives(size):
    today = size.run(size=32, seed=3)
    for vendor in size.VENDORS:
        kept = the_run(record("size"), size=32, vendor=vendor, seed=3)
        assert today[vendor] == pytest.approx(kept["accuracy"], abs=TOLERANCE)


# --- a large network, frozen and tuned ---

@pytest.fixture(scope="module")
def lite0():
    return script(FOLDER / "lite0.py")


@pytest.fixture(scope="module")
def lite0_record():
    return record("lite0")


def test_lite0_was_frozen_and_tuned_on_the_same_draws_at_rates_chosen_on_other_data(
    lite0, lite0_record
):
    found = [(run["strategy"], run["labels"], run["seed"]) for run in lite0_record["runs"]]
    assert sorted(found) == sorted(product(lite0.STRATEGIES, lite0.LABELS, lite0.SEEDS))
    assert len(lite0.SEEDS) >= 5 and lite0_record["steps"] == {"target": lite0.STEPS}
    choice = lite0_record["choice"]
    assert choice["target"] != lite0.TARGET and not set(choice["seeds"]) & set(lite0.SEEDS)
    the_best_rate_of_each(lite0_record, lite0.RATES, lite0.STRATEGIES)


def test_both_ways_see_the_same_emoji(lite0):
    ways = [lite0.domain_for(way, lite0.TARGET).split(seed=3) for way in lite0.STRATEGIES]
    few = [parts.train.take(45, seed=3).y for parts in ways]
    assert few[0].tolist() == few[1].tolist() and few[0].unique(return_counts=True)[1].min() == 5


@pytest.mark.parametrize(("strategy", "labels", "seed"), [("frozen", 720, 1), ("tuned", 45, 0)])
def test_a_recorded_run_of_lite0_is_what_a_run_of_today_gives(
    lite0, lite0_record, strategy, labels, seed
):
    kept = the_run(lite0_record, strategy=strategy, labels=labels, seed=seed)
    today = lite0.run(strategy, labels, kept["lr"], seed)
    assert today["accuracy"] == pytest.approx(kept["accuracy"], abs=TOLERANCE)


# --- the zoo of lesson 04 ---

@pytest.fixture(scope="module")
def zoo():
    return script(FOLDER / "zoo.py")


@pytest.fixture(scope="module")
def zoo_record():
    return record("zoo")


def test_the_zoo_scores_every_source_on_every_target_but_itself(zoo, zoo_record):
    found = [(run["source"], run["target"], run["seed"]) for run in zoo_record["runs"]]
    wanted = [key for key in product(zoo.SOURCES, zoo.TARGETS, zoo.SEEDS) if key[0] != key[1]]
    assert sorted(found) == sorted(wanted)
    assert len(zoo.SOURCES) >= 8 and len(zoo.TARGETS) >= 3 and len(zoo.SEEDS) >= 5
    assert zoo_record["labels"] == zoo.LABELS


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
    kept = the_run(zoo_record, source=source, target=target, seed=seed)
    today = {name: values[0] for name, values in zoo.runs(source, [target], seed).items()}
    seeds = runs_of(zoo_record["runs"], source=source, target=target)
    for name in ("probe", "fine_tune", "source_accuracy", "logme", "leep", "nce", "h_score",
                 "cosine", "proxy_a"):
        if kept[name] is None:
            assert today[name] is None, name
            continue
        allowed = spread([run[name] for run in seeds], TOLERANCE)
        assert today[name] == pytest.approx(kept[name], abs=allowed), name
    assert today["parameters"] == kept["parameters"]


# --- alignment, lessons 05 and 06 ---

@pytest.fixture(scope="module")
def alignment():
    return script(FOLDER / "alignment.py")


@pytest.fixture(scope="module")
def alignment_record():
    return record("alignment")


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


def test_the_record_of_alignment_counts_every_look_and_stays_small(alignment, alignment_record):
    kept = alignment_record
    looks = len(kept["runs"]) * (alignment.STEPS // alignment.EVERY + 1)
    looks += sum(len(kept[part]) for part in ("weights", "signs", "partial"))
    assert kept["looks at test sets"] == looks
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
    kept = the_run(alignment_record, **key)
    settings = alignment.settings_of(method, alignment_record["choice"]["settings"])
    today = alignment.runs(**key, settings=settings)
    seeds = runs_of(alignment_record["runs"], **pair, method=method)
    for name in ("accuracy", "source_validation"):
        allowed = spread([run[name][-1] for run in seeds], TOLERANCE)
        assert today[name][-1] == pytest.approx(kept[name][-1], abs=allowed), name


# --- alignment of text, lesson 05 ---

@pytest.fixture(scope="module")
def text():
    return script(FOLDER / "text.py")


@pytest.fixture(scope="module")
def text_record():
    return record("text")


def test_every_pair_of_texts_was_run_with_the_settings_of_the_pictures(
    text, text_record, alignment_record
):
    found = [(r["source"], r["target"], r["method"], r["seed"]) for r in text_record["runs"]]
    wanted = [(*pair, method, seed) for pair, method, seed in
              product(permutations(text.DOMAINS, 2), text.METHODS, text.SEEDS)]
    assert sorted(found) == sorted(wanted) and len(text.SEEDS) >= 5
    assert all(0.5 < run["accuracy"] < 1 for run in text_record["runs"])
    assert text_record["settings"] == text.SETTINGS and text_record["steps"] == text.STEPS
    for method in ("coral", "mmd"):
        chosen = alignment_record["choice"]["settings"][method]
        assert text.SETTINGS[method]["weight"] == chosen["weight"]


@pytest.mark.parametrize(("source", "target", "method", "seed"), [
    ("amazon", "tweets", "mmd", 0),
    ("tweets", "movies", "coral", 1),
    ("movies", "amazon", "none", 2),
    ("amazon", "movies", "linear centred", 3),
])
def test_a_recorded_run_on_text_is_what_a_run_of_today_gives(
    text, text_record, source, target, method, seed
):
    key = {"source": source, "target": target, "method": method, "seed": seed}
    today = text.runs(**key)["accuracy"]
    assert today == pytest.approx(the_run(text_record, **key)["accuracy"], abs=TOLERANCE)


def test_without_batch_normalisation_the_control_is_source_only_to_the_last_bit(text):
    train, other = (text.load(f"sentiment_{name}") for name in ("movies", "tweets"))
    states = [text.adapt(text.small_mlp(2, inputs=384, seed=0), train, other.X, method=method,
                         steps=20, seed=0)[0].state_dict() for method in ("none", "control")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
