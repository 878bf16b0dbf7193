"""The page of common errors: the wrong answers of the proofs, and what the checks say to each."""

import ast
import re
from collections.abc import Collection, Iterator

from tlcourse.notebook import exercises, lessons, places
from tlcourse.notebook.check import grade, lend
from tlschool.authoring.source import run

_EXAMPLE = "1.2"
_ANYWHERE = {
    "recall = ...":
        "The cell is as it was handed out. Write your answer in place of the `...`.",
    "def recall(confusion):\n    ...":
        "The function is there and its body is not.",
    "def recall(confusion):\n    return confusion / ...":
        "One gap of several is still open; the line is named.",
    "recall = 0.9":
        "The exercise asks for a function: leave out the call, and hand in the function itself.",
    "def recall():\n    return 0.9":
        "The names and the number of arguments are part of the question: keep the first line.",
    "def recall(confusion):\n    return confusion[9]":
        "Your own code stopped, in the line that is named. Put a `print` before it and look.",
}
_INTRODUCTION = """\
# Common errors

What the checks say, exercise by exercise, and to which answer they say it. Look here when a message
leaves you at a loss, or as a teacher to see beforehand what will be asked. Words in *italics*
describe an answer, `code` is the answer itself. Where an exercise asks to choose or to predict, the
messages stand alone.

The page is made from the checks and from the wrong answers that they are tested with, by
`python course.py refresh`; a test fails when the two differ.
"""


def page(old: str = "", ids: Collection[str] | None = None) -> str:
    """The page as Markdown.

    Parameters
    ----------
    old : str
        The page as it was; it stays where only fractions and large counts would change, which
        differ between processors and versions.
    ids : collection of str, optional
        Lessons to look at anew; the parts of all others are those of `old`.
    """
    kept = dict(re.findall(r"^## Lesson (\d\d)\n\n(.*?)(?=^## |\Z)", old, re.M | re.S))
    parts = [_INTRODUCTION, *_anywhere()]
    for id in exercises.lessons():
        again = ids is None or id in ids or id not in kept
        parts += [f"## Lesson {id}\n",
                  "\n".join(_exercises(id)) if again else kept[id].rstrip("\n") + "\n"]
    new = "\n".join(parts)
    return old if _lasting(new) == _lasting(old) else new


def _lasting(text: str) -> str:
    return re.sub(r"\d+\.\d+(e-?\d+)?|\d{3,}", "#", text)


def _anywhere() -> Iterator[str]:
    """What any exercise may say, shown at one of them."""
    yield f"## In every exercise\n\nShown at exercise {_EXAMPLE}.\n"
    for cell, meaning in _ANYWHERE.items():
        names = {}
        run(cell, "<cell>", names)
        yield f"```python\n{cell}\n```\n\n> {grade(_EXAMPLE, names['recall']).message}\n"
        yield f"{meaning}\n"
    lent = lend(exercises.get(_EXAMPLE).reference())
    yield ("After a check that failed, the name holds our reference, so that the lesson runs on. "
           f"Checked once more it is no answer:\n\n> {grade(_EXAMPLE, lent).message}\n")


def _exercises(lesson: str) -> Iterator[str]:
    """The errors of a lesson, in the order of its proofs."""
    path = places.lesson_folder(lesson) / "proofs.py"
    shown = _as_written(ast.parse(path.read_text(encoding="utf-8")))
    for proof in lessons.part(lesson, "proofs").PROOFS:
        about = exercises.get(proof.id)
        yield f"### {proof.id} {about.title}\n"
        for answer, (value, _) in zip(shown[proof.id], proof.wrong, strict=True):
            message = grade(proof.id, value).message
            if not _is_general(message):
                yield f"- {message}" if about.kind == "predict" else f"- {answer}: {message}"
        yield ""


def _is_general(message: str) -> bool:
    return (message.startswith(("there is no answer yet", "your code raised", "your code stopped",
                                "choose one of"))
            or "has no body yet" in message)


def _as_written(tree: ast.AST) -> dict[str, list[str]]:
    """By exercise, how the wrong answers stand in the file of the proofs."""
    calls = [node for node in ast.walk(tree)
             if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Proof"]
    pairs = {call.args[0].value: next(k.value for k in call.keywords if k.arg == "wrong").elts
             for call in calls}
    return {id: [_described(pair.elts[0]) for pair in wrong] for id, wrong in pairs.items()}


def _described(answer: ast.expr) -> str:
    if isinstance(answer, ast.Name):
        return f"*{answer.id.replace('_', ' ')}*"
    return f"`{ast.unparse(answer.body if isinstance(answer, ast.Lambda) else answer)}`"

