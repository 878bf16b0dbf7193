"""A grading that was killed in the middle goes on where it was: nothing twice, nothing lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from filelock import FileLock
from hand_ins import WRONG, filled, given, perfect, points, released_before, save

from tlcourse import __version__
from tlcourse.notebook import exercises
from tlschool.authoring.source import load
from tlschool.classroom import cache, command, execute, grade
from tlschool.classroom.collect import notices, submissions
from tlschool.classroom.limits import Limits
from tlschool.classroom.release import outdated, release
from tlschool.errors import CourseError

STUDENTS = [f"student{number:02}" for number in range(4)]
LIMITS = Limits()


@pytest.fixture
def course(released, tmp_path):
    shutil.copytree(released, tmp_path / "course")
    for number, student in enumerate(STUDENTS):
        save(tmp_path / "in" / f"{student}.ipynb", filled(WRONG) if number % 2 else perfect())
    return tmp_path / "course"


def started(course):
    words = ["classroom", "grade", str(course.parent / "in"), "--lesson", "01", "--output",
             str(course)]
    return subprocess.Popen([sys.executable, "-m", "tlschool", *words], stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def records(course):
    return {path.stem: path for path in (course / "records" / "lesson-01").glob("*.json")}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_it_goes_on(course, how, monkeypatch, capsys):
    grading = started(course)
    while len(records(course)) < 1 and grading.poll() is None:
        time.sleep(0.02)
    os.kill(grading.pid, how)
    grading.communicate(timeout=240)
    before = {student: path.read_bytes() for student, path in records(course).items()}
    assert 1 <= len(before) < len(STUDENTS)
    assert all(json.loads(content)["earned"] for content in before.values())

    graded = Counter()

    def counting(path, *given):
        graded[path.stem] += 1
        return real(path, *given)

    real = grade.grade_file
    monkeypatch.setattr(grade, "grade_file", counting)
    assert command.grade(str(course.parent / "in"), "01", str(course), LIMITS) == 0
    assert graded == Counter(set(STUDENTS) - set(before))
    assert {name: path.read_bytes() for name, path in records(course).items()
            if name in before} == before
    assert points(course, "lesson-01") == {
        student: 0.0 if number % 2 else 23.0 for number, student in enumerate(STUDENTS)}
    assert f"{len(graded)} graded now, {len(before)} known" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_killed_grader_leaves_no_submission_running(course, running):
    save(course.parent / "in" / "aaa.ipynb", perfect(ex_1_1="import time\ntime.sleep(50)"))
    grading = started(course)
    while not records(course) and grading.poll() is None:
        time.sleep(0.02)
    assert running()
    grading.kill()
    grading.communicate(timeout=240)
    deadline = time.monotonic() + 60
    while running():
        assert time.monotonic() < deadline, f"{running()} still run"
        time.sleep(0.1)


def graded_again(course, capsys):
    capsys.readouterr()
    command.grade(str(course.parent / "in"), "01", str(course), LIMITS)
    return int(capsys.readouterr().out.splitlines()[1].split()[0])


def test_what_changed_is_graded_again_and_nothing_else(course, capsys, monkeypatch):
    def quick(submission, given, limits, stopped):
        return execute.nothing(given, "for this test.")

    monkeypatch.setattr(execute, "run", quick)
    assert graded_again(course, capsys) == len(STUDENTS)
    assert graded_again(course, capsys) == 0
    save(course.parent / "in" / "student02.ipynb", perfect(ex_1_1="guess = 0.12"))
    assert graded_again(course, capsys) == 1
    records(course)["student03"].write_text("{")
    assert graded_again(course, capsys) == 1
    monkeypatch.setattr(cache, "__version__", "99")
    assert graded_again(course, capsys) == len(STUDENTS)
    worth_more = exercises.get("1.3")
    object.__setattr__(worth_more, "minutes", worth_more.minutes + 1)
    try:
        assert graded_again(course, capsys) == len(STUDENTS)
    finally:
        object.__setattr__(worth_more, "minutes", worth_more.minutes - 1)


def test_a_release_that_is_not_what_the_lesson_makes_now_is_said(course, capsys, monkeypatch):
    monkeypatch.setattr(execute, "run", lambda submission, given, limits, stopped:
                        execute.nothing(given, "for this test."))
    assert command.grade(str(course.parent / "in"), "01", str(course), LIMITS) == 0
    assert "changed since it was released" not in capsys.readouterr().err
    source = course / "source" / "lesson-01" / "lesson-01.ipynb"
    asked = source.read_text("utf-8").replace(f'"version": "{__version__}"', '"version": "0.0.1"')
    source.write_text(asked, "utf-8")
    assert outdated(course, "01") is None
    before = released_before(load(source))
    assert 'from tlcourse.school.classroom import hidden' in str(before.cells)
    save(source, before)
    assert outdated(course, "01") is None, "only the names of modules are others"
    source.write_text(asked.replace('"points": 8', '"points": 80'), "utf-8")
    assert command.grade(str(course.parent / "in"), "01", str(course), LIMITS) == 0
    assert ("lesson-01 has changed since it was released by version 0.0.1, or its source was "
            "edited: ") in capsys.readouterr().err


def test_with_more_time_a_submission_gets_another_chance(course, monkeypatch):
    monkeypatch.setattr(execute, "run", lambda submission, given, limits, stopped:
                        execute.nothing(given, f"it had {limits.seconds:g} s."))
    for seconds in (5, 60):
        command.grade(str(course.parent / "in"), "01", str(course), Limits(seconds=seconds))
        points = (course / "reports/lesson-01/points.csv").read_text("utf-8-sig")
        assert points.count(f"it had {seconds} s.") == 4 * len(STUDENTS)


def test_two_gradings_at_a_time_are_one_too_many(course):
    with (FileLock(course / ".grading.lock"),
          pytest.raises(CourseError, match="another grading is under way")):
        command.grade(str(course.parent / "in"), "01", str(course), LIMITS)


def test_a_failure_of_the_grader_is_said_and_the_rest_is_graded(course, capsys, monkeypatch):
    def failing(submission, given, limits, stopped):
        if b"0.12" in submission:
            raise execute.GraderError("the disk is full")
        return execute.nothing(given, "for this test.")

    monkeypatch.setattr(execute, "run", failing)
    save(course.parent / "in" / "student02.ipynb", perfect(ex_1_1="guess = 0.12"))
    assert command.grade(str(course.parent / "in"), "01", str(course), LIMITS) == 1
    said = capsys.readouterr()
    assert "student02: could not be graded: the disk is full" in said.err
    assert len(records(course)) == len(STUDENTS) - 1


def test_those_who_handed_in_nothing_are_in_the_table(tmp_path, capsys):
    release(["01"], tmp_path, ["ann", "bob"])
    own = given("01", grade.variant_of("ann", "01", tmp_path))
    assert own.variant != 0
    save(tmp_path / "in" / "ann.ipynb", own.notebook)
    assert notices(tmp_path / "in", "lesson-01", tmp_path) == []
    save(tmp_path / "elsewhere" / "aunt final.ipynb", own.notebook)
    (notice,) = notices(tmp_path / "elsewhere", "lesson-01", tmp_path)
    assert notice.startswith("no notebook was made for aunt_final: ")
    assert command.grade(str(tmp_path / "in"), "01", str(tmp_path), LIMITS) == 0
    rows = (tmp_path / "reports/lesson-01/points.csv").read_text("utf-8-sig").splitlines()
    assert "bob,,1.4,0,8,nothing was handed in." in rows
    assert [row.split(",")[0] for row in rows[1:]] == ["ann"] * 4 + ["bob"] * 4
    (ann,) = submissions(tmp_path / "in", "lesson-01", tmp_path).values()
    assert ann == (tmp_path / "in" / "ann.ipynb", "ann")
