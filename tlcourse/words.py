"""Words of messages and notices."""

from collections.abc import Sequence


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
