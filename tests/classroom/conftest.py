"""One release for all tests of this folder that run in one process."""

import os

import psutil
import pytest

from tlschool.classroom.release import release


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A course folder with the assignment of lesson 01."""
    course = tmp_path_factory.mktemp("course")
    release(["01"], course)
    return course


@pytest.fixture
def running(tmp_path, monkeypatch):
    """Lists the processes of submissions that this test has started, and that still run."""
    mark = str(tmp_path / "started-here")  # the one variable that a submission's process is given
    monkeypatch.setenv("PYTHONPATH", mark + os.pathsep + os.environ.get("PYTHONPATH", ""))
    return lambda: [one for one in psutil.process_iter(["environ", "cmdline"])
                    if mark in (one.info["environ"] or {}).get("PYTHONPATH", "")
                    and "tlschool.classroom.worker" in (one.info["cmdline"] or ())]
