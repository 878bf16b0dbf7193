"""Checks of the learner's answers: `grade` decides; `check` and `judge` are its notebook face.

A check that fails lends the reference, so that the rest of the lesson runs. What was lent is
remembered by identity: handed in again it is not an answer.
"""

import contextlib
import functools
import io
import linecache
import textwrap
import traceback
import types
from dataclasses import dataclass, replace

from tlcourse.notebook import errors, exercises
from tlcourse.notebook.lent import mark
from tlcourse.notebook.record import note
from tlcourse.utils.messages import one_line, say

_lent: dict[int, object] = {}  # by id(); holding the objects keeps their ids from being reused


@dataclass(frozen=True)
class Result:
    """Whether an answer passed, and one sentence about it."""

    passed: bool
    message: str


def grade(exercise_id: str, answer: object, *, seed: int = 0) -> Result:
    """Judge an answer: exists, type, shape, value, property; the first step that fails decides.

    Never raises, except when a person interrupts it, never prints, and never shows the
    reference.

    Parameters
    ----------
    exercise_id : str
        Such as "3.2".
    answer : object
        The learner's own object, not what `check` returned.
    seed : int
        Draws the inputs on which a function is tried.

    Returns
    -------
    Result
        ``passed`` and ``message``.
    """
    try:
        exercise = exercises.get(exercise_id)
    except LookupError as error:
        return Result(False, str(error))
    return climb(exercise, answer, seed)


def climb(exercise: exercises.Exercise, answer: object, seed: int) -> Result:
    """Judge an answer as `grade` does, on the ladder of the exercise that is handed in."""
    if id(answer) in _lent:
        return Result(False, "this is the reference that was lent to you: define your own answer "
                             "in this cell and run it again.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for step in exercise.checks:
                if (message := step(answer, seed)) is not None:
                    return Result(False, one_line(message))
        return Result(True, one_line(exercise.praise))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001, an answer may even call exit()
        return Result(False, _complaint(error, answer))


def check(exercise_id: str, answer: object) -> object:
    """Print a sentence about an answer and return what the rest of the lesson works with.

    Parameters
    ----------
    exercise_id : str
        Such as "3.2".
    answer : object
        The learner's own object.

    Returns
    -------
    object
        The answer itself when it passes, otherwise the reference, on loan.

    Notes
    -----
    Of a prediction only the form is looked at; `judge` says after the measurement if it holds.
    """
    try:
        exercise = exercises.get(exercise_id)
    except LookupError as error:
        say(str(error))
        return answer
    if exercise.kind == "predict":
        result = climb(replace(exercise, checks=exercise.form), answer, 0)
        if result.passed:
            say(f"{exercise_id} is recorded, and judged after the measurement.")
            return answer
    else:
        result = grade(exercise_id, answer)
    note(exercise_id, result.passed)
    if result.passed:
        say(f"{exercise_id} passed: {result.message}")
        return answer
    usable = ("(The reference solution stands in for now, so the rest of the lesson runs; "
              f'hint("{exercise_id}") helps.)')
    try:
        answer = lend(exercise.reference())
        mark(exercise_id, answer)
    except Exception as error:  # noqa: BLE001, a check never raises
        usable = f"(No reference can stand in: {errors.said(error)}.)"
    say(f"{exercise_id} not yet: {result.message} {usable}")
    return answer


check.grade = grade
errors.tell_what_stops_a_cell()


def judge(exercise_id: str, answer: object) -> None:
    """Hold a prediction against what was measured, and record whether it was right.

    Parameters
    ----------
    exercise_id : str
        Such as "3.1", a *predict* exercise.
    answer : object
        What its `check` returned.
    """
    if id(answer) in _lent:
        say(f"{exercise_id} has no prediction of your own: make one before you read on.")
        return
    result = grade(exercise_id, answer)
    note(exercise_id, result.passed)
    verdict, link = ("passed", ", with") if result.passed else ("came out otherwise", " than")
    predicted = f"{link} {answer!r}" if isinstance(answer, str | float | int) else ""
    say(f"{exercise_id} {verdict}{predicted}: {result.message}")


def lend(reference: object) -> object:
    """Make the reference tell-tale: an object of its own, remembered by its identity.

    Raises
    ------
    TypeError
        There is only one such object: None, `...`, True or False.
    """
    kind = type(reference)
    if reference is None or reference is ... or kind is bool:
        raise TypeError(f"a reference may not be {reference}: it could not be told apart")
    if kind in (int, float, str, tuple):
        # Python shares equal small values. An instance of a subclass is nobody else's; pickled
        # or copied it becomes the plain value again.
        plain = {"__module__": "builtins", "__slots__": (),
                 "__reduce__": lambda self: (kind, (kind(self),))}
        reference = type(kind.__name__, (kind,), plain)(reference)
    elif kind is types.FunctionType:
        function = reference
        reference = functools.wraps(function)(lambda *args, **kwargs: function(*args, **kwargs))
    _lent[id(reference)] = reference
    return reference


def _complaint(error: BaseException, answer: object) -> str:
    """What an answer raised, in one line, with the line of the learner's own code if known."""
    plain = errors.in_words(error)
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_code.co_filename in _homes(answer):
            source = linecache.getline(frame.f_code.co_filename, number).strip()
            line = f"line {number}" + (f", `{textwrap.shorten(source, 90, placeholder=' ...')}`"
                                       if source else "")
            if plain:
                return f"your code stopped in {line}: {plain}{errors.shapes(error, frame, source)}"
            return f"your code raised {errors.said(error)} ({line})."
    if plain:
        return f"what you handed in stopped when it was tried: {plain}"
    return f"the check of this answer stopped with {errors.said(error)}."


def _homes(answer: object) -> set[str]:
    """The files, or cells, in which a function or the methods of a class are written."""
    own = vars(answer).values() if isinstance(answer, type) else (answer,)
    codes = (getattr(getattr(each, "__func__", each), "__code__", None) for each in own)
    return {code.co_filename for code in codes if code is not None}
