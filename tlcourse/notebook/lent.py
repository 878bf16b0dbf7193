"""Say below a cell that its output was computed with a reference that stands in for an answer."""

import ast
import re

from tlcourse.utils.messages import say

_lent: dict[int, tuple[str, object]] = {}  # by id(): the exercise, and the object itself


def mark(exercise_id: str, reference: object) -> None:
    """Remember that this object is the reference of an exercise, on loan, and watch the cells.

    Parameters
    ----------
    exercise_id : str
        Such as "3.2".
    reference : object
        What `check` returned in place of an answer.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None and not _lent:
        shell.events.register("post_run_cell", lambda result: _tell(result, shell.user_ns))
    _lent[id(reference)] = exercise_id, reference


def _tell(result: object, names: dict) -> None:
    """Print one line when the cell that has just run used a reference by its name."""
    code = result.info.raw_cell if result.info is not None else ""
    if found := borrowed(code or "", names):
        say(f"(computed with the reference for {', '.join(found)}, which stands in for now.)")


def borrowed(code: str, names: dict) -> list[str]:
    """The exercises whose reference a cell used by its name; not a cell that checks it.

    Parameters
    ----------
    code : str
        The source of the cell. What is not plain Python, such as a magic, uses none.
    names : dict
        What the names stand for.

    Returns
    -------
    list of str
        Ids such as "3.2", in order.
    """
    try:
        read = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    except SyntaxError:
        return []
    held = [names[node.id] for node in read if node.id in names]
    found = {_lent[id(value)][0] for value in held if id(value) in _lent}
    return sorted(id for id in found if not re.search(rf'(check|judge)\("{id}"', code))
