"""Checkpoints hold what the rest of a lesson needs, are quick, small, and of today's lessons."""

import builtins
import functools
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import time
from symtable import symtable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from tlcourse import load
from tlcourse.diagnose.report.report import Report
from tlcourse.models import small_cnn
from tlcourse.notebook import check, places
from tlcourse.stats import Gap
from tlcourse.training import History, accuracy
from tlcourse.utils import files
from tlschool.authoring import runner
from tlschool.authoring.source import read_source
from tlschool.live import checkpoints, steps, stored

LESSONS = list(places.notebooks())
SECONDS = 2  # once torch is imported
FIRST_FOUR = 1.5e6  # bytes


def recorded(id):
    """Checkpoints of a lesson, each with the numbers of its steps."""
    text = (checkpoints.folder() / f"{id}.json").read_text(encoding="utf-8")
    return json.loads(text)["checkpoints"]


def sections(id):
    return [name for name, *_ in steps.read(id).sections()]


@functools.cache
def rest(id):
    """Code of a lesson from each of its sections on, with the solutions."""
    names, lesson = sections(id), steps.read(id)
    return {name: [(step.solution or step.cell).source for step in lesson.steps
                   if names.index(step.section) >= first] for first, name in enumerate(names)}


@pytest.mark.parametrize("id", LESSONS)
def test_the_checkpoints_are_recorded_from_the_lesson_as_it_is(id):
    record = json.loads((checkpoints.folder() / f"{id}.json").read_text(encoding="utf-8"))
    assert record["code_sha256"] == checkpoints.fingerprint(read_source(id)), (
        f"the code of lesson {id} changed: run python data/runs/checkpoints.py {id}")
    assert checkpoints.names(id) == sections(id)


@pytest.mark.parametrize("id", LESSONS)
def test_nothing_that_a_later_cell_reads_is_missing(id):
    for name in checkpoints.names(id):
        space = {"__name__": "__main__"}
        checkpoints.load(id, name, space)
        known = space.keys() | vars(builtins).keys() | {"__name__"}
        for code in rest(id)[name]:
            reads, binds = set(), set()
            tables = [symtable(code, "cell", "exec")]
            for table in tables:
                tables += table.get_children()
                top = table.get_type() == "module"
                for symbol in table.get_symbols():
                    if symbol.is_referenced() and (top or symbol.is_global()):
                        reads.add(symbol.get_name())
                    if top and (symbol.is_assigned() or symbol.is_imported()):
                        binds.add(symbol.get_name())
            known |= binds
            assert reads <= known, f"{id} {name}: {reads - known}"


@pytest.mark.parametrize(("id", "name"), [("00", "the-words"), ("03", "staying-near-the-start")])
def test_after_a_checkpoint_the_rest_of_the_lesson_runs(id, name, tmp_path):
    begin = ["from tlschool.live import checkpoints",
             f"checkpoints.load({id!r}, {name!r}, globals())"]
    cells = [new_code_cell(text) for text in [*begin, *rest(id)[name]]]
    assert len(cells) > 5
    runner.execute(new_notebook(cells=cells), folder=tmp_path)


def test_a_checkpoint_is_there_in_two_seconds_once_torch_is_imported():
    counts = {(id, name): len(made) for id in LESSONS for name, made in recorded(id).items()}
    chosen = max(counts, key=counts.get)
    code = ("import sys, time\nfirst = time.process_time()\nimport torch\n"
            "start = time.process_time()\n"
            "from tlschool.live import checkpoints\n"
            "checkpoints.load(*sys.argv[1:], {'__name__': '__main__'})\n"
            "print(start - first, time.process_time() - start)")
    runs = [subprocess.run([sys.executable, "-c", code, *chosen], capture_output=True, text=True,
                           check=True, timeout=60, env=os.environ | {"OMP_NUM_THREADS": "1"})
            for _ in range(3)]
    torchs, taken = map(min, zip(*(map(float, run.stdout.split()) for run in runs), strict=True))
    # Most of it are imports, and how long torch's own took says how slow the computer is just now.
    assert taken < max(SECONDS, 1.6 * torchs), chosen


def test_no_checkpoint_computes_what_is_slow(monkeypatch, tmp_path):
    """With the packages imported and nothing kept from before, as in a room's first hour."""
    slow = {}
    for id in LESSONS:
        for number, name in enumerate(recorded(id)):
            taken = []
            for again in range(3):  # the first one imports
                monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / f"{id}-{number}-{again}"))
                start = time.process_time()
                checkpoints.load(id, name, {"__name__": "__main__"})
                taken.append(time.process_time() - start)
            if min(taken) > SECONDS / 2:
                slow[id, name] = min(taken)
            assert plt.get_fignums() == [], f"{id} {name} leaves a picture for the cell to show"
    assert slow == {}


def test_the_bundles_are_small_and_none_is_an_orphan():
    records = {path.stem: path.read_text(encoding="utf-8")
               for path in checkpoints.folder().glob("*.json")}
    weights = list(checkpoints.folder().glob("*.safetensors"))
    assert all(any(path.name in text for text in records.values()) for path in weights)
    first = [text for id, text in records.items() if id <= "03"]
    size = sum(len(text.encode()) for text in first)
    size += sum(path.stat().st_size for path in weights
                if any(path.name in text for text in first))
    assert size < FIRST_FOUR


def test_a_checkpoint_brings_the_networks_as_they_were_trained():
    space = {"__name__": "__main__"}
    checkpoints.load("00", "the-words", space)
    test = load("uci_digits").split(seed=0).test.open("test of the checkpoints")
    assert accuracy(space["tuned"], test) > accuracy(space["source_model"], test) + 0.1
    assert accuracy(space["source_model"], load("printed_digits")) > 0.98


def test_a_function_of_a_checkpoint_has_the_source_that_it_has_in_a_cell(tmp_path, monkeypatch):
    """So a sweep over it that was computed before the kernel was restarted is not done again."""
    code = "def one_run(seed):\n    return {'twice': 2 * seed}"
    (tmp_path / "00.json").write_text(json.dumps({"checkpoints": {"later": [0]}, "steps": [
        {"code": code, "names": ["one_run"]}]}), encoding="utf-8")
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell replaces it
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_cell(code)
    typed = inspect.getsource(shell.user_ns["one_run"])
    checkpoints.load("00", "later", shell.user_ns)
    assert inspect.getsource(shell.user_ns["one_run"]) == typed


def test_an_exercise_that_a_checkpoint_answers_does_not_count_as_passed(
    workspace, tmp_path, monkeypatch
):
    solution = next(step.solution.source for step in steps.read("00").steps
                    if "classify =" in step.code)
    code = solution.strip().rpartition("\n")[0]
    (tmp_path / "00.json").write_text(json.dumps({"checkpoints": {"later": [0]}, "steps": [
        {"code": code, "names": ["classify"], "lend": "classify"}]}), encoding="utf-8")
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path)
    space = {"__name__": "__main__"}
    assert checkpoints.load("0", "later", space) == ["classify"]
    assert "lent to you" in check.grade("0.2", space["classify"]).message
    assert not (workspace / "progress.json").exists()
    exec(code, space)
    assert check.grade("0.2", space["classify"]).passed, "the same answer by one's own hand does"


LONG = """import time
import torch
from tlcourse.models import small_cnn
from tlcourse.diagnose.report.report import Report

def train(model, steps):
    time.sleep(0.1)
    with torch.no_grad():
        model.head.bias += steps
    return [steps]

model = small_cnn(3, seed=0)
unused = small_cnn(3, seed=1)
def scaled(x):
    return x * factor
factor = 2
history = train(model, 5)
for name in ["a"]:
    print(name)
factor = 3"""


def test_a_recorder_stores_what_is_slow_and_runs_what_is_quick(tmp_path, monkeypatch):
    """Its plan for the end of a small lesson, loaded, is the state that running it gives."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    path = files.ROOT / "data" / "runs" / "checkpoints.py"
    spec = importlib.util.spec_from_file_location("recorder", path)
    recorder = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "recorder", recorder)
    spec.loader.exec_module(recorder)
    cells = [new_markdown_cell("## Train", id="00-train-1"), new_code_cell(LONG),
             new_markdown_cell("## Use", id="00-use-1"),
             new_code_cell("for name in [1]:\n    print(name, model.head, history, scaled(1))")]
    weights = {}
    statements, sections = recorder.execute(new_notebook(cells=cells), weights)
    plan = recorder.plan(statements, sections["use"])
    record = {"checkpoints": {"use": list(range(len(plan)))}, "steps": [
        recorder._step(statements[number], plan[number]) for number in sorted(plan)]}
    (tmp_path / "00.json").write_text(json.dumps(record), encoding="utf-8")
    for name, content in weights.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(checkpoints, "folder", lambda: tmp_path)

    space, whole = {"__name__": "__main__"}, {"__name__": "__main__"}
    made = checkpoints.load("00", "use", space)
    exec(LONG, whole)
    assert set(made) == {"small_cnn", "model", "scaled", "factor", "history"}
    assert space["history"] == [5] and space["scaled"](1) == whole["scaled"](1) == 3
    assert torch.equal(space["model"].head.bias, whole["model"].head.bias)


@pytest.mark.parametrize(("id", "name", "said"), [
    ("00", "nowhere", "no checkpoint 'nowhere'; there is start-here, ten-lines"),
    ("00", "the", None), ("00", "", "8 checkpoints ''"),
])
def test_an_unknown_name_is_one_sentence_with_the_known_ones(id, name, said):
    if said is None:
        assert checkpoints.find(id, name) == "the-words"
        return
    with pytest.raises(checkpoints.UnknownCheckpoint, match=re.escape(said)):
        checkpoints.load(id, name, {})


@pytest.mark.parametrize("value", [
    None, True, 0.1 + 0.2, "ü", [1, [2.5]], (1, "a"), {5: 0.1, ("a", 1): [1]}, np.float64(0.3),
    np.arange(6).reshape(2, 3), torch.tensor([[1, 2]]), History([1, 2], [0.5, 0.25], [0.9]),
    {"train": torch.rand(3)}, [Gap(0.1, 0.05, 0.15, 5)],
])
def test_what_is_stored_comes_back_as_it_was(value, tmp_path):
    back = stored.decode(json.loads(json.dumps(stored.encode(value, {}))), tmp_path)
    assert type(back) is type(value) and repr(back) == repr(value)


def test_a_report_comes_back_with_its_causes(tmp_path):
    patients = (files.ROOT / "data" / "runs" / "patients.json").read_text(encoding="utf-8")
    report = Report.from_dict(json.loads(patients)["patients"]["A"])
    back = stored.decode(json.loads(json.dumps(stored.encode(report, {}))), tmp_path)
    assert str(back) == str(report) and back.to_dict() == report.to_dict()


def test_a_table_comes_back_with_its_types_and_names(tmp_path):
    table = pd.DataFrame({"method": ["a", "b"], "labels": [10, 20], "accuracy": [0.1 + 0.2, 1 / 3]},
                         index=pd.Index([3, 7], name="seed"))
    back = stored.decode(json.loads(json.dumps(stored.encode(table, {}))), tmp_path)
    pd.testing.assert_frame_equal(back, table)


def test_weights_come_back_into_a_new_network_and_into_an_old_one(tmp_path):
    weights, model = {}, small_cnn(3, seed=4)
    kept = json.loads(json.dumps(stored.encode(model, weights)))
    for name, content in weights.items():
        (tmp_path / name).write_bytes(content)
    new, old = stored.decode(kept, tmp_path), small_cnn(3, seed=5)
    assert stored.decode(kept, tmp_path, old) is old
    for other in (new, old):
        assert all(torch.equal(a, b) for a, b in zip(
            model.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("value", [np.zeros(5000), object(), iter([]), {1: {2: np.zeros(5000)}}])
def test_what_cannot_be_stored_is_refused(value):
    with pytest.raises(stored.NotStorable):
        stored.encode(value, {})
