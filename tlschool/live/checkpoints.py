"""The room's state at the beginning of each section of a lesson, for whoever comes late.

A checkpoint runs the quick statements that the rest of the lesson builds on, and loads what the
slow ones gave when the checkpoints were recorded. ``python data/runs/checkpoints.py`` records.
"""

import contextlib
import hashlib
import io
import json
import linecache
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

from tlcourse.notebook import places
from tlcourse.notebook.check import lend

if TYPE_CHECKING:  # nbformat alone would take a second to load
    from nbformat import NotebookNode


class UnknownCheckpoint(LookupError):
    """A lesson without checkpoints or a name that is not among them; the message lists them."""


def folder() -> Path:
    """Where the recorded checkpoints lie."""
    return places.ROOT / "data" / "checkpoints"


def names(lesson: str) -> list[str]:
    """The checkpoints of a lesson in order: the slugs of its headings."""
    return list(_record(lesson)["checkpoints"])


def find(lesson: str, name: str) -> str:
    """The checkpoint whose name begins so; otherwise as `load`."""
    known = names(lesson)
    fits = [name] if name in known else [each for each in known if each.startswith(name)]
    if len(fits) != 1:
        several = f"{len(fits)} checkpoints" if fits else "no checkpoint"
        raise UnknownCheckpoint(f"lesson {lesson} has {several} {name!r}; there is "
                                f"{', '.join(known)}")
    return fits[0]


def load(lesson: str, name: str, namespace: MutableMapping) -> list[str]:
    """Bring the variables that a lesson needs from a section on into a namespace.

    Exercises before it are answered with the reference, on loan: checked again it does not pass.

    Parameters
    ----------
    lesson : str
        Its id, such as "01".
    name : str
        The section's checkpoint, or the beginning of its name.
    namespace : dict
        Such as a notebook's own. Other variables in it stay.

    Returns
    -------
    list of str
        The names that are there now.

    Raises
    ------
    UnknownCheckpoint
        There is none of that name, or several.
    """
    from threadpoolctl import threadpool_limits

    from tlschool.live import stored

    record, made = _record(lesson), []
    for number in record["checkpoints"][find(lesson, name)]:
        step = record["steps"][number]
        for variable, value in step.get("load", {}).items():
            old = namespace.get(variable) if variable in step["in_place"] else None
            namespace[variable] = stored.decode(value, folder(), old)
        if "code" in step:
            with threadpool_limits(1):  # more are slower for work this small
                _run(step["code"], f"<checkpoint {lesson} {number}>", namespace)
        if "lend" in step:
            namespace[step["lend"]] = lend(namespace[step["lend"]])
        made += step["names"]
    return list(dict.fromkeys(made))


def fingerprint(source: "NotebookNode") -> str:
    """Known by the code of a lesson's source, so that prose may change and nothing else."""
    code = [cell.source for cell in source.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


def _record(lesson: str) -> dict:
    lesson = places.notebook(lesson).name[:2]  # "1" is "01", and an unknown one is said
    try:
        return json.loads((folder() / f"{lesson}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnknownCheckpoint(f"lesson {lesson} has no checkpoints") from None


def _run(code: str, origin: str, namespace: MutableMapping) -> None:
    """Execute quietly, with the text at hand for whoever asks a function for its source.

    It ends as that of a cell does, so that `sweep` knows the same function again.
    """
    code += "\n"
    linecache.cache[origin] = (len(code), None, code.splitlines(keepends=True), origin)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, origin, "exec"), namespace)
