"""The lessons' folders as a package of Python.

``__path__`` makes a package of this module, so that a lesson's ``checks.py`` is imported by its
name, in other processes too, and may import from the files beside it (``from .checks import ...``).
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from tlcourse.notebook import places

__path__ = [str(places.ROOT / "lessons")]


def part(id: str, name: str) -> ModuleType | None:
    """A file of a lesson's folder as a module, such as "checks"; None where it has none.

    Raises
    ------
    UnknownLesson
        There is no such lesson.
    """
    folder = places.lesson_folder(id)
    full = f"{__name__}.{folder.name}.{name}"
    return import_module(full) if find_spec(full) else None
