"""The state of a lesson at the beginning of each of its sections, for whoever is behind.

The lesson's solutions run once on this computer, and the values that the rest of the lesson needs
are pickled into the course's cache folder. Imports, functions and classes are not kept but run
again from the lesson's code, so that they belong to the notebook that loads them.

    python -m tlschool.live.checkpoints 01     make the run of a lesson
"""

import ast
import codecs
import contextlib
import io
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from tlcourse.data import domain
from tlcourse.notebook.check import lend
from tlcourse.utils import cache
from tlcourse.utils.messages import say
from tlschool.authoring.names import names
from tlschool.authoring.source import run, tree
from tlschool.live.steps import Lesson, Step, read

KEEP = """from tlschool.live.checkpoints import keep as _keep
_keep(globals(), {section!r}, {names!r})"""
"""The cell before each section of a run."""
KEPT = "checkpoints"
"""The folder of a run in which that cell writes."""
DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
SECONDS = 600
"""What a cell may take: computers in a classroom can be far slower than the author's."""


class UnknownCheckpoint(LookupError):
    """A name that no section has, or several; the message lists those there are."""


@dataclass(frozen=True)
class Loaded:
    """The names that a checkpoint brought, and those whose values could not be kept."""

    names: list[str]
    left_out: list[str]


def find(lesson: Lesson, name: str) -> str:
    """The section, by its slug or the beginning of it.

    Raises
    ------
    UnknownCheckpoint
        No section is called so, or several are.
    """
    known = [slug for slug, *_ in lesson.sections()]
    fits = [name] if name in known else [each for each in known if each.startswith(name)]
    if len(fits) != 1:
        several = f"{len(fits)} checkpoints" if fits else "no checkpoint"
        raise UnknownCheckpoint(f"lesson {lesson.about['id']} has {several} {name!r}; there is "
                                f"{', '.join(known)}")
    return fits[0]


def is_made(lesson: Lesson) -> bool:
    """Whether a run of the lesson as it is now is kept."""
    return cache.read(_place(lesson)) is not None


def make(lesson: Lesson) -> None:
    """Run a lesson's solutions once, and keep its state before each section; nothing where kept.

    Raises
    ------
    RunError
        A cell failed. Nothing is kept then.
    """
    from nbformat.v4 import new_code_cell, new_notebook

    from tlschool.authoring.runner import execute

    place, id = _place(lesson), lesson.about["id"]
    if is_made(lesson):
        return
    say(f"Lesson {id} runs once on this computer for its checkpoints. When the course was built "
        f"that took {lesson.about['seconds']:.0f} s.")
    cells = []
    for section, steps in groupby(lesson.steps, key=lambda step: step.section):
        values = sorted(_needed(lesson, section)[1])
        cells.append(new_code_cell(KEEP.format(section=section, names=values)))
        cells += [new_code_cell(_sources(step)[-1]) for step in steps]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        execute(new_notebook(cells=cells), folder=Path(folder), timeout=SECONDS,
                progress=f"lesson {id}")
        states = {file.name: file.read_bytes() for file in Path(folder, KEPT).iterdir()}
    cache.write(place, pickle.dumps(states))
    for old in set(place.parent.glob("[!.]*")) - {place}:
        old.unlink(missing_ok=True)


def make_apart(id: str) -> None:
    """`make` in a process of its own, whose words and progress are printed here."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    with subprocess.Popen([sys.executable, "-m", __name__, id], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env=os.environ | {"PYTHONIOENCODING": "utf-8"}) as run:
        try:
            while piece := run.stdout.read1():
                print(decode(piece), end="", flush=True)
        except KeyboardInterrupt:  # which reaches the process itself on some systems only
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(timeout=5)
            run.terminate()
            raise


def keep(namespace: MutableMapping, section: str, wanted: Iterable[str]) -> None:
    """Pickle values before a section into the current folder; called in the run itself.

    All are in one pickle, so that what they share stays shared.
    """
    values, left_out = {}, []
    for name in sorted(namespace.keys() & set(wanted)):
        try:
            _pickled(namespace[name], namespace)
            values[name] = namespace[name]
        except Exception:  # noqa: BLE001, each kind of value refuses in its own way
            left_out.append(name)
    Path(KEPT).mkdir(exist_ok=True)
    Path(KEPT, section).write_bytes(_pickled((values, left_out, domain.LOOKS), namespace))


def load(lesson: Lesson, name: str, namespace: MutableMapping) -> Loaded:
    """Bring what a lesson needs from a section on into a namespace, from the run that was kept.

    Exercises before it are answered with the reference, on loan: checked again it does not pass.

    Parameters
    ----------
    lesson : Lesson
    name : str
        The section's slug, or the beginning of it.
    namespace : dict
        Such as a notebook's own. Other variables in it stay.

    Raises
    ------
    UnknownCheckpoint
        As `find`, or no run is kept: see `make`.
    """
    section = find(lesson, name)
    if (states := cache.read(_place(lesson))) is None:
        raise UnknownCheckpoint(f"lesson {lesson.about['id']} has no run from which to load")
    used, content = pickle.loads(pickle.loads(states)[section])
    definitions, _ = _needed(lesson, section, used)
    waiting = {f"<checkpoint {lesson.about['id']} {section} {number}>": code
               for number, code in enumerate(definitions)}
    for origin, code in list(waiting.items()):
        with contextlib.suppress(NameError):  # a value is the default of a parameter: values next
            run(code, origin, namespace)
            del waiting[origin]
    values, left_out, looks = _Unpickler(content, namespace).load()
    namespace.update(values)
    for origin, code in waiting.items():
        run(code, origin, namespace)
    domain.LOOKS.extend(look for look in looks if look not in domain.LOOKS)
    made = dict.fromkeys([*(name for code in definitions for name in names(code)[0]), *values])
    for step in lesson.steps:
        if step.section == section:
            break
        if step.solution and (answer := _answer(step.solution.source)) in made:
            namespace[answer] = lend(namespace[answer])
    return Loaded(list(made), left_out)


def _place(lesson: Lesson) -> Path:
    """The file of a lesson's run, known by its code, the course's, and what pickled it."""
    versions = [sys.version, *map(version, ("cloudpickle", "numpy", "pandas"))]
    code = [code for step in lesson.steps for code in _sources(step)]
    return cache.place(f"checkpoints/{lesson.about['id']}", *versions, *code)


def _needed(
    lesson: Lesson, section: str, used: Iterable[str] = ()
) -> tuple[list[str], set[str]]:
    """Code of the definitions, and names of the values, that a lesson uses from a section on.

    `used` are names of functions and classes that the values use.
    """
    first = next(index for index, step in enumerate(lesson.steps) if step.section == section)
    wanted: set[str] = set()
    for step in reversed(lesson.steps[first:]):
        for code in _sources(step):  # of an exercise also what only its starter uses
            for node in reversed(tree(code).body):
                bound, read = names(ast.unparse(node))
                if isinstance(node, ast.For):  # it gives its variables their values itself
                    read -= names(ast.unparse(node.target))[1]
                wanted = wanted - bound | read
    wanted.update(used)
    earlier = [(code, *names(code)) for step in lesson.steps[:first]
               for code in _definitions(_sources(step)[-1])]
    while more := {name for _, bound, read in earlier if bound & wanted for name in read} - wanted:
        wanted |= more
    chosen = [(code, bound) for code, bound, _ in earlier if bound & wanted]
    return [code for code, _ in chosen], wanted.difference(*(bound for _, bound in chosen))


def _sources(step: Step) -> list[str]:
    """The code of a step; of an exercise the starter's and the solution's."""
    return [cell.source for cell in (step.cell, step.solution) if cell]


def _definitions(code: str) -> Iterator[str]:
    """Imports, functions and classes of a cell; a function that `interact` draws stands alone."""
    lines = code.splitlines()
    for node in tree(code).body:
        if isinstance(node, DEFINITIONS):
            decorators = getattr(node, "decorator_list", [])
            drawn = any("interact" in ast.unparse(each) for each in decorators)
            begin = min([node.lineno, *(each.lineno for each in decorators if not drawn)])
            yield "\n".join(lines[begin - 1 : node.end_lineno])


def _answer(solution: str) -> str:
    """The name that the last line of an exercise checks."""
    return solution.strip().rpartition("\n")[2].partition(" ")[0]


def _pickled(value: object, namespace: MutableMapping) -> bytes:
    """A value for `_Unpickler`, with the names of the definitions that it uses."""
    import cloudpickle

    used: set[str] = set()

    class Pickler(cloudpickle.Pickler):
        """Writes functions and classes of the lesson as their names.

        Others, such as a lambda in a list, come whole, with the namespace as their globals.
        """

        def persistent_id(self, part: object) -> str | None:
            if part is self.globals_ref[id(namespace)]:
                return ""
            name = getattr(part, "__qualname__", None)
            if type(name) is not str or namespace.get(name) is not part or (
                    part.__module__ != "__main__"):
                return None
            used.add(name)
            return name

    content = io.BytesIO()
    pickler = Pickler(content)
    pickler.globals_ref[id(namespace)] = {"__name__": "__main__"}
    pickler.dump(value)
    return pickle.dumps((used, content.getvalue()))


class _Unpickler(pickle.Unpickler):
    """Finds functions and classes of the lesson, and the namespace itself, by their names."""

    def __init__(self, content: bytes, namespace: MutableMapping):
        super().__init__(io.BytesIO(content))
        self.namespace = namespace

    def persistent_load(self, name: str) -> object:
        return self.namespace[name] if name else self.namespace


if __name__ == "__main__":
    from tlschool.authoring.runner import RunError

    try:
        make(read(sys.argv[1]))
    except (RunError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped")
