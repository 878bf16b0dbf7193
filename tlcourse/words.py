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
