"""A course of two small lessons, a workspace of its own for every test, a calendar."""

from datetime import date, datetime, timedelta

import pytest
from tiny_course import lesson

from tlcourse.notebook import lessons, places, record


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace, which is not there yet."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(folder))
    return folder


@pytest.fixture
def course(tmp_path, monkeypatch, workspace):
    """Root of a course with lessons 00 (two exercises, a quiz question) and 01 (one exercise)."""
    root = tmp_path / "course"
    monkeypatch.setattr(places, "ROOT", root)
    monkeypatch.setattr(lessons, "__path__", [str(root / "lessons")])
    lesson(root, "00_start-here", "Start here", ['2 + 2', 'x = 1\nx = check("0.1", x)',
           'y = 2\ny = check("0.2", y)', 'quiz("0.1")'])
    lesson(root, "01_training", "Training", ['z = 1\nz = check("1.1", z)'])
    return root


class Calendar:
    """The day on which a test happens; it can go on."""

    def __init__(self, monkeypatch):
        self.today = date(2030, 1, 1)
        monkeypatch.setattr(record, "now", lambda: datetime(
            self.today.year, self.today.month, self.today.day, 22, 30).astimezone())

    def go_on(self, days=1):
        self.today += timedelta(days=days)


@pytest.fixture
def calendar(course, monkeypatch):
    return Calendar(monkeypatch)
