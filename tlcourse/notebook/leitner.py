"""When a quiz question comes again: Leitner's boxes, each with twice the wait of the one before.

The first answer, right or wrong, puts a question into box 1. A wrong answer puts it back there at
any time, and a right one takes it a box up when it was due. A right answer before that changes
nothing: it shows that the explanation was read, not that it is remembered.

Reference: Sebastian Leitner, So lernt man lernen, 1972.
"""

from collections.abc import Mapping
from datetime import date, timedelta

DAYS = (1, 2, 4, 8, 16)
"""Days until a question comes again, from box 1 on."""


def step(entry: Mapping, right: bool, today: date) -> dict[str, int | str]:
    """What an answer changes in a question's entry of the record.

    Parameters
    ----------
    entry : mapping
        With "box" (1 to 5) and "due" (a date as in "2030-01-31"), or without both.
    right : bool
    today : date

    Returns
    -------
    dict
        The new "box" and "due"; empty when they stay.

    Examples
    --------
    >>> step({"box": 1, "due": "2030-01-02"}, True, date(2030, 1, 2))
    {'box': 2, 'due': '2030-01-04'}
    """
    if right and not is_due(entry, today):
        return {}
    box = min(max(entry.get("box", 0), 0) + 1, len(DAYS)) if right else 1
    return {"box": box, "due": (today + timedelta(days=DAYS[box - 1])).isoformat()}


def is_due(entry: Mapping, today: date) -> bool:
    """Whether a question that was answered once should be asked again."""
    return entry.get("due", "") <= today.isoformat()
