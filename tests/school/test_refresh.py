"""What is made from the lessons is brought up to date, and a new lesson keeps the contract."""

import os
import shutil
import subprocess
import sys

import fake_lesson
import pytest

from tlcourse.utils.files import ROOT
from tlschool.authoring import common_errors, new, refresh, runner

PAGES = ("README.md", "lessons/instructor-guide.md", "notebooks/glossary.md",
         "lessons/common-errors.md")
FRESH = "".join(f"{name}: up to date\n" for name in ("notebooks of lesson 90", *PAGES))


@pytest.fixture
def course(tmp_path, monkeypatch):
    fake_lesson.lay_out(tmp_path, monkeypatch)
    monkeypatch.setattr(runner, "execute", fake_lesson.pretend_to_run)
    monkeypatch.setattr(common_errors, "page", lambda old, ids: f"# Errors of {ids}\n")
    return tmp_path


def no_run(*arguments, **options):
    pytest.fail("it ran")


def test_all_is_written_once_and_then_nothing(course, capsys, monkeypatch):
    assert refresh.refresh(["90"]) == 0
    assert capsys.readouterr().out == FRESH.replace("up to date", "written")
    monkeypatch.setattr(runner, "execute", no_run)
    assert refresh.refresh() == refresh.refresh(check=True) == 0
    assert capsys.readouterr().out == FRESH * 2
    readme, guide, glossary, errors = (
        (course / name).read_text(encoding="utf-8") for name in PAGES)
    row = "| 90 | A small lesson | 5 + 7 min | 5 s | dots |"
    assert f"{row}\n<!-- /lessons -->\n\nMore.\n" in readme
    assert "\n\n### 90 A small lesson\n\n*Point.* [This](glossary.md).\n\n<!-- /less" in guide
    assert glossary == fake_lesson.GLOSSARY
    assert errors == "# Errors of ['90']\n"


@pytest.mark.parametrize("name", PAGES[:2])
def test_a_page_that_drifted_is_named_and_left_and_then_written(course, capsys, name):
    refresh.refresh()
    path, monkey = course / name, "A small monkey"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("A small lesson", monkey), encoding="utf-8")
    capsys.readouterr()
    assert refresh.refresh(check=True) == 1
    assert capsys.readouterr().out == FRESH.replace(f"{name}: up to", f"{name}: out of")
    assert monkey in path.read_text(encoding="utf-8")
    assert refresh.refresh() == 0
    assert path.read_text(encoding="utf-8") == good


def test_a_changed_lesson_is_out_of_date_and_one_that_stops_leaves_the_pages(
    course, capsys, monkeypatch
):
    refresh.refresh()
    lesson = course / "lessons/90_small/lesson.md"
    text = lesson.read_text(encoding="utf-8")
    lesson.write_text(text.replace("The line rises.", "The line climbs."), encoding="utf-8")
    capsys.readouterr()
    assert refresh.refresh(check=True) == 1
    said = capsys.readouterr().out
    assert "cell 90-two-claims-1 differs from the source.\n" in said
    assert "notebooks of lesson 90: out of date\n" in said

    def stop(notebook, **options):
        raise runner.RunError("cell 3 of 20 stopped with ValueError: no")

    monkeypatch.setattr(runner, "execute", stop)
    monkeypatch.setattr(refresh, "write_atomically", no_run)
    assert refresh.refresh() == 1
    assert "stopped with ValueError: no" in capsys.readouterr().out


@pytest.mark.parametrize(("id", "slug", "said"), [
    ("90", "other", "there is a lesson 90, 90_small: choose another number"),
    ("17", "My Lesson", "got '17' and 'My Lesson': choose such as 17 my-lesson"),
    ("170", "x", "a lesson needs a number of two digits"),
    ("17", "../x", "a lesson needs a number of two digits"),
])
def test_a_new_lesson_needs_a_free_number_and_a_plain_name(course, capsys, id, slug, said):
    before = sorted(course.rglob("*"))
    assert new.new(id, slug) == 1
    assert said in capsys.readouterr().out
    assert sorted(course.rglob("*")) == before


def test_a_new_lesson_is_refreshed_and_keeps_the_contract(tmp_path):
    """In a small checkout of its own, so that the kernel finds the lesson too."""
    def unneeded(folder, names):
        return {"reveal", "__pycache__", "runs", "checkpoints"} & set(names)

    for name in ("tlcourse", "tlschool", "tests/lessons", "tests/helpers", "tests/offline",
                 "lessons/00_start-here", "lessons/01_training-from-scratch"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unneeded)
    files = [ROOT / name for name in (*PAGES, "lessons/glossary.md", "data/MANIFEST.json",
                                      "conftest.py", "pyproject.toml")]
    for path in [*files, *ROOT.glob("notebooks/**/0[01]_*.ipynb")]:
        place = tmp_path / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]

    def call(*words):
        ended = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, capture_output=True, encoding="utf-8",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)})
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    begin = "from tlschool.authoring import new, refresh; import sys; sys.exit"
    call("-c", f"{begin}(new.new('17', 'my-lesson') or refresh.refresh(['17']))")
    assert "| 17 | My lesson | 10 + 10 min | " in (tmp_path / "README.md").read_text("utf-8")
    tests = [f"tests/lessons/test_{name}.py" for name in ("lessons", "proofs", "prose")]
    said = call("-m", "pytest", "-q", "-k", "17", *tests, "notebooks/17_my-lesson.ipynb",
                "-p", "no:cacheprovider")
    assert " passed" in said and "skipped" not in said
