"""``tlcourse classroom`` says what it does, and what is amiss, in a sentence."""

import subprocess
import sys

import pytest
from hand_ins import LESSON, perfect, save

from tlcourse.school import cli
from tlcourse.school.classroom import command, report
from tlcourse.school.classroom.attempt import Earned, Outcome
from tlcourse.school.classroom.grade import Graded


def test_release_says_what_there_is_to_hand_out(tmp_path, capsys):
    (tmp_path / "students.txt").write_text("ann\n")
    words = ["classroom", "release", "1", "--output", str(tmp_path), "--students",
             str(tmp_path / "students.txt")]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"to hand out: {tmp_path}/release/lesson-01/lesson-01.ipynb",
        f"to hand out: {tmp_path}/variants/lesson-01/ann.ipynb"]


def test_a_dry_run_shows_points_and_reasons(tmp_path, capsys):
    path = save(tmp_path / "mine.ipynb", perfect(ex_1_4="chosen_score = max"))
    assert cli.main(["classroom", "grade", "--dry-run", str(path)]) == 0
    said = capsys.readouterr().out
    assert "   1.3   8 of  8\n" in said
    assert "   1.4   0 of  8  " in said
    assert " total  15 of 23" in said


def test_a_dry_run_needs_nothing_that_a_learner_lacks(tmp_path):
    path = save(tmp_path / "mine.ipynb", perfect())
    code = ("import sys\nfor name in ('nbgrader', 'sqlalchemy', 'jupytext', 'pytest'):\n"
            "    sys.modules[name] = None\n"
            "from tlcourse.school import cli\nsys.exit(cli.main(sys.argv[1:]))")
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
    (["grade", "--dry-run", "{empty}/no.ipynb"], 1, "No such file"),
    (["release", "01", "--students", "{empty}/no.txt"], 1, "No such file"),
])
def test_what_is_amiss_is_said(tmp_path, released, capsys, words, status, said):
    places = {"in": tmp_path / "in", "empty": tmp_path / "empty", "course": released}
    save(tmp_path / "in" / "ann.ipynb", perfect())
    (tmp_path / "empty").mkdir()
    assert cli.main(["classroom", *(word.format(**places) for word in words)]) == status
    assert said in capsys.readouterr().err


def test_without_nbgrader_the_extra_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert command.release([LESSON], str(tmp_path), None) == 1
    assert 'pip install "tlcourse[classroom]"' in capsys.readouterr().err


def graded(student, *earned):
    return Graded(student, f"{student}.ipynb", Outcome(list(earned), ["-2 is odd"]), False, "")


def test_the_tables_hold_no_formula_and_any_text(tmp_path):
    reason = '=SUM(A1), "quoted",\tand 中文'
    report.write(tmp_path, [graded("ann", Earned("1.1", 0, 2, reason))])
    assert (tmp_path / "points.csv").read_text("utf-8-sig").splitlines()[1] == (
        "ann,ann.ipynb,1.1,0,2,\"'=SUM(A1), \"\"quoted\"\",\tand 中文\"")
    assert (tmp_path / "remarks.csv").read_text("utf-8-sig").splitlines()[1] == (
        "ann,ann.ipynb,'-2 is odd")


def test_answers_that_differ_in_numbers_alone_are_one_kind():
    said = ["19 of 20 rows, 1e-5", "3 of 40 rows, 2.5", "", "another", "19 of 20 rows, 7"]
    found = report.items([graded(f"s{n}", Earned("1.3", 0, 8, text))
                          for n, text in enumerate(said)])
    assert found == [("1.3", 3, "60%", "# of # rows, #"), ("1.3", 1, "20%", "another"),
                     ("1.3", 1, "20%", "right")]
