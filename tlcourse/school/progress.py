"""The learner's private record: one file in the workspace, which never leaves the machine."""

import functools
import html
import json
import os
import re
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from tlcourse import files
from tlcourse.school import leitner, places

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
        Quiz questions that wait for `tlcourse.school.review`.
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


def record(item: str, passed: bool) -> None:
    """Keep that an exercise or a quiz question was tried; a pass is never taken back.

    Processes that record at the same time wait for each other. A workspace that cannot be
    written is said once and stops nothing.

    Parameters
    ----------
    item : str
        Such as "0.1" or "quiz 0.1".
    passed : bool
    """
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            entries, time = _read(path), now()
            said = time.isoformat(timespec="seconds")
            entry = entries.setdefault(item, {"tries": 0, "passed": None})
            entry |= {
                "tries": entry["tries"] + 1,
                "passed": entry.get("passed") or (said if passed else None),
                "last": said,
            }
            if item.startswith("quiz "):
                entry |= leitner.step(entry, passed, time.date())
            files.write_atomically(path, json.dumps(entries, indent=1, sort_keys=True) + "\n")
    except OSError as error:  # filelock's Timeout is one as well
        _say_once(f"Your progress is not kept: {path} cannot be written ({error.strerror or error})"
                  "; the lesson runs all the same.")


def entries() -> dict[str, dict]:
    """The record as it is: item -> tries, passed, last, and for quiz questions box and due."""
    path = _path()
    try:
        if path.exists():
            with _lock(path):  # reading would be enough, but Windows replaces no open file
                return _read(path)
    except OSError as error:
        _say_once(f"Your progress cannot be read from {path} ({error.strerror or error}).")
    return {}


def summary() -> list[Row]:
    """How far every lesson of the course is."""
    done = {item for item, entry in entries().items() if entry.get("passed")}
    return [_row(lesson, notebook, done) for lesson, notebook in places.notebooks().items()]


def show() -> Overview:
    """What `summary` says and what is due, as a text and, in a notebook, a table."""
    from tlcourse.school import review  # which reads this record

    return Overview(summary(), len(review.due(now().date())))


def now() -> datetime:
    """The time on this computer, with its zone."""
    return datetime.now().astimezone()


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


def _path() -> Path:
    return places.workspace() / "progress.json"


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_name(".progress.lock"), timeout=10)


def _read(path: Path) -> dict[str, dict]:
    """Read under the lock; a damaged file is kept under another name, and a new one begins."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(entry["tries"], int) and isinstance(entry.get("box", 1), int)
               and date.fromisoformat(entry.get("due", "2030-01-31"))
               for entry in entries.values()):
            return entries
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, KeyError, TypeError):
        pass  # JSON of another kind, or none
    kept = places.unused(path.with_name(f"progress-corrupt-{datetime.now():%Y-%m-%d}.json"))
    os.replace(path, kept)
    _say_once(f"progress.json was damaged: it is kept as {kept.name} and a new one begins.")
    return {}


@functools.cache
def _say_once(sentence: str) -> None:
    print(sentence, file=sys.stderr)
