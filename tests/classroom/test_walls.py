"""Inside bubblewrap there is Python, the course to read, and nothing else; a probe tries it."""

import json
import os
import stat
import subprocess
import sys

import pytest

from tlcourse.utils.files import ROOT
from tlschool.classroom import sandbox


@pytest.fixture
def inside():
    """Run code inside the walls and return what it prints, as JSON."""
    if reason := sandbox.why_not():
        pytest.skip(reason)

    def run(code):
        done = subprocess.run(
            [*sandbox.walls(), sys.executable, "-c", f"import json, os, pathlib\n{code}"],
            env=sandbox.environment("/tmp"), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_the_course_can_be_read_and_not_changed(inside):
    assert inside("""
from tlcourse.data import bundled, load
from tlcourse.utils.files import ROOT
tried = {}
for path in (bundled.__file__, ROOT / "data/MANIFEST.json", json.__file__):
    try:
        open(path, "a").close()
    except OSError as error:
        tried[str(path)] = type(error).__name__
try:
    pathlib.Path("/new").mkdir()
except OSError as error:
    tried["/new"] = type(error).__name__
print(json.dumps([len(load("uci_digits")), sorted(set(tried.values())), len(tried)]))
""") == [1797, ["OSError"], 4]


def test_submissions_solutions_and_the_rest_of_the_disk_are_not_there(inside, tmp_path):
    (tmp_path / "sibling.ipynb").write_text("{}")
    lessons = [path for path in (ROOT / "lessons").rglob("*") if path.name in (
        "lesson.md", "proofs.py", "instructor-guide.md")]
    paths = [tmp_path, ROOT / "tests", ROOT / "workspace", ROOT / "notebooks", ROOT / ".git",
             "/etc/passwd", "/var", "/run", *lessons]
    assert inside(f"print(json.dumps([p for p in {[str(p) for p in paths]!r} "
                  "if pathlib.Path(p).exists()]))") == []


def test_there_are_no_other_processes_and_no_network(inside):
    processes, cards, reached = inside("""
import socket
try:
    socket.create_connection(("127.0.0.1", 22), timeout=1)
    reached = True
except OSError:
    reached = False
cards = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
print(json.dumps([sum(name.isdigit() for name in os.listdir("/proc")), cards, reached]))
""")
    assert processes <= 3 and cards in (["lo"], []) and not reached


def test_nothing_of_the_graders_own_settings_is_handed_on(inside, monkeypatch):
    monkeypatch.setenv("COURSE_TOKEN", "secret")
    names = inside("print(json.dumps(sorted(os.environ)))")
    assert "COURSE_TOKEN" not in names
    assert set(names) - {"PWD", "LC_CTYPE", "PATH", "PYTHONPATH", "LD_LIBRARY_PATH"} == (
        set(sandbox.environment("/tmp")) - {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH"})


def test_files_are_limited_and_devices_still_work(inside):
    if not sandbox.knows_sizes():
        pytest.skip("this bubblewrap cannot limit files")
    assert inside("""
said = {}
for folder in ("/tmp", "/dev/shm"):
    with open(f"{folder}/large", "wb") as file:
        try:
            for _ in range(60):
                file.write(bytes(10_000_000))
        except OSError as error:
            said[folder] = error.strerror
    os.remove(f"{folder}/large")
try:
    pathlib.Path("/dev/new").touch()
except OSError as error:
    said["/dev"] = error.strerror
pathlib.Path("/dev/null").write_text("x")
print(json.dumps([said, len(open("/dev/urandom", "rb").read(4))]))
""") == [{"/tmp": "No space left on device", "/dev/shm": "No space left on device",
           "/dev": "Read-only file system"}, 4]


@pytest.mark.skipif(sys.platform == "win32", reason="the script is one of a shell")
def test_an_older_bubblewrap_is_not_asked_for_sizes(tmp_path, monkeypatch):
    pretend(tmp_path, monkeypatch, "echo usage: bwrap; exit 1")
    assert not sandbox.knows_sizes() and "--size" not in sandbox.walls()


def pretend(tmp_path, monkeypatch, script):
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return sandbox.why_not.__wrapped__()


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap exists on Linux only")
@pytest.mark.parametrize(("script", "said"), [
    ("echo 'No permissions to create new namespace' >&2; exit 1", "No permissions to create"),
    ("exit 0", "does not work here: it said nothing"),
    ('while [ "$1" != --chdir ]; do shift; done; shift 2; exec "$@"',
     "AssertionError: files outside can be read"),
], ids=["is refused", "does nothing", "shuts nothing out"])
def test_a_bubblewrap_that_does_not_work_is_found_out(tmp_path, monkeypatch, script, said):
    assert said in pretend(tmp_path, monkeypatch, script)


def test_where_there_is_none_it_is_named(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(sandbox.sys, "platform", "linux")
    assert "install your system's package `bubblewrap`" in sandbox.why_not.__wrapped__()
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert sandbox.why_not.__wrapped__() == "bubblewrap exists on Linux only"
