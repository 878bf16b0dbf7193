"""A half-day or a full day in a room, computed from the minutes that the lessons state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from tlcourse.notebook import places
from tlschool.errors import CourseError
from tlschool.live.steps import Lesson, clock, read

BEGIN, NOON = 9 * 60, 12 * 60
"""Minutes after midnight: the day begins, and lunch is due."""
ENDS = {"half-day": 12 * 60 + 30, "full-day": 17 * 60}
"""When a day ends that begins so; another one is as long."""
LONGEST, BREAK, LUNCH = 50, 10, 60
"""Minutes without a break at most, and how long breaks are."""


@dataclass(frozen=True)
class Entry:
    """A stretch of the day, in minutes after midnight: a section of a lesson, or a break."""

    begin: int
    end: int
    what: str
    lesson: str = ""


def show(length: str, lessons: Sequence[str] = (), start: str = "9:00") -> str:
    """A schedule as text: the day, what is left out of it, and the minutes to spare.

    Parameters
    ----------
    length : {"half-day", "full-day"}
    lessons : sequence of str
        The lessons wanted, in this order; by default all that there are.
    start : str
        When the day begins, such as "13:30".

    Returns
    -------
    str

    Raises
    ------
    CourseError
        `start` is no time of day.
    """
    try:
        time = datetime.strptime(start, "%H:%M")
    except ValueError:
        raise CourseError(f"a day starts at a time such as 13:30, got {start!r}") from None
    begin = 60 * time.hour + time.minute
    end = begin + ENDS[length] - BEGIN
    ids = [places.notebook(id).name[:2] for id in lessons] or list(places.notebooks())
    taken, left = choose([read(id) for id in dict.fromkeys(ids)], end, begin)
    plan = day(taken, begin)
    lines = [f"{clock(first):>5} to {clock(last):>5}  {last - first:3} min  {what}"
             for first, last, what in _joined(plan)]
    for lesson in left:
        lines.append(f"Left out: {_title(lesson)}, {lesson.minutes} min.")
    for number, lesson in enumerate(taken):
        if missing := set(lesson.about["needs"]) - {other.about["id"] for other in taken[:number]}:
            lines.append(f"{_title(lesson)} builds on {', '.join(sorted(missing))}, which this day "
                         "leaves out or brings later: ask for it beforehand.")
    spare = end - (plan[-1].end if plan else begin)
    return "\n".join([*lines, f"{spare} min to spare until {clock(end)}, for questions."])


def choose(
    wanted: Sequence[Lesson], end: int, begin: int = BEGIN
) -> tuple[list[Lesson], list[Lesson]]:
    """The lessons that fit from `begin` until `end`, breaks included, and the others.

    What builds on a lesson that did not fit is left out too.
    """
    taken, left = [], []
    for lesson in wanted:
        builds_on_left = {other.about["id"] for other in left} & set(lesson.about["needs"])
        fits = not builds_on_left and day([*taken, lesson], begin)[-1].end <= end
        (taken if fits else left).append(lesson)
    return taken, left


def day(lessons: Sequence[Lesson], begin: int = BEGIN) -> list[Entry]:
    """The sections of these lessons one after the other, with breaks between sections.

    A break comes before `LONGEST` minutes are full, rather between two lessons than inside one.
    A day that begins after noon has no lunch.
    """
    entries, now, since, ate = [], begin, 0, begin >= NOON
    for lesson in lessons:
        for index, (_, heading, start, end) in enumerate(lesson.sections()):
            minutes = end - start
            ahead = lesson.minutes if index == 0 and since >= LONGEST / 2 else minutes
            if not ate and now + ahead > NOON + LUNCH / 2 and now >= NOON - LUNCH:
                entries.append(Entry(now, now + LUNCH, "lunch"))
                now, since, ate = now + LUNCH, 0, True
            elif since + ahead > LONGEST and since:
                entries.append(Entry(now, now + BREAK, "break"))
                now, since = now + BREAK, 0
            entries.append(Entry(now, now + minutes, heading, _title(lesson)))
            now, since = now + minutes, since + minutes
    return entries


def _joined(plan: Sequence[Entry]) -> list[tuple[int, int, str]]:
    """Begin, end and text of each stretch; sections of a lesson that follow each other are one."""
    stretches, seen = [], set()
    for _, group in groupby(plan, key=lambda entry: entry.lesson or entry):
        parts = list(group)
        what = parts[0].lesson or parts[0].what
        if what in seen:
            what += f", from “{parts[0].what}” on"
        elif parts[0].lesson:
            seen.add(what)
        stretches.append((parts[0].begin, parts[-1].end, what))
    return stretches


def _title(lesson: Lesson) -> str:
    return f"{lesson.about['id']} {lesson.about['title']}"
