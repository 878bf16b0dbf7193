"""A cell that works with a lent reference says so below its output."""

from types import SimpleNamespace

import pytest
from IPython.core.events import EventManager

from tlcourse.notebook import lent


@pytest.fixture
def names(monkeypatch):
    monkeypatch.setattr(lent, "_lent", {})
    reference, other = [0.1, 0.2], [0.1, 0.2]
    lent.mark("3.2", reference)
    return {"speeds": reference, "own": other}


def test_a_cell_that_uses_the_reference_by_its_name_is_found(names):
    assert lent.borrowed("total = sum(speeds)", names) == ["3.2"]


def test_an_equal_object_of_the_learner_is_none(names):
    assert lent.borrowed("sum(own)", names) == []


def test_the_cell_that_checks_the_answer_has_been_told_already(names):
    assert lent.borrowed('speeds = ...\nspeeds = check("3.2", speeds)', names) == []


@pytest.mark.parametrize("code", ["%matplotlib inline\nspeeds", "def f(:", ""])
def test_what_is_no_plain_python_is_left_alone(names, code):
    assert lent.borrowed(code, names) == []


def test_one_line_is_printed_below_such_a_cell(monkeypatch, capsys):
    events = EventManager(None, {"post_run_cell": lambda result: None})
    shell = SimpleNamespace(user_ns={"f": [1]}, events=events)
    monkeypatch.setattr(lent, "_lent", {})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    lent.mark("9.1", shell.user_ns["f"])
    for code in ("g = f", "1 + 1", None):
        events.trigger("post_run_cell", SimpleNamespace(info=SimpleNamespace(raw_cell=code)))
    assert capsys.readouterr().out.count("(computed with the reference for 9.1,") == 1
