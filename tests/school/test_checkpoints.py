"""A lesson runs once on this computer; its state before each section is then there in a moment."""

import inspect
import re
import sys
from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from tlcourse.data import domain
from tlcourse.notebook import check
from tlcourse.utils import cache
from tlschool.authoring import runner
from tlschool.live import checkpoints, steps

SECONDS = 2  # once torch is imported
REAL = "04"  # the lesson that is quick to run
TWICE = "def twice(x):\n    return factor * x\n"
BEGIN = f"""import matplotlib.pyplot as plt
import torch
from tlcourse import check, load
from ipywidgets import interact

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((3,), 4.0))

{TWICE}
@interact(n=(0, 4))
def knob(n=1):
    print(n)

factor, unused = 2, torch.zeros(1000)
net = Net()
both = [net, net]
methods = {{"by name": twice, "lambda": lambda x: factor + x}}
endless = (n for n in both)
parts = load("uci_digits").split(seed=0)
parts.test.open("a first look")
drawn = plt.figure()

def heavier(by=net):
    return by
print("loud")"""
USE = "print(knob, net, both, methods, endless, parts, order, drawn, heavier())"


def small_lesson(begin=BEGIN):
    """Three sections, the second with an exercise."""
    starter, solution = (new_code_cell(f'order = {value}\norder = check("0.1", order)')
                         for value in ("...", '"b"'))
    return steps.Lesson({"id": "90", "seconds": 1.0, "minutes": {"teaching": 9}}, [
        steps.Step(1, "begin", "# Begin", new_code_cell(begin)),
        steps.Step(2, "exercise", "# Exercise", starter, solution),
        steps.Step(3, "use", "# Use", new_code_cell(USE)),
    ], "")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The cache folder after the small lesson ran in a kernel."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLCOURSE_CACHE", str(folder))
        checkpoints.make(small_lesson())
    return folder


@pytest.fixture
def loaded(kept, monkeypatch, capsys, workspace):
    """The namespace before the last section, and what was said of it."""
    plt.close("all")  # what other tests of this process drew
    monkeypatch.setenv("TLCOURSE_CACHE", str(kept))
    monkeypatch.setattr(domain, "LOOKS", [])
    capsys.readouterr()
    space = {"__name__": "__main__", "mine": 1}
    made = checkpoints.load(small_lesson(), "use", space)
    assert capsys.readouterr() == ("", "") and plt.get_fignums() == []
    return space, made


def test_it_brings_what_later_cells_use_and_names_what_it_could_not_keep(loaded):
    space, made = loaded
    assert {"both", "order", "drawn", "knob", "methods", "net", "Net", "parts", "twice"} <= set(
        made.names)
    assert set(made.names) <= space.keys()
    assert made.left_out == ["endless"]
    assert "unused" not in space and "interact" not in space and space["mine"] == 1


def test_what_values_share_stays_shared(loaded):
    space, _ = loaded
    assert space["both"][0] is space["both"][1] is space["net"]
    assert type(space["net"]) is space["Net"]
    assert space["net"].weight.tolist() == [4, 4, 4]
    assert space["methods"]["by name"] is space["twice"]


def test_a_value_may_be_the_default_of_a_parameter(loaded):
    space, _ = loaded
    assert space["heavier"]() is space["net"]


def test_its_functions_live_in_the_namespace_that_loads_them(loaded):
    space, _ = loaded
    for function in space["methods"].values():
        assert function.__globals__ is space
    assert [f(10) for f in space["methods"].values()] == [20, 12]
    space["factor"] = 5
    assert [f(10) for f in space["methods"].values()] == [50, 15]


def test_a_function_has_the_source_that_it_has_in_a_cell(loaded, monkeypatch):
    """So a sweep over it that was computed before the kernel was restarted is not done again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell replaces it
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_cell(TWICE)
    assert inspect.getsource(loaded[0]["twice"]) == inspect.getsource(shell.user_ns["twice"])


def test_an_exercise_that_it_answers_does_not_count_as_passed(loaded, workspace):
    space, _ = loaded
    assert space["order"] == "b"
    assert "lent to you" in check.grade("0.1", space["order"]).message
    assert not (workspace / "progress.json").exists()


def test_the_looks_at_test_sets_are_part_of_the_state(loaded):
    space, _ = loaded
    assert [why for _, why in space["parts"].test.looks] == ["a first look"]


def test_a_changed_lesson_or_science_or_a_damaged_file_is_a_miss(kept, monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_CACHE", str(kept))
    lesson = small_lesson()
    assert checkpoints.is_made(lesson)
    assert checkpoints.is_made(replace(lesson, closing="other words"))
    assert not checkpoints.is_made(small_lesson(BEGIN + "\n"))
    with monkeypatch.context() as patch:
        patch.setattr(cache, "SCIENCE", "another")
        assert not checkpoints.is_made(lesson)
    (file,) = (kept / "checkpoints" / "90").iterdir()
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    damaged = tmp_path / file.relative_to(kept)
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(file.read_bytes()[:-1])
    assert not checkpoints.is_made(lesson)
    with pytest.raises(checkpoints.UnknownCheckpoint, match="no run from which to load"):
        checkpoints.load(lesson, "use", {})


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, runner.RunError])
def test_a_run_that_does_not_end_leaves_nothing(stopped, tmp_path, monkeypatch, capsys):
    def half(notebook, *, folder, **settings):
        (folder / checkpoints.KEPT).mkdir()
        (folder / checkpoints.KEPT / "begin").write_bytes(b"half")
        raise stopped("in the middle")

    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(runner, "execute", half)
    with pytest.raises(stopped):
        checkpoints.make(small_lesson())
    assert list(tmp_path.iterdir()) == [] and not checkpoints.is_made(small_lesson())
    said = " ".join(capsys.readouterr().out.split())
    assert "runs once on this computer" in said and "that took 1 s" in said


def test_a_run_takes_the_place_of_that_of_the_lesson_before_it_changed(tmp_path, monkeypatch):
    def whole(notebook, *, folder, **settings):
        (folder / checkpoints.KEPT).mkdir()

    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(runner, "execute", whole)
    checkpoints.make(small_lesson())
    checkpoints.make(small_lesson("changed = 1"))
    assert checkpoints.is_made(small_lesson("changed = 1"))
    assert len(list((tmp_path / "checkpoints" / "90").iterdir())) == 1


@pytest.mark.parametrize(("name", "said"), [
    ("nowhere", "no checkpoint 'nowhere'; there is start-here, ten-lines"),
    ("the", None), ("", "8 checkpoints ''"),
])
def test_an_unknown_name_is_one_sentence_with_the_known_ones(name, said):
    lesson = steps.read("00")
    if said is None:
        assert checkpoints.find(lesson, name) == "the-words"
        return
    with pytest.raises(checkpoints.UnknownCheckpoint, match=re.escape(said)):
        checkpoints.load(lesson, name, {})


LOAD = """%reset -f
import time as _time
from tlschool.live import checkpoints as _checkpoints, steps as _steps
_start = _time.process_time()
_made = _checkpoints.load(_steps.read({id!r}), {section!r}, globals())
print(_made.left_out, _time.process_time() - _start)"""


def test_after_each_checkpoint_of_a_real_lesson_the_rest_of_it_runs(tmp_path):
    """In one kernel, which has no run of the lesson at first and makes it."""
    lesson = steps.read(REAL)
    sections = [name for name, *_ in lesson.sections()]
    cells = ["%load_ext tlschool.live.magic", f"%live {REAL}", f"%live checkpoint {sections[-1]}"]
    loads = {}
    for number, section in enumerate(sections):
        loads[section] = len(cells)
        cells.append(LOAD.format(id=REAL, section=section))
        cells += [(step.solution or step.cell).source for step in lesson.steps
                  if sections.index(step.section) >= number]
    notebook = new_notebook(cells=[new_code_cell(text) for text in cells])
    runner.execute(notebook, folder=tmp_path, timeout=600)

    said = " ".join("".join(output.text for output in notebook.cells[2].outputs).split())
    built = f"{lesson.about['seconds']:.0f} s"
    assert f"Lesson {REAL} runs once on this computer" in said and built in said
    assert "100%" in said and f"The state before '{sections[-1]}' is loaded in" in said
    for section, index in loads.items():
        (output,) = notebook.cells[index].outputs  # nothing else is drawn or printed
        left_out, _, seconds = output.text.strip().rpartition(" ")
        assert left_out == "[]" and float(seconds) < SECONDS, section
