"""Sweeps: every combination once, kept on disk, resumed after a kill, here or on a cluster."""

import os
import signal
import subprocess
import sys
import time
from functools import cache

import joblib
import pytest
import torch

from tlcourse.data import Domain, load
from tlcourse.sweep import _known_by, sweep
from tlcourse.utils.files import cache_folder

OFFSET = 0


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SWEEP_LOG", str(tmp_path / "log"))
    return tmp_path


def calls(tmp_path):
    log = tmp_path / "log"
    return log.read_text().splitlines() if log.exists() else []


def noted(a, b, seed):
    with open(os.environ["SWEEP_LOG"], "a") as log:
        log.write(f"{a} {b} {seed}\n")
    return {"sum": a + b + OFFSET, "threads": torch.get_num_threads()}


def test_every_combination_and_seed_runs_once_with_one_thread(empty_cache):
    table = sweep(noted, {"a": [1, 2], "b": [10, 20]}, seeds=range(2), workers=1, progress=False)
    assert table[["a", "b", "seed"]].values.tolist() == [
        [a, b, s] for a in (1, 2) for b in (10, 20) for s in (0, 1)
    ]
    assert (table["sum"] == table["a"] + table["b"]).all() and (table["threads"] == 1).all()
    assert len(calls(empty_cache)) == 8


def test_finished_runs_are_not_run_again_and_new_ones_are_added(empty_cache):
    first = sweep(noted, {"a": [1], "b": [10]}, seeds=range(2), workers=1, progress=False)
    both = sweep(noted, {"a": [1, 2], "b": [10]}, seeds=range(2), workers=1, progress=False)
    assert len(calls(empty_cache)) == 4 and both[:2].equals(first)


def test_a_changed_function_or_global_is_never_answered_from_an_old_run(empty_cache, monkeypatch):
    sweep(noted, {"a": [1], "b": [10]}, seeds=[0], workers=1, progress=False)
    monkeypatch.setitem(globals(), "OFFSET", 5)
    table = sweep(noted, {"a": [1], "b": [10]}, seeds=[0], workers=1, progress=False)
    assert table["sum"].tolist() == [16]

    step = 3

    def closure(seed):
        return {"x": step}

    with pytest.raises(ValueError, match="variables of another function"):
        sweep(closure, {}, seeds=[0], workers=1, progress=False)


def beside(a):
    return a + OFFSET


@cache
def kept_beside(a):
    return a + OFFSET


def called(seed):
    return {"x": beside(1)}


def called_through_a_cache(seed):
    return {"x": kept_beside(1)}


def in_a_comprehension(seed):
    return {"x": [a + OFFSET for a in range(2)]}


def in_a_lambda(seed):
    return {"x": (lambda: sum(OFFSET for _ in range(2)))()}


@pytest.mark.parametrize("run", [called, called_through_a_cache, in_a_comprehension, in_a_lambda])
def test_a_global_counts_wherever_it_is_read(run, monkeypatch):
    before = _known_by(run)
    assert _known_by(run) == before
    monkeypatch.setitem(globals(), "OFFSET", 5)
    assert _known_by(run) != before


def test_the_code_of_a_function_beside_counts(monkeypatch):
    before = _known_by(called)
    monkeypatch.setitem(globals(), "beside", in_a_lambda)
    assert _known_by(called) != before


def test_a_kept_run_that_was_cut_short_is_run_again(empty_cache):
    sweep(noted, {"a": [1], "b": [10]}, seeds=[0], workers=1, progress=False)
    (kept,) = (cache_folder() / "sweeps").iterdir()
    kept.write_text(kept.read_text()[:-5])
    table = sweep(noted, {"a": [1], "b": [10]}, seeds=[0], workers=1, progress=False)
    assert table["sum"].tolist() == [11] and len(calls(empty_cache)) == 2


def fails_on_two(a, seed):
    if a == 2:
        raise ZeroDivisionError("two")
    return {"x": a}


def test_a_failing_run_says_which_and_keeps_the_others():
    with pytest.raises(ValueError, match=r"'a': 2, 'seed': 0.*ZeroDivisionError: two"):
        sweep(fails_on_two, {"a": [1, 2]}, seeds=[0], workers=1, progress=False)
    assert len(list((cache_folder() / "sweeps").iterdir())) == 1


SCRIPT = """
import os, time
from tlcourse.sweep import sweep

def slow(a, seed):
    open(os.environ["SWEEP_LOG"], "a").write(f"{a}\\n")
    time.sleep(0.2)
    return {"x": a}

if __name__ == "__main__":
    print(sweep(slow, {"a": list(range(12))}, seeds=[0], workers=1, progress=False)["x"].tolist())
"""


def test_a_killed_sweep_goes_on_where_it_stopped(empty_cache):
    script = empty_cache / "experiment.py"
    script.write_text(SCRIPT, encoding="utf-8")
    process = subprocess.Popen([sys.executable, script])
    deadline = time.monotonic() + 60
    while len(calls(empty_cache)) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()
    before = calls(empty_cache)
    assert 4 <= len(before) < 12
    output = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == str(list(range(12)))
    assert len(calls(empty_cache)) <= 13, "only the run that was cut off may run twice"


def where(a, seed):
    return {"process": os.getpid(), "a": a}


def test_two_workers_are_two_processes():
    table = sweep(where, {"a": range(6)}, seeds=[0], workers=2, progress=False)
    assert os.getpid() not in set(table["process"]) and len(table) == 6


def looks_once(seed):
    domain = Domain("looked at", torch.arange(20)[:, None], torch.arange(20) % 2)
    return {"size": len(domain.split(seed=seed).test.open("in a sweep"))}


def test_looks_at_a_test_set_in_other_processes_are_counted_once():
    vault = Domain("looked at", torch.arange(20)[:, None], torch.arange(20) % 2).split(seed=3).test
    for _ in range(2):  # the second time the runs are only read, and no look is made
        table = sweep(looks_once, {}, seeds=[2, 3], workers=2, progress=False)
    assert [purpose for _, purpose in vault.looks] == ["in a sweep"]
    assert table.columns.tolist() == ["seed", "size"]


def score_of(model, seed):
    return {"x": len(model.score)}


def test_an_attribute_that_is_called_as_some_global_does_not_matter(monkeypatch):
    before = _known_by(score_of)
    monkeypatch.setitem(globals(), "score", 5)
    assert _known_by(score_of) == before


def test_the_same_call_runs_on_a_dask_cluster():
    distributed = pytest.importorskip("distributed", reason="needs the extra: tlcourse[cluster]")
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        workers = set(client.run(os.getpid).values())
        table = sweep(where, {"a": range(4)}, seeds=[0], progress=False)
    assert set(table["process"]) <= workers and table["a"].tolist() == [0, 1, 2, 3]


def test_a_function_of_a_notebook_may_use_torch_and_ask_a_domain_for_its_classes():
    """Pickled by value, it takes the module torch.classes along, for the name's sake."""
    source = ("import torch\n"
              "def run(seed):\n"
              "    domain = load('uci_digits')\n"
              "    return {'n': len(domain.classes) + int(torch.zeros(1))}\n")
    names = {"load": load, "__name__": "__main__"}
    exec(compile(source, "cell", "exec"), names)
    frame = joblib.Parallel(2)(joblib.delayed(names["run"])(seed) for seed in (0, 1))
    assert frame == [{"n": 10}, {"n": 10}]
