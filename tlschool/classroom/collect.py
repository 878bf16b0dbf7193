"""Who handed in what: the notebooks of a folder by student, and what else lies there."""

import itertools
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from tlcourse.utils.messages import listed
from tlschool.classroom import cache, variants
from tlschool.classroom.clean import Unreadable, about, student_name
from tlschool.classroom.release import variants_in

NO_NOTEBOOK = "it is no notebook"
A_FOLDER = "it is a folder that is called as a notebook"
HIDDEN = "its name, or that of its folder, begins with a dot"


class HandedIn(NamedTuple):
    """A submitted notebook.

    Attributes
    ----------
    path : path
    owner : str
        The student whose notebook it is; of two, both have the same owner.
    """

    path: Path
    owner: str


def submissions(folder: Path, name: str, course: Path) -> dict[str, HandedIn]:
    """The submitted notebooks by the name under which each is graded.

    A student's name is that of the file or, where the file is called as the assignment is, that
    of its folder. Where each student was given a notebook of one's own, it is also found in the
    longer names that learning platforms make, if the notebook is the one made for this name. Of
    two with one name, as Windows and macOS see it, the second gets a number.

    Parameters
    ----------
    folder : path
        Searched with all of its folders.
    name : str
        Of the assignment, such as "lesson-01".
    course : path
        The course folder, with the variants that were handed out, if any.
    """
    students, by_owner = roster(course, name), defaultdict(list)
    for path in notebooks(folder):
        owner = _owner(path, folder, name, students)
        by_owner[owner.casefold()].append(HandedIn(path, owner))
    for owner, own in by_owner.items():  # a longer name, of which anybody can think, comes second
        own.sort(key=lambda one: _student_of(one.path, folder, name).casefold() != owner)
    found = {own[0].owner: own[0] for own in by_owner.values()}
    taken = {*by_owner, *students}
    for one in itertools.chain.from_iterable(own[1:] for own in by_owner.values()):
        numbered = (f"{one.owner}_{number}" for number in itertools.count(2))
        student = next(name for name in numbered if name.casefold() not in taken)
        taken.add(student.casefold())
        found[student] = one
    return found


def notices(folder: Path, name: str, course: Path) -> list[str]:
    """Sentences on files that are no notebooks, and on students with several, an unknown name, or
    a notebook that was there before.

    Parameters
    ----------
    folder, name, course
        As for `submissions`.
    """
    said, reasons = [], left_out(folder)
    for why, what_to_do in ((NO_NOTEBOOK, "unpack archives"), (A_FOLDER, "rename it"),
                            (HIDDEN, "rename it if it is a hand-in")):
        if names := [name for name, reason in reasons.items() if reason == why]:
            said.append(f"not graded, for {why}: {listed(names)}; {what_to_do}")
    found, students = submissions(folder, name, course), roster(course, name)
    counts = Counter(one.owner.casefold() for one in found.values())
    firsts = {student: one for student, one in found.items() if student == one.owner}
    said += [f"{student} handed in {counts[student.casefold()]} notebooks: each is graded, the "
             f"second as {student}_2" for student in firsts if counts[student.casefold()] > 1]
    for student, one in firsts.items():
        if students and student.casefold() not in students:
            made_for = _made_for(one.path, students)
            whose = f"it is {made_for[0]}'s" if made_for else "it is somebody else's name"
            said.append(f"no notebook was made for {student}: graded as the one for who is not in "
                        f"the list; if {whose}, rename the file")
    recorded = cache.place(course, name, "").parent.glob("*.json")
    if gone := sorted({path.stem for path in recorded} - set(found)):
        said.append(f"graded before and not in {printable(folder)} now: {listed(gone)}; the "
                    "reports are of this folder alone")
    return said


def left_out(folder: Path) -> dict[str, str]:
    """What lies in a folder and is not graded, by its path there: why not."""
    reasons = {path: NO_NOTEBOOK for path in _files(folder) if not _is_notebook(path)}
    for path in filter(_is_notebook, sorted(folder.rglob("*"))):
        parts = path.relative_to(folder).parts
        if path.is_dir() and not path.is_symlink():
            reasons[path] = A_FOLDER
        elif _is_hidden(path, folder) and ".ipynb_checkpoints" not in parts:  # Jupyter's copies
            reasons[path] = HIDDEN
    return {printable(path.relative_to(folder).as_posix()): why for path, why in reasons.items()}


def printable(name: object) -> str:
    """A name of a file as every console and table can have it.

    Bytes that are no UTF-8, line breaks and marks that turn the direction of writing are written
    with backslashes.
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(name))


def roster(course: Path, name: str) -> dict[str, str]:
    """The students who were given a notebook of their own; upper and lower case do not count."""
    names = sorted(path.stem for path in variants_in(course, name).glob("*.ipynb"))
    return {student.casefold(): student for student in names}


def notebooks(folder: Path) -> list[Path]:
    """The notebooks in a folder and in all of its folders."""
    return [path for path in _files(folder) if _is_notebook(path)]


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _files(folder: Path) -> list[Path]:
    """What lies in a folder and in all of its folders, without what is hidden; links that lead
    nowhere, too, for somebody handed them in."""
    visible = [path for path in folder.rglob("*")
               if (path.is_symlink() or not path.is_dir()) and not _is_hidden(path, folder)]
    return sorted(visible, key=lambda path: (path.parent, path.stem, path.suffix))


def _owner(path: Path, folder: Path, name: str, students: dict[str, str]) -> str:
    """The student whose notebook it is, by its name or, within a longer one, by its variant too."""
    own = _student_of(path, folder, name)
    if not students or own.casefold() in students:
        return students.get(own.casefold(), own)
    longer = f"_{student_name(path.relative_to(folder).with_suffix('').as_posix())}_".casefold()
    return next((student for student in _made_for(path, students)
                 if re.search(rf"[\W_]{re.escape(student.casefold())}[\W_]", longer)), own)


def _made_for(path: Path, students: dict[str, str]) -> list[str]:
    """The students whose variant a notebook says it is; seldom more than one."""
    try:
        variant = about(path).get("variant")
    except (Unreadable, OSError):
        return []
    return [student for student in students.values() if variants.of_student(student) == variant]


def _student_of(path: Path, folder: Path, name: str) -> str:
    """The student who handed in a file, by its path below the folder of submissions."""
    is_named_as_handed_out = re.fullmatch(rf"{re.escape(name)}(-Copy\d+| ?\(\d+\))?", path.stem)
    folders = [part for part in path.relative_to(folder).parts[:-1]
               if part != name]  # nbgrader has one of this name
    return student_name(folders[-1] if is_named_as_handed_out and folders else path.stem)
