"""A prompt is what a person says to somebody who types: whole sentences, with the names to use.

Prompts, and the sentences of slides, are written in the lessons as metadata of their cells.
"""

import ast
import re

import jupytext
import pytest
from nbformat.v4 import new_code_cell, new_output

from tlcourse.notebook import places
from tlschool.authoring.source import load, read_source, tags, tree
from tlschool.live import steps

LESSONS = list(places.notebooks())
WRITTEN = ("live", "prompt", "lead", "told", "slide_lines")
PACE = 60  # characters in a minute of teaching that somebody can type who talks as well
VERBS = {
    "add", "ask", "average", "build", "call", "classify", "collect", "compare", "compute",
    "copy", "count", "draw", "fit", "go", "judge", "keep", "let", "list", "load", "look",
    "make", "mark", "open", "pair", "print", "put", "record", "repeat", "run", "say", "show",
    "split", "subtract", "take", "test", "train", "tune", "write"}


def step(code, **metadata):
    return steps.Step(2, "part", "", new_code_cell(code, metadata=metadata))


def typed(id):
    """The steps of a lesson whose code somebody types."""
    return [each for each in steps.read(id).steps if each.is_typed]


def size(each):
    """The characters of a step that are not in its cell already."""
    return len(each.code) - len(each.given)


def is_said(prompt):
    """Whether a prompt is whole sentences, each of which tells somebody to do something."""
    plain = re.sub(r"“.*?”", "this", re.sub(r"`[^`]+`", "it", prompt))
    sentences = re.split(r"(?<=[.?!]) ", plain)
    return not re.search(r"[;()\n]", plain) and all(
        re.fullmatch(r"[A-Z].*[.?!]", sentence)
        and VERBS & set(re.findall(r"[a-z]+", sentence.lower())[:2]) for sentence in sentences)


@pytest.mark.parametrize("id", LESSONS)
def test_a_presenter_types_what_a_person_can_type_who_talks(id):
    characters = sum(map(size, typed(id)))
    assert characters <= PACE * steps.read(id).about["minutes"]["teaching"], characters


@pytest.mark.parametrize("id", LESSONS)
def test_the_idea_of_a_lesson_is_typed_in_each_of_its_long_sections(id):
    lesson = steps.read(id)
    assert len(typed(id)) >= 8
    assert sum(map(size, typed(id))) >= PACE / 2 * lesson.about["minutes"]["teaching"]
    shown = [each for each in lesson.steps if not each.solution
             and "hide-input" not in tags(each.cell) and not each.code.startswith("quiz(")]
    for section, *_ in lesson.sections():
        here = [each for each in shown if each.section == section]
        assert len(here) < 4 or any(each.is_typed for each in here), section


@pytest.mark.parametrize(("code", "metadata", "expected"), [
    ("x = 1", {}, True),
    ("import os\nx = 1", {}, True),
    ("import os", {}, False),
    ("x = 1", {"tags": ["hide-input"]}, False),
    ("figure(plots.curve(x))", {}, False),
    ('digits = load("uci_digits")', {}, False),
    ('claim("more is better", a, b, at_least=0.1)', {}, False),
    ('claim("more is better", a, b, at_least=0.1)', {"live": "type"}, True),
    ("x = 1", {"live": "next"}, False),
    ("x = " + "1 + " * 60 + "1", {}, False),
])
def test_what_is_typed_is_short_and_neither_a_figure_nor_data_nor_a_claim(code, metadata, expected):
    each = step(code, **metadata)
    assert each.is_typed is expected
    assert each.given == (code.partition("x")[0].strip() if expected and "x = " in code else
                          "" if expected else code)


@pytest.mark.parametrize("id", LESSONS)
def test_every_step_that_somebody_types_has_a_prompt_in_the_lesson(id):
    for each in typed(id):
        assert each.cell.metadata.get("prompt"), f"{each.cell.id} needs prompt: in lesson.md"


@pytest.mark.parametrize("id", LESSONS)
def test_every_prompt_is_whole_sentences(id):
    for each in steps.read(id).steps:
        assert is_said(each.prompt) and len(each.prompt) < 320, each.prompt


@pytest.mark.parametrize(("prompt", "expected"), [
    ("Load the printed digits as `printed`, and look at `printed.X.shape`.", True),
    ("Write `one_run(seed)`. Then run it with five seeds.", True),
    ("Was that luck? Define `one_run(seed)` (`load().split`).", False),
    ("Define `test` (`parts.test.open`); show `accuracy`.", False),
    ("compute the score.", False), ("The same as a picture.", False), ("Show it", False),
])
def test_a_list_of_fragments_is_no_prompt(prompt, expected):
    assert is_said(prompt) is expected


@pytest.mark.parametrize("id", LESSONS)
def test_a_prompt_names_all_that_its_cell_defines_and_compares(id):
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
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "claim":
                sides = [ast.get_source_segment(each.code, side) for side in call.args[1:3]]
                assert all(" ".join(side.split()) in said for side in sides), said


@pytest.mark.parametrize(("code", "said"), [
    ("import numpy as np", "Run this cell: it brings what we need."),
    ("import numpy as np\n\nimport torch", "Run this cell: it brings what we need."),
    ("figure(plots.gaps(runs))", "Run this cell: it draws a figure."),
    ('quiz("1.1")', "Run this cell: it asks a question about this lesson."),
    ('claim("more is better",\n      a, b)', "Run this cell: it tests the claim “more is better”."),
    ('import os\na, b = load("x"), os.name\n\ndef f(x):\n    c = 1',
     "Run this cell: it makes `a`, `b` and `f`."),
])
def test_a_step_that_is_given_says_in_one_sentence_what_it_does(code, said):
    each = step(code)
    assert each.given == code and each.prompt == said and is_said(said)


def test_what_is_seen_is_the_beginning_of_what_the_cell_gave():
    each = step("x = 1")
    each.cell.outputs = [new_output("stream", text="one\n" + "w" * 150 + "\n"),
                         new_output("execute_result", {"text/plain": "\n".join("abcdefg")})]
    lines = each.seen.splitlines()
    assert lines == ["one", "w" * 100 + " …", "a", "b", "c", "d", "…"]
    assert step("x = 1").seen == ""


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


@pytest.mark.parametrize(("text", "found"), [
    ("Before.\n\n$$a$$\n\nwhere $a$ is\na letter. It is one.", ["$$a$$", "where $a$ is a letter."]),
    ("$$a$$\n\n$$b$$\n\nBoth are letters.", ["$$a$$", "$$b$$"]),
    ("`$x$` is none, nor is $x$.", []),
])
def test_formulas_come_with_the_sentence_that_explains_the_last(text, found):
    assert steps.Step(1, "part", text, new_code_cell("")).formulas == found
