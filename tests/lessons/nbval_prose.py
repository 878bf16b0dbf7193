"""The prose cells of a lesson run behind its notebook, in the same kernel, under nbval.

A cell tagged ``prose`` in ``lesson.md`` asserts the numbers of the text before it. They run after
the notebook's last cell, so that what they train or import changes nothing in the lesson.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from tlschool.authoring.source import PROSE, tags


def prose_cells(path: Path) -> Iterator[tuple[int, str]]:
    """The prose cells of a ``lesson.md``: the line where each begins, and its source."""
    from jupytext.myst import myst_to_notebook

    text = path.read_text(encoding="utf-8")
    notebook = myst_to_notebook(text, add_source_map=True)
    for fence, cell in zip(notebook.metadata["source_map"], notebook.cells, strict=True):
        if PROSE in tags(cell):
            first = cell.source.split("\n")[0]
            yield text.split("\n").index(first, fence) + 1, cell.source


class ProseCell(IPyNbCell):
    """A prose cell, executed under the name and lines of the file that it stands in."""

    def __init__(self, name, parent, cell_num, path, line, source):
        # A traceback then shows the line of lesson.md, for Python looks it up in that file.
        placed = f"exec(compile({chr(10) * (line - 1) + source!r}, {str(path)!r}, 'exec'))"
        cell = nbformat.v4.new_code_cell(placed)
        super().__init__(name, parent, cell_num, cell, defaultdict(bool))
        self.file = path

    def reportinfo(self):
        return self.file, 0, self.name

    def repr_failure(self, excinfo):
        said = getattr(excinfo.value, "inner_traceback", None) or str(excinfo.value)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
        lines = re.findall(rf"{re.escape(self.file.name)}\D{{1,8}}(\d+)", plain)
        place = f"{self.file.parent.name}/{self.file.name}:{lines[0] if lines else '?'}"
        shown = plain[plain.find(f"{self.file}:") :]  # without the long call of exec
        return f"{place}: what the prose says is not so in this run.\n{shown}"


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Add the prose cells of ``lessons/NN_slug`` behind the cells of ``notebooks/NN_slug``."""
    report = yield
    if isinstance(collector, IPyNbFile) and report.passed:
        notebook = collector.path
        path = notebook.parent.parent / "lessons" / notebook.stem / "lesson.md"
        for line, source in prose_cells(path) if path.is_file() else ():
            report.result.append(ProseCell.from_parent(
                collector, name=f"prose, line {line}", cell_num=len(report.result), path=path,
                line=line, source=source))
    return report
