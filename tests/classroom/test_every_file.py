"""Every file that is given gets a row, whatever it is called and whatever becomes of it."""

import csv
import io
import json
import os
import sys
import unicodedata

import pytest
from hand_ins import LIMITS, cell, given, perfect, save

from tlschool.classroom import command, execute, gradebook
from tlschool.classroom.clean import clean, read, student_name
from tlschool.classroom.collect import left_out, notices, printable, submissions
from tlschool.classroom.execute import Earned, Outcome

LATIN_1 = os.fsdecode("Müller.ipynb".encode("latin-1"))
BYTES = pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")


@pytest.fixture
def graded(released, tmp_path, monkeypatch):
    """Grades the folder ``in``, in which every answer is right, and reads a table."""
    monkeypatch.setattr(execute, "run", lambda submission, given, limits, stopped: Outcome(
        [Earned(task.id, task.points, task.points, "") for task in given.tasks.values()]))
    monkeypatch.setattr(gradebook, "enter", lambda *given: None)
    course = tmp_path / "course"
    (course / "release" / "lesson-01").mkdir(parents=True)

    def table(name="totals"):
        table.status = command.grade(str(tmp_path / "in"), "01", str(course), LIMITS)
        text = (course / f"reports/lesson-01/{name}.csv").read_text("utf-8-sig")
        return [row[1:] for row in csv.reader(io.StringIO(text))][1:]

    return table


@BYTES
def test_a_name_in_latin_1_gets_its_points_and_so_does_everybody_else(graded, tmp_path, capsys):
    for name in (LATIN_1, "ann.ipynb"):
        save(tmp_path / "in" / name, perfect())
    assert graded() == [[r"M\udcfcller.ipynb", "23", "23", "", ""],
                        ["ann.ipynb", "23", "23", "", ""]]
    assert graded.status == 0


@pytest.mark.parametrize("name", ["x" * 237 + ".ipynb", "课" * 79 + ".ipynb"])
def test_a_name_as_long_as_the_disk_can_have_it_gets_its_points(graded, tmp_path, name):
    save(tmp_path / "in" / name, perfect())
    assert graded() == [[name, "23", "23", "", ""]]


def test_long_names_with_the_same_beginning_are_two_students():
    one, other = student_name("x" * 200 + "a"), student_name("x" * 200 + "b")
    assert one != other and len(one) == len(other) == 120
    assert len(student_name("课" * 100).encode()) <= 120
    assert student_name("x" * 120) == "x" * 120


def test_what_the_grader_could_not_do_is_a_row_and_no_zero_that_counts(
    graded, tmp_path, capsys, monkeypatch
):
    for name in ("ann.ipynb", "bob.ipynb"):
        save(tmp_path / "in" / name, perfect())
    real = type(tmp_path).read_bytes

    def locked(path):
        if path.name == "bob.ipynb":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(type(tmp_path), "read_bytes", locked)
    assert graded() == [["ann.ipynb", "23", "23", "", ""],
                        ["bob.ipynb", "", "23", "", "could not be graded: Permission denied"]]
    assert graded("points")[-1] == ["bob.ipynb", "1.4", "0", "8",
                                    "could not be graded: Permission denied."]
    assert graded.status == 1 and "bob: could not be graded: Permission denied\n" in (
        capsys.readouterr().err)


def test_points_that_nbgrader_does_not_take_are_in_the_table(graded, tmp_path, monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    save(tmp_path / "in" / "ann.ipynb", perfect())
    monkeypatch.setattr(gradebook, "enter", full)
    note = "graded, and not entered into nbgrader: No space left on device"
    assert graded() == [["ann.ipynb", "23", "23", "", note]]
    assert graded.status == 1


@pytest.mark.skipif(sys.platform == "win32", reason="making a link needs rights there")
def test_links_empty_files_and_pipes_get_a_row_and_nothing_waits_for_them(graded, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "loop.ipynb").symlink_to("loop.ipynb")
    (folder / "nowhere.ipynb").symlink_to("not there")
    (folder / "empty.ipynb").touch()
    os.mkfifo(folder / "pipe.ipynb")
    rows = graded("points")
    assert {row[0]: row[-1] for row in rows} == {
        "loop.ipynb": "the file is a link to another one.", "empty.ipynb": "the file is empty.",
        "nowhere.ipynb": "the file is a link to another one.",
        "pipe.ipynb": "this is no ordinary file."}
    assert len(rows) == 16


def test_what_is_not_graded_is_said_and_in_a_table(graded, tmp_path, capsys):
    for name in ("ann.ipynb", ".bob.ipynb", "eve.py", ".hidden/tom.ipynb",
                 ".ipynb_checkpoints/ann-checkpoint.ipynb"):
        save(tmp_path / "in" / name, perfect())
    (tmp_path / "in" / "folder.ipynb").mkdir()
    rows = [row for row in graded("remarks") if row[0] != "ann.ipynb"]
    assert rows == [
        ["eve.py", "could not be graded: it is no notebook"],
        [".bob.ipynb", "could not be graded: its name, or that of its folder, begins with a dot"],
        [".hidden/tom.ipynb",
         "could not be graded: its name, or that of its folder, begins with a dot"],
        ["folder.ipynb", "could not be graded: it is a folder that is called as a notebook"]]
    said = capsys.readouterr().err
    assert ".bob.ipynb, .hidden/tom.ipynb; rename it if it is a hand-in" in said
    assert "it is a folder that is called as a notebook: folder.ipynb" in said


@BYTES
def test_names_that_would_write_to_the_screen_are_shown_with_backslashes(tmp_path):
    for name in ("two\nlines.txt", "clear\x1b[2J.txt", "gpj.\u202etxt", LATIN_1 + ".txt"):
        (tmp_path / name).touch()
    assert set(left_out(tmp_path)) == {
        r"two\nlines.txt", r"clear\x1b[2J.txt", r"gpj.\u202etxt", r"M\udcfcller.ipynb.txt"}
    assert all(one.isprintable() for one in notices(tmp_path, "lesson-01", tmp_path))
    assert printable("Åsa 李雷.ipynb") == "Åsa 李雷.ipynb"


@BYTES
def test_names_that_differ_in_case_or_in_unicode_form_alone_are_one_student(tmp_path):
    for name in ("Zoë.ipynb", unicodedata.normalize("NFD", "Zoë.ipynb"), "ZOË.ipynb"):
        save(tmp_path / name, perfect())
    assert sorted(map(str.casefold, submissions(tmp_path, "lesson-01", tmp_path))) == [
        "zoë", "zoë_2", "zoë_3"]


def test_an_error_that_no_encoding_has_is_in_the_table(graded, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "run", lambda submission, given, limits, stopped: Outcome(
        [Earned("1.1", 0, 2, "its cell stopped with ValueError: \udcfc.")]))
    save(tmp_path / "in" / "ann.ipynb", perfect())
    assert graded("points")[0][-1] == r"its cell stopped with ValueError: \udcfc."


def test_a_console_without_the_letters_of_a_name_gets_backslashes(tmp_path, monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    command._say("李: ü", to=console)
    console.flush()
    assert console.buffer.getvalue().strip() == rb"\u674e: \xfc"


@pytest.mark.parametrize("metadata", [{"nbgrader": None}, {"nbgrader": 7}, {}, None])
def test_one_cell_with_odd_metadata_is_a_cell_of_ones_own(tmp_path, metadata):
    notebook = perfect()
    cell(notebook, "01-ex-1-4")["metadata"] = {"here": 1}
    path = save(tmp_path / "a.ipynb", notebook)
    stored = json.loads(path.read_text("utf-8"))
    next(one for one in stored["cells"] if "here" in one["metadata"])["metadata"] = metadata
    path.write_text(json.dumps(stored), "utf-8")
    done = clean(read(path), given())
    assert cell(done.notebook, "01-ex-1-4").source == cell(perfect(), "01-ex-1-4").source


def test_half_of_a_character_in_a_cell_can_be_saved(tmp_path):
    path = save(tmp_path / "a.ipynb", perfect(ex_1_1="guess = 0.1  # here"))
    path.write_text(path.read_text("utf-8").replace("# here", r"# \ud83d"), "utf-8")
    done = clean(read(path), given())
    assert cell(done.notebook, "01-ex-1-1").source == "guess = 0.1  # ?"
    save(tmp_path / "b.ipynb", done.notebook)
