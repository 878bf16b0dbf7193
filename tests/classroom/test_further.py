"""A second folder of submissions: what each earns, and what is said, was written down before."""

import csv
import shutil
import sys

import pytest
from further_hand_ins import RIGHT, cases

from tlschool.classroom import command
from tlschool.classroom.limits import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="expects what Linux can limit")
CASES = cases()
LIMITS = Limits(seconds=60, cell_seconds=10)


@pytest.fixture(scope="module")
def reports(released, tmp_path_factory):
    """The tables of the graded folder, by name."""
    folder = tmp_path_factory.mktemp("further")
    course = tmp_path_factory.mktemp("further-batch") / "course"
    shutil.copytree(released, course)
    for student, case in CASES.items():
        case.save(folder, student)
    (folder / "folder.ipynb").mkdir()
    assert command.grade(str(folder), "01", str(course), LIMITS) == 0
    tables = {}
    for path in (course / "reports" / "lesson-01").glob("*.csv"):
        with open(path, encoding="utf-8-sig", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


@pytest.mark.parametrize("student", CASES)
def test_each_earns_what_was_expected(reports, student):
    case = CASES[student]
    rows = [row for row in reports["points"] if row["student"] == student]
    assert tuple(int(row["points"]) for row in rows) == case.points, rows
    lost = [row["reason"] for row in rows if row["points"] == "0"]
    assert (case.reason in lost[0]) if lost else case.points == RIGHT


@pytest.mark.parametrize("student", CASES)
def test_each_gets_the_remarks_that_were_expected_and_no_other(reports, student):
    said = [row["remark"] for row in reports["remarks"] if row["student"] == student]
    assert len(said) == len(CASES[student].remarks), said
    for part, remark in zip(CASES[student].remarks, said, strict=True):
        assert part in remark


def test_there_is_a_row_for_each_and_the_late_one_is_marked(reports):
    assert {row["student"]: (row["late"], row["note"]) for row in reports["totals"]} == {
        student: (case.late, "") for student, case in CASES.items()}
    assert {"student": "", "file": "folder.ipynb", "remark": (
        "could not be graded: it is a folder that is called as a notebook")} in reports["remarks"]
    (canvas,) = [row for row in reports["canvas"] if row["ID"]]
    assert (canvas["ID"], canvas["lesson-01"]) == ("148623", "23")
    (moodle,) = reports["moodle"]
    assert (moodle["Identifier"], moodle["Grade"]) == ("Participant 4711", "15")


def test_the_one_pair_that_shares_unusual_code_is_hinted_at(reports):
    assert [(row["student"], row["other student"]) for row in reports["similar"]] == [
        ("ann", "ann_s_friend")]
