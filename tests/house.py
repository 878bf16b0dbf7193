"""The house as its imports draw it: which room knows which, and how many lines of code it holds.

    python tests/house.py             print the picture
    python tests/house.py --write     write it into CONTRIBUTING.md
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "CONTRIBUTING.md"

GROUND = {"utils", "stats", "data", "models", "training", "features"}
SCIENCE = GROUND | {"sweep", "finetune", "distances", "reweight", "align", "transferability",
                    "diagnose", "plots"}
MAY_KNOW = {
    "utils": set(),
    "stats": set(),
    "data": {"utils"},
    "models": {"utils", "data"},
    "training": {"utils", "data", "models"},
    "features": {"utils", "data", "models", "training"},
    "sweep": {"utils", "data"},
    "finetune": GROUND,
    "distances": GROUND,
    "reweight": GROUND,
    "align": GROUND | {"finetune", "distances", "reweight"},
    "transferability": GROUND | {"distances"},
    "diagnose": GROUND | {"finetune", "distances", "reweight", "align", "transferability", "plots"},
    "plots": {"utils", "stats", "data", "training"},
    "notebook": {"utils", "stats", "plots"},
    "lessons": SCIENCE | {"notebook"},
    "tlschool": SCIENCE | {"notebook", "lessons"},
}
"""Who may know whom. A file of a room may import from its own room and from these."""

FLOORS = (("tlschool",), ("lessons",), ("notebook",), ("diagnose",), ("plots",),
          ("align", "transferability"), ("finetune", "distances", "reweight"),
          ("sweep", "features"), ("training",), ("models",), ("data",), ("utils", "stats"))
"""The picture's lines, from the roof to the ground."""


@dataclass(frozen=True)
class Arrow:
    """A file imports a module of the house."""

    file: Path
    line: int
    module: str

    @property
    def room(self) -> str:
        """The room that is known."""
        return room_of_module(self.module)


def files(root: Path = ROOT) -> Iterator[Path]:
    """The Python files of both packages and of the lessons, without the template of a new one."""
    for folder in ("tlcourse", "tlschool", "lessons"):
        yield from sorted(path for path in (root / folder).rglob("*.py")
                          if "assets" not in path.parts)


def room_of(path: Path, root: Path = ROOT) -> str:
    """The room of a file; "" for those in the hall, ``tlcourse/__init__.py`` and its helpers."""
    package, *rest = path.relative_to(root).with_suffix("").parts
    if package != "tlcourse":
        return package
    return "" if rest[0].startswith("_") else rest[0]


def room_of_module(module: str) -> str:
    """The room of ``tlcourse.data.domain`` is data; of the package itself there is none."""
    package, *rest = module.split(".")
    if package == "tlschool":
        return package
    return rest[0] if rest and rest[0] in MAY_KNOW else ""


def arrows(root: Path = ROOT) -> Iterator[Arrow]:
    """Every import of the house's own modules, inside functions too."""
    for path in files(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                named = [f"{node.module}.{name.name}" for name in node.names]
            else:
                continue
            for module in named:
                if module.partition(".")[0] in ("tlcourse", "tlschool"):
                    yield Arrow(path, node.lineno, module)


def forbidden(root: Path = ROOT) -> list[str]:
    """One sentence for each import that `MAY_KNOW` does not allow."""
    found = []
    for arrow in arrows(root):
        room = room_of(arrow.file, root)
        if room == "":
            continue
        if arrow.room not in MAY_KNOW[room] | {room, ""}:
            found.append(f"{arrow.file.relative_to(root).as_posix()}:{arrow.line} imports "
                         f"{arrow.module}: {room} may not know {arrow.room}")
    return found


def order_of_modules(root: Path = ROOT) -> list[str]:
    """The modules in an order in which each comes after those it imports.

    Raises
    ------
    graphlib.CycleError
        Some import each other in a circle.
    """
    known = {_name(path, root): path for path in files(root)}
    graph = {name: set() for name in known}
    for arrow in arrows(root):
        own = _name(arrow.file, root)
        parts = arrow.module.split(".")
        wanted = next((".".join(parts[:n]) for n in range(len(parts), 0, -1)
                       if ".".join(parts[:n]) in known), own)
        if wanted != own:
            graph[own].add(wanted)
    return list(TopologicalSorter(graph).static_order())


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def code_lines(path: Path) -> int:
    """Lines that hold code: no blank lines, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    said = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                said |= set(range(node.lineno, node.end_lineno + 1))
    empty = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
             tokenize.ENDMARKER)
    held = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in empty:
            held |= set(range(token.start[0], token.end[0] + 1))
    return len(held - said)


def picture(root: Path = ROOT) -> str:
    """Twelve lines, a floor each: its rooms, their lines of code, and the rooms that they know."""
    size, knows = dict.fromkeys(MAY_KNOW, 0), {room: set() for room in MAY_KNOW}
    for path in files(root):
        if room := room_of(path, root):
            size[room] += code_lines(path)
    for arrow in arrows(root):
        if (room := room_of(arrow.file, root)) and arrow.room not in ("", room):
            knows[room].add(arrow.room)
    lines = []
    for floor in FLOORS:
        rooms = " · ".join(f"{room} {size[room]:,}" for room in floor)
        known = set().union(*(knows[room] for room in floor))
        order = [room for each in FLOORS for room in each if room in known]
        arrow = "everything" if floor == ("tlschool",) else " ".join(order)
        lines.append(f"{rooms:45}{'-> ' + arrow if arrow else ''}".rstrip())
    return "\n".join(lines)


def with_picture(text: str, root: Path = ROOT) -> str:
    """The page with the picture between its two marks."""
    drawn = f"<!-- house -->\n```\n{picture(root)}\n```\n<!-- /house -->"
    return re.sub("<!-- house -->.*<!-- /house -->", lambda _: drawn, text, flags=re.DOTALL)


if __name__ == "__main__":
    print(picture())
    for package in ("tlcourse", "tlschool", "lessons"):
        total = sum(code_lines(path) for path in files() if path.is_relative_to(ROOT / package))
        print(f"{package}: {total:,} lines of code")
    if "--write" in sys.argv[1:]:
        PAGE.write_text(with_picture(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
