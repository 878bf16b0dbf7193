"""Where a lesson's files lie, and where the learner's own files live."""

import os
import sys
from pathlib import Path

from tlcourse.utils.files import IS_CHECKOUT, ROOT

DELIVERED = ".tlcourse.json"
"""In the workspace: which version of each lesson was handed out. It marks a workspace too."""


class UnknownLesson(LookupError):
    """A lesson that is not there; the message lists those that are."""


def workspace() -> Path:
    """Folder of the learner's working copies and progress record; it need not exist yet.

    ``TLCOURSE_WORKSPACE`` when that is set, else ``workspace/`` of the checkout, else
    ``workspace/`` of the current folder or, when that is a workspace already, the folder itself.
    """
    if chosen := os.environ.get("TLCOURSE_WORKSPACE"):
        return Path(chosen).absolute()
    if IS_CHECKOUT:
        return ROOT / "workspace"
    here = Path.cwd()
    return here if (here / DELIVERED).is_file() else here / "workspace"


def command() -> str:
    """How this person calls the course: through ``course.py`` where that made this Python."""
    made = IS_CHECKOUT and (ROOT / ".venv" / "installed.txt").is_file()
    by_launcher = made and os.path.realpath(sys.prefix) == os.path.realpath(ROOT / ".venv")
    return "python course.py" if by_launcher else "tlcourse"


def lesson_ids() -> list[str]:
    """Ids of all lessons that have a source, such as ``["00", "01"]``."""
    return list(_found("lessons"))


def notebooks() -> dict[str, Path]:
    """The learner notebooks by lesson id, in order."""
    return _found("notebooks", ".ipynb")


def lesson_folder(id: str) -> Path:
    """Folder of all that is written for a lesson; "1" and "01" are the same lesson.

    Raises
    ------
    UnknownLesson
        There is none.
    """
    return _pick(id, "lessons")


def notebook(id: str) -> Path:
    """Learner notebook of a lesson, as the course hands it out; otherwise as `lesson_folder`."""
    return _pick(id, "notebooks", ".ipynb")


def solution(id: str) -> Path:
    """Notebook of a lesson with its solutions; otherwise as `lesson_folder`."""
    return _pick(id, "notebooks/solutions", ".ipynb")


def unused(path: Path) -> Path:
    """The path itself, or with the first number that makes it a file that is not there yet."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_name(f"{path.stem} ({number}){path.suffix}"), number + 1
    return free


def _found(folder: str, ending: str = "") -> dict[str, Path]:
    return {path.name[:2]: path for path in sorted((ROOT / folder).glob(f"[0-9][0-9]_*{ending}"))}


def _pick(id: str, folder: str, ending: str = "") -> Path:
    found = _found(folder, ending)
    path = found.get(str(id)) or found.get(f"0{id}")
    if path is None:
        there = f"there are: {', '.join(found)}" if found else "that folder holds none"
        raise UnknownLesson(f"there is no lesson {id!r} in {folder}/; {there}")
    return path
