"""What stands in an answer that no honest one needs, said beside its points.

A remark takes no points: it says where an instructor should look.
"""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from tlschool.classroom import variants
from tlschool.classroom.assignment import Task
from tlschool.classroom.clean import without_magics

_MODULES = {"gc", "ctypes"}
_ATTRIBUTES = {
    "sys": {"modules", "settrace", "setprofile", "_getframe", "_current_frames", "addaudithook"},
    "inspect": {"currentframe", "stack", "getouterframes", "getinnerframes"},
    "threading": {"settrace", "setprofile"},
}
_INSIDES = {"__code__", "__closure__", "__globals__", "__subclasses__", "f_back", "f_globals",
            "f_locals", "tb_frame", "gi_frame", "cr_frame"}
_COMPARES = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__array_ufunc__",
             "__array_function__", "__torch_function__", "__instancecheck__", "__class__"}
_GRADING = re.compile(r"tlschool|tlcourse\.(?:school|notebook)\.?"
                      r"(?:exercises|lessons|ladder|lent|record|proof)?\b")
_FOR_ALL = {"visible", "check", "hint", "solution", "quiz", "claim", "figure", "progress", "review"}


def scan(cells: Sequence[tuple[str, str]], known: Iterable[str], tasks: Mapping[str, Task]
         ) -> list[str]:
    """Remarks on the code of a clean notebook.

    Parameters
    ----------
    cells : sequence of (id, source)
        In their order.
    known : iterable of str
        Ids of locked cells, which are the assignment's own.
    tasks : mapping of str to Task
        By the id of the check cell.
    """
    known, found, imported = set(known), [], {}
    for place, (id, source) in enumerate(cells):
        task = next((tasks[later] for later, _ in cells[place:] if later in tasks), None)
        asked = getattr(variants.own(task.id), "ASKED", {}).get(task.id, ()) if task else ()
        visitor = _Visitor(imported, asked)
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):  # no Python, too deep
            visitor.visit(ast.parse(without_magics(source)))
        if id not in known:
            found += [f"{task.id if task else 'the last cells'}: the code {what}"
                      for what in visitor.found]
    return list(dict.fromkeys(found))


class _Visitor(ast.NodeVisitor):
    """Walks over one cell; `imported` has what names mean, such as np: numpy, from cell to cell."""

    def __init__(self, imported: dict[str, str], asked: Iterable[str]):
        self.imported, self.asked, self.found = imported, set(asked), []

    def visit_Import(self, node):
        for one in node.names:
            root = one.name.partition(".")[0]
            self.imported[one.asname or root] = one.name if one.asname else root
            self._look_at_import(one.name, "")

    def visit_ImportFrom(self, node):
        for one in node.names:
            self.imported[one.asname or one.name] = f"{node.module}.{one.name}"
            self._look_at_import(node.module or "", one.name)

    def _look_at_import(self, module, name):
        if module.partition(".")[0] in _MODULES:
            self._say(f"uses {module}")
        elif name in _ATTRIBUTES.get(module, ()):
            self._say(f"uses {module}.{name}")
        elif _GRADING.match(f"{module}.{name}".rstrip(".")) and name not in _FOR_ALL:
            self._say(f"imports {f'{module}.{name}'.rstrip('.')}, which belongs to the checks")

    def visit_Attribute(self, node):
        full = self._full(node)
        module, _, name = full.rpartition(".")
        if name in _ATTRIBUTES.get(module, ()):
            self._say(f"uses {full}")
        if node.attr in _INSIDES:
            self._say(f"looks into {node.attr}")
        if full.startswith("tlcourse.") and node.attr in self.asked:
            self._say_own(node.attr)
        self.generic_visit(node)

    def visit_Name(self, node):
        full = self.imported.get(node.id, "")
        name = full.rpartition(".")[2]
        if isinstance(node.ctx, ast.Load) and full.startswith("tlcourse.") and name in self.asked:
            self._say_own(name)
        if node.id == "__import__":
            self._say("uses __import__")

    def visit_ClassDef(self, node):
        for one in ast.walk(node):
            names = ([one.name] if isinstance(one, ast.FunctionDef) else
                     [target.id for target in one.targets if isinstance(target, ast.Name)]
                     if isinstance(one, ast.Assign) else [])
            for name in _COMPARES.intersection(names):
                self._say(f"defines {name}, by which an object says what it is equal to")
        self.generic_visit(node)

    def visit_Assign(self, node):
        if not isinstance(node.value, ast.Constant):  # a setting, as cudnn.deterministic = True
            for target in node.targets:
                for one in ast.walk(target):
                    if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store):
                        self._look_at_patch(one)
        self.generic_visit(node)

    def visit_Call(self, node):
        if (isinstance(node.func, ast.Name) and node.func.id == "setattr" and len(node.args) == 3
                and self._full(node.args[0]) and isinstance(node.args[1], ast.Constant)):
            self._say(f"replaces {self._full(node.args[0])}.{node.args[1].value}")
        self.generic_visit(node)

    def _look_at_patch(self, node):
        if full := self._full(node):
            self._say(f"replaces {full}")

    def _full(self, node):
        """What an expression such as np.linalg.norm means; empty where that is no import."""
        if isinstance(node, ast.Attribute):
            above = self._full(node.value)
            return f"{above}.{node.attr}" if above else ""
        return self.imported.get(node.id, "") if isinstance(node, ast.Name) else ""

    def _say_own(self, name):
        self._say(f"uses the course's own {name}, which the exercise asks to write")

    def _say(self, what):
        self.found.append(what)
