"""A lesson's slides: one HTML file that needs no other file, no network and no Jupyter.

They are made of the cells tagged ``slide`` and of the exercises, whose minutes a click or the key T
counts down, with the lesson's text as speaker notes (key S). A figure has a page of its own, and so
has another output by the tag ``slide-output-apart``. nbconvert writes the pages, reveal.js shows
them from a copy in ``assets/``, and formulas become MathML, which browsers draw themselves. Code
and pictures are as large as their slide allows.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from tlcourse.utils.files import write_atomically
from tlschool.authoring.formulas import Formulas
from tlschool.authoring.source import tags
from tlschool.live import notebooks
from tlschool.live.steps import Lesson, Step, clock, read

ASSETS = Path(__file__).parents[1] / "assets"


def write(id: str) -> Path:
    """Write the slides of a lesson into ``live/`` of the workspace.

    Parameters
    ----------
    id : str
        The lesson, such as "01".

    Returns
    -------
    path
        One HTML file.
    """
    lesson = read(id)
    notebook = new_notebook(cells=list(_cells(lesson)))
    resources = {"reveal_js": _asset("reveal.js"), "notes_js": _asset("notes.js"),
                 "reveal_css": _asset("reveal.css"),
                 "metadata": {"name": f"{lesson.about['id']} {lesson.about['title']}"}}
    exporter = SlidesExporter(
        template_name="reveal", exclude_input_prompt=True, exclude_output_prompt=True,
        exclude_anchor_links=True, preprocessors=[Formulas],
        raw_template=(ASSETS / "slides.html.j2").read_text(encoding="utf-8"),
        config=Config(CSSHTMLHeaderPreprocessor={"style": "default"}),
    )
    page, _ = exporter.from_notebook_node(notebook, resources)
    path = notebooks.folder() / f"{lesson.about['id']}_slides.html"
    write_atomically(path, page)
    return path


def _cells(lesson: Lesson) -> Iterator[NotebookNode]:
    """The slides in order, each followed by its notes."""
    about, minutes = lesson.about, lesson.about["minutes"]
    goals = "\n".join(f"- {goal}" for goal in about.get("objectives", []))
    opening = f"# {about['id']} · {about['title']}\n\nAfter this lesson you can\n\n{goals}"
    yield _markdown(opening, "slide")
    yield _markdown(f"{minutes['teaching']} minutes of teaching, {minutes['exercises']} of "
                    "exercises and quiz.", "notes")
    names = {slug: name for slug, name, _, _ in lesson.sections()}
    for step in lesson.steps:
        if step.task:
            yield from _exercise(step)
        elif "slide" in tags(step.cell):
            yield from _slide(step, names[step.section])
    if lesson.closing:
        yield _markdown(lesson.closing, "slide")


def _exercise(step: Step) -> Iterator[NotebookNode]:
    """What is asked, and the minutes for it."""
    heading, _, task = step.task[2:].partition(".**")
    timer = f'<button class="countdown" data-minutes="{step.minutes}">{step.minutes}:00</button>'
    yield _markdown(f"## {heading}\n\n{timer}\n\n{task.strip()}", "slide")
    yield _notes(step)


def _slide(step: Step, heading: str) -> Iterator[NotebookNode]:
    """What leads to the code, the code, what came out, and a sentence or two about it."""
    heading = f"## {heading.partition(' · ')[2] or heading}"
    about, hidden = step.cell.metadata, "hide-input" in tags(step.cell)
    leads = [about.get("lead", ""), *step.formulas]
    pictured = "<img" in str(step.cell.outputs)
    apart = pictured or "slide-output-apart" in tags(step.cell)
    if any(leads) or not (hidden and pictured):
        yield _markdown("\n\n".join([heading, *leads]), "slide")
        if not hidden:
            yield new_code_cell(step.code, metadata={"slideshow": {"slide_type": "-"}})
        yield _notes(step)
    outputs = [_shortened(output, about.get("slide_lines")) for output in step.cell.outputs]
    if not outputs:
        return
    if apart and not pictured:
        yield _markdown(heading, "subslide")
    yield new_code_cell(outputs=outputs, metadata={
        "slideshow": {"slide_type": "subslide" if pictured else "fragment"},
        "transient": {"remove_source": True}})
    if "told" in about:
        yield _markdown(about.told, "-")
    if apart:
        yield _notes(step)


def _notes(step: Step) -> NotebookNode:
    told = step.cell.metadata.get("told", "")
    head = f"**{clock(step.mark)} · step {step.number}**"
    return _markdown("\n\n".join([head, step.text, told, step.after]), "notes")


def _shortened(output: NotebookNode, most: int | None) -> NotebookNode:
    """The first lines of a printed text, as many as its slide has room for."""
    lines = output.get("text", "").splitlines()
    if most is None or len(lines) <= most:
        return output
    return NotebookNode(output, text="\n".join([*lines[:most], "…"]))


def _markdown(text: str, kind: str) -> NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def _asset(name: str) -> str:
    """A script or style sheet as it may stand inside a page."""
    text = (ASSETS / "reveal" / name).read_text(encoding="utf-8")
    return re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text).replace("</script", "<\\/script")
