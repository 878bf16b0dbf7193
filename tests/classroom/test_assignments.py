"""What is released holds the exercises and nothing of their answers, and runs within seconds."""

import json
import re
import tempfile
from pathlib import Path

import hand_ins
import nbformat
import pytest
from nbgrader.converters import Autograde
from traitlets.config import Config

from tlcourse.notebook import exercises, places
from tlschool.authoring import runner
from tlschool.authoring.source import load, tags
from tlschool.classroom import gradebook, variants
from tlschool.classroom.assignment import starter
from tlschool.classroom.dependencies import needed, statements
from tlschool.classroom.execute import run
from tlschool.classroom.limits import Limits
from tlschool.classroom.release import release, students_in
from tlschool.errors import CourseError

LESSONS = [id for id in places.notebooks() if id in exercises.lessons()]
SECONDS = 10


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder with all lessons, for two students."""
    folder = tmp_path_factory.mktemp("all")
    release(LESSONS, folder, ["ann", "bob"])
    return folder


@pytest.fixture(scope="module")
def all_released(course):
    """What is handed out of each lesson, by its id."""
    return {lesson: [course / "release" / f"lesson-{lesson}" / f"lesson-{lesson}.ipynb",
                     *(course / "variants" / f"lesson-{lesson}" / f"{student}.ipynb"
                       for student in ("ann", "bob"))] for lesson in LESSONS}


def lines(source):
    return {line.strip() for line in source.splitlines()}


def solution_lines(lesson):
    """Lines of the solutions that their starters do not have."""
    given = {cell.id: cell.source for cell in load(places.notebook(lesson)).cells}
    for cell in load(places.solution(lesson)).cells:
        if "solution" in tags(cell):
            begun = given[cell.id.replace("-sol-", "-ex-")]
            yield from lines(starter(cell.source)) - lines(begun) - {""}


def everything_in(notebook):
    """All texts of a notebook: sources, metadata and outputs."""
    return "\n".join(re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(notebook))).replace("\\n", "\n")


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_line_of_a_solution_is_in_what_is_handed_out(lesson, all_released):
    for path in all_released[lesson]:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        texts = {line.strip() for line in everything_in(notebook).replace('\\"', '"').splitlines()}
        found = set(solution_lines(lesson)) & texts
        assert not found, f"{path.name}: {found}"
        assert "hidden" not in str([c for c in notebook["cells"] if c["cell_type"] == "code"])
        assert all(not cell.get("outputs") for cell in notebook["cells"])


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_search_would_find_a_solution(lesson):
    notebook = hand_ins.blank(lesson)
    (line, *_) = solution_lines(lesson)
    notebook.metadata["note"] = f"see\n  {line}\nthere"
    texts = {text.strip() for text in
             everything_in(notebook).replace('\\"', '"').splitlines()}
    assert line in texts


@pytest.mark.alone
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_untouched_release_runs_to_its_end_in_ten_seconds(lesson, monkeypatch):
    notebook = hand_ins.blank(lesson)
    clock = nbformat.v4.new_code_cell("import time\nprint(time.process_time())")
    notebook.cells.append(clock)  # on a computer that does nothing else, the seconds it takes
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # two threads that wait count twice
    with tempfile.TemporaryDirectory() as folder:
        runner.execute(notebook, folder=Path(folder))
    assert float(clock.outputs[0].text) < SECONDS
    said = [cell.outputs[0].text for cell in notebook.cells if cell.id.endswith("-check")]
    assert len(said) == len(exercises.lesson(lesson).exercises)
    assert all("not yet: " in line and line.count("\n") == 1 for line in said)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_solutions_of_every_lesson_earn_all_points_and_no_remark(lesson):
    """So the release keeps what a solution needs, and no honest run looks like a trick."""
    given = hand_ins.given(lesson)
    outcome = run(hand_ins.content(hand_ins.perfect(lesson)), given, Limits())
    assert {one.exercise: one.reason for one in outcome.earned if one.reason} == {}
    assert outcome.remarks == []


def test_nbgrader_knows_the_exercises_and_their_points(course):
    source, out = (nbformat.read(course / place / "lesson-01" / "lesson-01.ipynb", 4)
                   for place in ("source", "release"))
    graded = [cell for cell in out.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    points = {e.id: e.minutes for e in exercises.lesson("01").exercises}
    assert [cell.metadata["nbgrader"]["points"] for cell in graded] == list(points.values())
    assert all(cell.metadata["nbgrader"]["locked"] and not cell.metadata["editable"]
               for cell in graded)
    answers = [cell for cell in out.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert len(answers) == len(graded)
    assert all(cell.metadata.get("editable", True) for cell in answers)
    assert "hidden(" in str(source.cells) and "hidden(" not in str(out.cells)


def test_nbgrader_on_its_own_gives_the_same_points(course):
    """An instructor may use the release with nbgrader alone, without any walls."""
    half = hand_ins.perfect(ex_1_3="", ex_1_4="def chosen_score(a, b):\n    return max(b)")
    hand_ins.save(course / "submitted" / "ann" / "lesson-01" / "lesson-01.ipynb", half)
    gradebook._run(Autograde, course, "lesson-01", "ann", Config())
    assert hand_ins.points(course, "lesson-01") == {"ann": 7.0}


def test_a_prediction_shows_what_the_lesson_had_shown():
    notebook = hand_ins.blank("03")
    shown = hand_ins.cell(notebook, "03-ex-3-1-before")
    assert "## Nothing, everything, or from scratch" in shown.source
    assert re.search(r"!\[Learning curve.*\]\(attachment:picture2.png\)", shown.source)
    assert set(shown.attachments) == {"picture1.png", "picture2.png"}


def test_a_text_of_the_lesson_about_check_is_left_out():
    text = hand_ins.cell(hand_ins.blank("00"), "00-ex-0-1-text").source
    assert "check(" not in text and "- a) scratch, as is, tuned" in text


@pytest.mark.parametrize("variant", [0, 7])
def test_the_call_that_a_text_asks_for_works_with_what_is_there(variant):
    notebook = hand_ins.blank("05", variant)
    names, text = {}, hand_ins.cell(notebook, "05-ex-5-4-text").source
    for id in ("05-setup", "05-ex-5-4"):
        exec(hand_ins.cell(notebook, id).source, names)
    (call,) = re.findall(r"print\s+`(mmd2[^`]+)`", text)
    assert eval(call, names).isfinite()
    assert text.startswith("With the width") and "last line" not in text


def test_a_student_gets_data_of_ones_own(all_released):
    _, ann, bob = all_released["00"]
    texts = [hand_ins.cell(nbformat.read(path, 4), "00-ex-0-1-text").source for path in (ann, bob)]
    assert texts[0] != texts[1]
    assert sorted(line[5:] for line in texts[0].splitlines() if line.startswith("- ")) == sorted(
        line[5:] for line in texts[1].splitlines() if line.startswith("- "))


def test_a_list_of_students_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "students.txt"
    path.write_text("Ann Lee\n\nBøb\nann li\n张伟\n", encoding="utf-8")
    assert students_in(path) == ["Ann_Lee", "Bøb", "ann_li", "张伟"]
    for again in ("Ann/Lee", "ann lee"):  # which one file could not tell apart everywhere
        path.write_text(f"Ann Lee\n{again}\n", encoding="utf-8")
        with pytest.raises(CourseError, match="has Ann_Lee more than once"):
            students_in(path)


LESSON = statements("""\
import math
from copy import deepcopy
model = [1]
other = [2]
model.append(3)
fit(other, model)
print(model)

@decorated
def double(x):
    model = 5  # its own
    return helper(x)

def helper(x):
    return math.floor(x)
""")


@pytest.mark.parametrize(("code", "kept"), [
    ("double(3)", ["import math", "@decorated", "def helper"]),
    ("sum(model)", ["model = [1]", "model.append(3)"]),
    ("other", ["model = [1]", "other = [2]", "model.append(3)", "fit(other, model)"]),
    ("def f(model):\n    return model", []),
    ("def f():\n    return deepcopy(1)", ["from copy import deepcopy"]),
    ("%timeit model", []),
])
def test_what_code_needs_of_the_cells_before_it(code, kept):
    assert [s.splitlines()[0].startswith(k) for s, k in
            zip(needed(LESSON, [code]), kept, strict=True)] == [True] * len(kept)


def test_variants_are_drawn_from_the_name_alone():
    assert variants.of_student("ann") == variants.of_student("ann") != variants.of_student("bob")
    assert 1 <= variants.of_student("ann") <= 9999
    assert len({tuple(variants.seeds(v)) for v in range(50)}) > 10
