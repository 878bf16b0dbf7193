"""Every exercise of the course is proven, and a proof that proves nothing is found out."""

import importlib
import re
from pathlib import Path

import pytest
from proof import FEWEST, Proof

from tlcourse import check
from tlcourse.school import exercises

EXERCISES = [e for id in exercises.lessons() for e in exercises.lesson(id).EXERCISES]
QUESTIONS = [q for id in exercises.lessons() for q in exercises.lesson(id).QUIZ]


def proofs():
    modules = [importlib.import_module(path.stem)
               for path in sorted(Path(__file__).parent.glob("test_lesson[0-9]*.py"))]
    classes = [value for module in modules for value in vars(module).values()
               if isinstance(value, type) and value.__module__ == module.__name__]
    return [proof for found in classes for proof in getattr(found, "proofs", ())]


def test_every_exercise_has_one_proof_with_enough_wrong_answers():
    proven = {proof.id: len(proof.wrong) for proof in proofs()}
    assert list(proven) == [exercise.id for exercise in EXERCISES] == [p.id for p in proofs()]
    assert {id: n for id, n in proven.items() if n < FEWEST} == {}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_exercise_is_complete(exercise):
    assert re.fullmatch(r"\d+\.\d+", exercise.id)
    assert exercise.kind in exercises.KINDS and exercise.minutes > 0
    assert len(exercise.hints) == 3 and all(exercise.hints)
    assert exercise.checks and exercise.praise.endswith(".")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"quiz {question.id}")
def test_every_question_explains_each_option_and_one_of_them_is_right(question):
    options = question.by_letter()
    assert question.right in options and len(options) == len(question.options) >= 2
    explanations = [option.why for option in options.values()]
    assert all(explanations) and len(set(explanations)) == len(explanations)


# A proof of the proofs, on an exercise of two lines.


def _double():
    def double(x):
        return 2 * x

    return double


def _value(answer, seed):
    got = answer(seed + 1)
    if got != 2 * (seed + 1):
        return "too little." if got < 2 * (seed + 1) else "too much."


CELLS = {"exercise": 'def double(x):\n    return x\ndouble = check("90.1", double)',
         "solution": 'def double(x):\n    return TWO * x\ndouble = check("90.1", double)'}
WRONG = [(lambda x: x, "too little"), (lambda x: 3 * x, "too much"), (None, "no answer yet")]


@pytest.fixture
def exercise(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))
    one = exercises.Exercise("90.1", "t", "write", 1, _double, [exercises.exists(), _value],
                             ("a", "b", "c"))
    monkeypatch.setattr(exercises, "get", {"90.1": one}.__getitem__)
    monkeypatch.setattr("proof._cell", lambda id, tag: CELLS[tag])
    return one


def given():
    return {"TWO": 2}


def test_a_sound_proof_holds(exercise):
    proof = Proof("90.1", WRONG, given)
    proof.reference_passes()
    proof.wrong_answers_get_their_messages()
    proof.messages_differ()
    proof.starter_fails_softly()
    proof.solution_passes()


def alternating(x):
    return 2 * x if x == 1 else x  # right for seed 0 alone


@pytest.mark.parametrize(("wrong", "said"), [
    ([*WRONG, (lambda x: x + x, "too")], "seed 0: .* passes"),
    ([*WRONG, (alternating, "too little")], "seed 0: .* passes"),
    ([*WRONG, (lambda x: 4 * x, "too little")], "gets 'too much.'"),
    (WRONG[:2], "has 2 wrong answers"),
])
def test_a_wrong_answer_that_passes_or_is_told_something_else_fails_the_proof(
    exercise, wrong, said
):
    with pytest.raises(AssertionError, match=said):
        Proof("90.1", wrong, given).wrong_answers_get_their_messages()


def test_two_wrong_answers_told_the_same_fail_the_proof(exercise):
    with pytest.raises(AssertionError, match="told twice"):
        Proof("90.1", [*WRONG, (lambda x: 4 * x, "too much")], given).messages_differ()


@pytest.mark.parametrize(("tag", "cell", "claim"), [
    ("exercise", CELLS["solution"], "starter_fails_softly"),
    ("solution", CELLS["exercise"], "solution_passes"),
])
def test_a_starter_that_passes_or_a_solution_that_fails_fails_the_proof(
    exercise, monkeypatch, tag, cell, claim
):
    monkeypatch.setitem(CELLS, tag, cell)
    with pytest.raises(AssertionError, match=r"90\.1"):
        getattr(Proof("90.1", WRONG, given), claim)()


def test_a_reference_that_fails_its_own_checks_fails_the_proof(exercise, monkeypatch):
    monkeypatch.setattr(check, "grade", lambda *a, **k: check.__globals__["Result"](False, "no"))
    with pytest.raises(AssertionError, match=r"90\.1, seed 0: no"):
        Proof("90.1", WRONG, given).reference_passes()
