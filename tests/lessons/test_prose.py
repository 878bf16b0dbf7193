"""The numbers in a lesson's prose are held to the run of its notebook, by the cells tagged so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbval_prose import prose_cells

from tlcourse.notebook import exercises, places
from tlschool.authoring import source

LESSON = """\
# 90 · Small

```{code-cell} ipython3
right = [0.8, 0.9]
```

Both are above a half.

```{code-cell} ipython3
:tags: [prose]
assert min(right) > 0.5, "above a half"
```

The first is 70 %.

```{code-cell} ipython3
:tags: [prose]
first = right[0]
assert first == 0.7, "70 %"
```
"""


@pytest.mark.parametrize("lesson", places.lesson_ids())
def test_every_lesson_has_its_numbers_checked(lesson):
    cells = list(prose_cells(places.lesson_folder(lesson) / "lesson.md"))
    assert any("assert " in code for _, code in cells)


@pytest.mark.parametrize("lesson", places.lesson_ids())
def test_every_solution_passed_when_its_notebook_was_built(lesson):
    """The outputs are those of the inputs, for a fingerprint knows these."""
    assert not source.is_edited(places.solution(lesson))
    cells = nbformat.read(places.solution(lesson), as_version=4).cells
    printed = [output.text for cell in cells for output in cell.get("outputs", [])
               if output.output_type == "stream" and output.name == "stdout"]
    asked = exercises.lesson(lesson).exercises
    passed = [text for text in printed if re.search(r"^\d+\.\d passed(, with .+)?: ", text)]
    assert len(passed) == len(asked)


def test_a_wrong_number_fails_in_the_run_of_its_notebook_with_its_lesson_and_line(tmp_path):
    place = tmp_path / "lessons" / "90_small" / "lesson.md"
    place.parent.mkdir(parents=True)
    place.write_text(LESSON, encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    notebook = new_notebook(cells=[new_code_cell("right = [0.8, 0.9]")])
    nbformat.write(notebook, tmp_path / "notebooks" / "90_small.ipynb")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "nbval_prose",
         "-v", "notebooks"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True, encoding="utf-8")
    assert ended.returncode == 1 and "1 failed, 2 passed" in ended.stdout, ended.stdout
    assert "prose, line 11 PASSED" in ended.stdout and "prose, line 18 FAILED" in ended.stdout
    assert "90_small/lesson.md:19: what the prose says is not so" in ended.stdout, ended.stdout
