"""The exercises and quiz questions, one module a lesson, and the steps their checks are made of.

Exercise "1.2" is an entry of the list ``EXERCISES`` in the module ``lesson01``; that lesson's quiz
is its list ``QUIZ``. A lesson's module is imported when one of its entries is first asked for. It
holds references and checks; titles, hints and quiz are prose and stand in ``lessons/01_*.toml``.

A check is a ladder: exists, type, shape, value, property. Each step is a function
``step(answer, seed)`` that returns None, or one sentence about *this* answer that points at the
next thought without giving the solution away.
"""

import dis
import inspect
import math
import pkgutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from numbers import Real
from types import ModuleType

from tlcourse.files import ROOT

KINDS = ("predict", "complete", "write", "break it")

Step = Callable[[object, int], str | None]
"""A step of the ladder: the answer and a seed in, a message or None out."""


@dataclass(frozen=True)
class Exercise:
    """One exercise: what is asked, the reference, the ladder of checks, three hints.

    Parameters
    ----------
    id : str
        Lesson and number, such as "1.2".
    title : str
        A few words; a bug hunt says so in its title.
    kind : {"predict", "complete", "write", "break it"}
        What the learner does.
    minutes : int
        Time a learner needs.
    reference : callable
        Takes nothing and returns the reference object, made anew at every call. It imports what
        it needs itself, so that reading the list of exercises imports nothing. It may not be
        True, False or None: there is only one of each, so a lent one could not be told from
        a learner's own.
    checks : sequence of steps
        The ladder; the first step that returns a message stops it.
    hints : three strings
        The last is nearly the answer.
    praise : str
        What a right answer shows; the line printed after "passed:".
    """

    id: str
    title: str
    kind: str
    minutes: int
    reference: Callable[[], object]
    checks: Sequence[Step]
    hints: Sequence[str]
    praise: str = "every check holds."


@dataclass(frozen=True)
class Option:
    """A possible answer to a question and why it is right or wrong."""

    text: str
    why: str


@dataclass(frozen=True)
class Question:
    """A quiz question; `right` is the letter of the right option ("a" is the first)."""

    id: str
    text: str
    options: Sequence[Option]
    right: str

    def by_letter(self) -> dict[str, Option]:
        """The options by their letters: "a" is the first."""
        return dict(zip("abcdefgh", self.options, strict=False))


def with_texts(
    lesson: str, work: Mapping[str, tuple[Callable, Sequence[Step]]]
) -> tuple[list[Exercise], list[Question]]:
    """Join references and checks with the prose in ``lessons/NN_slug.toml``.

    Parameters
    ----------
    lesson : str
        Id such as "01".
    work : dict of exercise id -> (reference, checks)

    Returns
    -------
    exercises, questions : lists
        In the order of `work`, and of the file.
    """
    (path,) = (ROOT / "lessons").glob(f"{lesson}_*.toml")
    texts = tomllib.loads(path.read_text(encoding="utf-8"))
    exercises = [Exercise(id=id, reference=reference, checks=checks, **texts["exercise"][id])
                 for id, (reference, checks) in work.items()]
    return exercises, [
        Question(**{**quiz, "options": [Option(**option) for option in quiz["options"]]})
        for quiz in texts["quiz"]
    ]


def get(id: str) -> Exercise:
    """The exercise with this id; LookupError with one sentence when there is none."""
    return _find("EXERCISES", "exercise", id)


def question(id: str) -> Question:
    """The quiz question with this id; LookupError with one sentence when there is none."""
    return _find("QUIZ", "question", id)


def lesson(id: str | int) -> ModuleType:
    """The module with the exercises of a lesson, such as "01" or 1."""
    return import_module(f"{__name__}.lesson{int(id):02}")


def lessons() -> list[str]:
    """Ids of the lessons that have exercises: "00", "01", ..."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return sorted(name.removeprefix("lesson") for name in names if name.startswith("lesson"))


def _find(list_name: str, what: str, id: str):
    own = str(id).partition(".")[0].zfill(2)
    modules = map(lesson, [own] if own in lessons() else lessons())
    entries = {entry.id: entry for module in modules for entry in getattr(module, list_name)}
    if id not in entries:
        there = entries if isinstance(id, str) else map(repr, entries)  # as for hint(0.1)
        raise LookupError(f"there is no {what} {id!r}; there are: {', '.join(there) or 'none'}.")
    return entries[id]


# Steps that several exercises use. What is special to one exercise stands in its lesson's module.


def exists(placeholder: object = ...) -> Step:
    """The answer is there: not None, not `...`, and not the starter's placeholder."""

    def step(answer, seed):
        if answer is None or answer is ... or answer is placeholder:
            return "there is no answer yet: put yours where the cell leaves a gap."

    return step


def is_function(*arguments: str) -> Step:
    """The answer is a function that takes these arguments by position and has a body."""
    wanted = f"a function of {len(arguments)} ({', '.join(arguments)}) is needed, and this"

    def step(answer, seed):
        if not callable(answer):
            return f"{wanted} is of type {type(answer).__name__}."
        try:
            inspect.signature(answer).bind(*arguments)
        except TypeError:
            return f"{wanted} one takes {inspect.signature(answer)}."
        if _is_empty(answer):
            return f"`{answer.__name__}` has no body yet: write it in place of the `...`."

    return step


def _is_empty(function: object) -> bool:
    """Whether a function is as the starter left it: a docstring at most, then `...` or pass."""
    code = getattr(function, "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return code is not None and {None, ..., function.__doc__}.issuperset(code.co_consts) and all(
        instruction.opname in idle for instruction in dis.get_instructions(code)
    )


def is_number(low: float = -math.inf, high: float = math.inf) -> Step:
    """The answer is one finite number from `low` to `high`, the range that makes sense at all."""

    def step(answer, seed):
        if isinstance(answer, bool) or not isinstance(answer, Real):
            return f"one number is needed, and this is of type {type(answer).__name__}."
        if not (math.isfinite(answer) and low <= answer <= high):
            return f"such a number lies between {low:g} and {high:g}, and this is {answer:g}."

    return step


def one_of(right: str, wrong: Mapping[str, str]) -> Step:
    """The answer is a choice among strings: one is right, each wrong one has its own message."""
    choices = ", ".join(repr(choice) for choice in sorted([right, *wrong]))

    def step(answer, seed):
        choice = answer.strip().lower() if isinstance(answer, str) else None
        if choice != right:
            return wrong.get(choice, f"choose one of {choices}, as a string.")

    return step
