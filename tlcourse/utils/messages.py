"""Words of messages and notices, and how they are printed."""

import textwrap
from collections.abc import Sequence

COLUMNS = 80
"""How long a line is at most. A notebook in a small window, the files beside it, has room for a few
more; JupyterLab breaks what is longer inside words."""


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a row, the first few of many.

    Examples
    --------
    >>> listed("abc"), listed("abcdefgh")
    ('a, b, c', 'a, b, c, d, e and 3 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def counted(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "row"), counted(0, "row"), counted(1200, "row")
    ('1 row', '0 rows', '1,200 rows')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


def filled(text: str, indent: str = "") -> str:
    """A text in lines of at most `COLUMNS`, broken between words only.

    `indent` begins all lines but the first.
    """
    return textwrap.fill(text, COLUMNS, subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)


def say(text: str, *, indent: str = "") -> None:
    """Print a text as `filled` breaks it into lines."""
    print(filled(text, indent))


def one_line(text: str) -> str:
    """A text without line breaks, its end left out where it is very long."""
    return textwrap.shorten(text, 400, placeholder=" ...")
