"""Canvas and Moodle find in our tables the columns that their imports ask for."""

import csv

import pytest

from tlschool.classroom import tables
from tlschool.classroom.execute import Earned, Outcome
from tlschool.classroom.grade import NOT_GRADED, Graded

CANVAS = ("leeann_LATE_148623_9988776_lesson-01.ipynb", "bo_148624_9988777_lesson-01-1.ipynb")
MOODLE = ("Åsa Öberg_4711_assignsubmission_file/lesson-01.ipynb",
          "Bo Li_4712_assignsubmission_file_lesson-01.ipynb")


def graded(file, points, failure=""):
    return Graded(file[:4], file, Outcome([Earned("1.1", points, 5, ""), Earned("1.2", 0, 5, "")]),
                  False, None, failure)


def written(folder, *rows):
    tables.write(folder / "lesson-01", [graded(*row) for row in rows])
    return {path.stem: list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
            for path in (folder / "lesson-01").glob("*.csv")}


def test_canvas_finds_its_columns_and_each_learner_by_number(tmp_path):
    """Its guide: Student, ID, SIS User ID, SIS Login ID and Section stand before the assignments,
    and a row that begins with "Points Possible" may follow."""
    made = written(tmp_path, (CANVAS[0], 3), (CANVAS[1], 5))
    possible, *learners = made["canvas"]
    assert list(possible) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section",
                              "lesson-01"]
    assert possible["Student"].strip() == "Points Possible" and possible["lesson-01"] == "10"
    assert {one["ID"]: one["lesson-01"] for one in learners} == {"148623": "3", "148624": "5"}
    assert "moodle" not in made


def test_moodle_finds_its_columns_and_each_participant(tmp_path):
    """Its offline grading worksheet: Identifier, Grade and Last modified (grade) are needed, and an
    identifier is the word Participant and a number."""
    made = written(tmp_path, (MOODLE[0], 3), (MOODLE[1], 5))
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(made["moodle"][0])
    assert {one["Identifier"]: float(one["Grade"]) for one in made["moodle"]} == {
        "Participant 4711": 3, "Participant 4712": 5}
    assert made["moodle"][0]["Full name"] == "Åsa Öberg" and "canvas" not in made


def test_what_could_not_be_graded_is_imported_nowhere(tmp_path):
    made = written(tmp_path, (MOODLE[0], 3), (MOODLE[1], 0, f"{NOT_GRADED}: the disk is full"),
                   (CANVAS[1], 0, f"{NOT_GRADED}: the disk is full"))
    assert [one["Identifier"] for one in made["moodle"]] == ["Participant 4711"]
    assert "canvas" not in made


def test_the_first_of_several_files_of_a_learner_is_imported(tmp_path):
    made = written(tmp_path, (CANVAS[1], 5), ("bo_148624_9988778_lesson-01-2.ipynb", 0))
    assert [one["lesson-01"] for one in made["canvas"]] == ["10", "5"]


def test_what_canvas_calls_late_is_late_in_the_totals(tmp_path):
    made = written(tmp_path, (CANVAS[0], 3), (CANVAS[1], 5), ("ann.ipynb", 2), (MOODLE[0], 1))
    assert [one["late"] for one in made["totals"]] == ["late", "", "", ""]


def test_names_that_no_platform_made_are_imported_nowhere(tmp_path):
    assert set(written(tmp_path, ("ann.ipynb", 3), ("ann_2.ipynb", 3), ("a_1/b_2.ipynb", 3))) == {
        "totals", "points", "remarks", "items", "similar"}


@pytest.mark.parametrize(("points", "said"), [
    ([5, 1, 0], "points of 3 notebooks: mean 2.0, median 1 of 10"),
    ([4, 1], "points of 2 notebooks: mean 2.5, median 2.5 of 10"), ([], "")])
def test_mean_and_median_are_those_of_what_was_graded(points, said):
    missing = [graded("", 0), graded("x.ipynb", 0, f"{NOT_GRADED}: no")]
    assert tables.average([*(graded("a.ipynb", one) for one in points), *missing]) == said
