"""A day in a room: the lessons' minutes, breaks in time, and nothing left out silently."""

from types import SimpleNamespace

import pytest

from tlcourse.notebook import places
from tlschool.cli import main as cli
from tlschool.live import schedule, steps


def lesson(id, minutes, needs=(), parts=3):
    """A lesson of some sections of equal length."""
    length = minutes // parts
    sections = [(f"s{n}", f"Part {n}", n * length, (n + 1) * length) for n in range(parts)]
    about = {"id": id, "title": f"Lesson {id}", "needs": list(needs)}
    return SimpleNamespace(about=about, minutes=minutes, sections=lambda: sections)


def is_break(entry):
    return entry.lesson == ""


def test_the_parts_follow_each_other_and_have_the_lessons_minutes():
    plan = schedule.day([lesson("00", 60), lesson("01", 90), lesson("02", 45)])
    assert plan[0].begin == 9 * 60
    assert all(a.end == b.begin for a, b in zip(plan, plan[1:], strict=False))
    assert sum(e.end - e.begin for e in plan if not is_break(e)) == 195


@pytest.mark.parametrize("lessons", [
    [lesson(f"{n:02}", 75, parts=5) for n in range(5)],
    [steps.read(id) for id in places.notebooks()]], ids=["invented", "the course"])
def test_nobody_sits_for_more_than_fifty_minutes(lessons):
    plan = schedule.day(lessons)
    since = 0
    for entry in plan:
        since = 0 if is_break(entry) else since + entry.end - entry.begin
        assert since <= 50, entry
    assert not is_break(plan[0]) and not is_break(plan[-1])


def test_an_afternoon_starts_when_it_is_asked_to_and_has_no_lunch(capsys):
    assert cli.main(["schedule", "half-day", "0", "1", "--start", "13:30"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("13:30 to 14:") and "until 17:00" in said
    assert "break" in said and "lunch" not in said


@pytest.mark.parametrize("start", ["noon", "25:00", "9"])
def test_a_start_that_is_no_time_ends_in_one_sentence(capsys, start):
    assert cli.main(["schedule", "half-day", "--start", start]) == 1
    said = capsys.readouterr().err
    assert f"a time such as 13:30, got {start!r}" in said and said.count("\n") == 1


def test_there_is_one_lunch_and_it_is_about_noon():
    plan = schedule.day([lesson(f"{n:02}", 60) for n in range(6)])
    (lunch,) = [entry for entry in plan if entry.what == "lunch"]
    assert lunch.end - lunch.begin == 60 and 11 * 60 <= lunch.begin <= 13 * 60


def test_a_break_comes_between_two_lessons_rather_than_inside_the_second():
    plan = schedule.day([lesson("00", 30), lesson("01", 30)])
    assert [entry.what for entry in plan if is_break(entry)] == ["break"]
    assert plan[3].what == "break", "after the three parts of the first"


def test_what_does_not_fit_is_left_out_with_what_builds_on_it():
    wanted = [lesson("00", 60), lesson("01", 150, parts=5), lesson("02", 30, needs=["01"]),
              lesson("03", 30)]
    taken, left = schedule.choose(wanted, schedule.ENDS["half-day"])
    assert [x.about["id"] for x in taken] == ["00", "03"]
    assert [x.about["id"] for x in left] == ["01", "02"]


@pytest.mark.parametrize("length", ["half-day", "full-day"])
def test_the_course_fits_and_every_lesson_is_either_in_it_or_named(capsys, length):
    assert cli.main(["schedule", length]) == 0
    said = capsys.readouterr().out
    ids = list(places.notebooks())
    for id in ids:
        title = steps.read(id).about["title"]
        assert f"min  {id} {title}" in said or f"Left out: {id} {title}" in said
    assert "min  00 " in said and "to spare until " in said


def test_a_lesson_without_what_it_builds_on_says_so(capsys):
    assert cli.main(["schedule", "half-day", "2"]) == 0
    assert "builds on 00, 01, which this day leaves out" in capsys.readouterr().out
    assert cli.main(["schedule", "full-day", "0", "1", "2", "6", "5"]) == 0
    said = capsys.readouterr().out
    assert said.count("builds on") == 1 and "builds on 05, which this day leaves out or" in said


def test_an_unknown_lesson_or_day_ends_in_one_sentence(capsys):
    assert cli.main(["schedule", "half-day", "77"]) == 2
    with pytest.raises(SystemExit):
        cli.main(["schedule", "week"])
