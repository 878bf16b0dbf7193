"""The page of common errors is what the checks say now, and drift is noticed."""

import re

import pytest

from tlcourse.notebook import exercises
from tlcourse.utils.files import ROOT
from tlschool.authoring import common_errors

PAGE = ROOT / "lessons" / "common-errors.md"


@pytest.fixture(scope="module")
def page():
    return common_errors.page()


def test_the_page_is_up_to_date(page):
    old = PAGE.read_text(encoding="utf-8")
    assert common_errors.page(old, []) == old, "its beginning: call `python course.py refresh`"
    assert common_errors._lasting(page) == common_errors._lasting(old), (
        "call `python course.py refresh`")


def test_a_lesson_s_part_that_drifted_is_made_anew_and_the_others_are_left(page):
    drifted = page.replace("that is precision", "that is recall").replace("### 0.1 ", "### 0.1 My ")
    new = common_errors.page(drifted, ["01"])
    assert "that is precision" in new and "### 0.1 My " in new
    assert new.replace("### 0.1 My ", "### 0.1 ") == page


def test_digits_that_differ_between_processors_are_no_drift(page):
    other = re.sub(r"\d\.\d\d+", lambda found: found[0][:-1] + "7", page)
    assert other != page and common_errors.page(other, ["03"]) == other


def test_every_exercise_is_there_with_what_is_said_to_wrong_answers(page):
    known = [e for id in exercises.lessons() for e in exercises.lesson(id).exercises]
    parts = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    assert [part.splitlines()[0] for part in parts] == [f"{e.id} {e.title}" for e in known]
    assert all(part.count("\n- ") >= 3 for part in parts)


def test_a_prediction_s_wrong_options_are_not_named_for_that_would_leave_the_right_one(page):
    for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        if exercises.get(part.split()[0]).kind == "predict":
            assert not re.search(r"^- [`*]", part, re.MULTILINE)


def test_what_any_exercise_may_say_is_shown_once(page):
    everywhere, lessons = page.split("## Lesson 00")
    for general in ("there is no answer yet", "your code stopped", "has no body yet", "was lent"):
        assert general in everywhere and general not in lessons


def test_no_path_of_this_computer_is_on_the_page(page):
    assert "proofs.py" not in page and str(ROOT) not in page
