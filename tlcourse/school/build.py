"""Lessons as text become notebooks with outputs: the learner's edition and the solutions.

What is built can always be told from what a person wrote: cell ids are made from the lesson and
its headings, and each notebook records a hash of its inputs.
"""

import hashlib
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from tlcourse.files import write_atomically
from tlcourse.school import contract, places, runner

EDITIONS = {"learner": "notebooks", "solutions": "notebooks/solutions"}
DROPPED = {"learner": "solution", "solutions": "exercise"}
MEASURED = ("seconds", "slowest_cell", "inputs_sha256")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
HEADER = "| id | lesson | teaching + exercises | runs in | data |\n|---|---|---|---|---|"


def build(ids: Sequence[str] | None = None, *, check: bool = False) -> int:
    """Build lessons, or only compare what is built with its source.

    Parameters
    ----------
    ids : sequence of str, optional
        Lessons such as "00"; without them those whose notebooks differ from their source.
    check : bool
        Execute and write nothing; print every difference between source and notebooks.

    Returns
    -------
    int
        0 when all went well, 1 otherwise: an exit status.
    """
    chosen = list(ids or places.lesson_ids())
    if check or not ids:
        found = {id: list(_differences(id)) for id in chosen}
        lines = [line for lines in found.values() for line in lines]
        if not lines and _readme() is not None:
            lines = ["README.md: the table of lessons differs from the notebooks."]
        print("\n".join(lines or ["The notebooks agree with their sources."]))
        if check:
            return int(bool(lines))
        chosen = [id for id in chosen if found[id]]
    return max([_build_lesson(id) for id in chosen], default=0)


def read_source(id: str) -> NotebookNode:
    """A lesson's text as a notebook without outputs, exercises and solutions both in it."""
    path = places.lesson_source(id)
    source = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    lesson, part, counts = path.name[:2], "start", Counter()
    for cell in source.cells:
        headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
        headings = [_slug(heading).removeprefix(f"{lesson}-") for heading in headings
                    if cell.cell_type == "markdown"]
        part = (headings or [part])[0]
        kinds = {"exercise": "ex", "solution": "sol"}
        task = [kinds[tag] for tag in contract.tags(cell) if tag in kinds]
        if task and (exercise := contract.checked(cell)):
            cell.id = f"{lesson}-{task[0]}-{_slug(exercise)}"
        else:
            counts[part] += 1
            cell.id = f"{lesson}-{part}-{counts[part]}"
        part = (headings or [part])[-1]
    return source


def edition(source: NotebookNode, name: str) -> NotebookNode:
    """The "learner" or "solutions" edition of a lesson, not executed yet."""
    notebook = nbformat.v4.new_notebook(
        cells=[deepcopy(c) for c in source.cells if DROPPED[name] not in contract.tags(c)],
        metadata={
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "tlcourse": {**source.metadata.get("tlcourse", {}), "edition": name},
        },
    )
    for cell in notebook.cells:
        if "claim" in contract.tags(cell):
            cell.metadata["tags"].append(contract.COMPARED)
        if "hide-input" in contract.tags(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata["tlcourse"]["inputs_sha256"] = _fingerprint(notebook)
    return notebook


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:40].strip("-") or "part"


def _inputs(notebook: NotebookNode) -> dict:
    """All that the source decides about a notebook; what was measured is left out."""
    front = notebook.metadata.get("tlcourse", {})
    cells = {f"cell {cell.get('id')}": [cell.cell_type, cell.source, contract.tags(cell)]
             for cell in notebook.cells}
    return {"the front matter": {key: front[key] for key in front if key not in MEASURED},
            **cells, "the order of the cells": [cell.get("id") for cell in notebook.cells]}


def _fingerprint(notebook: NotebookNode) -> str:
    return hashlib.sha256(json.dumps(_inputs(notebook), sort_keys=True).encode()).hexdigest()


def _target(id: str, name: str) -> Path:
    return places.ROOT / EDITIONS[name] / f"{places.lesson_source(id).stem}.ipynb"


def _label(path: Path) -> str:
    return path.relative_to(places.ROOT).as_posix()


def _differences(id: str) -> Iterator[str]:
    """One line for each input in which a lesson's notebooks differ from its source."""
    source = read_source(id)
    for name in EDITIONS:
        path, new = _target(id, name), _inputs(edition(source, name))
        try:
            old = _inputs(contract.load(path))
        except FileNotFoundError:
            yield f"{_label(path)}: not built yet."
        except contract.NotebookError as error:
            yield f"{_label(path)}: {error}"
        else:
            yield from (f"{_label(path)}: {key} differs from the source."
                        for key in {**new, **old} if old.get(key) != new.get(key))


def _build_lesson(id: str) -> int:
    """Build both editions of a lesson; 0, or 1 with the reason printed."""
    source = read_source(id)
    built = {_target(id, name): edition(source, name) for name in EDITIONS}
    try:
        for path, notebook in built.items():
            _run(notebook, _label(path))
            if breaches := _breaches(id, notebook):
                raise contract.NotebookError("\n".join(breaches))
        for path, notebook in built.items():
            _keep_edited(path)
            write_atomically(path, nbformat.writes(notebook).rstrip("\n") + "\n")
        path = places.ROOT / "README.md"
        if (text := _readme()) is not None:
            write_atomically(path, text)
    except (contract.NotebookError, runner.RunError) as error:
        print(f"{error}\n{_label(path)} was not built and is as it was.")
        return 1
    except OSError as error:
        print(f"{_label(path)} could not be written ({error.strerror or error}) and is as it was: "
              f"make room or check the folder, then run `tlcourse build {id}` again.")
        return 1
    return 0


def _run(notebook: NotebookNode, label: str) -> None:
    """Execute a notebook, keep the outputs worth committing, and note the seconds."""
    # In an empty folder, so that no cached sweep of the author's flatters the seconds.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        seconds = runner.execute(notebook, folder=Path(folder), timeout=300, progress=label)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, taken in zip(code, seconds, strict=True):
        cell.metadata.pop("execution", None)
        cell.metadata["tlcourse"] = {"seconds": round(taken, 1)}
        cell.outputs = _worth_keeping(cell.outputs)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["tlcourse"].update(
        seconds=round(sum(seconds), 1), slowest_cell=round(max(seconds, default=0), 1)
    )


def _worth_keeping(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs without warnings and progress bars, printed text in one piece."""
    kept = []
    for output in outputs:
        bar = any("widget" in kind for kind in output.get("data", ()))
        if bar or output.get("name") == "stderr":
            continue
        if kept and output.output_type == "stream" == kept[-1].output_type:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def _breaches(id: str, notebook: NotebookNode) -> list[str]:
    from tlcourse import data  # imports torch, which a mere comparison does without

    return contract.violations(
        notebook,
        glossary=contract.glossary(places.lesson_source(id).with_name("glossary.md")),
        lesson_ids=places.lesson_ids(),
        data_names=data.manifest(),
    )


def _keep_edited(path: Path) -> None:
    """Copy a notebook that someone edited since it was built into the workspace."""
    try:
        notebook = contract.load(path)
        untouched = notebook.metadata["tlcourse"]["inputs_sha256"] == _fingerprint(notebook)
    except FileNotFoundError:
        return
    except (contract.NotebookError, KeyError):
        untouched = False
    if not untouched:
        copy = f"{path.parent.name}-{path.stem}-edited-{date.today()}.ipynb"
        copy = places.unused(places.workspace() / copy)
        write_atomically(copy, path.read_bytes())
        print(f"{_label(path)} had been edited since it was built: a copy is {copy}")


def _readme() -> str | None:
    """The README with its table of lessons brought up to date; None when nothing changes."""
    path = places.ROOT / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rows = []
    for id, built in places.notebooks().items():
        about = contract.load(built).metadata["tlcourse"]
        minutes = "{teaching} + {exercises} min".format_map(about["minutes"])
        seconds = 5 * math.ceil(about["seconds"] / 5)  # coarse, so that it seldom changes
        cells = [id, about["title"], minutes, f"{seconds} s", ", ".join(about["data"])]
        rows.append(f"| {' | '.join(cells)} |")
    table = "\n".join(["<!-- lessons -->", HEADER, *rows, "<!-- /lessons -->"])
    new = re.sub("<!-- lessons -->.*<!-- /lessons -->", lambda _: table, text, flags=re.DOTALL)
    return new if new != text else None
