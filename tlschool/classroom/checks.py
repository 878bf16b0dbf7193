"""What a graded exercise is checked for: the visible check, and the further ones.

The visible check of a function is the lesson's own ladder on seed 0. That of a prediction, and of
a number that each variant has its own of, judges its form alone, for a letter could be found by
trying. The hidden check is the whole ladder on other seeds, and properties of a lesson's own in
``graded.py``.
"""

import functools
from collections.abc import Sequence
from dataclasses import replace

from tlcourse.notebook import check as ladder
from tlcourse.notebook import exercises
from tlcourse.notebook.check import Result
from tlschool.classroom import variants
from tlschool.classroom.plain import plain_answer
from tlschool.classroom.pristine import PACKAGES


def visible(exercise_id: str, answer: object) -> None:
    """Print one line on what a learner may know before the hand-in; never lends a reference."""
    result = ladder.climb(visible_exercise(exercise_id), answer, 0)
    print(f"{exercise_id} so far so good: further checks follow when this is graded."
          if result.passed else f"{exercise_id} not yet: {result.message}")


def hidden(exercise_id: str, answer: object) -> float:
    """Points of an answer in the common variant, as the tests of nbgrader want them."""
    exercise = graded_exercise(exercise_id, 0)
    result = judge(exercise, answer, variants.seeds(0))
    print(f"{exercise_id} {'passed' if result.passed else 'not yet'}: {result.message}")
    return float(exercise.minutes if result.passed else 0)


def visible_exercise(exercise_id: str) -> exercises.Exercise:
    """An exercise with the steps of its visible check."""
    exercise = exercises.get(exercise_id)
    has_variants = exercise_id in getattr(variants.own(exercise_id), "CHECKS", {})
    if exercise.kind != "predict" and not has_variants:
        return exercise
    return replace(exercise, checks=exercise.form)


def graded_exercise(exercise_id: str, variant: int, letters: str = "") -> exercises.Exercise:
    """An exercise with all steps that a submission must pass.

    Parameters
    ----------
    exercise_id : str
    variant : int
    letters : str
        Order of the options, from `variants.reword`.
    """
    exercise, own = exercises.get(exercise_id), variants.own(exercise_id)
    checks = exercise.checks
    make = getattr(own, "CHECKS", {}).get(exercise_id)
    if make and variant:
        checks = make(variant)
    if letters:
        checks = [_on_original(step, letters) for step in checks]
    further = getattr(own, "PROPERTIES", {}).get(exercise_id, ())
    return replace(exercise, checks=(_of_ones_own, *checks, *further))


def judge(exercise: exercises.Exercise, answer: object, seeds: Sequence[int]) -> Result:
    """Climb the ladder of a graded exercise on seed 0 and on those of the variant.

    Each step sees the answer, or what it returns, as plain values.
    """
    exercise = replace(exercise, checks=[*map(_on_plain, exercise.checks)])
    for seed in (0, *([] if exercise.kind == "predict" else seeds)):
        result = ladder.climb(exercise, answer, seed)
        if not result.passed:
            break
    return result


def _on_original(step, letters):
    return lambda answer, seed: step(variants.original(answer, letters), seed)


def _on_plain(step):
    return functools.wraps(step)(lambda answer, seed: step(plain_answer(answer), seed))


def _of_ones_own(answer, seed):
    home = str(getattr(answer, "__module__", ""))
    if callable(answer) and home.partition(".")[0] in PACKAGES:
        return f"this function is the course's own, from {home}: write one yourself."
