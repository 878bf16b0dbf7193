"""Every exercise is proven: its checks accept what is right and say what is wrong.

The answers stand in each lesson's ``proofs.py``; a proof that proves nothing is found out below.
"""

import contextlib
import io
import linecache
import re
from dataclasses import replace
from functools import cache

import pytest

from tlcourse import check
from tlcourse.notebook import exercises, lessons
from tlcourse.notebook.check import Result
from tlcourse.notebook.ladder import exists
from tlcourse.notebook.proof import Proof
from tlcourse.utils.messages import say
from tlschool.authoring.source import checked, read_source, tags
from tlschool.classroom import variants
from tlschool.classroom.checks import graded_exercise, judge, visible_exercise

SEEDS = (0, 1, 2)
FEWEST = 3
EXERCISES = [e for id in exercises.lessons() for e in exercises.lesson(id).exercises]
QUESTIONS = [q for id in exercises.lessons() for q in exercises.lesson(id).questions]
PROOFS = [proof for id in exercises.lessons() for proof in lessons.part(id, "proofs").PROOFS]


@pytest.fixture(autouse=True)
def progress_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))


def of_each(values):
    return pytest.mark.parametrize("proof", values, ids=str)


def test_every_exercise_has_one_proof_with_enough_wrong_answers():
    assert [proof.id for proof in PROOFS] == [exercise.id for exercise in EXERCISES]
    assert {proof.id: len(proof.wrong) for proof in PROOFS if len(proof.wrong) < FEWEST} == {}


@pytest.mark.parametrize("lesson", exercises.lessons())
def test_at_least_half_of_a_lesson_s_exercises_have_an_answer_that_only_the_hidden_check_refuses(
    lesson
):
    proofs = lessons.part(lesson, "proofs").PROOFS
    assert sum(bool(proof.only_visible) for proof in proofs) >= len(proofs) / 2


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


@of_each(PROOFS)
def test_the_reference_passes(proof):
    reference_passes(proof)


@of_each(PROOFS)
def test_each_wrong_answer_gets_its_own_message(proof):
    wrong_answers_get_their_own_messages(proof)


@of_each(PROOFS)
def test_the_untouched_starter_fails_softly(proof):
    starter_fails_softly(proof)


@of_each(PROOFS)
def test_the_solution_passes(proof):
    solution_passes(proof)


@of_each([proof for proof in PROOFS if proof.right])
def test_a_right_answer_passes_in_every_variant_however_it_is_written(proof):
    numbers = proof.id in getattr(variants.own(proof.id), "CHECKS", {})
    for answer in proof.right:
        for variant in (0,) if numbers else (0, 1, 2, 3):
            result = judge(as_if_a_learner_s(graded_exercise(proof.id, variant)), answer,
                           variants.seeds(variant))
            assert result.passed, result.message
        assert judge(visible_exercise(proof.id), answer, []).passed


@of_each([proof for proof in PROOFS if proof.only_visible])
def test_an_answer_that_passes_the_visible_check_alone_is_refused_by_the_hidden_one(proof):
    for answer in proof.only_visible:
        assert judge(visible_exercise(proof.id), answer, []).passed
        graded = as_if_a_learner_s(graded_exercise(proof.id, 0))
        assert not judge(graded, answer, variants.seeds(0)).passed


@pytest.mark.parametrize("id", [exercise.id for exercise in EXERCISES])
def test_the_hidden_ladder_holds_the_whole_visible_one(id):
    """So what the visible check refuses, each wrong answer above, the hidden one refuses."""
    steps, hidden = list(exercises.get(id).checks), list(graded_exercise(id, 0).checks)
    assert any(hidden[i : i + len(steps)] == steps for i in range(len(hidden)))


def as_if_a_learner_s(exercise):
    """Without the first step, which refuses all functions from the course's own files."""
    of_ones_own, *steps = exercise.checks
    assert of_ones_own.__name__ == "_of_ones_own"
    return replace(exercise, checks=steps)


def reference_passes(proof):
    for seed in SEEDS:
        result = check.grade(proof.id, exercises.get(proof.id).reference(), seed=seed)
        assert result.passed, f"{proof.id}, seed {seed}: {result.message}"


def wrong_answers_get_their_own_messages(proof):
    assert len(proof.wrong) >= FEWEST, f"{proof.id} has {len(proof.wrong)} wrong answers"
    first = []
    for answer, fragment in (*proof.wrong, *proof.alike):
        results = [check.grade(proof.id, answer, seed=seed) for seed in SEEDS]
        for seed, result in zip(SEEDS, results, strict=True):
            assert not result.passed, f"{proof.id}, seed {seed}: {answer!r} passes"
            assert fragment in result.message, (
                f"{proof.id}, seed {seed}: {answer!r} gets {result.message!r}")
        first.append(results[0].message)
    told = first[: len(proof.wrong)]
    assert len(set(told)) == len(told), f"{proof.id}: told twice in {told}"


def starter_fails_softly(proof):
    """The untouched cell is told so, once, and goes on with the reference."""
    name, value, said = run_cell(proof, "exercise")
    assert said.startswith(f"{proof.id} not yet: "), said
    assert "The reference solution stands in" in said, said
    assert "lent to you" in check.grade(proof.id, value).message, f"{name} is not the reference"


def solution_passes(proof):
    _, value, said = run_cell(proof, "solution")
    told = "is recorded" if exercises.get(proof.id).kind == "predict" else "passed: "
    assert said.startswith(f"{proof.id} {told}"), said
    assert check.grade(proof.id, value).passed


def run_cell(proof, tag) -> tuple[str, object, str]:
    """Execute a cell of the lesson's source: (name of the answer, its value, what it said)."""
    source, file = cell(proof.id, tag), f"<{tag} {proof.id}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {"check": check, **proof.given()}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(source, file, "exec"), names)  # noqa: S102, the lesson's own cell
    name = source.strip().splitlines()[-1].partition(" = ")[0]
    return name, names[name], one_message(said.getvalue())


def one_message(said: str) -> str:
    """What was said as one line; refuses more than one message."""
    message, again = " ".join(said.split()), io.StringIO()
    with contextlib.redirect_stdout(again):
        say(message)
    assert said == again.getvalue(), f"more than one message: {said!r}"
    return message


def cell(id: str, tag: str) -> str:
    found = [each.source for each in source_of(id.partition(".")[0]).cells
             if tag in tags(each) and checked(each) == id]
    assert len(found) == 1, f"the lesson has {len(found)} cells tagged {tag} for exercise {id}"
    return found[0]


source_of = cache(read_source)


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
def exercise(monkeypatch):
    one = exercises.Exercise("90.1", "t", "write", 1, _double, [exists(), _value],
                             ("a", "b", "c"))
    monkeypatch.setattr(exercises, "get", {"90.1": one}.__getitem__)
    monkeypatch.setattr(f"{__name__}.cell", lambda id, tag: CELLS[tag])
    return one


def given():
    return {"TWO": 2}


def test_a_sound_proof_holds(exercise):
    proof = Proof("90.1", WRONG, given=given)
    reference_passes(proof)
    wrong_answers_get_their_own_messages(proof)
    starter_fails_softly(proof)
    solution_passes(proof)


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
        wrong_answers_get_their_own_messages(Proof("90.1", wrong))


def test_two_wrong_answers_told_the_same_fail_the_proof(exercise):
    with pytest.raises(AssertionError, match="told twice"):
        wrong_answers_get_their_own_messages(
            Proof("90.1", [*WRONG, (lambda x: 4 * x, "too much")]))


@pytest.mark.parametrize(("tag", "cell", "claim"), [
    ("exercise", CELLS["solution"], starter_fails_softly),
    ("solution", CELLS["exercise"], solution_passes),
])
def test_a_starter_that_passes_or_a_solution_that_fails_fails_the_proof(
    exercise, monkeypatch, tag, cell, claim
):
    monkeypatch.setitem(CELLS, tag, cell)
    with pytest.raises(AssertionError, match=r"90\.1"):
        claim(Proof("90.1", WRONG, given=given))


def test_a_reference_that_fails_its_own_checks_fails_the_proof(exercise, monkeypatch):
    monkeypatch.setattr(check, "grade", lambda *a, **k: Result(False, "no"))
    with pytest.raises(AssertionError, match=r"90\.1, seed 0: no"):
        reference_passes(Proof("90.1", WRONG))
