"""What the hidden check is made of; which answers it refuses is proven with the lessons."""

import pytest

from tlcourse.notebook import check, exercises, places
from tlschool.classroom import variants
from tlschool.classroom.checks import graded_exercise, hidden, judge, visible, visible_exercise

IDS = [exercise.id for lesson in exercises.lessons()
       for exercise in exercises.lesson(lesson).exercises]


def visible_accepts(id, answer):
    return check.climb(visible_exercise(id), answer, 0).passed


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
    assert result.message == ("this function is the course's own, from "
                              "tlcourse.finetune.freezing: write one yourself.")


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
    assert "0.1 not yet: choose one of" in said
    assert "1.1 not yet: such a number lies between 0 and 1" in said


def test_the_checks_for_nbgrader_give_points(capsys):
    assert hidden("1.2", lambda c: c.diagonal() / c.sum(axis=0)) == 0.0
    assert hidden("1.2", lambda c: c.diagonal() / c.sum(axis=1)) == 5.0
    assert "1.2 not yet: this divides by how often a class was predicted" in capsys.readouterr().out


def test_nothing_is_lent(capsys):
    """So no later cell can mistake the reference for the learner's own."""
    assert visible("1.2", lambda confusion: confusion.diagonal() / confusion.sum(axis=1)) is None
    assert "reference" not in capsys.readouterr().out


def test_every_lesson_finds_its_further_checks():
    for lesson in exercises.lessons():
        module = variants.own(f"{int(lesson)}.1")
        named = {id for name in ("PROPERTIES", "WORDS", "CHECKS")
                 for id in getattr(module, name, {})}
        assert named and named <= set(IDS)
    with pytest.raises(places.UnknownLesson):
        variants.own("99.1")
