"""The contract that every built notebook keeps, as one sentence for each breach of it."""

import ast
import re
import statistics
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from nbformat import NotebookNode

from tlcourse.notebook.figure import ALT_LENGTH
from tlschool.authoring import box
from tlschool.authoring.names import names
from tlschool.authoring.source import COMPARED, checked, tags, tree

TAGS = frozenset({"exercise", "solution", "check", "claim", "slide", "slide-output-apart", "notes",
                  "slow", "hide-input"})
TASKS = frozenset({"exercise", "solution"})
CELL_SECONDS, LESSON_SECONDS = 20, 120
MEDIAN_LINES, MOST_LINES = 5, 25
WORDS, CODE, FIGURES, QUIZZES = 200, 4, 2, 1
"""What a reader takes in and runs in a minute: words, lines of code, figures, quiz questions."""
_ABSOLUTE = re.compile(r"(?<![\w.~/-])(/(?:home|Users|root|tmp|private|var|mnt)/|[A-Z]:\\)")
_VERB = re.compile(r"(?!(an?|the|how|why|what|to|\w+ing|\w*[^s]s)\b)[a-z]+", re.IGNORECASE)
_INLINE_DATA = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


def needs_order(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Lessons in an order in which each comes after those it needs.

    Raises
    ------
    ValueError
        Lessons need each other in a circle.
    """
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise ValueError(f"lessons need each other in a circle: {' -> '.join(error.args[1])}; "
                         "take one of these needs out") from None


def violations(
    notebook: NotebookNode,
    *,
    glossary: Collection[str],
    lesson_ids: Collection[str],
    data_names: Collection[str],
    slack: float = 1.0,
) -> list[str]:
    """What a built notebook breaks of the contract.

    Parameters
    ----------
    notebook : NotebookNode
        As `tlschool.authoring.source.load` returns it.
    glossary : collection of str
        English terms in lower case.
    lesson_ids, data_names : collections of str
        Those that exist.
    slack : float
        Factor on the budget of seconds.

    Returns
    -------
    list of str
        One sentence a breach, with the id of the cell; empty when all is well.
    """
    front, cells = notebook.metadata.get("tlcourse", {}), notebook.cells
    known = {"needs": lesson_ids, "terms": glossary, "data": data_names}
    found = [_front_matter(front, known), _exercises(cells, front), _budget(cells, front, slack),
             _minutes(cells, front), _optional(cells)]
    found += [rule(cells) for rule in (_identity, _lines, _outputs, _figures, _claims, _ending)]
    return [sentence for rule in found for sentence in rule]


def calls(cell: NotebookNode, function: str) -> list[ast.Call]:
    """The calls of a function, by its bare name, in a code cell."""
    parsed = tree(cell.source if cell.cell_type == "code" else "")
    return [node for node in ast.walk(parsed)
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == function]


def _code(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells if cell.cell_type == "code"]


def _front_matter(front: Mapping, known: Mapping[str, Collection[str]]) -> Iterator[str]:
    for key in ("id", "title", "minutes", "objectives", "needs", "terms", "data", "sources"):
        if not front.get(key) and not (key in known and front.get(key) == []):
            yield f"front matter: {key} is missing."
    minutes = front.get("minutes") or {}
    if not all(isinstance(minutes.get(part), int) for part in ("teaching", "exercises")):
        yield f"front matter: minutes are whole numbers, teaching and exercises, got {minutes}."
    objectives = front.get("objectives") or []
    if not 2 <= len(objectives) <= 4:
        yield f"front matter: a lesson has 2 to 4 objectives, got {len(objectives)}."
    for objective in objectives:
        if not _VERB.match(objective):
            yield f"front matter: objective {objective!r} does not begin with a verb."
    for key, those in known.items():
        for name in front.get(key) or []:
            if (name.lower() if key == "terms" else name) not in those:
                yield f"front matter: {name!r} under {key} is not known."


def _identity(cells: list[NotebookNode]) -> Iterator[str]:
    counts = Counter(cell.get("id") for cell in cells)
    for id, count in counts.items():
        if not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", id or ""):
            yield f"cell {id}: letters, digits, - and _ make an id, 64 at most."
        if count > 1:
            yield f"cell {id}: {count} cells have this id."
    for expected, cell in enumerate(_code(cells), start=1):
        if cell.execution_count != expected:
            yield (f"cell {cell.id}: execution count {cell.execution_count} where {expected} is "
                   "due; run the notebook in order, from a fresh kernel.")
    for cell in cells:
        allowed = TAGS | ({COMPARED} if "claim" in tags(cell) else set())
        for tag in sorted(set(tags(cell)) - allowed):
            yield f"cell {cell.id}: the tag {tag!r} is not one of {', '.join(sorted(TAGS))}."


def _lines(cells: list[NotebookNode]) -> Iterator[str]:
    lengths = []
    for cell in _code(cells):
        if "hide-input" in tags(cell):
            continue
        lines = [line.strip() for line in cell.source.splitlines()]
        lengths.append(sum(bool(line) and not line.startswith("#") for line in lines))
        if lengths[-1] > MOST_LINES:
            yield f"cell {cell.id}: {lengths[-1]} lines of code where {MOST_LINES} are the most."
    if lengths and statistics.median(lengths) > MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(lengths)} lines, over {MEDIAN_LINES}."


def _outputs(cells: list[NotebookNode]) -> Iterator[str]:
    for cell in cells:
        outputs = cell.get("outputs", [])
        data = [output.data for output in outputs if "data" in output]
        if any(output.output_type == "error" for output in outputs):
            yield f"cell {cell.id}: it stopped with an error."
        if any(kind.startswith("image/") for bundle in data for kind in bundle):
            yield f"cell {cell.id}: a picture without words; show it with figure(fig, alt)."
        texts = [output.text for output in outputs if output.output_type == "stream"]
        texts += [str(text) for bundle in data for text in bundle.values()]
        for text in [cell.source, *texts]:
            if found := _ABSOLUTE.search(_INLINE_DATA.sub("", text)):
                yield f"cell {cell.id}: an absolute path, {found[0]}..., holds on one machine only."


def _alternatives(cell: NotebookNode) -> list[str]:
    """The alternative texts of the pictures in a cell, "" for a picture that has none."""
    pages = [output.get("data", {}).get("text/html", "") for output in cell.get("outputs", [])]
    text = cell.source if cell.cell_type == "markdown" else "".join(pages)
    pictures = re.findall(r"<img\b[^>]*>", _INLINE_DATA.sub("", text))
    found = [re.search(r'\balt="([^"]*)"', picture) for picture in pictures]
    markdown = re.findall(r"!\[([^\]]*)\]\(", text) if cell.cell_type == "markdown" else []
    return [alt[1] if alt else "" for alt in found] + markdown


def _figures(cells: list[NotebookNode]) -> Iterator[str]:
    for cell, after in pairwise([*cells, NotebookNode(cell_type="none", source="")]):
        alternatives = _alternatives(cell)
        for text in alternatives:
            if len(text.strip()) < ALT_LENGTH:
                yield f"cell {cell.id}: alternative text {text!r} is under {ALT_LENGTH} characters."
        if cell.cell_type != "code" or not (alternatives or calls(cell, "figure")):
            continue
        said = after.source.splitlines() if after.cell_type == "markdown" else []
        if not any(line.strip() and not line.startswith("#") for line in said):
            yield f"cell {cell.id}: no sentence after the figure says what it means."


def _claims(cells: list[NotebookNode]) -> Iterator[str]:
    count = 0
    for cell in _code(cells):
        made = len(calls(cell, "claim"))
        count += made
        if bool(made) != ("claim" in tags(cell)):
            yield f"cell {cell.id}: the tag claim and a call of claim(...) go together."
        printed = [o.text for o in cell.outputs if o.output_type == "stream" and made]
        for line in "".join(printed).replace("\n  ", " ").splitlines():  # long ones go on indented
            if ": holds: at least " not in line:
                yield f"cell {cell.id}: a claim's cell prints claims and nothing else: {line!r}."
    if not 2 <= count <= 4:
        yield f"a lesson makes 2 to 4 claims, this one makes {count}."


def _exercises(cells: list[NotebookNode], front: Mapping) -> Iterator[str]:
    own, other = ("exercise", "solution")[:: -1 if front.get("edition") == "solutions" else 1]
    ids, announced = [], []
    for before, cell in pairwise([NotebookNode(source=""), *cells]):
        id = checked(cell) if own in tags(cell) else None
        if other in tags(cell):
            yield f"cell {cell.id}: the tag {other} belongs to the other edition."
        elif own not in tags(cell) and calls(cell, "check"):
            yield f"cell {cell.id}: it calls check(...) and lacks the tag {own}."
        elif own in tags(cell) and not id:
            yield f'cell {cell.id}: an exercise defines x and ends with x = check("id", x).'
        elif id:
            lines = [line for line in before.source.splitlines() if f"Exercise {id} (" in line]
            ids, announced = [*ids, id], [*announced, *lines]
            if not lines:
                yield f'cell {cell.id}: the text before it does not say "Exercise {id} (".'
    for line in announced:
        if found := re.search(r"Exercise ([\d.]+) \(predict,", line):
            yield from _judged(cells, found[1])
    lesson = str(front.get("id", "")).lstrip("0") or "0"
    if not 2 <= len(ids) <= 4 or ids != [f"{lesson}.{n + 1}" for n in range(len(ids))]:
        yield f"a lesson has 2 to 4 exercises, {lesson}.1, {lesson}.2, ... in order, got {ids}."
    if not any("bug hunt" in line.lower() for line in announced):
        yield "no exercise of this lesson is a bug hunt."


def _judged(cells: list[NotebookNode], id: str) -> Iterator[str]:
    """A prediction is judged once, after code that measures."""
    code = _code(cells)
    (made,) = [n for n, cell in enumerate(code) if checked(cell) == id]
    judged = [n for n, cell in enumerate(code)
              for call in calls(cell, "judge") if call.args[0].value == id]
    if len(judged) != 1 or judged[0] <= made + 1:
        yield (f'exercise {id} is a prediction: judge("{id}", ...) follows once, after it is '
               "measured.")


def _ending(cells: list[NotebookNode]) -> Iterator[str]:
    quizzes = [i for i, cell in enumerate(cells) if calls(cell, "quiz")]
    if len(quizzes) != 3:
        yield f"a lesson ends with three quiz cells, this one has {len(quizzes)}."
    if any(TASKS & set(tags(cell)) for cell in cells[min(quizzes, default=0):]):
        yield "the quiz comes after the last exercise."
    rest = cells[max(quizzes, default=-1) + 1:]
    text = "\n".join(cell.source for cell in rest if cell.cell_type == "markdown")
    end = re.search(r"^#+ What to remember$(.*?)^#+ Next\b", text, re.DOTALL | re.MULTILINE)
    if not end or len(re.findall(r"^[-*] ", end[1], re.MULTILINE)) != 3:
        yield ('after the quiz come a heading "What to remember" with three bullet lines and '
               'a heading "Next".')


def _budget(cells: list[NotebookNode], front: Mapping, slack: float) -> Iterator[str]:
    if not isinstance(front.get("seconds"), int | float):
        yield "the measured seconds are missing: build the lesson."
    elif front["seconds"] > LESSON_SECONDS * slack:
        yield f"the lesson took {front['seconds']} s, over {LESSON_SECONDS * slack:g} s."
    for cell in _code(cells):
        seconds = cell.metadata.get("tlcourse", {}).get("seconds", 0)
        if seconds > CELL_SECONDS * slack:
            yield f"cell {cell.id}: it took {seconds} s, over {CELL_SECONDS * slack:g} s."


def _minutes(cells: list[NotebookNode], front: Mapping) -> Iterator[str]:
    required = list(box.required(cells))
    needed = {"teaching": _effort(required),
              "optional": _effort([cell for cell in cells if cell not in required])}
    stated = {**(front.get("minutes") or {}), "optional": front.get("optional", 0)}
    tasks = re.findall(r"\*\*Exercise [\d.]+ \(.*?(\d+) min\)",
                       "\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))
    needed["exercises"] = sum(map(int, tasks)) + sum(
        len(calls(cell, "quiz")) for cell in cells) / QUIZZES
    for part, minutes in needed.items():
        if isinstance(stated.get(part), int) and stated[part] < minutes:
            yield f"front matter: {part} takes {minutes:.0f} min, and {stated[part]} are stated."
    if stated["optional"] and not needed["optional"]:
        yield "front matter: minutes for optional sections, and there is none."


def _effort(cells: list[NotebookNode]) -> float:
    """The minutes that a reader needs at least, without the exercises and the quiz."""
    words = sum(len(box.without(cell.source).partition("**Exercise ")[0].split())
                for cell in cells if cell.cell_type == "markdown")
    shown = [cell for cell in _code(cells) if not calls(cell, "quiz")
             and not {"hide-input", "exercise", "solution"} & set(tags(cell))]
    lines = sum(bool(line.strip()) for cell in shown for line in cell.source.splitlines())
    return words / WORDS + lines / CODE + sum(bool(calls(c, "figure")) for c in cells) / FIGURES


def _optional(cells: list[NotebookNode]) -> Iterator[str]:
    """An optional section can be skipped: what comes after it stands without its names."""
    required, known, skipped = list(box.required(cells)), set(), set()
    for cell in cells:
        if cell.cell_type == "markdown" and re.search(rf"(?<!^)\n{box.OPTIONAL}", cell.source):
            yield f"cell {cell.id}: an optional section begins with a cell of its own."
        bound, used = names(cell.source) if cell.cell_type == "code" else (set(), set())
        if cell not in required:
            skipped |= bound - known
        elif missing := used & skipped - bound:
            yield f"cell {cell.id}: it uses {', '.join(sorted(missing))} of an optional section."
        else:
            known, skipped = known | bound, skipped - bound
