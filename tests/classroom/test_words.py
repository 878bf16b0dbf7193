"""``tlcourse classroom`` says what it does, and what is amiss, in a sentence."""

import shutil
import subprocess
import sys

import pytest
from hand_ins import LESSON, given, perfect, save

from tlschool.classroom import command, gradebook, tables
from tlschool.classroom import release as releasing
from tlschool.classroom.assignment import assignment
from tlschool.classroom.execute import Earned, Outcome, nothing
from tlschool.classroom.grade import Graded
from tlschool.classroom.limits import Limits
from tlschool.cli import main as cli


def test_release_says_what_there_is_to_hand_out(tmp_path, capsys):
    (tmp_path / "students.txt").write_text("ann\n")
    words = ["classroom", "release", "1", "--output", str(tmp_path), "--students",
             str(tmp_path / "students.txt")]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"for who is not in the list: {tmp_path}/release/lesson-01/lesson-01.ipynb",
        f"for ann: {tmp_path}/variants/lesson-01/ann.ipynb"]
    assert cli.main(["classroom", "release", "01", "1", "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"to hand out: {tmp_path}/release/lesson-01/lesson-01.ipynb"]


def test_a_new_release_keeps_what_somebody_has_written_into_the_last_one(tmp_path, capsys):
    words = ["classroom", "release", "01", "--output", str(tmp_path)]
    assert cli.main(words) == 0
    common = tmp_path / "release" / "lesson-01" / "lesson-01.ipynb"
    original = common.read_text("utf-8")
    edited = original.replace("Exercise 1.1", "Exercise 1.1, due on Monday")
    assert edited != original
    common.write_text(edited, "utf-8")
    capsys.readouterr()
    assert cli.main(words) == 0
    (kept,) = (tmp_path / "earlier").rglob("*.ipynb")
    assert kept.read_text("utf-8") == edited and common.read_text("utf-8") == original
    assert f"what was there before is kept: {kept}" in capsys.readouterr().out
    assert cli.main(words) == 0
    assert [*(tmp_path / "earlier").rglob("*.ipynb")] == [kept], "nothing has changed since"


def test_a_release_that_nbgrader_refuses_leaves_the_last_one_as_it_was(
    released, tmp_path, capsys, monkeypatch
):
    course, asked = tmp_path / "course", given()
    shutil.copytree(released, course)
    gradebook.enter(course, asked.name, "ann", asked.notebook, nothing(asked, "late."))

    def with_another_exercise(lesson, variant=0, **how):
        made = assignment(lesson, variant, **how)
        made.notebook.cells[-1].metadata["nbgrader"]["grade_id"] = "01-ex-1-9-check"
        return made

    monkeypatch.setattr(releasing, "assignment", with_another_exercise)
    before = {path: path.read_bytes() for path in course.rglob("*.ipynb")}
    assert cli.main(["classroom", "release", LESSON, "--output", str(course)]) == 1
    assert capsys.readouterr().err == (
        f"tlcourse: nbgrader failed, see {course / 'nbgrader.log'}; a release whose exercises are "
        "others than those of the submissions graded there needs a new folder\n")
    assert {path: path.read_bytes() for path in course.rglob("*.ipynb")} == before


def test_nothing_is_released_where_one_of_the_lessons_is_not_there(tmp_path, capsys):
    assert cli.main(["classroom", "release", "01", "77", "--output", str(tmp_path)]) == 2
    assert "there is no lesson '77'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_dry_run_shows_points_and_reasons(tmp_path, capsys):
    path = save(tmp_path / "mine.ipynb", perfect(ex_1_4="chosen_score = max"))
    assert cli.main(["classroom", "grade", "--dry-run", str(path)]) == 0
    said = capsys.readouterr().out
    assert "   1.3   8 of  8\n" in said
    assert max(map(len, said.splitlines())) <= 80
    assert "   1.4   0 of  8  " in said
    assert " total  15 of 23" in said


def test_a_dry_run_needs_nothing_that_a_learner_lacks(tmp_path):
    path = save(tmp_path / "mine.ipynb", perfect())
    code = ("import sys\nfor name in ('nbgrader', 'sqlalchemy', 'jupytext', 'pytest'):\n"
            "    sys.modules[name] = None\n"
            "from tlschool.cli import main as cli\nsys.exit(cli.main(sys.argv[1:]))")
    done = subprocess.run([sys.executable, "-c", code, "classroom", "grade", "--dry-run",
                           str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "total  23 of 23" in done.stdout


@pytest.mark.parametrize(("words", "status", "said"), [
    (["release", "77"], 2, "there is no lesson '77'"),
    (["grade", "{in}"], 2, "add --lesson"),
    (["grade", "{in}", "--lesson", "77"], 2, "there is no lesson '77'"),
    (["grade", "{in}", "--lesson", "01", "--output", "{in}"], 1, "holds no release of lesson-01"),
    (["grade", "{empty}", "--lesson", "01", "--output", "{course}"], 1, "there is no notebook in"),
    (["grade", "{empty}/no", "--lesson", "01", "--output", "{course}"], 1, "there is no folder"),
    (["grade", "{course}/..", "--lesson", "01", "--output", "{course}"], 1,
     "itself: put what was handed in into a folder of its own"),
    (["grade", "{in}/ann.ipynb", "--lesson", "01", "--output", "{course}"], 1,
     "ann.ipynb is a file: name its folder, or add --dry-run"),
    (["grade", "{in}", "--lesson", "01", "--output", "{course}", "--seconds", "0"], 1,
     "no submission can run in 0 s with 2000 MB: allow more than 0 s"),
    (["grade", "--dry-run", "{in}/ann.ipynb", "--seconds", "nan"], 1, "can run in nan s"),
    (["grade", "--dry-run", "{in}/ann.ipynb", "--megabytes", "10"], 1, "at least 500 MB"),
    (["grade", "--dry-run", "{empty}/no.ipynb"], 1, "No such file"),
    (["grade", "--dry-run", "{in}"], 1, "is a folder, and a dry run takes one notebook"),
    (["release", "01", "--students", "{in}/nobody.txt"], 1, "names nobody"),
    (["release", "01", "--students", "{in}/gb18030.txt"], 1, "is no text in UTF-8"),
    (["release", "01", "--students", "{empty}/no.txt"], 1, "No such file"),
])
def test_what_is_amiss_is_said(tmp_path, released, capsys, words, status, said):
    places = {"in": tmp_path / "in", "empty": tmp_path / "empty", "course": released}
    save(tmp_path / "in" / "ann.ipynb", perfect())
    (tmp_path / "in" / "nobody.txt").write_text("\n\n")
    (tmp_path / "in" / "gb18030.txt").write_text("张伟\n", encoding="gb18030")
    (tmp_path / "empty").mkdir()
    assert cli.main(["classroom", *(word.format(**places) for word in words)]) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("started", "how"), [
    ("tlcourse", 'call `python -m pip install "tlcourse[classroom]"`, which installs it'),
    ("python course.py", "call `python course.py classroom release 01`, which installs it"),
])
def test_without_nbgrader_the_way_to_get_it_is_named(monkeypatch, tmp_path, capsys, started, how):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(command, "command", lambda: started)
    folder = str(tmp_path)
    assert cli.main(["classroom", "release", LESSON, "--output", folder]) == 1
    assert cli.main(["classroom", "grade", folder, "--lesson", LESSON, "--output", folder]) == 1
    assert capsys.readouterr().err == 2 * f"tlcourse: nbgrader is not installed: {how}\n"


def test_the_help_names_the_limits_that_hold(capsys):
    usual = Limits()
    with pytest.raises(SystemExit):
        cli.main(["classroom", "grade", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"for each submission; {usual.seconds} by default" in said
    assert f"of memory for each submission; {usual.memory // 1_000_000} by default" in said


def graded(student, *earned):
    return Graded(student, f"{student}.ipynb", Outcome(list(earned), ["-2 is odd"]), False, None)


def test_the_tables_hold_no_formula_and_any_text(tmp_path):
    reason = '=SUM(A1), "quoted",\tand 中文'
    tables.write(tmp_path, [graded("ann", Earned("1.1", 0, 2, reason))])
    assert (tmp_path / "points.csv").read_text("utf-8-sig").splitlines()[1] == (
        "ann,ann.ipynb,1.1,0,2,\"'=SUM(A1), \"\"quoted\"\",\tand 中文\"")
    assert (tmp_path / "remarks.csv").read_text("utf-8-sig").splitlines()[1] == (
        "ann,ann.ipynb,'-2 is odd")


def test_answers_that_differ_in_numbers_alone_are_one_kind():
    said = ["19 of 20 rows, 1e-5", "3 of 40 rows, 2.5", "", "another", "19 of 20 rows, 7"]
    found = tables.items([graded(f"s{n}", Earned("1.3", 0, 8, text))
                          for n, text in enumerate(said)])
    assert found == [("1.3", 3, "60%", "# of # rows, #"), ("1.3", 1, "20%", "another"),
                     ("1.3", 1, "20%", "right")]
