"""Which statements of a lesson does a piece of code need, so that it runs without the rest?"""

import ast
from collections.abc import Sequence

from tlschool.authoring.names import names
from tlschool.authoring.source import tree


def statements(source: str) -> list[str]:
    """The top-level statements of a cell as they are written; none where it is not plain Python."""
    lines, found = source.splitlines(), []
    for node in tree(source).body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        found.append("\n".join(lines[first - 1 : node.end_lineno]))
    return found


def needed(earlier: Sequence[str], code: Sequence[str]) -> list[str]:
    """The statements among `earlier` on which `code` stands, in their order.

    A statement is needed when it binds a name that is used later on, or when it hands a variable
    that is used later on to a call that may change it, such as ``fit(model, ...)``.

    Parameters
    ----------
    earlier, code : sequences of str
        Single statements of Python, as `statements` gives them.
    """
    wanted: set[str] = set().union(*(names(statement)[1] for statement in code))
    before = None
    while wanted != before:  # a function may use what is defined below it
        before = set(wanted)
        kept = []
        for statement in reversed(earlier):
            bound, used = names(statement)
            if bound & wanted or _changed(statement) in wanted:
                wanted |= used
                kept.append(statement)
    return kept[::-1]


def _changed(statement: str) -> str | None:
    """The variable that a bare call is about: its receiver, or else its first argument."""
    (node,) = tree(statement).body
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return None
    call = node.value
    if getattr(call.func, "id", None) == "print":
        return None
    about = call.func if isinstance(call.func, ast.Attribute) else (call.args or [None])[0]
    while isinstance(about, ast.Attribute | ast.Subscript):
        about = about.value
    return about.id if isinstance(about, ast.Name) else None
