"""A prompt says enough to type a cell: what it asks, what it makes, and what that calls.

Prompts, and the sentences of slides, are written in the lessons as metadata of their cells.
"""

import ast
import re

import jupytext
import pytest
from nbformat.v4 import new_code_cell

from tlcourse.notebook import places
from tlschool.authoring.source import load, read_source, tags, tree
from tlschool.live import steps

LESSONS = list(places.notebooks())
WRITTEN = ("prompt", "lead", "told", "slide_lines")


def step(code, **metadata):
    return steps.Step(2, "part", "", new_code_cell(code, metadata=metadata))


def typed(id):
    """The steps of a lesson whose code somebody types."""
    return [each for each in steps.read(id).steps if each.given != each.code]


@pytest.mark.parametrize("id", LESSONS)
def test_every_step_that_somebody_types_has_a_prompt_in_the_lesson(id):
    for each in typed(id):
        assert each.cell.metadata.get("prompt"), f"{each.cell.id} needs :prompt: in lesson.md"


@pytest.mark.parametrize("id", LESSONS)
def test_every_prompt_is_one_line(id):
    for each in steps.read(id).steps:
        said = each.prompt
        assert re.search(r"\w", said) and "\n" not in said and said.count("`") % 2 == 0, said
        assert len(said) < 400 and said.endswith("."), said


@pytest.mark.parametrize("id", LESSONS)
def test_a_prompt_names_all_that_its_cell_defines_draws_and_compares(id):
    for each in typed(id):
        said = each.prompt
        for node in tree(each.code).body:
            if isinstance(node, ast.FunctionDef):
                assert f"`{node.name}(" in said, said
            if isinstance(node, ast.Assign):
                names = {part.id for part in ast.walk(node.targets[0])
                         if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
                assert all(f"`{name}" in said for name in names - {"_"}), said
        for call in ast.walk(tree(each.code)):
            called = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
            if called == "claim":
                sides = [ast.get_source_segment(each.code, side) for side in call.args[1:3]]
                assert all(" ".join(side.split()) in said for side in sides), said
            if called.startswith("plots.") and not each.code.startswith("def "):
                assert f"`{called}`" in said, said


@pytest.mark.parametrize("id", LESSONS)
def test_what_a_slide_says_is_said_in_the_lesson(id):
    text = " ".join(" ".join(f"{each.text}\n\n{each.after}" for each in steps.read(id).steps)
                    .split())
    for each in steps.read(id).steps:
        for key in ("lead", "told"):
            said = each.cell.metadata.get(key, "")
            assert said in text, f"{each.cell.id}: the {key} is no longer in the lesson: {said}"
            assert not said or "slide" in tags(each.cell), f"{each.cell.id} is on no slide"


@pytest.mark.parametrize("id", LESSONS)
def test_the_built_notebooks_have_what_the_lesson_says_of_its_cells(id):
    written = {cell.id: {key: cell.metadata[key] for key in WRITTEN if key in cell.metadata}
               for cell in read_source(id).cells}
    assert any(written.values())
    for path in (places.notebook(id), places.solution(id)):
        for cell in load(path).cells:
            built = {key: cell.metadata[key] for key in WRITTEN if key in cell.metadata}
            assert built == written[cell.id], f"{cell.id}: build lesson {id} again"


def test_jupytext_writes_and_reads_what_is_written_of_a_cell():
    about = {"tags": ["slide"], "prompt": 'Claim: `runs["a"]`: "more", so.', "slide_lines": 3}
    source = read_source("00")
    source.cells.append(new_code_cell("1", id="one", metadata=about))
    again = jupytext.reads(jupytext.writes(source, fmt="md:myst"), fmt="md:myst")
    assert [cell.metadata for cell in again.cells] == [cell.metadata for cell in source.cells]
    assert again.cells[-1].metadata == about


@pytest.mark.parametrize("code", ["import numpy as np", "import numpy as np\n\nimport torch",
                                  "figure(plots.gaps(runs))"])
def test_a_cell_that_is_given_whole_needs_no_prompt(code):
    given = step(code, tags=["hide-input"] if "figure" in code else [])
    assert given.given == given.code
    assert given.prompt == "Run this cell; it is typed already."


@pytest.mark.parametrize(("text", "found"), [
    ("Before.\n\n$$a$$\n\nwhere $a$ is\na letter. It is one.", ["$$a$$", "where $a$ is a letter."]),
    ("$$a$$\n\n$$b$$\n\nBoth are letters.", ["$$a$$", "$$b$$"]),
    ("`$x$` is none, nor is $x$.", []),
])
def test_formulas_come_with_the_sentence_that_explains_the_last(text, found):
    assert steps.Step(1, "part", text, new_code_cell("")).formulas == found
