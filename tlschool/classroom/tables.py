"""What the instructor reads: points with reasons, remarks, and how often which answer came."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tlcourse.utils.files import write_atomically
from tlcourse.utils.messages import filled
from tlschool.classroom.execute import Outcome
from tlschool.classroom.grade import NOT_GRADED, Graded

_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


def write(
    folder: Path, graded: Sequence[Graded], left_out: Mapping[str, str] = MappingProxyType({})
) -> list[Path]:
    """Write the tables ``totals.csv``, ``points.csv``, ``remarks.csv`` and ``items.csv``.

    Parameters
    ----------
    folder : path
    graded : sequence of Graded
    left_out : mapping of str to str
        Why a file is in no other table, by its path.

    Returns
    -------
    list of path
        The tables, one row each for a student, a student's exercise, a remark, and a kind of
        answer.
    """
    tables = {
        "totals.csv": [("student", "file", "points", "maximum", "note"),
                       *((one.student, one.file, *_points(one), one.failure) for one in graded)],
        "points.csv": [("student", "file", "exercise", "points", "maximum", "reason"),
                       *((one.student, one.file, e.exercise, e.points, e.maximum, e.reason)
                         for one in graded for e in one.outcome.earned)],
        "remarks.csv": [("student", "file", "remark"),
                        *((one.student, one.file, remark)
                          for one in graded for remark in one.outcome.remarks),
                        *(("", file, f"{NOT_GRADED}: {why}")
                          for file, why in left_out.items())],
        "items.csv": [("exercise", "students", "share", "answer"), *items(graded)],
    }
    for name, rows in tables.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [[_no_formula(value) for value in row] for row in rows])
        # Spreadsheets take a file without this mark for one in the system's own encoding.
        # An error may quote half of a character, which no encoding has.
        write_atomically(folder / name, text.getvalue().encode("utf-8-sig", "backslashreplace"))
    return [folder / name for name in tables]


def items(graded: Sequence[Graded]) -> list[tuple[str, int, str, str]]:
    """Which answers each exercise got, and how often, the most frequent first.

    Messages that differ in their numbers alone are one kind of answer.

    Returns
    -------
    list of (exercise, students, share, answer)
    """
    kinds: dict[str, Counter] = {}
    for one in filter(lambda one: one.has_points, graded):
        for earned in one.outcome.earned:
            kind = _NUMBER.sub("#", earned.reason) if earned.reason else "right"
            kinds.setdefault(earned.exercise, Counter())[kind] += 1
    return [(exercise, count, f"{count / sum(counts.values()):.0%}", kind)
            for exercise, counts in kinds.items()
            for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def table(outcome: Outcome) -> str:
    """One submission's points, for the terminal."""
    total, of = _total(outcome)
    lines = [filled(f"{one.exercise:>6}  {one.points:2} of {one.maximum:2}  {one.reason}", " " * 18)
             for one in outcome.earned]
    return "\n".join([*lines, f" total  {total:2} of {of:2}", *map(filled, outcome.remarks)])


def _points(one: Graded) -> tuple[int | str, int]:
    """Points, and the most; none at all, rather than 0, where they are not known."""
    total, most = _total(one.outcome)
    return (total if one.has_points else "", most)


def _total(outcome: Outcome) -> tuple[int, int]:
    """Points, and the most that there were to earn."""
    return (sum(one.points for one in outcome.earned),
            sum(one.maximum for one in outcome.earned))


def _no_formula(value: object) -> object:
    """A text that a spreadsheet would run as a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value
