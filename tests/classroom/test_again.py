"""One learner is graded again, what was given by hand stays, and who shares code is hinted at."""

import csv
import shutil

import pytest
from hand_ins import WRONG, filled, given, perfect, points, save
from nbgrader.api import Gradebook

from tlschool.classroom import command, execute
from tlschool.classroom.execute import Earned, Outcome
from tlschool.classroom.grade import Graded, UnknownStudent
from tlschool.classroom.limits import Limits
from tlschool.classroom.similar import LEAST, similar


@pytest.fixture
def course(released, tmp_path, monkeypatch):
    """Ann, whose answers are right, and Bob, whose are wrong; counts the runs."""
    shutil.copytree(released, tmp_path / "course")
    save(tmp_path / "in" / "ann.ipynb", perfect())
    save(tmp_path / "in" / "bob.ipynb", filled(WRONG))
    monkeypatch.setattr(execute, "run", lambda *words: _nothing(*words))
    return tmp_path / "course"


RUNS = []


def _nothing(content, given, limits, stopped):
    RUNS.append(content)
    return execute.nothing(given, "for this test.")


def graded(course, again=None):
    RUNS.clear()
    assert command.grade(str(course.parent / "in"), "01", str(course), Limits(), again) == 0
    return len(RUNS)


def table(course, name):
    with open(course / "reports" / "lesson-01" / f"{name}.csv", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def totals(course):
    return {row["student"]: float(row["points"]) for row in table(course, "totals")}


def give(course, student, cell, comment="", **scores):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        one = book.find_grade(cell, "lesson-01", "lesson-01", student)
        for name, value in scores.items():
            setattr(one, name, value)
        if comment:
            said = book.find_comment(cell.removesuffix("-check"), "lesson-01", "lesson-01", student)
            said.manual_comment = comment
        book.db.commit()


def test_one_learner_is_graded_again_and_nobody_else(course, capsys):
    assert graded(course) == 2
    assert graded(course) == 0
    assert graded(course, "ann") == 1
    assert "1 graded now, 1 known from before" in capsys.readouterr().out


def test_a_name_that_nobody_has_is_answered_with_those_there_are(course):
    with pytest.raises(UnknownStudent, match="nobody called anne handed in: .* such as ann"):
        graded(course, "anne")


def test_points_given_by_hand_stay_when_graded_again(course):
    graded(course)
    give(course, "bob", "01-ex-1-2-check", "a good idea", manual_score=3.5)
    give(course, "bob", "01-ex-1-4-check", extra_credit=1.0)
    give(course, "ann", "01-ex-1-1-check", "see me")
    for again in (None, "bob", "ann"):
        graded(course, again)
        assert totals(course) == {"ann": 0, "bob": 4.5} == points(course, "lesson-01")
        given_now = {row["exercise"]: row["points"] for row in table(course, "points")
                     if row["student"] == "bob"}
        assert given_now == {"1.1": "0", "1.2": "3.5", "1.3": "0", "1.4": "1"}
        assert [(row["student"], row["remark"]) for row in table(course, "remarks")] == [
            ("ann", "1.1: commented by hand: see me"),
            ("bob", "1.2: 3.5 by hand in place of 0 points: a good idea"),
            ("bob", "1.4: 1 by hand in place of 0 points")]


LONG = '''
def chosen_score(on_validation, on_test):
    """Of the looks."""
    seen, where = -1.0, None
    for place, value in enumerate(on_validation):
        if value > seen and not value != value:
            seen, where = value, place  # the best so far
    pairs = sorted(zip(on_validation, on_test), key=lambda pair: -pair[0])
    first = [test for look, test in pairs if look == pairs[0][0]]
    return first[0] if where is None else on_test[where]
'''
RENAMED = (LONG.replace("seen", "top").replace("where", "w").replace("pairs", "both")
           .replace("place", "i").replace("  # the best so far", "").replace("Of the", "My"))
OBVIOUS = """
def chosen_score(on_validation, on_test):
    best = 0
    for i in range(len(on_validation)):
        if on_validation[i] > on_validation[best]:
            best = i
    return on_test[best]
"""


def handed(**codes):
    return [Graded(student, f"{student}.ipynb", Outcome(
        [Earned("1.4", 8, 8, "")], code=[("01-setup", "import numpy as np"),
                                         ("01-ex-1-4", code), ("01-ex-1-4-check", "")]),
        False, given().notebook) for student, code in codes.items()]


def test_a_copy_with_other_names_and_comments_is_hinted_at():
    others = {f"s{i}": OBVIOUS for i in range(5)}
    assert similar(handed(ann=LONG, bob=RENAMED, **others), "01") == [("ann", "bob", "100%")]


def test_those_who_share_the_obvious_answer_are_not():
    assert similar(handed(ann=OBVIOUS, bob=OBVIOUS.replace("best", "b")), "01") == []
    solved = "\n".join(cell.source for cell in perfect().cells if cell.cell_type == "code")
    assert similar(handed(ann=solved, bob=solved), "01") == []
    assert similar(handed(ann=filled(WRONG).cells[3].source, bob="syntax ("), "01") == []


def test_what_many_share_is_not_unusual():
    assert similar(handed(**{f"s{i}": LONG for i in range(6)}), "01") == []


def test_a_hint_needs_much_that_is_shared():
    assert LEAST == 60
    half = LONG + OBVIOUS
    (pair,) = similar(handed(ann=half, bob=LONG), "01")
    assert pair[:2] == ("ann", "bob")
