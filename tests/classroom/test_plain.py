"""What a check compares is of plain types, so no object can claim to be the right answer."""

import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hand_ins import LIMITS, content, given, perfect

from tlcourse.notebook import exercises
from tlschool.classroom import execute, variants
from tlschool.classroom.checks import graded_exercise, judge
from tlschool.classroom.plain import plain, plain_answer

YES = """
class Yes(float):
    __hash__ = float.__hash__
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __sub__ = __rsub__ = lambda self, other: 0.0
    __abs__ = lambda self: 0.0
def chosen_score(on_validation, on_test):
    return Yes(0.5)
"""
OBJECT = """
class Yes:
    def __eq__(self, other):
        return True
def chosen_score(on_validation, on_test):
    return Yes()
"""
LYING = """
import numpy as np
class Lying(np.ndarray):
    def __array_ufunc__(self, *given, **more):
        return True
    def __array_function__(self, *given, **more):
        return True
def recall_per_class(confusion):
    return np.zeros(len(confusion)).view(Lying)
"""


def earned(**answers):
    return [one.points for one in execute.run(content(perfect(**answers)), given(), LIMITS).earned]


@pytest.mark.parametrize("code", [YES, OBJECT], ids=["a number", "an object"])
def test_what_is_equal_to_everything_earns_nothing(code, monkeypatch):
    assert earned(ex_1_4=code) == [2, 5, 8, 0]
    monkeypatch.setattr(execute, "_WORKER", [sys.executable, "-c", (
        "from tlschool.classroom import apart, checks, worker\napart.can_fork = lambda: False\n"
        "checks.plain_answer = lambda answer: answer\nworker.main()")])
    assert earned(ex_1_4=code) == [2, 5, 8, 8], "so it is this that stops it"


def test_arrays_that_lie_earn_nothing():
    assert earned(ex_1_2=LYING) == [2, 0, 8, 8]


class _Number(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class _Text(str):
    def strip(self):
        return "b"


class _Array(np.ndarray):
    def sum(self):
        return 7


class _Tensor(torch.Tensor):
    def sum(self):
        return 7


class _List(list):
    def __len__(self):
        return 7


@pytest.mark.parametrize("value", [
    _Number(3), _Text("a"), np.zeros(2).view(_Array), torch.zeros(2).as_subclass(_Tensor),
    _List([1]), {"a": [_Number(3)]}, (np.ma.zeros(2),)], ids=lambda value: type(value).__name__)
def test_a_subclass_becomes_its_base(value, monkeypatch):
    for kind in (_Number, _Text, _Array, _Tensor, _List):
        monkeypatch.setattr(kind, "__module__", "__main__")
    made = plain(value)
    inside = made["a"][0] if isinstance(made, dict) else made[0] if type(made) is tuple else made
    assert type(inside) in (float, str, np.ndarray, torch.Tensor, list)


def test_a_tensor_with_a_method_of_its_own_loses_it_and_keeps_its_gradient():
    weight = torch.ones(3, requires_grad=True)
    loss = (weight * 2).sum()
    loss.item = lambda: 0.0
    assert plain(loss).item() == 6.0
    plain(loss).backward()
    assert weight.grad.tolist() == [2.0] * 3


@pytest.mark.parametrize("value", [
    3, "a", [1, (2.0, None)], {"lr": 1, "params": [torch.nn.Parameter(torch.ones(1))]},
    np.float32(2), np.arange(3), torch.ones(2), OrderedDict(a=torch.ones(1)), {1, 2}, range(3),
    torch.nn.Linear(1, 1), torch.optim.SGD, torch.ones(2, 2).max(0)], ids=repr)
def test_what_is_plain_already_stays_the_same_object(value):
    assert plain(value) is value


def test_a_function_keeps_its_name_and_its_signature():
    import inspect

    def answer(a, b=2):
        """Says."""
        return a + b

    wrapped = plain_answer(answer)
    assert wrapped.__name__ == "answer" and inspect.signature(wrapped) == inspect.signature(answer)
    assert wrapped(1) == 3


@pytest.mark.parametrize("id", ["1.2", "3.2", "3.4", "5.4"])
def test_right_answers_that_return_tensors_groups_and_networks_still_pass(id):
    exercise = graded_exercise(id, 0)
    object.__setattr__(exercise, "checks", exercise.checks[1:])
    result = judge(exercise, exercises.get(id).reference(), variants.seeds(0))
    assert result.passed, result.message
