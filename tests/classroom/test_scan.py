"""What no honest answer needs is said, and no honest answer is spoken of."""

import inspect
from textwrap import dedent

import pytest

from tlcourse.notebook import exercises, lessons
from tlschool.authoring.source import checked, read_source, tags
from tlschool.classroom.assignment import Task
from tlschool.classroom.scan import scan

PROOFS = [proof for id in exercises.lessons() for proof in lessons.part(id, "proofs").PROOFS]


def remarks(source, id="1.2"):
    check = f"{id}-check"
    return scan([("setup", "import numpy as np\nimport torch"), ("answer", source), (check, "")],
                ["setup", check], {check: Task(id, "answer", 5)})


@pytest.mark.parametrize(("source", "said"), [
    ("import gc", "uses gc"),
    ("from gc import get_objects", "uses gc"),
    ("import sys\nsys.modules['numpy'] = None", "uses sys.modules"),
    ("from sys import modules as m", "uses sys.modules"),
    ("import sys as s\ns.settrace(print)", "uses sys.settrace"),
    ("from inspect import currentframe", "uses inspect.currentframe"),
    ("import inspect\ninspect.stack()", "uses inspect.stack"),
    ("np.allclose = lambda *a, **k: True", "replaces numpy.allclose"),
    ("setattr(np, 'allclose', print)", "replaces numpy.allclose"),
    ("from numpy import linalg\nlinalg.norm, x = print, 1", "replaces numpy.linalg.norm"),
    ("class A:\n    def __eq__(self, other):\n        return True",
     "defines __eq__, by which an object says what it is equal to"),
    ("class A(float):\n    __ne__ = __eq__ = lambda self, other: True",
     "defines __eq__, by which an object says what it is equal to"),
    ("def f(x): return f.__globals__", "looks into __globals__"),
    ("__import__('gc')", "uses __import__"),
    ("from tlschool.classroom import checks",
     "imports tlschool.classroom.checks, which belongs to the checks"),
    ("from tlcourse.notebook import exercises",
     "imports tlcourse.notebook.exercises, which belongs to the checks"),
    ("%matplotlib inline\nimport gc", "uses gc"),
])
def test_a_trick_is_named(source, said):
    assert f"1.2: the code {said}" in remarks(source)


@pytest.mark.parametrize(("id", "source", "name"), [
    ("2.3", "from tlcourse.finetune import freeze as f\nfreeze = lambda module: f(module)",
     "freeze"),
    ("5.4", "import tlcourse.distances as d\ndef mmd2(x, y, s):\n    return d.mmd2(x, y, s)",
     "mmd2"),
    ("8.2", "from tlcourse import diagnose\ndiagnose.measure.black_box_shift", "black_box_shift"),
])
def test_the_course_s_own_function_in_place_of_an_answer_is_named(id, source, name):
    assert remarks(source, id) == [
        f"{id}: the code uses the course's own {name}, which the exercise asks to write"]


def test_it_is_named_where_it_was_imported_in_another_exercise():
    cells = [("a", "from tlcourse.finetune import freeze"), ("a-check", ""),
             ("b", "mine = lambda m: freeze(m)"), ("b-check", "")]
    tasks = {"a-check": Task("2.1", "a", 2), "b-check": Task("2.3", "mine", 5)}
    assert [one[:3] for one in scan(cells, ["a-check", "b-check"], tasks)] == ["2.3"]


@pytest.mark.parametrize("source", [
    "torch.backends.cudnn.deterministic = True\nnp.random.seed(0)",
    "import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 90",
    "class Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.head = torch.nn.Linear(2, 2)\n    def __repr__(self):\n        return 'net'",
    "import sys\nprint(sys.version, file=sys.stderr)\nsys.setrecursionlimit(5000)",
    "import inspect\nprint(inspect.signature(len), inspect.getsource(np.allclose))",
    "import importlib\nimportlib.reload(np)\n%timeit sum(range(9))\n!ls",
    "from tlcourse import check, load, hint\nfrom tlcourse.notebook import check\nhint('1.2')",
    "from tlschool.classroom import visible\nvisible('1.2', None)",
    "from tlcourse.school.classroom import visible",
    "def recall(c):\n    recall.calls = 1\n    return np.divide(c.diagonal(), c.sum(1))",
    "model.head.weight.data = -torch.eye(4)\nfor p in model.parameters(): p.grad = None",
    "from dataclasses import dataclass\n@dataclass(order=True)\nclass Look:\n    score: float",
    "from tlcourse.finetune import freeze, l2_sp  # of another lesson\nfreeze(model)",
    "x = [\n", "answer = " + "(" * 5000, "answer = " + "1 + " * 5000 + "1",
])
def test_nothing_is_said_of_what_honest_people_write(source):
    assert remarks(source) == []


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_nothing_is_said_of_any_right_proof(proof):
    for answer in proof.right:
        if inspect.isroutine(answer) or isinstance(answer, type):
            assert remarks(dedent(inspect.getsource(answer)), proof.id) == []


@pytest.mark.parametrize("lesson", exercises.lessons())
def test_nothing_is_said_of_any_solution(lesson):
    cells = read_source(lesson).cells
    for exercise, cell in [(checked(cell), cell) for cell in cells if "solution" in tags(cell)]:
        assert remarks(cell.source, exercise) == []
