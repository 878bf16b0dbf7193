"""Write small lessons for the tests of the school."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


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
