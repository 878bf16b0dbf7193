"""The hidden check refuses answers that pass the visible one, and accepts none that it refuses."""

import importlib
from pathlib import Path

import pytest
from only_visible import ONLY_VISIBLE, four_classes

from tlcourse.school import check, exercises
from tlcourse.school.classroom import variants
from tlcourse.school.classroom.judge import (
    graded_exercise,
    hidden,
    judge,
    visible,
    visible_exercise,
)

IDS = [exercise.id for lesson in exercises.lessons()
       for exercise in exercises.lesson(lesson).EXERCISES]


def visible_accepts(id, answer):
    return check.climb(visible_exercise(id), answer, 0).passed


def hidden_accepts(id, answer, variant=0):
    return judge(graded_exercise(id, variant), answer, variants.seeds(variant)).passed


@pytest.mark.parametrize(("id", "answer"), ONLY_VISIBLE.items())
def test_a_plausible_wrong_answer_passes_the_visible_check_and_not_the_hidden_one(id, answer):
    assert visible_accepts(id, answer)
    assert not hidden_accepts(id, answer)


@pytest.mark.parametrize("lesson", exercises.lessons())
def test_there_is_one_for_at_least_half_of_the_exercises_of_each_lesson(lesson):
    own = {exercise.id for exercise in exercises.lesson(lesson).EXERCISES}
    assert len(own & set(ONLY_VISIBLE)) >= len(own) / 2


@pytest.mark.parametrize("id", IDS)
def test_what_the_visible_check_refuses_the_hidden_one_refuses(id):
    """By construction, the hidden ladder holds the visible one; here, on every proven answer."""
    proofs = importlib.import_module(f"test_lesson{int(id.split('.')[0]):02}")
    classes = [value for value in vars(proofs).values() if hasattr(value, "proofs")]
    (proof,) = [proof for one in classes for proof in one.proofs if proof.id == id]
    for answer, _ in proof.wrong:
        assert not hidden_accepts(id, answer), answer


@pytest.mark.parametrize("id", IDS)
def test_the_reference_passes_on_every_seed_that_a_variant_may_draw(id):
    exercise = graded_exercise(id, 0)
    of_ones_own, *ladder = exercise.checks  # the first is meant for learners
    object.__setattr__(exercise, "checks", ladder)
    assert of_ones_own.__name__ == "_of_ones_own"
    seeds = [0] if exercise.kind == "predict" else variants.SEEDS
    for seed in seeds:
        result = check.climb(exercise, exercises.get(id).reference(), seed)
        assert result.passed, f"seed {seed}: {result.message}"


def test_the_courses_own_function_is_no_answer():
    from tlcourse.finetune import freeze

    assert visible_accepts("2.3", freeze)
    result = judge(graded_exercise("2.3", 0), freeze, [1])
    assert result.message == ("this function is the course's own, from tlcourse.freezing: write "
                              "one yourself.")


def test_the_visible_check_of_a_prediction_judges_its_form_alone(capsys):
    for letter in "abcd":
        visible("0.1", letter)
    said = capsys.readouterr().out.splitlines()
    assert set(said) == {"0.1 so far so good: further checks follow when this is graded."}
    visible("0.1", ...)
    visible("0.1", "the first")
    visible("1.1", 7)
    said = capsys.readouterr().out
    assert "0.1 not yet: there is no answer yet" in said
    assert "0.1 not yet: one letter is needed" in said
    assert "1.1 not yet: such a number lies between 0 and 1" in said


def test_the_checks_for_nbgrader_give_points(capsys):
    assert hidden("1.2", lambda c: c.diagonal() / c.sum(axis=0)) == 0.0
    assert hidden("1.2", lambda c: c.diagonal() / c.sum(axis=1)) == 5.0
    assert "1.2 not yet: this divides by how often a class was predicted" in capsys.readouterr().out


def test_nothing_is_lent(capsys):
    """So no later cell can mistake the reference for the learner's own."""
    assert visible("1.2", four_classes) is None
    assert "reference" not in capsys.readouterr().out


def test_every_lesson_finds_its_further_checks():
    folder = Path(variants.__file__).with_name("further")
    for path in folder.glob("lesson[0-9]*.py"):
        module = variants.own(f"{int(path.stem[-2:])}.1")
        named = {id for name in ("PROPERTIES", "WORDS", "CHECKS")
                 for id in getattr(module, name, {})}
        assert named and named <= set(IDS)
    assert variants.own("99.1") is None
