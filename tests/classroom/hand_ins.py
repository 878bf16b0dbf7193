"""Submissions of lesson 01 as learners hand them in, each a real notebook file."""

import json
import warnings
from copy import deepcopy
from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from tlcourse.notebook import places
from tlschool.authoring.source import load
from tlschool.classroom.assignment import assignment, starter
from tlschool.classroom.limits import Limits

LESSON = "01"
LIMITS = Limits(seconds=15, cell_seconds=3, memory=1_000_000_000)
BEFORE = {"tlschool.classroom": "tlcourse.school.classroom", "tlcourse.utils.files":
          "tlcourse.files", "tlcourse.diagnose import Report": "tlcourse.report import Report"}
"""Where assignments that were released before import from, by where they do now."""
WRONG = {
    "01-ex-1-1": "guess = 0.5",
    "01-ex-1-2": "def recall_per_class(confusion):\n"
                 "    return confusion.diagonal() / confusion.sum(axis=0)",
    "01-ex-1-3": "import numpy as np\n\ndef leaky_split(n):\n"
                 "    return np.arange(0, n, 2), np.arange(0, n, 2)",
    "01-ex-1-4": "def chosen_score(on_validation, on_test):\n    return max(on_test)",
}


@cache
def given(lesson=LESSON, variant=0):
    """The assignment, made once; nobody changes it."""
    return assignment(lesson, variant)


def blank(lesson=LESSON, variant=0):
    """The notebook as it is handed out."""
    return deepcopy(given(lesson, variant).notebook)


def released_before(notebook):
    """The notebook with the imports of the version in which the modules had other names."""
    for one in notebook.cells:
        for now, before in BEFORE.items():
            one.source = one.source.replace(f"from {now}", f"from {before}")
    return notebook


@cache
def answers(lesson=LESSON):
    """The right answers by cell id, from the edition with solutions."""
    solved = {cell.id: cell.source for cell in load(places.solution(lesson)).cells}
    return {cell.id: starter(solved[cell.id.replace("-ex-", "-sol-")])
            for cell in blank(lesson).cells if _is_answer(cell)}


def filled(sources, lesson=LESSON, variant=0):
    """A notebook with these sources in its answer cells."""
    notebook = blank(lesson, variant)
    for cell in notebook.cells:
        if cell.id in sources:
            cell.source = sources[cell.id]
    return notebook


def perfect(lesson=LESSON, variant=0, **changed):
    """All answers right but those that are handed in, such as ``ex_1_3="..."``."""
    own = {f"{lesson}-{name.replace('_', '-')}": source for name, source in changed.items()}
    return filled({**answers(lesson), **own}, lesson, variant)


def points(course, name):
    """What each student has in nbgrader's database, corrections by hand included."""
    with Gradebook(f"sqlite:///{(course / 'gradebook.db').absolute().as_posix()}") as book:
        return {one.student.id: one.score for one in book.assignment_submissions(name)}


def save(path: Path, notebook, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(action="ignore"):  # two cells with one id are meant
        path.write_text(nbformat.writes(notebook), encoding=encoding)
    return path


def content(notebook):
    """The bytes of its file."""
    with warnings.catch_warnings(action="ignore"):
        return nbformat.writes(notebook).encode()


def cell(notebook, id):
    return next(cell for cell in notebook.cells if cell.id == id)


def run_before_saving(notebook):
    """As a notebook looks that was run: with outputs and numbers."""
    for number, one in enumerate(notebook.cells):
        if one.cell_type == "code":
            one.execution_count = number
            one.outputs = [nbformat.v4.new_output("stream", name="stdout", text="passed\n")]
    return notebook


def _is_answer(cell):
    return cell.metadata.get("nbgrader", {}).get("solution", False)


def all_kinds(folder: Path, server: str) -> None:
    """Every kind of submission that was ever seen, and some that never were.

    Parameters
    ----------
    folder : path
        Where they are handed in.
    server : str
        Address that answers with a right answer, if it can be reached.
    """
    right = answers()
    save(folder / "perfect.ipynb", run_before_saving(perfect()))
    save(folder / "empty.ipynb", blank())
    save(folder / "wrong_checked_twice.ipynb", run_before_saving(filled({
        id: source + _checked_twice(id, source) for id, source in WRONG.items()})))
    save(folder / "syntax_error.ipynb", perfect(ex_1_3="def leaky_split(n:\n    return"))
    save(folder / "infinite_loop.ipynb", perfect(ex_1_3="while True:\n    pass"))
    save(folder / "catches_everything.ipynb", perfect(ex_1_3=(
        "import time\nwhile True:\n    try:\n        time.sleep(60)\n"
        "    except BaseException:\n        pass")))
    save(folder / "memory_bomb.ipynb", perfect(ex_1_3="""
hoard = []
while True:
    hoard.append(bytes(50_000_000))
"""))
    save(folder / "output_bomb.ipynb", perfect(
        ex_1_3='for _ in range(100):\n    print("x" * 1_000_000)\n' + right["01-ex-1-3"]))
    save(folder / "fork_bomb.ipynb",
         perfect(ex_1_3="import os\nwhile True:\n    os.fork()"))
    save(folder / "os_exit.ipynb", perfect(ex_1_3="import os\nos._exit(0)"))
    save(folder / "killed_itself.ipynb",
         perfect(ex_1_3="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    _of_cells(folder, right)
    _of_cheats(folder, right, server)
    _of_files(folder)


def _of_cells(folder, right):
    notebook = perfect()
    place = notebook.cells.index(cell(notebook, "01-ex-1-2"))
    twice = nbformat.from_dict(dict(notebook.cells[place]))
    notebook.cells[place] = nbformat.from_dict({**twice, "source": WRONG["01-ex-1-2"]})
    notebook.cells.insert(place + 1, twice)
    save(folder / "duplicated_cell.ipynb", notebook)
    notebook = perfect()
    notebook.cells = [one for one in notebook.cells if not one.id.endswith("-check")]
    save(folder / "deleted_tests.ipynb", notebook)
    notebook = perfect()
    notebook.cells = [one for one in notebook.cells if one.id != "01-ex-1-2"]
    save(folder / "deleted_answer.ipynb", notebook)
    notebook = perfect()
    notebook.cells.reverse()
    save(folder / "reordered_cells.ipynb", notebook)
    notebook = perfect()
    for one in notebook.cells:
        if "nbgrader" in one.metadata and not one.id.endswith("-check"):
            one.metadata["nbgrader"]["grade_id"] = f"my-{one.id}"
    save(folder / "renamed_cells.ipynb", notebook)
    notebook = filled(WRONG)
    for one in notebook.cells:
        if one.id.endswith("-check"):
            one.source = "4.0  # that will do"
            one.metadata["nbgrader"]["points"] = 100
    save(folder / "tampered_tests.ipynb", notebook)
    helper = nbformat.v4.new_code_cell("def shares(found, there):\n    return found / there")
    notebook = perfect(ex_1_2="def recall_per_class(confusion):\n"
                              "    return shares(confusion.diagonal(), confusion.sum(axis=1))")
    notebook.cells.insert(notebook.cells.index(cell(notebook, "01-ex-1-2")) + 1, helper)
    save(folder / "own_helper_cell.ipynb", notebook)
    notebook = perfect()
    notebook.cells.append(nbformat.v4.new_code_cell('visible("1.1", guess)'))
    notebook.cells.append(nbformat.v4.new_code_cell(cell(notebook, "01-setup").source))
    save(folder / "released_before.ipynb", released_before(notebook))


def _of_cheats(folder, right, server):
    patches = """
import tlcourse.school.check as ladder  # the name that it had before
from tlcourse.notebook import exercises
from tlschool.classroom import checks, variants, worker
passing = lambda *given, **more: ladder.Result(True, "passed")
ladder.grade = ladder.climb = checks.judge = worker.judge = passing
ladder.check.__code__ = (lambda exercise_id, answer: answer).__code__
variants.SEEDS = [0]
for number in (1, 2, 3, 4):
    object.__setattr__(exercises.get(f"1.{number}"), "checks", ())
object.__setattr__(exercises.lesson("01"), "exercises", ())
"""
    save(folder / "tampered_package.ipynb", filled({**WRONG, "01-ex-1-1": patches + "guess = 0.5"}))
    during = ("def recall_per_class(confusion):\n    import tlcourse.notebook.check as ladder\n"
              "    ladder.Result = lambda passed, message: type('Yes', (), dict(passed=True,"
              " message=''))\n    return 0")
    save(folder / "tampered_while_checked.ipynb", perfect(ex_1_2=during))
    lent = ("from tlcourse import check\nfrom tlcourse.notebook import exercises\n"
            'recall_per_class = check("1.2", None)\n'
            "if recall_per_class is None:\n"
            '    recall_per_class = exercises.get("1.2").reference()')
    save(folder / "lent_reference.ipynb", perfect(ex_1_2=lent))
    sibling = (f"import json, pathlib\npath = pathlib.Path({str(folder / 'perfect.ipynb')!r})\n"
               f"{WRONG['01-ex-1-3']}\n"
               "if path.exists():\n    for one in json.loads(path.read_text())['cells']:\n"
               "        if one['id'] == '01-ex-1-3':\n            exec(''.join(one['source']))")
    save(folder / "reading_a_sibling.ipynb", perfect(ex_1_3=sibling))
    network = (f"import urllib.request\n{WRONG['01-ex-1-3']}\n"
               f"try:\n    exec(urllib.request.urlopen({server!r}, timeout=2).read())\n"
               "except OSError:\n    pass")
    save(folder / "network_call.ipynb", perfect(ex_1_3=network))


def _of_files(folder):
    text = nbformat.writes(perfect())
    (folder / "half_saved.ipynb").write_text(text[: len(text) // 2], encoding="utf-8")
    (folder / "no_notebook.ipynb").write_text("[1, 2]", encoding="utf-8")
    (folder / "odd_cells.ipynb").write_text(json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [7, None]}))
    (folder / "nothing.ipynb").write_bytes(b"")
    save(folder / "utf_16.ipynb", perfect(), encoding="utf-16")
    accents = perfect(ex_1_1="# à peu près\n" + answers()["01-ex-1-1"])
    (folder / "latin_1.ipynb").write_text(
        json.dumps(accents, ensure_ascii=False), encoding="latin-1", errors="replace")
    save(folder / "another_assignment.ipynb", perfect("00"))


def _checked_twice(id, source):
    name = next(word for word in ("guess", "recall_per_class", "leaky_split", "chosen_score")
                if word in source)
    line = f'{name} = check("{id[-3:].replace("-", ".")}", {name})'
    return f"\nfrom tlcourse import check\n{line}\n{line}"
