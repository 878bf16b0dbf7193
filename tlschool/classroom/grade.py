"""Grade a folder of submitted notebooks, or one's own: ``tlcourse classroom grade``.

What came of each submission is kept in ``records/`` of the course folder as soon as it is known,
so that a batch that was stopped goes on where it was, and grades nothing twice.
"""

import difflib
import functools
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock
from nbformat import NotebookNode
from tqdm import tqdm

from tlcourse.utils.messages import listed
from tlschool.classroom import cache, copies, execute, variants
from tlschool.classroom.assignment import Assignment, assignment, name_of
from tlschool.classroom.clean import Unreadable, about, content, with_code
from tlschool.classroom.collect import printable, roster, submissions
from tlschool.classroom.execute import GraderError, Outcome, nothing
from tlschool.classroom.limits import Limits
from tlschool.classroom.release import variants_in
from tlschool.errors import CourseError

NOT_GRADED = "could not be graded"


class UnknownStudent(CourseError):
    """Nobody of this name handed in."""


@dataclass(frozen=True)
class Graded:
    """What came of one student's submission.

    Attributes
    ----------
    student : str
    file : str
        Below the folder of submissions; empty where nothing was handed in.
    outcome : Outcome
    known : bool
        From an earlier run, or without any.
    notebook : NotebookNode
        The clean submission.
    failure : str
        Why it could not be graded, or entered into nbgrader, for no fault of the student's.
    """

    student: str
    file: str
    outcome: Outcome
    known: bool
    notebook: NotebookNode
    failure: str = ""

    @property
    def has_points(self) -> bool:
        """Whether its points are known, be they none."""
        return not self.failure.startswith(NOT_GRADED)


def grade_file(
    path: Path, given: Assignment, limits: Limits, stopped: Callable[[], bool] = lambda: False
) -> Outcome:
    """Grade one file, whatever it holds.

    Raises
    ------
    GraderError
        The grader itself failed.
    OSError
        The file cannot be read.
    """
    try:
        handed_in = content(path)
    except Unreadable as error:
        return nothing(given, f"{error}.")
    return execute.run(handed_in, given, limits, stopped)


def dry_run(path: Path, limits: Limits) -> Outcome:
    """Grade a learner's own file, exactly as the batch does.

    Raises
    ------
    Unreadable
        It does not say which assignment and variant it is.
    """
    if path.is_dir():
        raise Unreadable(f"{path} is a folder, and a dry run takes one notebook")
    said = about(path)
    lesson, variant = said.get("lesson"), said.get("variant")
    if not (isinstance(lesson, str) and isinstance(variant, int) and "assignment" in said):
        raise Unreadable(f"{path.name} does not say which assignment it is, or is no complete "
                         "notebook: hand in the notebook that you were given, with your answers "
                         "in it")
    return grade_file(path, assignment(lesson, variant), limits)


def grade(
    folder: Path, lesson: str, course: Path, limits: Limits, again: str | None = None
) -> tuple[list[Graded], list[str]]:
    """Grade all submissions of an assignment that are new or have changed.

    Points that were given by hand in nbgrader take the place of those that were graded.

    Parameters
    ----------
    folder : path
        Of the submitted notebooks.
    lesson : str
        Its id, such as "01".
    course : path
        The course folder, as `release` left it.
    limits : Limits
        Of each submission; as many run at the same time as there are cores.
    again : str, optional
        A student whose submission is graded in any case.

    Returns
    -------
    graded : list of Graded
        One for each file and each student, in the order of the students' names.
    failed : list of str
        A sentence for each file that could not be graded, for no fault of the student's.

    Raises
    ------
    filelock.Timeout
        Another grading is under way in the course folder.
    UnknownStudent
        Nobody called as `again` handed in.
    """
    folder, course, stop = folder.absolute(), course.absolute(), threading.Event()
    with FileLock(course / ".grading.lock", timeout=0):
        copies.prepare()
        name = name_of(lesson)
        files = dict.fromkeys(roster(course, name).values()) | submissions(folder, name, course)
        _need_student(again, files)
        in_variant = functools.cache(functools.partial(assignment, lesson))
        graded = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = {pool.submit(_one, student, file, lesson, in_variant, course, limits, stop,
                                   student == again): student
                       for student, file in files.items()}
            try:
                for done in tqdm(as_completed(waiting), total=len(waiting), unit="file"):
                    student = waiting[done]
                    try:
                        one = done.result()
                    except Exception as error:  # noqa: BLE001, one failure stops no other
                        one = _not_graded(student, files[student], in_variant(0), _why(error))
                    else:
                        one = _entered(one, lesson, course)
                    graded.append(replace(one, file=_below(folder, one.file)))
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        graded = _with_what_was_given(sorted(graded, key=lambda one: one.student), course, name)
        return graded, [f"{one.student}: {one.failure}" for one in graded if one.failure]


def _need_student(again, files):
    if again is not None and files.get(again) is None:
        names = [student for student, file in files.items() if file]
        near = difflib.get_close_matches(again, names, cutoff=0.4) or names
        raise UnknownStudent(f"nobody called {again} handed in: name one as the reports do, such "
                             f"as {listed(near)}")


def _with_what_was_given(graded, course, name) -> list[Graded]:
    """The submissions with the points, and a remark each, that were given by hand in nbgrader."""
    from tlschool.classroom import gradebook

    try:
        given = gradebook.by_hand(course, name)
    except Exception as error:  # noqa: BLE001, the points are known all the same
        failure = f"graded, and points given by hand could not be read: {_why(error)}"
        return [replace(one, failure=one.failure or failure) for one in graded]
    return [replace(one, outcome=_corrected(one.outcome, given[one.student]))
            if one.student in given and one.has_points else one for one in graded]


def _corrected(outcome: Outcome, given: Mapping) -> Outcome:
    earned, remarks = [], list(outcome.remarks)
    by_exercise = {_exercise_of(id): one for id, one in given.items()}
    for one in outcome.earned:
        if hand := by_exercise.get(one.exercise):
            points = (one.points if hand.score is None else hand.score) + hand.extra
            points = int(points) if float(points).is_integer() else points
            said = f": {hand.comment}" if hand.comment else ""
            if hand.score is not None or hand.extra:
                remarks.append(f"{one.exercise}: {points:g} by hand in place of {one.points} "
                               f"points{said}")
            else:
                remarks.append(f"{one.exercise}: commented by hand{said}")
            one = replace(one, points=points)
        earned.append(one)
    return replace(outcome, earned=earned, remarks=remarks)


def _exercise_of(cell_id):
    """The exercise of a check cell, such as 1.2 of 01-ex-1-2-check."""
    return cell_id.partition("-ex-")[2].removesuffix("-check").replace("-", ".")


def _not_graded(student, file, given, why) -> Graded:
    failure = f"{NOT_GRADED}: {why}"
    return Graded(student, str(file.path), nothing(given, f"{failure}."), False, given.notebook,
                  failure)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # its number and its file say nothing more
    kind = "" if isinstance(error, GraderError) else f"{type(error).__name__}: "
    return printable(f"{kind}{error}".rstrip("."))


def _below(folder: Path, file: str) -> str:
    return printable(Path(file).relative_to(folder).as_posix()) if file else ""


def _one(student, file, lesson, in_variant, course, limits, stop, again) -> Graded:
    """Grade a submission, or find what is known of it; runs in a thread of its own."""
    given = in_variant(variant_of(file.owner if file else student, lesson, course))
    if file is None:
        return Graded(student, "", nothing(given, "nothing was handed in."), True, given.notebook)
    place, key = cache.place(course, given.name, student), cache.key(file.path, given, limits)
    outcome = known = None if again else cache.read(place, key)
    if outcome is None:
        outcome = grade_file(file.path, given, limits, stop.is_set)
        cache.write(place, key, outcome)
    notebook = with_code(given, outcome.code) if outcome.code else given.notebook
    return Graded(student, str(file.path), outcome, known is not None, notebook)


def _entered(one: Graded, lesson: str, course: Path) -> Graded:
    """Enter a submission into nbgrader's database, unless it is there; in the main thread."""
    from tlschool.classroom import gradebook

    name = name_of(lesson)
    try:
        since = cache.place(course, name, one.student).stat().st_mtime if one.file else 0.0
        if not gradebook.entered_since(course, name, one.student, since):
            gradebook.enter(course, name, one.student, one.notebook, one.outcome)
    except Exception as error:  # noqa: BLE001, the points are known all the same
        return replace(one, failure=f"graded, and not entered into nbgrader: {_why(error)}")
    return one


def variant_of(student: str, lesson: str, course: Path) -> int:
    """The variant that a student was given; 0 when the release has none for this one."""
    has_own = (variants_in(course, name_of(lesson)) / f"{student}.ipynb").exists()
    return variants.of_student(student) if has_own else 0
