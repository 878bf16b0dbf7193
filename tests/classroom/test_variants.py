"""A variant changes the data of an exercise and not how hard it is."""

import re

import pytest
from hand_ins import given

from tlcourse.notebook import exercises, lessons
from tlschool.classroom import variants
from tlschool.classroom.checks import graded_exercise, judge

VARIANTS = (0, 3, 1999)
IDS = [exercise.id for lesson in exercises.lessons()
       for exercise in exercises.lesson(lesson).exercises]
OTHER_NUMBERS = ("1.1", "5.3")  # what is wrong in the lesson may be right in a variant
WITH_OPTIONS = ("0.1", "2.1", "3.1", "4.3", "5.1", "6.1")


def letters(id, variant):
    lesson = id.partition(".")[0].zfill(2)
    return next(task.letters for task in given(lesson, variant).tasks.values()
                if task.id == id)


def in_variant(answer, order):
    """The letter under which an answer of the lesson stands in a variant."""
    is_option = isinstance(answer, str) and answer and answer in order
    return "abcdefgh"[order.index(answer)] if is_option else answer


def passes(id, answer, variant):
    order = letters(id, variant)
    exercise = graded_exercise(id, variant, order)
    return judge(exercise, in_variant(answer, order), variants.seeds(variant)).passed


@pytest.mark.parametrize("id", WITH_OPTIONS)
def test_wrong_options_are_wrong_in_every_variant(id):
    (proof,) = [one for one in lessons.part(id.partition(".")[0], "proofs").PROOFS if one.id == id]
    for variant in VARIANTS:
        assert not any(passes(id, answer, variant) for answer, _ in proof.wrong)


@pytest.mark.parametrize("id", [id for id in IDS if id not in (*OTHER_NUMBERS, *WITH_OPTIONS)])
def test_every_other_exercise_has_the_same_checks_in_every_variant(id):
    """So wrong answers, which the proofs of the lessons show for one of them, are wrong in all."""
    same = graded_exercise(id, 0)
    assert all(graded_exercise(id, variant, letters(id, variant)) == same for variant in VARIANTS)


@pytest.mark.parametrize("id", WITH_OPTIONS)
def test_the_right_option_is_right_wherever_it_stands(id):
    right = exercises.get(id).reference()
    assert all(passes(id, right, variant) for variant in VARIANTS)
    places = {in_variant(right, letters(id, variant)) for variant in range(30)}
    assert len(places) == 4
    assert letters(id, 0) == "abcd"


@pytest.mark.parametrize("variant", [*range(1, 12)])
def test_the_prediction_of_lesson_01_has_other_numbers(variant):
    prompt, _ = variants.reword("1.1", "Ten digits, each about equally frequent.", variant)
    number = {"Five": 5, "Eight": 8, "Twenty": 20, "Twenty-five": 25, "Fifty": 50}[
        prompt.split()[0]]
    exercise = graded_exercise("1.1", variant)
    assert judge(exercise, 1 / number, []).passed
    assert not judge(exercise, 0.1, []).passed or number == 8
    assert "Less often than that." in judge(exercise, 0.9, []).message
    assert "More often than that." in judge(exercise, 0.001, []).message


def by_hand(prompt, self_pairs=2, mixed=2):
    """MMD² of the points that the text names."""
    points = re.search(r"\$x = \((\d), (\d)\)\$ and \$y = \((-?\d)\)\$", prompt)
    a, b, c = map(int, points.groups())
    return ((self_pairs + 2 * 2.0 ** -(a - b)**2) / (2 + self_pairs) + 1
            - mixed * (2.0 ** -(a - c)**2 + 2.0 ** -(b - c)**2) / 2)


@pytest.mark.parametrize("variant", [*range(1, 12)])
def test_the_sum_by_hand_of_lesson_05_has_other_points(variant):
    asked = "Compute MMD² of the three points with pencil and paper"
    assert variants.reword("5.3", asked, 0) == (asked, "")
    prompt, _ = variants.reword("5.3", asked, variant)
    exercise = graded_exercise("5.3", variant)
    assert judge(exercise, by_hand(prompt), []).passed
    assert not judge(exercise, 19 / 16, []).passed
    assert "is a pair too" in judge(exercise, by_hand(prompt, self_pairs=0), []).message
    assert "twice the mean" in judge(exercise, by_hand(prompt, mixed=4), []).message
    assert "subtracted" in judge(exercise, by_hand(prompt, mixed=-2), []).message
    assert "is not it" in judge(exercise, 7, []).message


def test_options_over_several_lines_move_whole():
    prompt = "Which?\n\n- a) one\n  and more\n- b) two\n\nGo on."
    moved = {variants.reword("0.9", prompt, variant)[0] for variant in range(1, 9)}
    assert moved == {prompt, "Which?\n\n- a) two\n- b) one\n  and more\n\nGo on."}


@pytest.mark.parametrize("answer", [None, "", "e", "ab", 3])
def test_what_is_no_option_stays_what_it_is(answer):
    assert variants.original(answer, "badc") == answer
    assert variants.original(" A", "badc") == "b"
