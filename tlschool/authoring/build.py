"""Lessons as text become notebooks with outputs: the learner's edition and the solutions."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from nbformat import NotebookNode

from tlcourse.notebook import places
from tlschool.authoring import runner, source

EDITIONS = {"learner": "notebooks", "solutions": "notebooks/solutions"}


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
        found = {id: list(differences(id)) for id in chosen}
        lines = [line for lines in found.values() for line in lines]
        print("\n".join(lines or ["The notebooks agree with their sources."]))
        if check:
            return int(bool(lines))
        chosen = [id for id in chosen if found[id]]
    return max([_build_lesson(id) for id in chosen], default=0)


def differences(id: str) -> Iterator[str]:
    """One line for each input in which a lesson's notebooks differ from its source."""
    lesson = source.read_source(id)
    for name in EDITIONS:
        path, new = _target(id, name), source.inputs(source.edition(lesson, name))
        try:
            old = source.inputs(source.load(path))
        except FileNotFoundError:
            yield f"{_label(path)}: not built yet."
        except source.NotebookError as error:
            yield f"{_label(path)}: {error}"
        else:
            yield from (f"{_label(path)}: {key} differs from the source."
                        for key in {**new, **old} if old.get(key) != new.get(key))


def _target(id: str, name: str) -> Path:
    return places.ROOT / EDITIONS[name] / f"{places.lesson_folder(id).name}.ipynb"


def _label(path: Path) -> str:
    return path.relative_to(places.ROOT).as_posix()


def _build_lesson(id: str) -> int:
    """Build both editions of a lesson; 0, or 1 with the reason printed."""
    lesson = source.read_source(id)
    built = {_target(id, name): source.edition(lesson, name) for name in EDITIONS}
    try:
        for path, notebook in built.items():
            _run(notebook, _label(path))
        for path, notebook in built.items():
            copy = f"{path.parent.name}-{path.stem}-edited-{date.today()}.ipynb"
            if kept := source.keep_edited(path, places.workspace() / copy):
                print(f"{_label(path)} had been edited since it was built: a copy is {kept}")
            source.save(path, notebook)
    except runner.RunError as error:
        print(f"{error}\n{_label(path)} was not built and is as it was.")
        return 1
    except OSError as error:
        print(f"{_label(path)} could not be written ({error.strerror or error}) and is as it was: "
              f"make room or check the folder, then run `{places.command()} build {id}` again.")
        return 1
    return 0


def _run(notebook: NotebookNode, label: str) -> None:
    """Execute a notebook, keep the outputs worth committing, and note the seconds."""
    # In an empty folder, so that no cached sweep of the author's flatters the seconds.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        seconds = runner.execute(notebook, folder=Path(folder), timeout=300, progress=label)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, taken in zip(code, seconds, strict=True):
        cell.metadata["tlcourse"] = {"seconds": round(taken, 1)}
        cell.outputs = _worth_keeping(cell.outputs)
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
