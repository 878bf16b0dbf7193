"""Write small lessons for the tests of the school."""

import shutil

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tlcourse.utils.files import ROOT as REAL


def lesson(root, name, title, sources, edition=""):
    """Write a notebook of a heading and code cells, and a source that only exists."""
    cells = [new_markdown_cell(f"# {title}", id="title")]
    cells += [new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(sources)]
    minutes = {"teaching": 10, "exercises": 20}
    about = {"id": name[:2], "title": title, "minutes": minutes}
    notebook = new_notebook(cells=cells, metadata={"tlcourse": about})
    path = root / "notebooks" / edition / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    source = root / "lessons" / name / "lesson.md"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("", encoding="utf-8")
    (real,) = (REAL / "lessons").glob(f"{name[:2]}_*")  # what it asks is that of the real lesson
    for part in ("checks.py", "texts.toml"):
        shutil.copy(real / part, source.parent)
    return path
