"""Errors of Python, NumPy and PyTorch in plain words."""

import re
import sys
import tomllib
import traceback
import types
from functools import cache
from pathlib import Path

from tlcourse.utils.messages import one_line, say

_LONGEST = 90  # of an error's own words, which stand behind the plain ones


def said(error: BaseException) -> str:
    """An error in its own words: its type and message, on one line."""
    if isinstance(error, SyntaxError):  # without a picture of its line
        return one_line(f"{type(error).__name__}: {error.msg}")
    return one_line("".join(traceback.format_exception_only(error)))


def in_words(error: BaseException) -> str | None:
    """What an error means, its own words in brackets behind; None if it is not a usual one.

    Examples
    --------
    >>> in_words(ZeroDivisionError("division by zero"))
    'this divides by 0 (ZeroDivisionError: division by zero).'
    """
    own = said(error)
    for pattern, words in _usual():
        if found := pattern.search(own):
            groups = [group for group in found.groups() if group is not None]
            return f"{words.format(*groups)} ({_gist(own)})."
    return None


def shapes(error: BaseException, frame: types.FrameType, line: str) -> str:
    """Which shapes the arrays and tensors of a line had, when an error is about shapes."""
    if not re.search("shape|size|dim", said(error)):
        return ""
    names = frame.f_globals | frame.f_locals
    found = {name: getattr(names.get(name), "shape", None) for name in re.findall(r"\w+", line)}
    told = [f"`{name}` is {tuple(shape)}" for name, shape in found.items()
            if isinstance(shape, tuple) and shape]
    return f" There {', '.join(told)}." if told else ""


def _before_the_check(result: object) -> None:
    """Say in words why a cell stopped before it reached its check; IPython calls this."""
    error = result.error_before_exec or result.error_in_exec
    cell = getattr(result.info, "raw_cell", None) or ""
    check = re.search(r'\bcheck\("(\d+\.\d+)"', cell)
    words = in_words(error) if error is not None else None
    if check and words:
        lines = _lines_of_the_cell(error)
        if lines and lines[0] <= cell[: check.start()].count("\n") + 1:
            say(f"{check[1]} is not checked yet: the cell stopped in line {lines[-1]}: {words}")


def _lines_of_the_cell(error: BaseException) -> list[int]:
    """The lines of a cell that led to an error: the outermost first, the innermost last."""
    if isinstance(error, SyntaxError):
        return [error.lineno]
    steps = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    cell = next((code.co_filename for code, _ in steps if code.co_name == "<module>"), None)
    return [line for code, line in steps if code.co_filename == cell]


def tell_what_stops_a_cell() -> None:
    """From now on, say why a cell with a check stopped before it; outside of IPython, nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        shell.events.register("post_run_cell", _before_the_check)


def _gist(own: str) -> str:
    """The first sentence of an error, shortened where it is long."""
    kind, _, rest = own.partition(": ")
    first = re.split(r"\. (?=[A-Z])|: \*", rest)[0].rstrip(".")
    gist = f"{kind.rpartition('.')[2]}: {first}" if first else kind
    return gist if len(gist) <= _LONGEST else gist[:_LONGEST].rpartition(" ")[0] + " ..."


@cache
def _usual() -> list[tuple[re.Pattern, str]]:
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return [(re.compile(each["pattern"]), each["words"]) for each in table["error"]]
