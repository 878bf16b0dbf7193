"""A checkout with the true launcher."""

import importlib.util

import pytest
from tiny_checkout import Tiny


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """A checkout in which the launcher has installed; `tiny` hands it on."""
    tiny = Tiny(tmp_path_factory.mktemp("tiny") / "a course")  # paths have spaces in them
    tiny.first = tiny.said("lab")
    return tiny


@pytest.fixture
def tiny(installed):
    """The installed tiny course, and none of the switches that another test left."""
    for name in ("slow", "begun", "needs", "tlschool/sick"):
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
