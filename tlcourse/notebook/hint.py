"""Hints for an exercise, in three steps."""

from tlcourse.notebook import exercises
from tlcourse.utils.messages import one_line, say

_hints_given: dict[str, int] = {}


def hint(exercise_id: str, level: int | None = None) -> None:
    """Print a hint: the first, at the next call the second, then the third, nearly the answer.

    Parameters
    ----------
    exercise_id : str
        Such as "3.2".
    level : {1, 2, 3}, optional
        This one instead of the next.
    """
    try:
        hints = exercises.get(exercise_id).hints
    except LookupError as error:
        say(str(error))
        return
    if level not in (None, 1, 2, 3):
        say(f"{exercise_id} has hints 1, 2 and 3, and {level!r} is none of them.")
        return
    level = level or min(_hints_given.get(exercise_id, 0) + 1, 3)
    _hints_given[exercise_id] = level
    say(f"{exercise_id} hint {level} of 3: {one_line(hints[level - 1])}")
