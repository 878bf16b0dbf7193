"""The instructor's guide and the README speak of every lesson, and their links lead somewhere."""

import re

import pytest
from PIL import Image

from tlcourse.notebook import exercises, places
from tlcourse.utils.files import ROOT
from tlschool.authoring import source
from tlschool.classroom import apart, clean, tables
from tlschool.live import schedule, steps

GUIDE, README = ROOT / "lessons" / "instructor-guide.md", ROOT / "README.md"


def anchors(path):
    """The headings of a page as GitHub links them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def about(id):
    """What the guide says of a lesson."""
    parts = re.split(r"^##+ ", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (part,) = [part for part in parts if part.startswith(f"{id} ")]
    return part


@pytest.mark.parametrize("id", places.lesson_ids())
def test_the_guide_says_of_each_lesson_how_to_teach_it(id):
    title = source.read_source(id).metadata["tlcourse"]["title"]
    part = about(id)
    assert part.startswith(f"{id} {title}\n")
    for word in ("*Point.*", "*Teach it*", "*They ask:*", "*They get wrong:*", "*Short of time:*"):
        assert word in part
    assert f"(common-errors.md#lesson-{id})" in part


@pytest.mark.parametrize("id", places.lesson_ids())
def test_what_the_guide_leaves_out_or_keeps_is_there_under_that_name(id):
    cells = source.read_source(id).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    cut = " ".join(about(id).partition("*Short of time:*")[2].split())
    sections = {heading.lstrip("# ") for heading in steps.headings(text)}
    assert set(re.findall('"([^"]+)"', cut)) <= sections
    lesson = exercises.lesson(id)
    assert set(re.findall(r"\b\d\.\d\b", cut)) <= {exercise.id for exercise in lesson.exercises}
    asked = {each.id for each in [*lesson.exercises, *lesson.questions]}
    assert set(re.findall(r"\b\d\.\d\b", about(id))) <= asked


@pytest.mark.parametrize("page", [GUIDE, README], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8"))
    for name, anchor in links:
        if anchor.startswith("lesson-") and anchor[-2:] not in places.lesson_ids():
            continue  # of a lesson that is to come
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


@pytest.mark.parametrize(("length", "lessons"), [("half-day", "Lessons 00, 01 and 02"),
                                                 ("full-day", "lessons 00 to 04")])
def test_the_days_of_the_guide_are_those_of_the_schedule(length, lessons):
    text = " ".join(GUIDE.read_text(encoding="utf-8").split())
    assert lessons in text
    first, *_, last = re.findall(r"\d\d", lessons)
    taken, _ = schedule.choose([steps.read(id) for id in places.notebooks()],
                               schedule.ENDS[length])
    assert [lesson.about["id"] for lesson in taken] == [
        id for id in places.notebooks() if first <= id <= last]


@pytest.mark.parametrize("word", ["lab", "live", "schedule", "slides", "doctor"])
def test_the_guide_shows_each_word_that_a_presenter_needs(word):
    assert f"`python course.py {word}" in " ".join(GUIDE.read_text(encoding="utf-8").split())


def test_the_pictures_of_the_readme_are_small_and_have_words():
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    assert {name for _, name in pictures} == {f"docs/pictures/{name}.png"
                                              for name in ("lesson", "report")}
    for words, name in pictures:
        assert len(words) >= 20
        assert (ROOT / name).stat().st_size < 150e3
        assert Image.open(ROOT / name).mode == "P"


def test_the_guide_names_every_table_of_a_grading_and_its_bounds(tmp_path):
    text = " ".join(GUIDE.read_text(encoding="utf-8").split())
    for path in tables.write(tmp_path, []):
        assert f"| `{path.name}` |" in text
    for word in ("`canvas.csv`, `moodle.csv`", "*late*", "*note*", "`--again NAME`",
                 f"{clean.MOST_CODE:,} characters of code in {clean.MOST_CELLS:,} cells",
                 f"{clean.LARGEST // 1_000_000} MB"):
        assert word in text


def test_the_guide_says_which_exercises_a_second_process_judges():
    by_value = {e.id for id in exercises.lessons() for e in exercises.lesson(id).exercises
              if apart.goes_by_value(e)}
    in_two = {e.id for id in ("01", "08") for e in exercises.lesson(id).exercises}
    assert in_two - by_value == {"8.3"}
    assert not by_value & {"0.2", "2.3", "3.2", "6.2"}
