"""A lesson's text source as a notebook, and the editions that are made of it.

What is built can always be told from what a person wrote: cell ids are made from the lesson and
its headings, and each notebook records a hash of its inputs.
"""

import ast
import hashlib
import json
import linecache
import re
from collections import Counter
from collections.abc import MutableMapping
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically
from tlschool.authoring import box
from tlschool.errors import CourseError

PROSE = "prose"
DROPPED = {"learner": "solution", "solutions": "exercise"}
MEASURED = ("seconds", "slowest_cell", "inputs_sha256")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
COMPARED = "nbval-check-output"


class NotebookError(CourseError):
    """A file that is no complete notebook."""


def load(path: Path) -> NotebookNode:
    """Read a notebook as it is, without the repairs that nbformat makes on its own.

    Raises
    ------
    NotebookError
        The file is cut off or holds something else.
    """
    try:
        return nbformat.v4.reads_json(Path(path).read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = "is no complete notebook, as after a save that was cut off"
        raise NotebookError(f"{Path(path).name} {reason}: build it anew or take a copy") from error


def save(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook as a file, whole or not at all."""
    write_atomically(path, nbformat.writes(notebook) + "\n")


def read_source(id: str) -> NotebookNode:
    """A lesson's text as a notebook without outputs, exercises and solutions both in it.

    Cells tagged ``prose``, which hold the numbers of the text to a run, are for its test alone.
    """
    import jupytext  # authors have it, learners need not

    path = places.lesson_folder(id) / "lesson.md"
    source = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    source.cells = _without_prose(source.cells)
    lesson, part, counts = path.parent.name[:2], "start", Counter()
    for cell in source.cells:
        headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
        headings = [_slug(heading).removeprefix(f"{lesson}-") for heading in headings
                    if cell.cell_type == "markdown"]
        part = (headings or [part])[0]
        kinds = {"exercise": "ex", "solution": "sol"}
        task = [kinds[tag] for tag in tags(cell) if tag in kinds]
        if task and (exercise := checked(cell)):
            cell.id = f"{lesson}-{task[0]}-{_slug(exercise)}"
        else:
            counts[part] += 1
            cell.id = f"{lesson}-{part}-{counts[part]}"
        part = (headings or [part])[-1]
    return source


def _without_prose(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells that notebooks hold; a text that a ``prose`` cell divides is one cell again."""
    kept, divided = [], False
    for cell in cells:
        if PROSE in tags(cell):
            divided = True
            continue
        if divided and kept and kept[-1].cell_type == cell.cell_type == "markdown":
            kept[-1].source += f"\n\n{cell.source}"
        else:
            kept.append(cell)
        divided = False
    return kept


def edition(source: NotebookNode, name: str) -> NotebookNode:
    """The "learner" or "solutions" edition of a lesson, not executed yet."""
    cells = [deepcopy(cell) for cell in source.cells if DROPPED[name] not in tags(cell)]
    for cell in cells:
        if "claim" in tags(cell):
            cell.metadata["tags"].append(COMPARED)
        if "hide-input" in tags(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
    about = source.metadata.get("tlcourse", {})
    box.add(cells, about, name)
    return made_of(cells, {**about, "edition": name})


def made_of(cells: list[NotebookNode], about: dict) -> NotebookNode:
    """A notebook of these cells that knows what it is about, and the hash of its inputs."""
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": KERNEL, "language_info": {"name": "python"}, "tlcourse": about})
    notebook.metadata["tlcourse"]["inputs_sha256"] = fingerprint(notebook)
    return notebook


def inputs(notebook: NotebookNode) -> dict:
    """All that the source decides about a notebook; what was measured is left out."""
    front = notebook.metadata.get("tlcourse", {})
    cells = {f"cell {cell.get('id')}": [cell.cell_type, cell.source, tags(cell)]
             for cell in notebook.cells}
    return {"the front matter": {key: front[key] for key in front if key not in MEASURED},
            **cells, "the order of the cells": [cell.get("id") for cell in notebook.cells]}


def fingerprint(notebook: NotebookNode) -> str:
    """Known by all that the source decides, so that a notebook may be run and nothing else."""
    return hashlib.sha256(json.dumps(inputs(notebook), sort_keys=True).encode()).hexdigest()


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def checked(cell: NotebookNode) -> str | None:
    """Exercise id, when the cell defines a name and ends with ``name = check(id, name)``."""
    *before, last = cell.source.strip().splitlines() or [""]
    found = re.fullmatch(r"""(\w+) = check\(["'](\d+\.\d+)["'], \1\)""", last)
    defined = {getattr(node, "id", None) or getattr(node, "name", None)
               for node in ast.walk(tree("\n".join(before)))
               if isinstance(getattr(node, "ctx", ast.Store()), ast.Store)}
    return found[2] if found and found[1] in defined else None


def is_edited(path: Path) -> bool:
    """Whether a notebook was changed since it was made here; a damaged one counts as changed."""
    try:
        notebook = load(path)
        return notebook.metadata["tlcourse"]["inputs_sha256"] != fingerprint(notebook)
    except FileNotFoundError:
        return False
    except (NotebookError, KeyError):
        return True


def keep_edited(path: Path, copy: Path) -> Path | None:
    """Copy what somebody edited to a name that is free; None where nothing had to be kept."""
    if not is_edited(path):
        return None
    kept = places.unused(copy)
    write_atomically(kept, path.read_bytes())
    return kept


def tree(source: str) -> ast.Module:
    """The syntax tree of a cell; an empty one where the cell is not plain Python."""
    try:
        return ast.parse(source)
    except SyntaxError:  # of IPython's own kind; that it works is shown by the run
        return ast.Module(body=[], type_ignores=[])


def run(code: str, origin: str, namespace: MutableMapping) -> None:
    """Execute code, with its text at hand for whoever asks a function for its source.

    It ends as that of a cell does, so that `sweep` knows the same function again.
    """
    code += "\n"
    linecache.cache[origin] = (len(code), None, code.splitlines(keepends=True), origin)
    exec(compile(code, origin, "exec"), namespace)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:40].strip("-") or "part"
