"""Who may know whom: the imports draw the house, and the test falls on any other arrow."""

import re
from graphlib import CycleError

import house
import pytest


def test_no_room_knows_one_that_it_may_not():
    assert house.forbidden() == []


def test_no_modules_import_each_other_in_a_circle():
    order = house.order_of_modules()
    assert order.index("tlcourse.utils.messages") < order.index("tlcourse.data.domain")


def test_every_folder_and_file_of_the_science_is_a_known_room():
    own = {path.stem for path in (house.ROOT / "tlcourse").iterdir()
           if not path.name.startswith("_")}
    assert own <= set(house.MAY_KNOW)
    assert {room for floor in house.FLOORS for room in floor} == set(house.MAY_KNOW)


def test_the_rules_themselves_have_no_circle():
    left = {room: set(known) for room, known in house.MAY_KNOW.items()}
    while left:
        free = {room for room, known in left.items() if not known & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {room: known for room, known in left.items() if room not in free}


@pytest.mark.parametrize(("file", "line", "said"), [
    ("tlcourse/utils/files.py", "from tlcourse.data import load", "utils may not know data"),
    ("tlcourse/align/loop.py", "import tlcourse.diagnose.run", "align may not know diagnose"),
    ("tlcourse/data/domain.py", "from tlschool.cli import main", "data may not know tlschool"),
    ("tlcourse/notebook/check.py", "from tlcourse import models", "notebook may not know models"),
    ("lessons/01_a/checks.py", "from tlschool.live import magic", "lessons may not know tlschool"),
    ("tlcourse/plots/scores.py", "def f():\n    from tlcourse.align import adapt",
     "plots may not know align"),
])
def test_a_bad_arrow_is_found(tmp_path, file, line, said):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n", encoding="utf-8")
    (found,) = house.forbidden(tmp_path)
    assert found.startswith(file) and found.endswith(said)


def test_a_circle_of_two_files_is_found(tmp_path):
    room = tmp_path / "tlcourse" / "data"
    room.mkdir(parents=True)
    (room / "a.py").write_text("from tlcourse.data.b import x\n", encoding="utf-8")
    (room / "b.py").write_text("def f():\n    from tlcourse.data import a\n", encoding="utf-8")
    with pytest.raises(CycleError):
        house.order_of_modules(tmp_path)


def test_lines_of_code_are_counted_without_words(tmp_path):
    path = tmp_path / "a.py"
    path.write_text('"""Says.\n\nMore."""\n\n# why\nx = [1,\n     2]  # two\n\n\n'
                    'def f():\n    """Does."""\n    return """a\nb"""\n', encoding="utf-8")
    assert house.code_lines(path) == 5


def test_the_picture_in_the_contributors_page_is_the_one_that_the_imports_draw():
    """Its numbers may lag behind by a tenth: they are a size, and change with every line."""
    page = house.PAGE.read_text(encoding="utf-8")
    drawn, kept = (_numbers_apart(text.split("<!-- house -->")[1].split("<!-- /house -->")[0])
                   for text in (house.with_picture(page), page))
    assert drawn[0] == kept[0], "call python tests/house.py --write"
    assert kept[1] == pytest.approx(drawn[1], rel=0.1), "call python tests/house.py --write"
    assert len(house.picture().splitlines()) == 12


def _numbers_apart(text):
    numbers = [int(found.replace(",", "")) for found in re.findall(r"\b\d[\d,]*", text)]
    return re.sub(r"\s+", " ", re.sub(r"\b\d[\d,]*", "#", text)), numbers


def test_the_two_packages_stay_small():
    sizes = {package: sum(house.code_lines(path) for path in house.files()
                          if path.is_relative_to(house.ROOT / package))
             for package in ("tlcourse", "tlschool")}
    assert sizes["tlcourse"] <= 6900 and sizes["tlschool"] <= 4150, sizes
