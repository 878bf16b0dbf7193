"""The graded edition of a lesson: its exercises, what they need to run, and their checks.

It is made of the learner's notebook, which never held a solution; of the notebook with solutions
only the names are read that a solution uses.
"""

import re
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from tlcourse import __version__
from tlcourse.notebook import exercises, places
from tlschool.authoring.source import checked, load, made_of, tags
from tlschool.classroom import variants
from tlschool.classroom.dependencies import needed, statements
from tlschool.classroom.shown import shown

_INTRODUCTION = """# {title}: graded exercises

Work in the cells under each exercise. The cell after it is locked: it tells you whether the form
of your answer is right, and further checks follow when this is graded. Save the notebook, then see
your points beforehand, from the saved file and by the same code:

    tlcourse classroom grade --dry-run {file}.ipynb

(Write the name that your file has and, in a folder with `course.py`, `python course.py` in place of
`tlcourse`.)

What an exercise asks for must stand in its own cell, or in cells of yours right below it."""
_LOCKED = {"editable": False, "deletable": False}
_IMPORT = re.compile(r"^from (?:tlcourse|tlschool)[\w.]* import ", re.MULTILINE)


@dataclass(frozen=True)
class Task:
    """A graded exercise: `name` is what the learner defines, `letters` the order of options."""

    id: str
    name: str
    points: int
    letters: str = ""


def name_of(lesson: str) -> str:
    """Name of a lesson's assignment, such as "lesson-01"; also that of its notebook."""
    return f"lesson-{lesson}"


@dataclass(frozen=True)
class Assignment:
    """A notebook with the metadata of nbgrader, not executed, and the task of each check cell.

    Attributes
    ----------
    name : str
        Such as "lesson-01"; also the name of the notebook's file.
    lesson : str
    variant : int
    notebook : NotebookNode
    tasks : dict of cell id -> Task
    """

    name: str
    lesson: str
    variant: int
    notebook: NotebookNode
    tasks: dict[str, Task]


def assignment(lesson: str, variant: int = 0, *, with_hidden: bool = False) -> Assignment:
    """The exercises of a lesson as an assignment.

    Parameters
    ----------
    lesson : str
        Its id, such as "01".
    variant : int
        From `variants.of_student`; 0 is the one that all share.
    with_hidden : bool
        With the hidden checks, as nbgrader's source wants them.
    """
    path = places.notebook(lesson)
    lesson, learner = path.name[:2], load(path)
    made = [_markdown(_INTRODUCTION.format(title=learner.metadata["tlcourse"]["title"],
                                           file=name_of(lesson)), f"{lesson}-introduction"),
            _code(_setup(lesson, learner), f"{lesson}-setup")]
    tasks = {}
    for place, cell in enumerate(learner.cells):
        if "exercise" in tags(cell):
            own, task = _exercise(learner.cells, place, variant, with_hidden)
            made += own
            tasks[own[-1].id] = task
    about = {"assignment": name_of(lesson), "lesson": lesson, "variant": variant,
             "version": __version__}
    return Assignment(name_of(lesson), lesson, variant, made_of(made, about), tasks)


def _exercise(cells, place, variant, with_hidden):
    """The cells of one exercise, its check last, and its task."""
    id = checked(cells[place])
    answer = cells[place].source.strip().splitlines()[-1].partition(" = ")[0]
    exercise, slug = exercises.get(id), cells[place].id
    prompt, letters = variants.reword(id, cells[place - 1].source, variant)
    made = [_markdown(_of_this_edition(prompt), f"{slug}-text"),
            _code(starter(cells[place].source), slug, locked=False)]
    leans_on_lesson = exercise.kind == "predict" or id in getattr(variants.own(id), "SHOWN", ())
    context = shown(_section(cells, place - 1) if leans_on_lesson else [])
    if context.source:
        context.update(id=f"{slug}-before", metadata=_LOCKED)
        made.insert(0, context)
    source = f'visible("{id}", {answer})'
    if with_hidden:
        source += ("\n### BEGIN HIDDEN TESTS\nfrom tlschool.classroom import hidden\n"
                   f'hidden("{id}", {answer})\n### END HIDDEN TESTS')
    made.append(_code(source, f"{slug}-check", points=exercise.minutes))
    return made, Task(id, answer, exercise.minutes, letters)


def starter(source: str) -> str:
    """An exercise cell without its last line, which would hand out the reference."""
    return "\n".join(source.strip().splitlines()[:-1]).rstrip()


def comparable(source: str) -> str:
    """A cell's text as other versions of the course would write it.

    Modules of the course move from version to version, so it does not count from which of them a
    name is imported: an assignment that was released before is still the same.
    """
    return _IMPORT.sub("from tlcourse import ", source.strip())


def _setup(lesson: str, learner: NotebookNode) -> str:
    """The statements of the lesson that its exercises and their solutions stand on."""
    earlier, code = [], []
    solved = {cell.id: cell for cell in load(places.solution(lesson)).cells}
    for cell in learner.cells:
        if cell.cell_type == "code" and "exercise" in tags(cell):
            solution = solved[cell.id.replace("-ex-", "-sol-", 1)]
            wanted = [*statements(starter(cell.source)), *statements(starter(solution.source))]
            code = [*needed(earlier, wanted), *code]
            earlier += [s for s in statements(cell.source) if s.startswith(("import ", "from "))]
        elif cell.cell_type == "code":
            earlier += statements(cell.source)
    kept = [statement for statement in earlier if statement in code]
    return "\n".join(["from tlschool.classroom import visible", *dict.fromkeys(kept)])


def _section(cells, place):
    """The cells before an exercise's text, back to the one with the last heading."""
    if _has_heading(cells[place]):
        return []
    headings = [number for number in range(place) if _has_heading(cells[number])]
    return cells[max(headings, default=0) : place]


def _has_heading(cell):
    return cell.cell_type == "markdown" and re.search(r"^#+ ", cell.source, re.MULTILINE)


def _of_this_edition(prompt):
    """Without earlier sections, and without the paragraphs that explain the lesson's `check`."""
    text = re.split(r"^(?=#+ )", prompt, flags=re.MULTILINE)[-1].strip()
    return "\n\n".join(part for part in text.split("\n\n") if "check(" not in part)


def _markdown(text, id):
    return nbformat.v4.new_markdown_cell(text, id=id, metadata=_LOCKED)


def _code(source, id, *, locked=True, points=None):
    """A cell as nbgrader marks it; the one that is not locked takes the learner's answer."""
    mark = {"schema_version": 3, "grade_id": id, "grade": points is not None, "task": False,
            "solution": not locked, "locked": locked, **({"points": points} if points else {})}
    return nbformat.v4.new_code_cell(
        source, id=id, metadata={"nbgrader": mark, **(_LOCKED if locked else {})})
