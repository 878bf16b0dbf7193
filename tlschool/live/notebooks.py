"""A lesson typed live in front of a room: the presenter's notebook and the participant's.

The presenter's holds all that the lesson says, the code and what it prints. The participant's
holds headings, prompts, and cells: empty where the presenter types, filled in where a step is given
and only run. What should be seen then is folded under each cell that is typed.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tlcourse.notebook import places
from tlschool.authoring.source import keep_edited, made_of, save, tags
from tlschool.live.steps import Lesson, clock, headings, read

PRESENTER = """# {title}: presenter

Keep this notebook on your own screen and type into the participant's one, which you project. It
holds all that the lesson says, the code, and what the code gave when the lesson was built.

A step marked *type* is typed; one marked *next* is in the cell already: run it and go on.

The marks are hours and minutes from the beginning: {teaching} minutes of teaching and {exercises}
of exercises and quiz. Who is behind runs `%live checkpoint` in the first cell of a section.

| mark | minutes | section |
|---|---|---|
{table}"""

PARTICIPANT = """# {title}: live

Type along into the empty cells, and run those that are filled in. Below a cell that you typed,
*You should now see* unfolds what it gave when the lesson was built; last digits can differ.

Behind? `%live next` in an empty cell fills it with that step's code. Missed more?
`%live checkpoint` in the first cell of a section loads all that came before that section.

Run the next cell first, and again after a restart of the kernel."""

SEEN = """<details><summary>You should now see</summary>

```text
{}
```

</details>"""


def write(id: str) -> list[str]:
    """Write both notebooks of a lesson into ``live/`` of the workspace, and say where they are.

    A notebook that somebody edited since is kept under its date before it is written anew.
    """
    lesson, said = read(id), []
    made = {"presenter": _presenter(lesson), "participant": _participant(lesson)}
    for name, cells in made.items():
        about = {key: lesson.about[key] for key in ("id", "title", "minutes")}
        notebook = made_of(list(cells), about | {"edition": name})
        path = folder() / f"{about['id']}_{name}.ipynb"
        kept = keep_edited(path, path.with_name(f"{path.stem} {date.today()}{path.suffix}"))
        save(path, notebook)
        said.append(f"{path}{f' (the edited one is kept as {kept.name})' if kept else ''}")
    return [*said, f"They open in `{places.command()} lab`, in the folder live on the left."]


def folder() -> Path:
    """Where the live notebooks and slides lie."""
    return places.workspace() / "live"


def _presenter(lesson: Lesson) -> Iterator[NotebookNode]:
    """Notes with marks, the code with its outputs, and each exercise with its solution."""
    rows = [f"| {clock(start)} | {end - start} | {name} |"
            for _, name, start, end in lesson.sections()]
    rows.append(f"| {clock(lesson.minutes)} | | end |")
    yield new_markdown_cell(PRESENTER.format(
        table="\n".join(rows), **lesson.about, **lesson.about["minutes"]), id="presenter")
    ends = [step.mark for step in lesson.steps[1:]] + [lesson.minutes]
    for step, end in zip(lesson.steps, ends, strict=True):
        minutes = f"{end - step.mark} min" if end > step.mark else "under a minute"
        head = (f"**{clock(step.mark)} · step {step.number} · "
                f"{'type' if step.is_typed else 'next'}** ({minutes})")
        yield new_markdown_cell(f"{head}\n\n{step.text}".strip(), id=f"notes-{step.number}",
                                metadata={"tags": ["notes"]})
        yield step.cell
        if step.solution:
            yield step.solution
        if step.after:
            yield new_markdown_cell(step.after, id=f"after-{step.number}",
                                    metadata={"tags": ["notes"]})
    yield new_markdown_cell(f"{lesson.closing}\n\n**{clock(lesson.minutes)}** end", id="closing")


def _participant(lesson: Lesson) -> Iterator[NotebookNode]:
    """Headings, prompts and cells to type into."""
    yield new_markdown_cell(PARTICIPANT.format_map(lesson.about), id="participant")
    id = lesson.about["id"]
    yield new_code_cell(f"%load_ext tlschool.live.magic\n%live {id}", id=f"{id}-live")
    for step in lesson.steps:
        parts = [*headings(step.text), f"**Step {step.number}.** {step.task or step.prompt}",
                 *([] if step.task else step.formulas)]
        yield new_markdown_cell("\n\n".join(parts), id=f"prompt-{step.number}")
        yield new_code_cell(step.given, id=step.cell.id, metadata={"tags": tags(step.cell)})
        if step.is_typed and step.seen:
            yield new_markdown_cell(SEEN.format(step.seen), id=f"seen-{step.number}")
    yield new_markdown_cell(lesson.closing, id="closing")
