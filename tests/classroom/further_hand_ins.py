"""Thirty-six more submissions of lesson 01, each with what it must earn and what must be said.

The points were written down before any of them was graded.
"""

from dataclasses import dataclass
from pathlib import Path

import nbformat
from hand_ins import WRONG, answers, cell, content, perfect

RIGHT = (2, 5, 8, 8)
NO_NOTEBOOK = "the file is no complete notebook, as after a save that was cut off."


@dataclass
class Case:
    """A file, the points of its four exercises, and parts of all remarks on it, in their order.

    `reason` is part of the reason for what was lost first; `late` and `file` are of the totals.
    """

    notebook: object
    points: tuple = RIGHT
    remarks: tuple = ()
    reason: str = ""
    late: str = ""
    file: str = ""

    def save(self, folder: Path, student: str) -> None:
        """Hand it in."""
        path = folder / (self.file or f"{student}.ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        notebook = self.notebook
        path.write_bytes(notebook if isinstance(notebook, bytes) else content(notebook))


def _in_a_cell_above(source):
    notebook = perfect(ex_1_2="def recall_per_class(confusion):\n    return share(confusion)")
    place = notebook.cells.index(cell(notebook, "01-ex-1-2"))
    notebook.cells.insert(place, nbformat.v4.new_markdown_cell("My own thoughts"))
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(source))
    return notebook


def _as_text(id):
    notebook = perfect()
    old = cell(notebook, id)
    new = nbformat.v4.new_markdown_cell(old.source, metadata=old.metadata, id=old.id)
    notebook.cells[notebook.cells.index(old)] = new
    return notebook


def _followed_by(source):
    notebook = perfect()
    notebook.cells.append(nbformat.v4.new_code_cell(source))
    return notebook


UNUSUAL = '''
def chosen_score(on_validation, on_test):
    """Sort the looks, and of those that tie keep the first."""
    table = [{"look": k, "v": v, "t": t} for k, (v, t) in enumerate(zip(on_validation, on_test))]
    top = table[0]
    for row in table[1:]:
        better = row["v"] > top["v"] or (row["v"] == top["v"] and row["look"] < top["look"])
        top = row if better else top
    assert all(row["v"] <= top["v"] for row in table), "there is none better"
    return {row["look"]: row["t"] for row in table}[top["look"]]
'''
DISGUISED = '''
def chosen_score(a, b):
    rows = [{"n": n, "x": x, "y": y} for n, (x, y) in enumerate(zip(a, b))]  # all looks
    best = rows[0]
    for r in rows[1:]:
        wins = r["x"] > best["x"] or (r["x"] == best["x"] and r["n"] < best["n"])
        best = r if wins else best
    assert all(r["x"] <= best["x"] for r in rows), "ok"
    return {r["n"]: r["y"] for r in rows}[best["n"]]
'''
BAD_RECALL = WRONG["01-ex-1-2"]
NO_CHECKS = """
import gc
for one in gc.get_objects():
    if type(one).__name__ == "Exercise":
        object.__setattr__(one, "checks", ())
"""
SEES_THE_CALLER = """
import inspect
def leaky_split(n):
    frame = inspect.currentframe()
    while frame:
        frame.f_locals.get("verdict", {}).update(passed=True)
        frame = frame.f_back
    return 0
"""


def cases() -> dict[str, Case]:
    """By the student's name."""
    right = answers()
    return {
        # honest, in ways of their own
        "pandas": Case(perfect(ex_1_2="import pandas as pd\ndef recall_per_class(confusion):\n    "
                               "return pd.Series(confusion.diagonal()) / confusion.sum(axis=1)")),
        "lists": Case(perfect(
            ex_1_2="def recall_per_class(confusion):\n    return [row[i] / sum(row) for i, row in "
                   "enumerate(confusion.tolist())]",
            ex_1_3="def leaky_split(n):\n    return [*range(0, n, 2)], [*range(1, n, 2)]")),
        "fraction": Case(perfect(ex_1_1="from fractions import Fraction\nguess = Fraction(1, 10)")),
        "half_precision": Case(perfect(ex_1_1="import numpy\nguess = numpy.float16(0.1)")),
        "tensor": Case(perfect(ex_1_1="import torch\nguess = torch.tensor(0.1)"), (0, 5, 8, 8),
                       reason="this is of type Tensor: `.item()` takes it out"),
        "lambda": Case(perfect(ex_1_2="recall_per_class = lambda c: c.diagonal() / c.sum(1)")),
        "partial": Case(perfect(ex_1_2="from functools import partial\ndef recall(c, axis):\n    "
                                "return c.diagonal() / c.sum(axis)\n"
                                "recall_per_class = partial(recall, axis=1)")),
        "callable_object": Case(perfect(ex_1_2="class Recall:\n    def __call__(self, confusion):\n"
                                        "        return confusion.diagonal() / confusion.sum(1)\n"
                                        "recall_per_class = Recall()")),
        "prints_and_counts": Case(perfect(
            ex_1_4="calls = 0\ndef chosen_score(on_validation, on_test):\n    global calls\n"
                   "    calls += 1\n    print(calls, on_validation, flush=True)\n"
                   "    return on_test[on_validation.index(max(on_validation))]")),
        "checks_herself": Case(perfect(ex_1_2=right["01-ex-1-2"] + (
            '\nfrom tlcourse import check, hint\nhint("1.2")\n'
            'recall_per_class = check("1.2", recall_per_class)'))),
        "modern": Case(perfect(
            ex_1_4="from dataclasses import dataclass\n@dataclass(order=True)\nclass Look:\n"
                   "    v: float\n    minus: int\n    t: float\n"
                   "def chosen_score(on_validation: list[float], on_test: list[float]) -> float:\n"
                   "    looks = [Look(v, -i, t) for i, (v, t) in enumerate(zip(on_validation, "
                   "on_test))]\n    return (best := max(looks)).t")),
        "helper_above": Case(_in_a_cell_above(
            "def share(confusion):\n    return confusion.diagonal() / confusion.sum(axis=1)")),
        "sleeps": Case(perfect(ex_1_3="import time\nnp.random.seed(0)\ntime.sleep(1)\n"
                               + right["01-ex-1-3"])),
        "chinese": Case(perfect(ex_1_2="def recall_per_class(混淆):\n    召回 = 混淆.diagonal()\n"
                                "    return 召回 / 混淆.sum(axis=1)  # 🎉")),
        "thread": Case(perfect(ex_1_1="import threading, time\nthreading.Thread(target=time.sleep,"
                               " args=[60], daemon=True).start()\nguess = 0.1")),
        "exits_after": Case(perfect(ex_1_3=right["01-ex-1-3"] + "\nraise SystemExit")),
        "tidies_up": Case(_followed_by("del recall_per_class, leaky_split, guess, chosen_score")),
        "as_markdown": Case(_as_text("01-ex-1-4"), remarks=(
            "the cell 01-ex-1-4 had become Markdown, and was made code again",)),
        # wrong, in ways of their own
        "endless": Case(perfect(ex_1_3="def leaky_split(n):\n    return leaky_split(n)"),
                        (2, 5, 0, 8), reason="recursion"),
        "yields": Case(perfect(ex_1_3="def leaky_split(n):\n    yield from (range(0, n, 2), "
                               "range(1, n, 2))"), (2, 5, 0, 8), reason="of type generator"),
        # files
        "with_mark": Case(content(perfect()).decode().replace("\n", "\r\n").encode("utf-8-sig"),
                          remarks=("the file was saved as UTF-8-SIG, not as UTF-8",)),
        "utf_32": Case(content(perfect()).decode().encode("utf-32"),
                       remarks=("the file was saved as UTF-32, not as UTF-8",)),
        "version_3": Case(nbformat.writes(perfect(), version=3).encode()),
        "page": Case(b"<!DOCTYPE html><html><body>Sign in</body></html>", (0,) * 4,
                     reason=NO_NOTEBOOK),
        "archive": Case(b"PK\x03\x04\x14\x00\x00\x00" + bytes(range(256)), (0,) * 4,
                        reason=NO_NOTEBOOK),
        "cells_by_name": Case(b'{"nbformat": 4, "metadata": {}, "cells": {"a": 1}}', (0,) * 4,
                              reason=NO_NOTEBOOK),
        "too_much": Case(perfect(ex_1_1="# " + "x" * 200_000), (0,) * 4,
                         reason="at most 200,000 in 2,000 are read"),
        "leeann_LATE_148623_9988776_lesson-01": Case(perfect(), late="late"),
        "Bo_Ek_4711_assignsubmission_file": Case(
            perfect(ex_1_4=WRONG["01-ex-1-4"]), (2, 5, 8, 0), reason="best look on the test set",
            file="Bo Ek_4711_assignsubmission_file/lesson-01.ipynb"),
        # cheats
        "no_checks": Case(perfect(ex_1_2=NO_CHECKS + BAD_RECALL), (2, 0, 8, 8), remarks=(
            "1.2: the code uses gc", "1.2: this passed beside the code that made it"),
            reason="that is precision"),
        "other_numpy": Case(perfect(ex_1_2="import sys, types\n"
                                    "sys.modules['numpy'] = types.ModuleType('numpy')\n"
                                    + BAD_RECALL), (2, 0, 8, 8), remarks=(
            "1.2: the code uses sys.modules", "1.2: the submission changed sys.modules['numpy']"),
            reason="that is precision"),
        "all_close": Case(perfect(ex_1_2="setattr(np, 'allclose', lambda *a, **k: True)\n"
                                  + BAD_RECALL), (2, 0, 8, 8), remarks=(
            "1.2: the code replaces numpy.allclose", "1.2: the submission changed numpy.allclose"),
            reason="that is precision"),
        "looks_up": Case(perfect(ex_1_3=SEES_THE_CALLER), (2, 5, 0, 8), remarks=(
            "1.3: the code uses inspect.currentframe", "1.3: the code looks into f_locals",
            "1.3: the code looks into f_back"), reason="of type int"),
        "prints_a_verdict": Case(perfect(ex_1_1="guess = 0.7\nprint('{\"event\": \"checked\", "
                                         "\"exercise\": \"1.1\", \"passed\": true}')"),
                                 (0, 5, 8, 8), reason="two classes"),
        "borrowed": Case(perfect(  # the answers are public, so this earns its points and is said
            ex_1_2="from tlcourse.notebook import lessons\n"
                   "theirs = lessons.part('01', 'checks')._recall()\n"
                   "recall_per_class = lambda confusion: theirs(confusion)"), remarks=(
            "1.2: the code imports tlcourse.notebook.lessons, which belongs to the checks",)),
        # who shares
        "ann": Case(perfect(ex_1_4=UNUSUAL)),
        "ann_s_friend": Case(perfect(ex_1_4=DISGUISED)),
    }
