"""Who handed in what: the notebooks of a folder by student, and what else lies there."""

import itertools
import re
from collections import Counter
from pathlib import Path

from tlcourse.school.classroom.release import variants_in
from tlcourse.school.classroom.submission import student_name

_NAMED = 5  # files that are named one by one


def submissions(folder: Path, name: str) -> dict[str, Path]:
    """The submitted notebooks by student.

    A student's name is that of the file or, where the file is called as the assignment is, that
    of its folder. Of two with one name, as Windows and macOS see it, the second gets a number.

    Parameters
    ----------
    folder : path
        Searched with all of its folders.
    name : str
        Of the assignment, such as "lesson-01".
    """
    found: dict[str, Path] = {}
    taken: set[str] = set()
    for path in _files(folder):
        if path.suffix == ".ipynb":
            own = _student_of(path.relative_to(folder), name)
            numbered = (f"{own}_{number}" for number in itertools.count(2))
            student = next(s for s in itertools.chain([own], numbered) if s.casefold() not in taken)
            taken.add(student.casefold())
            found[student] = path
    return found


def notices(folder: Path, name: str, course: Path) -> list[str]:
    """Sentences on files that are no notebooks, and on students with several or an unknown name.

    Parameters
    ----------
    folder, name
        As for `submissions`.
    course : path
        The course folder, with the variants that were handed out, if any.
    """
    files = [path.relative_to(folder) for path in _files(folder)]
    others = [str(path) for path in files if path.suffix != ".ipynb"]
    said = [f"not graded, for it is no notebook: {path}; unpack it if it is an archive"
            for path in others[:_NAMED]]
    if len(others) > _NAMED:
        said.append(f"not graded, for they are no notebooks: {len(others) - _NAMED} more files")
    students = [_student_of(path, name) for path in files if path.suffix == ".ipynb"]
    alike = Counter(student.casefold() for student in students)
    first = {student.casefold(): student for student in reversed(students)}
    said += [f"{first[key]} handed in {count} notebooks: each is graded, the second as "
             f"{first[key]}_2" for key, count in alike.items() if count > 1]
    known = {path.stem for path in variants_in(course, name).glob("*.ipynb")}
    return said + [f"no notebook was made for {student}: graded as the one for who is not in the "
                   "list; if it is somebody else's name, rename the file"
                   for student in submissions(folder, name) if known and student not in known]


def _files(folder: Path) -> list[Path]:
    """What lies in a folder and in all of its folders, without what is hidden."""
    visible = [path for path in folder.rglob("*") if path.is_file()
               and not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(visible, key=lambda path: (path.parent, path.stem, path.suffix))


def _student_of(path: Path, name: str) -> str:
    """The student who handed in a file, by its path below the folder of submissions."""
    is_named_as_handed_out = re.fullmatch(rf"{re.escape(name)}(-Copy\d+| ?\(\d+\))?", path.stem)
    folders = [part for part in path.parts[:-1] if part != name]  # nbgrader has one of this name
    return student_name(folders[-1] if is_named_as_handed_out and folders else path.stem)
