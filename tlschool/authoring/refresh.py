"""Bring all that is made from the lessons' folders up to date, and nothing that is already."""

import math
import re
from collections.abc import Iterator, Sequence

from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically
from tlschool.authoring import box, build, common_errors
from tlschool.authoring.source import load

HEADER = "| id | lesson | teaching + exercises | runs in | data |\n|---|---|---|---|---|"
GUIDE, ERRORS = "lessons/instructor-guide.md", "lessons/common-errors.md"


def refresh(ids: Sequence[str] | None = None, *, check: bool = False) -> int:
    """Make the notebooks of lessons, then the pages that are made from all of them.

    One line is printed for each notebook and page, whether it was written or up to date.

    Parameters
    ----------
    ids : sequence of str, optional
        Lessons such as "00"; without them all. Only their parts of the page of
        common errors are looked at.
    check : bool
        Execute and write nothing; only say what is out of date.

    Returns
    -------
    int
        0 when all is up to date now, 1 otherwise: an exit status.
    """
    chosen = [places.lesson_folder(id).name[:2] for id in ids or places.lesson_ids()]
    stale = []
    for id in chosen:
        differ = list(build.differences(id))
        if differ and not check and build.build([id]):
            return 1  # the reason is printed; pages would be made from an old notebook
        stale += differ
        print(*(differ if check else ()), f"notebooks of lesson {id}: {_state(differ, check)}",
              sep="\n")
    for name, old, new in _pages(chosen):
        if new != old:
            stale.append(name)
            if not check:
                write_atomically(places.ROOT / name, new)
        print(f"{name}: {_state(new != old, check)}")
    return int(check and bool(stale))


def _state(differs: object, check: bool) -> str:
    return "up to date" if not differs else "out of date" if check else "written"


def _pages(ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Each page made from the lessons: its name, its text as it is, and as it should be."""
    built = {id: load(path).metadata["tlcourse"] for id, path in places.notebooks().items()}
    parts = {"README.md": "\n".join([HEADER, *(_row(about) for about in built.values())]),
             GUIDE: "\n".join(["", *(_guide(about) for about in built.values())])}
    for name, part in parts.items():
        old = (places.ROOT / name).read_text(encoding="utf-8")
        kept = re.split("(?s)(?<=<!-- lessons -->\n).*(?=\n<!-- /lessons -->)", old)
        yield name, old, part.join(kept)
    page = places.ROOT / "notebooks" / box.GLOSSARY
    glossary = (places.ROOT / "lessons" / box.GLOSSARY).read_text(encoding="utf-8")
    yield (f"notebooks/{box.GLOSSARY}",
           page.read_text(encoding="utf-8") if page.is_file() else "", glossary)
    old = (places.ROOT / ERRORS).read_text(encoding="utf-8")
    yield ERRORS, old, common_errors.page(old, ids)


def _row(about: dict) -> str:
    """A lesson's row of the table in the README."""
    minutes = "{teaching} + {exercises} min".format_map(about["minutes"])
    seconds = 5 * math.ceil(about["seconds"] / 5)  # coarse, so that it seldom changes
    cells = [about["id"], about["title"], minutes, f"{seconds} s", ", ".join(about["data"])]
    return f"| {' | '.join(cells)} |"


def _guide(about: dict) -> str:
    """A lesson's part of the instructor's guide, from its folder, with links as they are there."""
    text = (places.lesson_folder(about["id"]) / "guide.md").read_text(encoding="utf-8")
    return f"### {about['id']} {about['title']}\n\n{text.strip().replace('](../', '](')}\n"
