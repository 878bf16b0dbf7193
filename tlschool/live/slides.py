"""A lesson's slides: one HTML file that needs no other file, no network and no Jupyter.

They are made of the cells tagged ``slide``, with the lesson's text as speaker notes (key S).
nbconvert writes the pages, reveal.js shows them from a copy in ``assets/``, and formulas become
MathML, which browsers draw themselves. Code and pictures are as large as their slide allows.
"""

import base64
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path

from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from tlcourse.utils.files import write_atomically
from tlschool.authoring.formulas import mathml
from tlschool.authoring.source import tags
from tlschool.live import notebooks
from tlschool.live.prompts import formulas, lead, sentences
from tlschool.live.steps import Lesson, Step, clock, headings, read

ASSETS = Path(__file__).parents[1] / "assets"
FITS, LINE, FORMULA, TOLD = 14, 36, 4, 200
"""Lines of code and output that a slide has room for beside its words, the pixels of a picture that
take the room of a line, a formula in such lines, and the characters of what is said about them."""
LONGEST = 24
"""Lines of a printed text that stands on a slide of its own."""


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
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = mathml(cell.source)
    scripts = {name: _asset(f"{name}.js") for name in ("reveal", "notes")}
    resources = {f"{name}_js": script for name, script in scripts.items()}
    resources |= {"reveal_css": _asset("reveal.css"),
                  "metadata": {"name": f"{lesson.about['id']} {lesson.about['title']}"}}
    exporter = SlidesExporter(
        template_name="reveal", exclude_input_prompt=True, exclude_output_prompt=True,
        exclude_anchor_links=True,
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
    following = [*lesson.steps[1:], None]
    for step, after in zip(lesson.steps, following, strict=True):
        if "slide" in tags(step.cell):
            yield from _slide(step, names[step.section], after)
    if lesson.closing:
        yield _markdown(lesson.closing, "slide")


def _slide(step: Step, heading: str, after: Step | None) -> Iterator[NotebookNode]:
    """What leads to the code, the code, what came out, and a sentence or two about it."""
    heading = f"## {heading.partition(' · ')[2] or heading}"
    apart = formulas(step)
    yield _markdown("\n\n".join([heading, lead(step), *apart]), "slide")
    hidden = "hide-input" in tags(step.cell)
    if not hidden:
        yield new_code_cell(step.code, metadata={"slideshow": {"slide_type": "-"}})
    notes = f"**{clock(step.mark)} · step {step.number}**\n\n{step.text}\n\n{step.after}"
    yield _markdown(notes, "notes")
    outputs = [_shortened(output) for output in step.cell.outputs if not _is_widget(output)]
    if not outputs:
        return
    above = FORMULA * len(apart) + (0 if hidden else len(step.code.splitlines()))
    taken = sum(map(_lines, outputs))
    if above and above + taken > FITS:
        yield _markdown(heading, "subslide")
    yield new_code_cell(outputs=outputs, metadata={
        "slideshow": {"slide_type": "fragment"}, "transient": {"remove_source": True}})
    if taken <= FITS + 1:  # a higher picture needs the slide for itself
        follows = after and not headings(after.text)
        told = step.after or (after.text if follows else "")
        yield _markdown(_beginning(told.partition("**Exercise")[0],
                                   lead(after) if follows else ""), "-")


def _beginning(text: str, leads_on: str = "") -> str:
    """The first sentences of a text, as many as a slide has room for, without what leads on."""
    said = sentences(re.split(r"\n\s*\n", text.strip())[0])
    if leads_on in said:  # what stands before a question looks back
        said = said[: said.index(leads_on)] if leads_on.endswith((":", "?")) else []
    while said and (said[-1].endswith((":", "?")) or len(" ".join(said)) > TOLD and said[1:]):
        said.pop()
    return " ".join(said)


def _lines(output: NotebookNode) -> int:
    """How many lines of a slide an output takes."""
    if height := _height(output):
        return ceil(height / LINE)
    return len(output.get("text", output.get("data", {}).get("text/plain", "")).splitlines())


def _height(output: NotebookNode) -> int:
    """Pixels of a picture, as its PNG says; 0 for other outputs."""
    page = "".join(output.get("data", {}).get("text/html", ""))
    found = re.search("data:image/png;base64,([^\"]{32})", page)
    return int.from_bytes(base64.b64decode(found[1])[20:24], "big") if found else 0


def _shortened(output: NotebookNode) -> NotebookNode:
    """The beginning of a printed text that no slide has room for; other outputs as they are."""
    lines = output.get("text", "").splitlines()
    if len(lines) <= LONGEST:
        return output
    return NotebookNode(output, text="\n".join([*lines[: LONGEST - 1], "…"]))


def _is_widget(output: NotebookNode) -> bool:
    return any("widget" in kind for kind in output.get("data", ()))


def _markdown(text: str, kind: str) -> NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def _asset(name: str) -> str:
    """A script or style sheet as it may stand inside a page."""
    text = (ASSETS / "reveal" / name).read_text(encoding="utf-8")
    return re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text).replace("</script", "<\\/script")
