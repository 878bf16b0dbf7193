"""A course of two small lessons, and a workspace of its own for every test of the school."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tlcourse.school import places


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace, which is not there yet."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(folder))
    return folder


@pytest.fixture
def course(tmp_path, monkeypatch, workspace):
    """Root of a course with lessons 00 (two exercises, a quiz question) and 01 (one exercise)."""
    root = tmp_path / "course"
    monkeypatch.setattr(places, "ROOT", root)
    lesson(root, "00_start-here", "Start here", ['2 + 2', 'x = 1\nx = check("0.1", x)',
           'y = 2\ny = check("0.2", y)', 'quiz("0.1")'])
    lesson(root, "01_training", "Training", ['z = 1\nz = check("1.1", z)'])
    return root


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
    source = root / "lessons" / f"{name}.md"
    source.parent.mkdir(exist_ok=True)
    source.write_text("", encoding="utf-8")
    return path
