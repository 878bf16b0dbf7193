"""Assignments of nbgrader, made from the lessons: ``tlcourse classroom release``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tlcourse.files import write_atomically
from tlcourse.school.classroom import variants
from tlcourse.school.classroom.edition import assignment
from tlcourse.school.classroom.submission import student_name


def release(lessons: Sequence[str], folder: Path, students: Sequence[str] = ()) -> list[Path]:
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
    list of path
        What there is to hand out.
    """
    from tlcourse.school.classroom import gradebook  # slow to load, and learners lack nbgrader

    made = []
    for lesson in lessons:
        given = assignment(lesson, with_hidden=True)
        source = folder / "source" / given.name / f"{given.name}.ipynb"
        write_atomically(source, written(given.notebook))
        gradebook.generate(folder, given.name)
        made.append(folder / "release" / given.name / f"{given.name}.ipynb")
        for student in students:
            path = variants_in(folder, given.name) / f"{student}.ipynb"
            own = assignment(lesson, variants.of_student(student))
            write_atomically(path, written(own.notebook))
            made.append(path)
    return made


def variants_in(folder: Path, name: str) -> Path:
    """Where the notebooks of the students lie, if the release has variants."""
    return folder / "variants" / name


def students_in(path: Path) -> list[str]:
    """The students of a list, one a line, as they may be called in names of files.

    Raises
    ------
    ValueError
        No names, no text, or two lines that become one name, as Windows and macOS see it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8: save it with this encoding") from None
    students = [student_name(line.strip()) for line in lines if line.strip()]
    alike = Counter(student.casefold() for student in students)
    twice = sorted(student for student in students if alike[student.casefold()] > 1)
    if twice:
        raise ValueError(f"{path} has {twice[0]} more than once: give each student a line and a "
                         "name of letters, digits, dots and hyphens")
    if not students:
        raise ValueError(f"{path} names nobody: write one student a line")
    return students


def written(notebook: NotebookNode) -> str:
    """A notebook as the text of its file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"
