"""Assignments of nbgrader, made from the lessons: ``tlcourse classroom release``."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from tlcourse import __version__
from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically
from tlschool.authoring.source import NotebookError, load, save
from tlschool.classroom import variants
from tlschool.classroom.assignment import assignment, comparable
from tlschool.classroom.clean import student_name
from tlschool.errors import CourseError


class Release(NamedTuple):
    """What a release made, and what it kept.

    Attributes
    ----------
    to_hand_out : list of path
    kept : list of path
        Copies in ``earlier/`` of notebooks that were there and have become others.
    """

    to_hand_out: list[Path]
    kept: list[Path]


def release(lessons: Sequence[str], folder: Path, students: Sequence[str] = ()) -> Release:
    """Make the assignments of lessons, and enter them into nbgrader's database.

    Parameters
    ----------
    lessons : sequence of str
        Ids such as "01".
    folder : path
        The course folder of nbgrader: ``source/`` and ``gradebook.db`` are the instructor's,
        ``release/`` is handed out.
    students : sequence of str
        Each gets a notebook of its own in ``variants/``, to be handed out in place of
        ``release/``.

    Returns
    -------
    Release

    Raises
    ------
    GraderError
        nbgrader failed. The earlier release of this lesson is then as it was.
    """
    from tlschool.classroom import gradebook  # slow to load, and learners lack nbgrader

    made = Release([], [])
    for lesson in lessons:
        given = assignment(lesson, with_hidden=True)
        source, common = (folder / kind / given.name / f"{given.name}.ipynb"
                          for kind in ("source", "release"))
        own = {variants_in(folder, given.name) / f"{student}.ipynb": variants.of_student(student)
               for student in students}
        with _keeping([source, common, *own], folder, made.kept):
            save(source, given.notebook)
            gradebook.generate(folder, given.name)
            for path, variant in own.items():
                save(path, assignment(lesson, variant).notebook)
        made.to_hand_out.extend([common, *own])
    return made


@contextmanager
def _keeping(paths: Sequence[Path], folder: Path, kept: list[Path]) -> Iterator[None]:
    """Copy what is there to ``earlier/``, and drop the copies of what has stayed the same.

    Where the release fails, all is put back as it was.
    """
    now, copies = f"{datetime.now():%Y-%m-%d %H.%M}", {}  # no colon, for Windows
    for path in paths:
        if path.is_file():
            name = path.relative_to(folder).with_name(f"{path.stem} {now}{path.suffix}")
            copies[path] = places.unused(folder / "earlier" / name)
            write_atomically(copies[path], path.read_bytes())
    try:
        yield
    except BaseException:
        for path, copy in copies.items():
            write_atomically(path, copy.read_bytes())
        raise
    finally:
        _drop_needless(copies, kept)


def _drop_needless(copies: dict[Path, Path], kept: list[Path]) -> None:
    for path, copy in copies.items():
        if path.is_file() and path.read_bytes() == copy.read_bytes():
            copy.unlink()
            with suppress(OSError):  # not empty
                os.removedirs(copy.parent)
        else:
            kept.append(copy)


def outdated(folder: Path, lesson: str) -> str | None:
    """One sentence where a release is not what its lesson makes now, for that is what is graded."""
    given = assignment(lesson, with_hidden=True)
    try:
        released = load(folder / "source" / given.name / f"{given.name}.ipynb")
    except (FileNotFoundError, NotebookError):
        return None
    if _graded(released) == _graded(given.notebook):
        return None
    version = released.metadata.get("tlcourse", {}).get("version")
    by = f" by version {version}" if version != __version__ else ""
    return (f"{given.name} has changed since it was released{by}, or its source was edited: "
            "answers are graded by what the lesson asks now. Grade with the version that released "
            "it, or release it anew")


def _graded(notebook: NotebookNode) -> dict:
    """What decides about points: the exercises, their checks, and what they run on."""
    return {cell.id: (comparable(cell.source), cell.metadata.get("nbgrader"))
            for cell in notebook.cells if not cell.id.endswith(("-introduction", "-before"))}


def variants_in(folder: Path, name: str) -> Path:
    """Where the notebooks of the students lie, if the release has variants."""
    return folder / "variants" / name


def students_in(path: Path) -> list[str]:
    """The students of a list, one a line, as they may be called in names of files.

    Raises
    ------
    CourseError
        No names, no text, or two lines that become one name, as Windows and macOS see it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise CourseError(f"{path} is no text in UTF-8: save it with this encoding") from None
    students = [student_name(line.strip()) for line in lines if line.strip()]
    alike = Counter(student.casefold() for student in students)
    twice = sorted(student for student in students if alike[student.casefold()] > 1)
    if twice:
        raise CourseError(f"{path} has {twice[0]} more than once: give each student a line and a "
                         "name of letters, digits, dots and hyphens")
    if not students:
        raise CourseError(f"{path} names nobody: write one student a line")
    return students
