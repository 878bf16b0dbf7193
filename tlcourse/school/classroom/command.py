"""``tlcourse classroom``: what its two words do, and what they say."""

import sys
from pathlib import Path

from filelock import Timeout

from tlcourse.school.classroom import sandbox
from tlcourse.school.classroom.groups import Group
from tlcourse.school.classroom.limits import Limits
from tlcourse.school.places import command


def release(lessons: list[str], folder: str, students: str | None) -> int:
    """Make assignments and say what there is to hand out."""
    if missing := _nbgrader_missing():
        return _fail(missing)
    from tlcourse.school.classroom.release import release, students_in

    try:
        names = students_in(Path(students)) if students else ()
    except ValueError as error:
        return _fail(error)
    made = release(lessons, Path(folder), names)
    print(*(f"to hand out: {path}" for path in made), sep="\n")
    return 0


def grade(folder: str, lesson: str, course: str, limits: Limits) -> int:
    """Grade a folder; 1 when a file could not be graded for no fault of the student's."""
    if missing := _nbgrader_missing():
        return _fail(missing)
    from tlcourse.school.classroom import report
    from tlcourse.school.classroom.edition import assignment, name_of
    from tlcourse.school.classroom.grade import grade, submissions

    lesson, course = assignment(lesson).lesson, Path(course)
    if not (course / "release" / name_of(lesson)).is_dir():
        return _fail(f"{course} holds no release of {name_of(lesson)}: make it with "
                     f"`{command()} classroom release {lesson} --output {course}`")
    if not submissions(Path(folder), name_of(lesson)):
        return _fail(f"there is no notebook in {folder}")
    print(_conditions(limits))
    try:
        graded, failed = grade(Path(folder), lesson, course, limits=limits)
    except Timeout:
        return _fail(f"another grading is under way in {course}: wait until it is done")
    paths = report.write(course / "reports" / name_of(lesson), graded)
    new = sum(not one.known for one in graded)
    print(f"{new} graded now, {len(graded) - new} known from before.", *paths, sep="\n")
    print(*failed, sep="\n", end="\n" * bool(failed), file=sys.stderr)
    return int(bool(failed))


def dry_run(path: str, limits: Limits) -> int:
    """Show a learner the points that the saved file would get."""
    from tlcourse.school.classroom.grade import dry_run
    from tlcourse.school.classroom.report import table
    from tlcourse.school.classroom.submission import Unreadable

    try:
        print(table(dry_run(Path(path), limits)))
    except Unreadable as error:
        return _fail(error)
    return 0


def limits(seconds: float | None, megabytes: float | None) -> Limits:
    """The usual limits, or those that were asked for."""
    given = {"seconds": seconds, "memory": megabytes and int(megabytes * 1e6)}
    return Limits(**{name: value for name, value in given.items() if value})


def _conditions(limits: Limits) -> str:
    """Under which conditions submissions run here, said before any of them does."""
    reason = sandbox.why_not()
    walls = ("in bubblewrap, without network" if reason is None else
             f"NOT in bubblewrap, so it can read your files and use the network ({reason})")
    group = Group.make(limits.memory, limits.processes)
    holder = "a control group of the kernel" if group else "a supervisor"
    if group:
        group.close()
    return (f"Each submission runs {walls}, for at most {limits.seconds:g} s, with at most "
            f"{limits.memory / 1e6:,.0f} MB and {limits.processes} processes, held by {holder}.")


def _nbgrader_missing() -> str | None:
    from importlib.util import find_spec

    if find_spec("nbgrader") is None:
        return "nbgrader is not installed: pip install \"tlcourse[classroom]\""
    return None


def _fail(message: object) -> int:
    print(f"tlcourse: {message}", file=sys.stderr)
    return 1
