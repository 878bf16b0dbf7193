"""Points in the forms that Canvas and Moodle import, for files that were downloaded there.

Both write their own number of a learner into the names of downloaded files, and find the learner by
it again. Canvas also writes there what came late.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from tlschool.classroom.grade import Graded

_CANVAS = re.compile(r"(?:^|/)(?P<name>[^_/]+)_(?P<late>LATE_)?(?P<number>\d+)_\d+_")
_MOODLE = re.compile(r"(?:^|/)(?P<name>[^_/]+)_(?P<number>\d+)_assignsubmission_file")


class Learner(NamedTuple):
    """Whom a platform means by a file."""

    name: str
    number: str
    is_late: bool


def on_canvas(file: str) -> Learner | None:
    """The learner in a name such as ``leeann_LATE_148623_9988776_lesson-01.ipynb``."""
    found = None if on_moodle(file) else _CANVAS.search(file)
    return Learner(found["name"], found["number"], bool(found["late"])) if found else None


def on_moodle(file: str) -> Learner | None:
    """The learner in a name such as ``Ann Lee_4711_assignsubmission_file/lesson-01.ipynb``."""
    found = _MOODLE.search(file)
    return Learner(found["name"], found["number"], False) if found else None


def is_late(file: str) -> bool:
    """Whether the platform says that a file came late."""
    learner = on_canvas(file)
    return learner is not None and learner.is_late


def imports(name: str, graded: Sequence[Graded]) -> dict[str, list[tuple]]:
    """Rows of ``canvas.csv`` and ``moodle.csv``, where there are learners of that platform.

    Of several files of one learner the first one counts; what could not be graded is left out.

    Parameters
    ----------
    name : str
        Of the assignment; on Canvas the column is called so.
    graded : sequence of Graded
    """
    canvas, moodle = {}, {}
    for one in filter(lambda one: one.has_points, graded):
        for learners, known in ((canvas, on_canvas(one.file)), (moodle, on_moodle(one.file))):
            if known:
                learners.setdefault(known.number, (known, one.outcome))
    tables = {}
    if canvas:
        most = next(iter(canvas.values()))[1].maximum
        tables["canvas.csv"] = [
            ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", name),
            ("    Points Possible", "", "", "", "", most),
            *((who.name, who.number, "", "", "", it.points) for who, it in canvas.values())]
    if moodle:
        tables["moodle.csv"] = [
            ("Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"),
            *((f"Participant {who.number}", who.name, it.points, it.maximum, "-")
              for who, it in moodle.values())]
    return tables
