"""What the instructor reads: points with reasons, remarks, and how often which answer came."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from types import MappingProxyType

from tlcourse.utils.files import write_atomically
from tlcourse.utils.messages import counted, filled
from tlschool.classroom.execute import Outcome
from tlschool.classroom.grade import NOT_GRADED, Graded
from tlschool.classroom.platforms import imports, is_late

_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?")


def write(
    folder: Path, graded: Sequence[Graded], left_out: Mapping[str, str] = MappingProxyType({}),
    pairs: Sequence[tuple[str, str, str]] = (),
) -> list[Path]:
    """Write ``totals.csv``, ``points.csv``, ``remarks.csv``, ``items.csv`` and ``similar.csv``.

    Where files come from Canvas or Moodle, ``canvas.csv`` or ``moodle.csv`` can be imported there.

    Parameters
    ----------
    folder : path
        Called as the assignment is.
    graded : sequence of Graded
    left_out : mapping of str to str
        Why a file is in no other table, by its path.
    pairs : sequence of tuples
        From `similar`.

    Returns
    -------
    list of path
        The tables, one row each for a student, a student's exercise, a remark, a kind of answer,
        and two students who share unusual code.
    """
    tables = {
        "totals.csv": [("student", "file", "points", "maximum", "late", "note"),
                       *((one.student, one.file, *_points(one), "late" * is_late(one.file),
                          one.failure) for one in graded)],
        "points.csv": [("student", "file", "exercise", "points", "maximum", "reason"),
                       *((one.student, one.file, e.exercise, e.points, e.maximum, e.reason)
                         for one in graded for e in one.outcome.earned)],
        "remarks.csv": [("student", "file", "remark"),
                        *((one.student, one.file, remark)
                          for one in graded for remark in one.outcome.remarks),
                        *(("", file, f"{NOT_GRADED}: {why}")
                          for file, why in left_out.items())],
        "items.csv": [("exercise", "students", "share", "answer"), *items(graded)],
        "similar.csv": [("student", "other student", "share of the unusual code"), *pairs],
        **imports(folder.name, graded),
    }
    for name, rows in tables.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [[_no_formula(value) for value in row] for row in rows])
        # Spreadsheets take a file without the mark for one in the system's own encoding.
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
    lines = [filled(f"{one.exercise:>6}  {one.points:2} of {one.maximum:2}  {one.reason}", " " * 18)
             for one in outcome.earned]
    total = f" total  {outcome.points:2} of {outcome.maximum:2}"
    return "\n".join([*lines, total, *map(filled, outcome.remarks)])


def _points(one: Graded) -> tuple[int | str, int]:
    """Points, and the most; none at all, rather than 0, where they are not known."""
    return (one.outcome.points if one.has_points else "", one.outcome.maximum)


def average(graded: Sequence[Graded]) -> str:
    """Mean and median of the points of what was handed in and graded; empty where nothing was."""
    points = [one.outcome.points for one in graded if one.file and one.has_points]
    if not points:
        return ""
    most = max(one.outcome.maximum for one in graded)
    return (f"points of {counted(len(points), 'notebook')}: mean {mean(points):.1f}, median "
            f"{median(points):g} of {most}")


def _no_formula(value: object) -> object:
    """A text that a spreadsheet would run as a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value
