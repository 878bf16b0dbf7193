"""How far the learner is, what comes next, and which quiz questions are due again."""

import html
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tlcourse.notebook import exercises, leitner, places, record
from tlcourse.notebook.exercises import Question

if TYPE_CHECKING:
    from pandas import DataFrame

_NAMED = re.compile(r"\b(check|quiz)\(\s*[\"'](\d+\.\d+)[\"']")


@dataclass(frozen=True)
class Row:
    """How far one lesson is.

    Attributes
    ----------
    lesson, title : str
    passed, exercises : int
        Exercises passed, of how many.
    right, questions : int
        Quiz questions answered right, of how many.
    next : str or None
        Id of the first exercise not yet passed.
    minutes_left : int
        Exercise time in proportion to what is not passed, and all of the teaching time as long
        as nothing is.
    """

    lesson: str
    title: str
    passed: int
    exercises: int
    right: int
    questions: int
    next: str | None
    minutes_left: int


@dataclass(frozen=True)
class Overview:
    """The rows of all lessons; reads well printed and in a notebook.

    Attributes
    ----------
    rows : list of Row
    due : int
        Quiz questions that wait for `tlcourse.notebook.review`.
    """

    rows: list[Row]
    due: int = 0

    def __str__(self) -> str:
        return "\n".join([self._table().to_string(), "", *self._sentences()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = "<br>".join(map(html.escape, self._sentences()))
        return f"{self._table().to_html(border=0)}<p>{said}</p>"

    def _table(self) -> "DataFrame":
        from pandas import DataFrame

        return DataFrame({
            f"{row.lesson} {row.title}": {
                "exercises passed": f"{row.passed} of {row.exercises}",
                "quiz": f"{row.right} of {row.questions}",
                "minutes left": row.minutes_left,
            } for row in self.rows
        }).T

    def _sentences(self) -> list[str]:
        if not any(row.exercises for row in self.rows):
            return ["There are no exercises here yet."]
        waiting = (f"Next: exercise {row.next}, in {row.lesson} {row.title}."
                   for row in self.rows if row.next)
        review = (f"To review: {self.due} quiz question{'s' * (self.due > 1)}, with review() or "
                  f"`{places.command()} review`.")
        return [review] * bool(self.due) + [next(waiting, "All exercises are passed.")]


def summary() -> list[Row]:
    """How far every lesson of the course is."""
    done = {item for item, entry in record.entries().items() if entry.get("passed")}
    return [_row(lesson, notebook, done) for lesson, notebook in places.notebooks().items()]


def show() -> Overview:
    """What `summary` says and what is due, as a text and, in a notebook, a table."""
    return Overview(summary(), len(due(record.now().date())))


def due(today: date) -> list[Question]:
    """The questions that should be asked, those that have waited longest first.

    After them come the questions never answered of lessons whose exercises are all passed.
    """
    entries = record.entries()
    finished = {row.lesson for row in summary() if row.exercises and row.next is None}
    answered, new = [], []
    for lesson, question in questions():
        entry = entries.get(item(question))
        if entry and leitner.is_due(entry, today):
            answered.append((entry.get("due", ""), question))
        elif not entry and lesson in finished:
            new.append(question)
    return [question for _, question in sorted(answered, key=lambda pair: pair[0])] + new


def questions() -> list[tuple[str, Question]]:
    """The questions of every lesson that is there, each with the lesson's id."""
    there = [id for id in exercises.lessons() if id in places.notebooks()]
    return [(id, question) for id in there for question in exercises.lesson(id).questions]


def item(question: Question) -> str:
    return f"quiz {question.id}"


def _row(lesson: str, notebook: Path, done: set[str]) -> Row:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    about = content["metadata"].get("tlcourse", {})
    code = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    named = dict.fromkeys(_NAMED.findall("\n".join(code)))  # each once, in the lesson's order
    exercises = [id for word, id in named if word == "check"]
    questions = [f"quiz {id}" for word, id in named if word == "quiz"]
    waiting = [id for id in exercises if id not in done]
    minutes = about.get("minutes", {})
    left = minutes.get("exercises", 0) * len(waiting) / max(len(exercises), 1)
    if waiting == exercises:
        left += minutes.get("teaching", 0)
    return Row(lesson, about.get("title", notebook.stem[3:]),
               len(exercises) - len(waiting), len(exercises),
               sum(question in done for question in questions), len(questions),
               waiting[0] if waiting else None, round(left))
