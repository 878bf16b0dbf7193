"""A course of two small lessons, a workspace of its own for every test, a calendar, a checkout."""

import importlib.util
from datetime import date, datetime, timedelta

import pytest
from tiny_checkout import Tiny
from tiny_course import lesson

from tlcourse.school import places, progress


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
    lesson(root, "00_start-here", "Start here", ['2 + 2', 'x = 1\nx = check("0.1", x)',
           'y = 2\ny = check("0.2", y)', 'quiz("0.1")'])
    lesson(root, "01_training", "Training", ['z = 1\nz = check("1.1", z)'])
    return root


class Calendar:
    """The day on which a test happens; it can go on."""

    def __init__(self, monkeypatch):
        self.today = date(2030, 1, 1)
        monkeypatch.setattr(progress, "now", lambda: datetime(
            self.today.year, self.today.month, self.today.day, 22, 30).astimezone())

    def go_on(self, days=1):
        self.today += timedelta(days=days)


@pytest.fixture
def calendar(course, monkeypatch):
    return Calendar(monkeypatch)


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A checkout in which the launcher has installed; `tiny` hands it on."""
    tiny = Tiny(tmp_path_factory.mktemp("tiny") / "a course")  # paths have spaces in them
    tiny.first = tiny.said("lab")
    return tiny


@pytest.fixture
def tiny(installed):
    """The installed tiny course, and none of the switches that another test left."""
    for name in ("slow", "begun", "needs", "tlcourse/sick"):
        (installed.folder / name).unlink(missing_ok=True)
    return installed


@pytest.fixture
def launcher(tmp_path):
    """The launcher as a module, of a checkout where nothing is installed."""
    tiny = Tiny(tmp_path / "fresh")
    spec = importlib.util.spec_from_file_location("course", tiny.folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
