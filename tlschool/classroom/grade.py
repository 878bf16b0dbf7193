"""Grade a folder of submitted notebooks, or one's own: ``tlcourse classroom grade``.

What came of each submission is kept in ``records/`` of the course folder as soon as it is known,
so that a batch that was stopped goes on where it was, and grades nothing twice.
"""

import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock
from nbformat import NotebookNode
from tqdm import tqdm

from tlschool.classroom import cache, execute, variants
from tlschool.classroom.assignment import Assignment, assignment, name_of
from tlschool.classroom.clean import Unreadable, clean, read
from tlschool.classroom.collect import roster, submissions
from tlschool.classroom.execute import GraderError, Outcome, nothing
from tlschool.classroom.limits import Limits
from tlschool.classroom.release import variants_in


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
    """

    student: str
    file: str
    outcome: Outcome
    known: bool
    notebook: NotebookNode


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
        submission = clean(read(path), given)
    except Unreadable as error:
        return nothing(given, f"{error}.")
    return execute.run(submission, given, limits, stopped)


def dry_run(path: Path, limits: Limits) -> Outcome:
    """Grade a learner's own file, exactly as the batch does.

    Raises
    ------
    Unreadable
        It does not say which assignment and variant it is.
    """
    if path.is_dir():
        raise Unreadable(f"{path} is a folder, and a dry run takes one notebook")
    about = read(path).notebook.metadata.get("tlcourse", {})
    lesson, variant = about.get("lesson"), about.get("variant")
    if not (isinstance(lesson, str) and isinstance(variant, int) and "assignment" in about):
        raise Unreadable(f"{path.name} does not say which assignment it is: hand in the notebook "
                         "that you were given, with your answers in it")
    return grade_file(path, assignment(lesson, variant), limits)


def grade(
    folder: Path, lesson: str, course: Path, limits: Limits
) -> tuple[list[Graded], list[str]]:
    """Grade all submissions of an assignment that are new or have changed.

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

    Returns
    -------
    graded : list of Graded
        In the order of the students' names.
    failed : list of str
        A sentence for each file that could not be graded, for no fault of the student's.

    Raises
    ------
    filelock.Timeout
        Another grading is under way in the course folder.
    """
    folder, course, stop = folder.absolute(), course.absolute(), threading.Event()
    with FileLock(course / ".grading.lock", timeout=0):
        name = name_of(lesson)
        files = dict.fromkeys(roster(course, name).values()) | submissions(folder, name, course)
        in_variant = functools.cache(functools.partial(assignment, lesson))
        graded, failed = [], []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = {pool.submit(_one, student, file, lesson, in_variant, course, limits,
                                   stop): student for student, file in files.items()}
            try:
                for done in tqdm(as_completed(waiting), total=len(waiting), unit="file"):
                    try:
                        graded.append(_entered(done.result(), lesson, course, folder))
                    except Exception as error:  # noqa: BLE001, one failure stops no other
                        kind = "" if isinstance(error, GraderError) else f"{type(error).__name__}: "
                        failed.append(f"{waiting[done]}: {kind}{error}")
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        return sorted(graded, key=lambda one: one.student), sorted(failed)


def _one(student, file, lesson, in_variant, course, limits, stop) -> Graded:
    """Grade a submission, or find what is known of it; runs in a thread of its own."""
    given = in_variant(variant_of(file.owner if file else student, lesson, course))
    if file is None:
        return Graded(student, "", nothing(given, "nothing was handed in."), True, given.notebook)
    try:
        notebook = clean(read(file.path), given).notebook
    except Unreadable:
        notebook = given.notebook
    place, key = cache.place(course, given.name, student), cache.key(file.path, given, limits)
    outcome = known = cache.read(place, key)
    if outcome is None:
        outcome = grade_file(file.path, given, limits, stop.is_set)
        cache.write(place, key, outcome)
    return Graded(student, str(file.path), outcome, known is not None, notebook)


def _entered(one: Graded, lesson: str, course: Path, folder: Path) -> Graded:
    """Enter a submission into nbgrader's database, unless it is there; in the main thread."""
    from tlschool.classroom import gradebook

    name = name_of(lesson)
    since = cache.place(course, name, one.student).stat().st_mtime if one.file else 0.0
    if not gradebook.entered_since(course, name, one.student, since):
        gradebook.enter(course, name, one.student, one.notebook, one.outcome)
    file = Path(one.file).relative_to(folder).as_posix() if one.file else ""
    return replace(one, file=file)


def variant_of(student: str, lesson: str, course: Path) -> int:
    """The variant that a student was given; 0 when the release has none for this one."""
    has_own = (variants_in(course, name_of(lesson)) / f"{student}.ipynb").exists()
    return variants.of_student(student) if has_own else 0
