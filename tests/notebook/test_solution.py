"""The course's own answer comes on request, beside the learner's."""

from types import SimpleNamespace

import fake_lesson
import nbformat
import pytest

from tlcourse.notebook import exercises, places, record
from tlcourse.notebook import solution as showing
from tlcourse.notebook.solution import solution
from tlschool.cli import main as cli

OURS = 'count = 7\ncount = check("90.1", count)'
MINE = 'count = 3 < 4\ncount = check("90.1", count)'


@pytest.fixture
def course(tmp_path, monkeypatch):
    root = tmp_path / "course"
    fake_lesson.lay_out(root, monkeypatch)
    path = root / "notebooks" / "solutions" / "90_small.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(fake_lesson.built("solutions"), path)
    return path


@pytest.fixture
def shown(monkeypatch):
    """What a notebook shows in which these cells have been run."""
    shown, cells = [], ["", "from tlcourse import check", 'count = 1\ncount = check("90.1", count)',
                        MINE, 'double = 2\ndouble = check("90.2", double)', "count"]
    monkeypatch.setattr(showing, "get_ipython", lambda: SimpleNamespace(user_ns={"In": cells}))
    monkeypatch.setattr(showing, "display", lambda data, raw: shown.append(data))
    return shown


def test_in_a_notebook_the_latest_own_cell_stands_beside_it(course, shown):
    solution("90.1")
    (data,) = shown
    yours, ours = data["text/html"].split("The course's")
    assert "count = 3 &lt; 4" in yours and "count = 1" not in yours and "double" not in yours
    assert "count = 7" in ours and "flex" in yours
    assert data["text/plain"] == OURS


def test_without_an_own_cell_the_solution_stands_alone(course, shown, monkeypatch):
    monkeypatch.setattr(showing, "get_ipython", lambda: SimpleNamespace(user_ns={}))
    solution("90.1")
    assert "Yours" not in shown[0]["text/html"] and "count = 7" in shown[0]["text/html"]


def test_looking_is_not_recorded_as_passed(course, shown, monkeypatch):
    recorded = []
    monkeypatch.setattr(record, "record", lambda *outcome: recorded.append(outcome))
    solution("90.1")
    assert recorded == []


def test_the_terminal_prints_it(course, capsys):
    assert cli.main(["solution", "90.1"]) == 0
    assert capsys.readouterr().out == OURS + "\n"


def test_an_unknown_exercise_is_one_sentence(course, capsys):
    solution("90.9")
    assert "there is no exercise '90.9'; there are: 90.1, 90.2." in capsys.readouterr().out
    assert cli.main(["solution", "90.9"]) == 2
    assert capsys.readouterr().err.startswith("tlcourse: there is no exercise '90.9'")


def test_a_course_without_built_solutions_says_how_they_are_made(course, capsys):
    notebook = nbformat.read(course, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "90-sol-90-1"]
    nbformat.write(notebook, course)
    assert cli.main(["solution", "90.1"]) == 2
    assert "build 90" in capsys.readouterr().err
    course.unlink()
    assert cli.main(["solution", "90.1"]) == 2
    assert "there is no lesson '90' in notebooks/solutions/" in capsys.readouterr().err


@pytest.mark.parametrize("id", [e.id for n in places.notebooks()
                                for e in exercises.lesson(n).exercises])
def test_every_exercise_of_the_course_has_one(id):
    assert f'check("{id}", ' in showing.source(id)
