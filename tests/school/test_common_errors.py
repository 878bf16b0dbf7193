"""The page of common errors is what the checks say now, and drift is noticed."""

import re

import pytest

from tlcourse.notebook import exercises
from tlschool.authoring import common_errors


@pytest.fixture(scope="module")
def page():
    return common_errors.page()


def test_the_page_is_up_to_date(monkeypatch, page, capsys):
    monkeypatch.setattr(common_errors, "page", lambda: page)
    assert common_errors.write(check=True) == 0, capsys.readouterr().out


def test_a_page_that_drifted_is_named_and_left_and_then_written(
    monkeypatch, page, tmp_path, capsys
):
    monkeypatch.setattr(common_errors, "page", lambda: page)
    old = tmp_path / "common-errors.md"
    monkeypatch.setattr(common_errors, "PAGE", old)
    drifted = page.replace("that is precision", "that is recall")
    old.write_text(drifted, encoding="utf-8")
    assert common_errors.write(check=True) == 1
    assert "python -m tlschool.authoring.common_errors" in capsys.readouterr().out
    assert old.read_text(encoding="utf-8") == drifted
    assert common_errors.write() == 0
    assert old.read_text(encoding="utf-8") == page


def test_digits_that_differ_between_processors_are_no_drift(monkeypatch, page, tmp_path):
    monkeypatch.setattr(common_errors, "page", lambda: page)
    monkeypatch.setattr(common_errors, "PAGE", tmp_path / "common-errors.md")
    other = re.sub(r"\d\.\d\d+", lambda found: found[0][:-1] + "7", page)
    common_errors.PAGE.write_text(other, encoding="utf-8")
    assert other != page and common_errors.write(check=True) == 0


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
    for general in ("there is no answer yet", "your code raised", "has no body yet", "was lent"):
        assert general in everywhere and general not in lessons


def test_no_path_of_this_computer_is_on_the_page(page):
    assert "test_lesson" not in page and str(common_errors.places.ROOT) not in page
