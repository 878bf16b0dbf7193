"""Errors of Python, NumPy and PyTorch in plain words."""

import re
import tomllib
import traceback
from functools import cache
from pathlib import Path

from tlcourse.utils.messages import one_line

_LONGEST = 90  # of an error's own words, which stand behind the plain ones


def said(error: BaseException) -> str:
    """An error in its own words: its type and message, on one line."""
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
