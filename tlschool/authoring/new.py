"""Begin a lesson: its folder, with placeholders that run and keep the contract."""

import re
from pathlib import Path

from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically

TEMPLATE = Path(__file__).parents[1] / "assets" / "new_lesson"


def new(id: str, slug: str) -> int:
    """Make the folder of a lesson, such as ``new("17", "my-lesson")``.

    Returns
    -------
    int
        0, or 1 with the reason printed: an exit status.
    """
    id, folder = id.zfill(2), places.ROOT / "lessons" / f"{id.zfill(2)}_{slug}"
    if not re.fullmatch(r"\d\d_[a-z0-9]+(-[a-z0-9]+)*", folder.name):
        print(f"a lesson needs a number of two digits and a name of small letters, digits and "
              f"hyphens, got {id!r} and {slug!r}: choose such as 17 my-lesson")
        return 1
    if id in places.lesson_ids():
        print(f"there is a lesson {id}, {places.lesson_folder(id).name}: choose another number")
        return 1
    values = {"@ID@": id, "@N@": str(int(id)), "@TITLE@": slug.replace("-", " ").capitalize()}
    for path in sorted(TEMPLATE.glob("*.*")):
        text = re.sub("@[A-Z]+@", lambda name: values[name[0]], path.read_text(encoding="utf-8"))
        write_atomically(folder / path.name, text)
        print(folder.joinpath(path.name).relative_to(places.ROOT).as_posix())
    return 0
