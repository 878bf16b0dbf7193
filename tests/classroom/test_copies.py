"""Without walls a submission may write into the course: no other one is graded by what it wrote."""

import hashlib
from pathlib import Path

import pytest
from hand_ins import LIMITS, WRONG, content, filled, given, perfect

from tlcourse.notebook import check
from tlschool.classroom import copies, execute, sandbox

REWRITES = """
import os, stat, pathlib
from tlcourse.notebook import check
path = pathlib.Path(check.__file__)
path.parent.chmod(0o755); path.chmod(0o644)
path.write_text(path.read_text().replace("return Result(False, one_line(message))",
                                         "return Result(True, 'passed')"))
guess = 0.1
"""
ADDS = """
import pathlib, tlcourse
root = pathlib.Path(tlcourse.__file__).parents[1]
root.chmod(0o755)
(root / "numpy.py").write_text("raise SystemExit")
guess = 0.1
"""


@pytest.fixture
def no_walls(monkeypatch):
    monkeypatch.setattr(sandbox, "why_not", lambda: "for this test")
    shelf = copies.Shelf()
    monkeypatch.setattr(copies, "_shelf", lambda: shelf)
    return shelf


def graded(notebook):
    outcome = execute.run(content(notebook), given(), LIMITS)
    return outcome.points, outcome.remarks


def test_what_one_rewrites_is_said_and_does_not_grade_the_next_one(no_walls):
    own = hashlib.sha256(Path(check.__file__).read_bytes())
    points, remarks = graded(perfect(ex_1_1=REWRITES))
    assert points == 23
    assert remarks == ["the course that graded this was changed while it ran, "
                       "tlcourse/notebook/check.py: the next one was graded by a fresh copy"]
    assert hashlib.sha256(Path(check.__file__).read_bytes()).digest() == own.digest()
    assert graded(filled(WRONG)) == (0, [])


def test_a_file_that_is_new_is_a_change_too(no_walls):
    assert "numpy.py" in graded(perfect(ex_1_1=ADDS))[1][0]
    assert graded(perfect()) == (23, [])


def test_without_the_comparison_the_next_one_would_have_got_points(no_walls, monkeypatch):
    monkeypatch.setattr(copies, "_digests", lambda root: {})
    graded(perfect(ex_1_1=REWRITES))
    assert graded(filled(WRONG))[0] > 0


def test_a_copy_that_nobody_changed_is_lent_again(no_walls):
    with no_walls.lent([]) as first:
        pass
    with no_walls.lent(remarks := []) as second:
        assert first == second
    assert remarks == []


def test_a_change_where_the_course_is_installed_is_said_once(no_walls, monkeypatch, tmp_path):
    file = tmp_path / "data" / "new.json"
    monkeypatch.setattr(copies, "_place", lambda path: path.relative_to(path.parents[1]))
    monkeypatch.setattr(copies, "_course_files", lambda: [file] if file.is_file() else [])
    no_walls._content, no_walls._installed = {}, {}
    with no_walls.lent(remarks := []):
        file.parent.mkdir()
        file.write_text("{}")
    assert remarks == ["while this ran, the installed course was changed, data/new.json: install "
                       "it again before you grade again"]
    with no_walls.lent(remarks := []):
        pass
    assert remarks == []


def test_behind_walls_no_copy_is_made(monkeypatch):
    monkeypatch.setattr(sandbox, "why_not", lambda: None)
    monkeypatch.setattr(copies, "_shelf", None)
    with copies.lent([]) as folder:
        assert folder is None
