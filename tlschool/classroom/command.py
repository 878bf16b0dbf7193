"""``tlcourse classroom``: what its two words do, and what they say."""

import sys
from pathlib import Path
from typing import TextIO

from filelock import Timeout

from tlcourse.notebook import places
from tlcourse.notebook.places import command
from tlschool.classroom import sandbox
from tlschool.classroom.groups import Group
from tlschool.classroom.limits import Limits
from tlschool.errors import CourseError

LEAST_MEGABYTES = 500
"""With which Python and torch can be loaded."""


def release(lessons: list[str], output: str, students: str | None) -> None:
    """Make assignments and say what there is to hand out."""
    _need_nbgrader()
    from tlschool.classroom.execute import GraderError
    from tlschool.classroom.release import release, students_in

    names = students_in(Path(students)) if students else ()
    known = dict.fromkeys(places.notebook(lesson).name[:2] for lesson in lessons)
    try:
        made = release(list(known), Path(output), names)
    except GraderError as error:
        raise CourseError(f"{error}; a release whose exercises are others than those of the "
                          "submissions graded there needs a new folder") from error
    for path in made.to_hand_out:
        print(f"for {path.stem}:" if path.stem in names else "to hand out:" if not names else
              "for who is not in the list:", path)
    for path in made.kept:
        print("what was there before is kept:", path)


def grade(
    folder: str, lesson: str, course: str, limits: Limits, again: str | None = None
) -> int:
    """Grade a folder; 1 when a file could not be graded for no fault of the student's."""
    _need_nbgrader()
    from tlschool.classroom import tables
    from tlschool.classroom.assignment import assignment, name_of
    from tlschool.classroom.collect import left_out, notices
    from tlschool.classroom.grade import grade
    from tlschool.classroom.release import outdated
    from tlschool.classroom.similar import similar

    lesson, course, handed_in = assignment(lesson).lesson, Path(course), Path(folder)
    _need_folders(handed_in, lesson, course)
    said = [*notices(handed_in, name_of(lesson), course), outdated(course, lesson)]
    _say(*filter(None, said), to=sys.stderr)
    _say(_conditions(limits))
    try:
        graded, failed = grade(handed_in, lesson, course, limits, again)
    except Timeout as error:
        raise CourseError(f"another grading is under way in {course}: wait until it is "
                          "done") from error
    paths = tables.write(course / "reports" / name_of(lesson), graded, left_out(handed_in),
                         similar(graded, lesson))
    handed = [one for one in graded if one.file]
    new = sum(not one.known and not one.failure for one in handed)
    known = sum(one.known for one in handed)
    _say(f"{new} graded now, {known} known from before, {len(graded) - len(handed)} handed in "
         "nothing.", *filter(None, [tables.average(graded)]), *paths,
         f"feedback, a page for each student: {course / 'feedback'}")
    _say(*failed, to=sys.stderr)
    return int(bool(failed))


def dry_run(path: str, limits: Limits) -> None:
    """Show a learner the points that the saved file would get."""
    from tlschool.classroom.grade import dry_run
    from tlschool.classroom.tables import table

    _say(table(dry_run(Path(path), limits)))


def limits(seconds: float, megabytes: float) -> Limits:
    """The limits that were asked for, if anything can run within them."""
    if not (seconds > 0 and megabytes >= LEAST_MEGABYTES):
        raise CourseError(f"no submission can run in {seconds:g} s with {megabytes:g} MB: allow "
                          f"more than 0 s and at least {LEAST_MEGABYTES} MB")
    return Limits(seconds=seconds, memory=int(megabytes * 1e6))


def _say(*lines: object, to: TextIO | None = None) -> None:
    """Print lines; what a console cannot encode is written with backslashes."""
    to = to or sys.stdout
    for line in lines:
        encoding = getattr(to, "encoding", None) or "utf-8"
        print(str(line).encode(encoding, "backslashreplace").decode(encoding), file=to)


def _need_folders(handed_in: Path, lesson: str, course: Path) -> None:
    """A folder with notebooks, and apart from it the course folder with a release."""
    from tlschool.classroom.assignment import name_of
    from tlschool.classroom.collect import notebooks

    if not handed_in.exists():
        raise CourseError(f"there is no folder {handed_in}")
    if not handed_in.is_dir():
        raise CourseError(
            f"{handed_in} is a file: name its folder, or add --dry-run to see its points")
    if not (course / "release" / name_of(lesson)).is_dir():
        raise CourseError(f"{course} holds no release of {name_of(lesson)}: make it with "
                          f"`{command()} classroom release {lesson} --output {course}`")
    if course.resolve().is_relative_to(handed_in.resolve()):
        raise CourseError(f"{handed_in} holds the course folder {course} itself: put what was "
                          "handed in into a folder of its own")
    if not notebooks(handed_in):
        raise CourseError(f"there is no notebook in {handed_in}: unpack archives there first")


def _conditions(limits: Limits) -> str:
    """Under which conditions submissions run here, said before any of them does."""
    reason = sandbox.why_not()
    files = (f"with at most {sandbox.ROOM / 1e6:,.0f} MB of files" if sandbox.knows_sizes() else
             "its files NOT limited, for this bubblewrap cannot")
    walls = (f"in bubblewrap, without network, {files}" if reason is None else
             "NOT in bubblewrap, so it can read and change your files and this course, fill the "
             f"disk and use the network ({reason})")
    group = Group.make(limits.memory, limits.processes)
    holder = "a control group of the kernel" if group else "a supervisor"
    if group:
        group.close()
    return (f"Each submission runs {walls}, for at most {limits.seconds:g} s, with at most "
            f"{limits.memory / 1e6:,.0f} MB and {limits.processes} processes, held by {holder}.")


def _need_nbgrader() -> None:
    from importlib.util import find_spec

    if find_spec("nbgrader") is None:
        by_hand = 'python -m pip install "tlcourse[classroom]"'
        how = by_hand if command() == "tlcourse" else f"{command()} classroom release 01"
        raise CourseError(f"nbgrader is not installed: call `{how}`, which installs it")
