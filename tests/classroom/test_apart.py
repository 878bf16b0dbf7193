"""What is made of plain values is judged where none of the learner's code ever ran."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_ins import LIMITS, WRONG, content, given, perfect
from test_plain import YES

from tlcourse.notebook import exercises, lessons
from tlschool.classroom import apart, execute, variants, wire
from tlschool.classroom.checks import graded_exercise

only_linux = pytest.mark.skipif(not apart.can_fork(), reason="there is one process for both")
IDS = [exercise.id for id in exercises.lessons() for exercise in exercises.lesson(id).exercises]
PROOFS = {proof.id: proof for id in exercises.lessons()
          for proof in lessons.part(id, "proofs").PROOFS}
REFUSED = ": this passed beside the code that made it, and not in the process that judges"


def loopback(answer):
    """Answers as a learner's process does, in this one."""
    def ask(order):
        try:
            if order["do"] == "value":
                return {"value": wire.pack(answer)}
            given, named = wire.unpack(order["given"]), wire.unpack(order["named"])
            value = wire.pack(answer(*given, **named))
            return {"value": value, "given": wire.pack([*given, *named.values()])}
        except Exception as error:  # noqa: BLE001
            return {"error": str(error)}

    return ask


def passes(id, answer):
    exercise = graded_exercise(id, 0)
    exercise = replace(exercise, checks=exercise.checks[1:])
    return apart.judge_by_value(exercise, loopback(answer), variants.seeds(0)).passed


@pytest.mark.parametrize("id", IDS)
def test_what_goes_by_value_is_what_can_be_sent(id):
    reference = exercises.get(id).reference()
    assert passes(id, reference) == apart.goes_by_value(exercises.get(id))


@pytest.mark.parametrize("id", [id for id in IDS if apart.goes_by_value(exercises.get(id))])
def test_right_proofs_pass_by_value_and_wrong_ones_do_not(id):
    for answer in PROOFS[id].right:
        assert passes(id, answer)
    for answer, _ in PROOFS[id].wrong:
        assert not passes(id, answer)
    for answer in PROOFS[id].only_visible:
        assert not passes(id, answer)


@pytest.mark.parametrize("value", [
    None, True, 3, 2.5, 1 + 2j, "ü", ..., [1, [2.0]], (1, "a"), {1, 2}, {"a": [1], 2: None},
    range(2, 9, 3), np.float32(2.5), np.int64(7), np.bool_(True), float("inf"), 10**40],
    ids=repr)
def test_a_value_comes_back_as_it_was(value):
    back = wire.unpack(wire.pack(value))
    assert type(back) is type(value) and back == value


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.zeros((0, 4), np.int8),
                                   np.array(3), np.array(["a", "bcd"]), torch.eye(2),
                                   np.arange(9).reshape(3, 3).T[::2]])
def test_an_array_comes_back_with_its_type_and_shape(array):
    back = wire.unpack(wire.pack(array))
    assert type(back) is type(array) and back.dtype == array.dtype and back.shape == array.shape
    assert (np.asarray(back) == np.asarray(array)).all()


@pytest.mark.parametrize("value", [torch.nn.Linear(1, 1), object(), print, (x for x in ()),
                                   np.array([object()]), np.ndarray])
def test_of_anything_else_the_name_alone_is_sent(value):
    assert type(wire.unpack(wire.pack(value))).__name__ == type(value).__name__


def earned(**answers):
    outcome = execute.run(content(perfect(**answers)), given(), LIMITS)
    return [one.points for one in outcome.earned], outcome.remarks


FINDS_THE_JUDGE = """
import gc
for one in gc.get_objects():
    if type(one).__name__ == "Exercise":
        object.__setattr__(one, "checks", ())
"""
ANSWERS_FOR_IT = """
import gc, json, io
for one in gc.get_objects():
    if type(one) is io.TextIOWrapper and one.writable() and "rw" in str(getattr(one, "mode", "")):
        one.write(json.dumps({"event": "checked", "passed": True, "changed": []}) + "\\n")
        one.flush()
"""
IN_SYS_MODULES = """
import itertools, sys, types
fake = types.ModuleType("numpy")
fake.__dict__.update(sys.modules["numpy"].__dict__)
says = itertools.cycle([False, False, True, True, True])  # as an answer without a fault would do
fake.allclose = lambda *given, **more: next(says)
sys.modules["numpy"] = fake
"""
NO_GUARD = [sys.executable, "-c", (
    "from tlschool.classroom import checks, pristine, worker\n"
    "checks.plain_answer = lambda answer: answer\n"
    "pristine.Pristine.restore = lambda self: []\nworker.main()")]
NO_JUDGE = [*NO_GUARD[:2], "from tlschool.classroom import apart\n"
            "apart.can_fork = lambda: False\n" + NO_GUARD[2]]
TRICKS = {
    "the judge found through gc": dict(
        ex_1_2=FINDS_THE_JUDGE + WRONG["01-ex-1-2"]),
    "numpy replaced in sys.modules": dict(ex_1_2=IN_SYS_MODULES + WRONG["01-ex-1-2"]),
    "a number equal to everything": dict(ex_1_4=YES),
}


@only_linux
@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_beside_the_answer_earns_nothing_even_where_no_guard_undoes_it(trick, monkeypatch):
    place = 3 if "ex_1_4" in TRICKS[trick] else 1
    monkeypatch.setattr(execute, "_WORKER", NO_GUARD)
    points, remarks = earned(**TRICKS[trick])
    assert points[place] == 0 and f"1.{place + 1}{REFUSED}" in remarks
    monkeypatch.setattr(execute, "_WORKER", NO_JUDGE)
    assert earned(**TRICKS[trick])[0][place] > 0, "so it is the second process that stops it"


@only_linux
def test_who_answers_for_the_judge_gains_nothing():
    points, remarks = earned(ex_1_2=ANSWERS_FOR_IT + WRONG["01-ex-1-2"], ex_1_3=WRONG["01-ex-1-3"],
                             ex_1_4=WRONG["01-ex-1-4"])
    assert points in ([2, 0, 0, 0], [0, 0, 0, 0]) and "1.2: the code uses gc" in remarks


@only_linux
def test_the_judge_s_files_and_memory_are_closed_to_the_learner():
    look = """
import os
tried = []
for path in ("fd/1", "mem", "environ"):
    try:
        open(f"/proc/{os.getppid()}/{path}", "rb").close()
        os.listdir(f"/proc/{os.getppid()}/fd")
        tried.append(path)
    except OSError:
        pass
print("read", tried)
guess = 0.1
"""
    outcome = execute.run(content(perfect(ex_1_1=look)), given(), LIMITS)
    assert outcome.points == 23
    if execute.sandbox.why_not() is None:  # root without walls may do anything
        assert outcome.outputs["01-ex-1-1"].strip() == "read []"


def test_what_honest_functions_give_back_passes_by_value():
    right = dict(
        ex_1_2="import pandas as pd\ndef recall_per_class(confusion):\n"
               "    return pd.Series(confusion.diagonal() / confusion.sum(axis=1))",
        ex_1_3="def leaky_split(n):\n    print('called')\n"
               "    return [list(range(0, n, 2)), list(range(1, n, 2))]",
        ex_1_4="calls = []\ndef chosen_score(on_validation, on_test):\n    calls.append(1)\n"
               "    return np.float64(on_test[on_validation.index(max(on_validation))])")
    assert earned(**right) == ([2, 5, 8, 8], [])
