"""The exercises and quiz questions of the lessons.

What an exercise accepts stands in its lesson's ``checks.py``, as the table ``EXERCISES`` of
id -> (reference, steps of the ladder); titles, hints, praise and quiz stand in ``texts.toml``
beside it. Both are read when one of them is first asked for.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tlcourse.notebook import places
from tlcourse.notebook.ladder import Step
from tlcourse.notebook.lessons import part

KINDS = ("predict", "complete", "write", "break it")


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
        The ladder; the first step that returns a message stops it. Before a *predict* exercise is
        measured, all but the last are climbed.
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

    @property
    def form(self) -> Sequence[Step]:
        """The ladder without its last step, which judges: what may be said before measuring."""
        return self.checks[:-1]


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


@dataclass(frozen=True)
class Lesson:
    """All that a lesson asks, in its order."""

    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]


def get(id: str) -> Exercise:
    """The exercise with this id; LookupError with one sentence when there is none."""
    return _find("exercises", "exercise", id)


def question(id: str) -> Question:
    """The quiz question with this id; LookupError with one sentence when there is none."""
    return _find("questions", "question", id)


def lesson(id: str) -> Lesson:
    """The exercises and questions of a lesson, such as "01" or "1"."""
    return _read(places.lesson_folder(id))


def lessons() -> list[str]:
    """Ids of the lessons that have exercises: "00", "01", ..."""
    return [id for id in places.lesson_ids() if (places.lesson_folder(id) / "checks.py").is_file()]


@cache
def _read(folder: Path) -> Lesson:
    texts = tomllib.loads((folder / "texts.toml").read_text(encoding="utf-8"))
    work = part(folder.name[:2], "checks").EXERCISES
    return Lesson(
        tuple(Exercise(id=id, reference=reference, checks=checks, **texts["exercise"][id])
              for id, (reference, checks) in work.items()),
        tuple(Question(**{**quiz, "options": [Option(**option) for option in quiz["options"]]})
              for quiz in texts["quiz"]))


def _find(kind: str, what: str, id: str):
    own, there = str(id).partition(".")[0].zfill(2), lessons()
    known = [own] if own in there else there
    entries = {entry.id: entry for each in known for entry in getattr(lesson(each), kind)}
    if id not in entries:
        names = entries if isinstance(id, str) else map(repr, entries)  # as for hint(0.1)
        raise LookupError(f"there is no {what} {id!r}; there are: {', '.join(names) or 'none'}.")
    return entries[id]
