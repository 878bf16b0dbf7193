"""What stands in a lesson's notebook and comes from its front matter: the box on top and its end.

The box says what a learner can do afterwards, how long it takes, what it needs and which terms it
uses; the end leads to the lessons before and after. All links are relative, so they hold in
``notebooks/`` and in the workspace, where the glossary lies beside the notebooks.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tlcourse.notebook import places

GLOSSARY = "glossary.md"
OPTIONAL = "## Optional: "
"""A section whose heading begins so is left out of the time of the lesson and of live teaching."""
_BOX = '<div class="alert alert-info">\n\n{}\n\n</div>'


def add(cells: list[NotebookNode], front: dict, edition: str) -> None:
    """Put the box under the title and the way to the neighbours at the end, in place."""
    title, _, rest = cells[0].source.partition("\n")
    cells[0].source = f"{title}\n\n{_BOX.format(_box(front, edition))}\n\n{rest.strip()}".strip()
    if way := _way(front["id"]):
        cells[-1].source += f"\n\n{_BOX.format(way)}"


def without(text: str) -> str:
    """A text without what `add` put there, for places where its links lead nowhere."""
    return re.sub(rf"\n*{_BOX.format('.*?')}", "", text, flags=re.DOTALL)


def required(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells of a lesson without its optional sections; a section begins with its cell."""
    optional = False
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            optional = cell.source.startswith(OPTIONAL)
        if not optional:
            yield cell


def front(id: str) -> dict:
    """The front matter of a lesson."""
    import yaml  # authors have it, learners need not

    text = (places.lesson_folder(id) / "lesson.md").read_text(encoding="utf-8")
    return yaml.safe_load(text.split("---\n")[1])["tlcourse"]


def glossary(path: Path) -> dict[str, tuple[str, ...]]:
    """The glossary's table: English term in lower case -> (Chinese, meaning)."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows = [[part.strip() for part in line.strip().strip("|").split("|")]
            for line in lines if line.lstrip().startswith("|")]
    return {row[0].lower(): tuple(row[1:]) for row in rows[2:]}


def _box(front: dict, edition: str) -> str:
    objectives = "\n".join(f"- {objective}" for objective in front["objectives"])
    time = ("{teaching} minutes to read and run, {exercises} for the exercises and the quiz"
            .format_map(front["minutes"]))
    if optional := front.get("optional"):
        time += f"; {optional} more for the optional sections, which nothing later needs"
    needs = ", ".join(map(_lesson, front["needs"])) or "no other lesson"
    terms = glossary(places.ROOT / "lessons" / GLOSSARY)
    page = f"../{GLOSSARY}" if edition == "solutions" else GLOSSARY
    known = [(term, terms[term.lower()][-1].replace('"', "&quot;"))
             for term in front["terms"] if term.lower() in terms]
    words = ", ".join(f'[{term}]({page} "{meaning}")' for term, meaning in known)
    return (f"**After this lesson you can**\n\n{objectives}\n\n**Time:** {time}.\n\n"
            f"**Needs:** {needs}.\n\n**Terms:** {words}.")


def _way(id: str) -> str:
    """Links to the lesson before and the one after, of those that there are."""
    ids = places.lesson_ids()
    place = ids.index(id)
    before, after = ids[max(place - 1, 0):place], ids[place + 1:place + 2]
    return " · ".join([f"**Previous:** {_lesson(other)}" for other in before]
                      + [f"**Next:** {_lesson(other)}" for other in after])


def _lesson(id: str) -> str:
    return f"[{id} {front(id)['title']}]({places.lesson_folder(id).name}.ipynb)"
