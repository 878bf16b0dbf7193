import pytest
from tiny_course import lesson

from tlcourse.notebook import places


@pytest.mark.parametrize("id", ["01", "1"])
def test_a_lesson_is_found_with_and_without_its_zero(course, id):
    assert places.notebook(id) == course / "notebooks" / "01_training.ipynb"
    assert places.lesson_folder(id) == course / "lessons" / "01_training"


def test_solutions_lie_apart(course):
    path = lesson(course, "01_training", "Training", ["1"], edition="solutions")
    assert places.solution("01") == path != places.notebook("01")


def test_lessons_come_in_order_and_other_files_are_none(course):
    (course / "lessons" / "glossary.md").write_text("", encoding="utf-8")
    assert places.lesson_ids() == ["00", "01"]


@pytest.mark.parametrize("id", ["07", "", "x", "-1", "../00"])
def test_an_unknown_lesson_is_refused_with_those_there_are(course, id):
    with pytest.raises(places.UnknownLesson, match="there are: 00, 01"):
        places.notebook(id)


def test_the_workspace_is_what_the_environment_says(workspace):
    assert places.workspace() == workspace


def test_a_checkout_has_its_own_workspace(monkeypatch, tmp_path):
    monkeypatch.delenv("TLCOURSE_WORKSPACE", raising=False)
    monkeypatch.setattr(places, "IS_CHECKOUT", True)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    assert places.workspace() == tmp_path / "workspace"


def test_an_installed_course_works_in_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("TLCOURSE_WORKSPACE", raising=False)
    monkeypatch.setattr(places, "IS_CHECKOUT", False)
    monkeypatch.chdir(tmp_path)
    assert places.workspace() == tmp_path / "workspace"


def test_inside_a_workspace_no_second_one_begins(monkeypatch, tmp_path):
    monkeypatch.delenv("TLCOURSE_WORKSPACE", raising=False)
    monkeypatch.setattr(places, "IS_CHECKOUT", False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / places.DELIVERED).write_text("{}", encoding="utf-8")
    assert places.workspace() == tmp_path


def test_an_unused_name_is_counted_up(tmp_path):
    path = tmp_path / "a.json"
    for expected in ("a.json", "a (2).json", "a (3).json"):
        free = places.unused(path)
        assert free.name == expected
        free.touch()


@pytest.mark.parametrize(("made_by_launcher", "this_python", "called"), [
    (True, ".venv", "python course.py"), (True, "conda", "tlcourse"), (False, ".venv", "tlcourse"),
])
def test_advice_names_the_command_that_this_person_has(
    monkeypatch, tmp_path, made_by_launcher, this_python, called
):
    monkeypatch.setattr(places, "IS_CHECKOUT", True)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path / this_python))
    (tmp_path / ".venv").mkdir()
    if made_by_launcher:
        (tmp_path / ".venv" / "installed.txt").touch()
    assert places.command() == called
