"""What a learner handed in becomes a clean notebook: the assignment's cells, the learner's answers.

nbgrader drops a whole submission for one duplicated cell. Here every cell of the assignment is
found by its mark, or by the name that it should define, and put into its place; what was done to
the cells is said in remarks.
"""

import hashlib
import itertools
import json
import re
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tlschool.authoring.names import names
from tlschool.classroom.assignment import Assignment, comparable
from tlschool.errors import CourseError

LARGEST = 50_000_000
"""Bytes of a file; a notebook of exercises has some hundred thousand, with pictures."""
MOST_CODE, MOST_CELLS = 200_000, 2_000
"""Characters in all cells of code together, and cells; exercises need some thousand, and 30."""
_ABOUT = re.compile(r'"tlcourse"\s*:\s*(\{[^{}]{0,1000}\})')


_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_KINDS = {"markdown": "Markdown", "raw": "a raw cell"}
_PART = "part"
_LONGEST = 120
"""Bytes of a student's name: the files called by it carry more, and 255 is the most."""


def student_name(text: str) -> str:
    """A student's name as a folder, a file and nbgrader can have it; the end of a long one is
    replaced by a mark of the whole."""
    plain = unicodedata.normalize("NFC", text)
    name = re.sub(r"[^\w.-]+", "_", plain).strip("._-") or "student"
    if len(name.encode()) <= _LONGEST:
        return name
    mark = hashlib.sha256(name.casefold().encode()).hexdigest()[:8]
    return f"{name.encode()[: _LONGEST - 9].decode(errors='ignore')}_{mark}"


class Unreadable(CourseError):
    """A file that holds no work for this assignment; the message says what it is."""


@dataclass
class Submission:
    """The clean notebook and what was done to get it."""

    notebook: NotebookNode
    remarks: list[str] = field(default_factory=list)


def read(path: Path) -> Submission:
    """Read a submitted file; raises what `content` and `parsed` do."""
    return parsed(content(path))


def about(path: Path) -> dict:
    """Which assignment and variant a file says it is, found without reading it as a notebook.

    Raises what `content` does.
    """
    found = _ABOUT.findall(_decode(content(path))[0])
    try:
        return json.loads(found[-1]) if found else {}
    except ValueError:
        return {}


def content(path: Path) -> bytes:
    """The bytes of a submitted file.

    Raises
    ------
    Unreadable
        It is too large, empty, or no file of its own.
    OSError
        As the system says it.
    """
    if path.is_symlink():
        raise Unreadable("the file is a link to another one")
    if path.exists() and not path.is_file():
        raise Unreadable("this is no ordinary file")
    if not path.stat().st_size:
        raise Unreadable("the file is empty")
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"the file is larger than {LARGEST // 1_000_000} MB: clear its outputs")
    return path.read_bytes()


def parsed(raw: bytes) -> Submission:
    """The notebook in a file's bytes, in whatever encoding it was saved.

    To be called within limits. Outputs are dropped, and of the metadata all but the marks.

    Raises
    ------
    Unreadable
        It is no complete notebook, or holds too much code.
    """
    text, remarks = _decode(raw)
    try:
        stored = json.loads(text)
        cells = [cell for sheet in stored.get("worksheets", [stored]) for cell in sheet["cells"]]
        held = sum(map(_strip, cells))
        if held <= MOST_CODE and len(cells) <= MOST_CELLS:
            with warnings.catch_warnings(action="ignore"):  # on cells without an id, or with two
                notebook = nbformat.reads(json.dumps(stored), as_version=4)
            named = (notebook.metadata or {}).get("tlcourse")
            notebook.metadata = {"tlcourse": named if isinstance(named, dict) else {}}
            return Submission(notebook, remarks)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001, a submitted file may hold anything
        raise Unreadable("the file is no complete notebook, as after a save that was cut off"
                         ) from error
    raise Unreadable(f"the file holds {held:,} characters of code in {len(cells):,} cells, and at "
                     f"most {MOST_CODE:,} in {MOST_CELLS:,} are read: hand in the exercises alone")


def _strip(cell: dict) -> int:
    """Leave a stored cell its text and its mark, and count the characters that may run."""
    mark, text = _grade_id(cell), "input" if "input" in cell else "source"
    whole = "".join(cell[text])  # half of a character, as JSON can have it, becomes "?"
    cell[text] = whole.encode(errors="replace").decode()
    cell["metadata"] = {"nbgrader": {"grade_id": mark}}
    cell.pop("attachments", None)
    if cell["cell_type"] == "code":
        cell["outputs"] = []
    return len(whole) if cell["cell_type"] == "code" or mark else 0


def _decode(content: bytes) -> tuple[str, list[str]]:
    """The text, and a remark where it is not in UTF-8."""
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"
    return text, [] if encoding == "utf-8" else [
        f"the file was saved as {encoding.upper()}, not as UTF-8, and was read so"]


def clean(submitted: Submission, given: Assignment) -> Submission:
    """Put the learner's answers, and cells of the learner's own, into the assignment's cells.

    Of several copies of an answer all that were changed run in order: halves of a cell that was
    split keep its mark, and of two answers the last one counts. Cells of the learner's own follow
    the cell that they followed. An answer in a cell that has become text is run as code.

    Raises
    ------
    Unreadable
        The notebook of another assignment, or one without any of its cells.
    """
    _belongs(submitted.notebook, given)
    remarks, cells = list(submitted.remarks), submitted.notebook.cells
    about = submitted.notebook.metadata.get("tlcourse", {})
    if about.get("variant", given.variant) != given.variant:
        remarks.append("this is the variant of another student; it was graded as your own")
    known = {cell.id: cell for cell in given.notebook.cells if cell.cell_type == "code"}
    cells = _as_code(cells, known, remarks)
    marks = _marks(cells, known)
    copies = defaultdict(list)
    for place, mark in marks.items():
        copies[mark].append(place)
    chosen = _choose(known, cells, copies, given, remarks)
    _report(known, cells, copies, chosen, remarks)
    marks |= {place: id for id, place in chosen.items()}
    return Submission(_assemble(given, known, cells, marks, chosen), remarks)


def _belongs(notebook, given):
    name = notebook.metadata.get("tlcourse", {}).get("assignment")
    if name not in (None, given.name):
        raise Unreadable(f"this is the notebook of {json.dumps(name)[:60]}, and {given.name} was "
                         "asked for")
    wanted = {task.name for task in given.tasks.values()}
    marks = {cell.id for cell in given.notebook.cells}
    if not any(_mark(cell) in marks or cell.cell_type == "code" and _names(cell.source) & wanted
               for cell in notebook.cells):
        raise Unreadable(f"no cell of {given.name} is in this notebook")


def _as_code(cells, known, remarks):
    """The cells, those as code again that were turned into text, as by a key pressed by mistake."""
    lost, made = known.keys() - {_mark(cell) for cell in cells if cell.cell_type == "code"}, []
    for cell in cells:
        if cell.cell_type != "code" and _mark(cell) in lost:
            remarks.append(f"the cell {_mark(cell)} had become {_KINDS.get(cell.cell_type, 'text')}"
                           ", and was made code again")
            cell = nbformat.v4.new_code_cell(cell.source, metadata=cell.metadata)
        made.append(cell)
    return made


def without_magics(source: str) -> str:
    """A cell as plain Python, with `pass` in place of the lines that only Jupyter can run."""
    return _MAGIC.sub(r"\1pass", source)


def _names(source):
    """The names that a cell binds, whatever magics stand in it."""
    return names(source)[0] or names(without_magics(source))[0]


def _marks(cells, known):
    """By the place of a code cell, its mark; where that is lost, its text may still tell it."""
    by_text = {comparable(cell.source): id for id, cell in known.items()}
    marks = {place: _mark(cell) for place, cell in enumerate(cells) if cell.cell_type == "code"}
    return {place: mark if mark in known else by_text.get(comparable(cells[place].source), mark)
            for place, mark in marks.items()}


def _choose(known, cells, copies, given, remarks):
    """Which submitted cell, by its place, holds the answer of each answer cell."""
    chosen = {}
    for check, task in given.tasks.items():
        id = check.removesuffix("-check")
        found = copies[id]
        changed = [i for i in found if _differ(cells[i], known[id])]
        if len(found) > 1:
            remarks.append(f"{task.id}: the cell of the answer is there {len(found)} times; those "
                           "that were changed run in their order")
        if not found:
            changed = [i for mark, places in copies.items() if mark not in known for i in places
                       if task.name in _names(cells[i].source)]
            remarks.append(f"{task.id}: the cell of the answer had been deleted" if not changed
                           else f"{task.id}: the cell of the answer had lost its mark, and was "
                           f"found by the name {task.name}")
        if changed or found:
            chosen[id] = max(changed or found)
    return chosen


def _report(known, cells, copies, chosen, remarks):
    """Remarks on locked cells, which are replaced in any case, and on the order."""
    for id, cell in known.items():
        if cell.metadata["nbgrader"]["solution"]:
            continue
        if not copies[id]:
            remarks.append(f"the locked cell {id} had been deleted, and was put back")
        elif any(_differ(cells[i], cell) for i in copies[id]):
            remarks.append(f"the locked cell {id} had been changed, and was put back")
    order = [chosen[id] if id in chosen else copies[id][0] for id in known
             if id in chosen or copies[id]]
    if order != sorted(order):
        remarks.append("the cells were in another order, and were put back into theirs")


def _assemble(given, known, cells, marks, chosen):
    before, after, counts = defaultdict(list), defaultdict(list), itertools.count(1)
    last = setup = next(iter(known))
    for place, mark in marks.items():
        last = mark if mark in known else last
        takes_code = mark == setup or mark + "-check" in given.tasks if mark in known else True
        added = takes_code and place != chosen.get(mark) and (
            mark not in known or _differ(cells[place], known[mark]))
        if added and cells[place].source.strip():
            to, kind = (before, _PART) if place < chosen.get(last, -1) else (after, "own")
            to[last].append((f"{kind}-{next(counts)}", cells[place].source))
    code = []
    for id, cell in known.items():
        answer = cells[chosen[id]].source if id in chosen else ""
        source = answer if cell.metadata["nbgrader"]["solution"] else cell.source
        code += [*before[id], (id, source), *after[id]]
    return with_code(given, code)


def with_code(given: Assignment, code: Sequence[tuple[str, str]]) -> NotebookNode:
    """The assignment's notebook with these cells of code, by id, in their order.

    Its own texts stand before the cell of code that they stood before, and before its first parts.
    """
    notebook, texts, waiting = deepcopy(given.notebook), {}, []
    for cell in notebook.cells:
        waiting.append(cell)
        if cell.cell_type == "code":
            texts[cell.id], waiting = waiting, []
    made = waiting[::-1]  # from the last cell to the first
    above = []
    for id, source in reversed(code):
        if not id.startswith(_PART):
            made += above[::-1]
            *above, cell = texts.get(id) or [nbformat.v4.new_code_cell(id=id)]
        else:
            cell = nbformat.v4.new_code_cell(id=id)
        cell.source = source
        made.append(cell)
    notebook.cells = [*made, *above[::-1]][::-1]
    return notebook


def _differ(cell, other):
    return comparable(cell.source) != comparable(other.source)


def _mark(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _grade_id(cell):
    """The mark of a submitted cell, whose metadata may hold anything."""
    nbgrader = (cell.get("metadata") or {}).get("nbgrader")
    mark = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return mark if isinstance(mark, str) else None
