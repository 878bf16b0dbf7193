import re
import subprocess
import sys

import pytest

from tlcourse import __version__
from tlcourse.notebook import exercises
from tlcourse.utils import files
from tlschool.cli import lab
from tlschool.cli import main as cli


def python(*words):
    return subprocess.run(
        [sys.executable, *words], cwd=files.ROOT, capture_output=True, encoding="utf-8",
        check=False, timeout=60,
    )


@pytest.mark.parametrize("package", ["tlschool", "tlcourse"])
def test_the_module_is_the_command(package):
    assert python("-m", package, "--version").stdout == f"tlcourse {__version__}\n"


def test_help_is_quick_because_nothing_heavy_is_loaded():
    done = python("-c", "import sys, tlschool.cli.main; print(*sys.modules)")
    loaded = set(done.stdout.split())
    assert "tlschool.cli.main" in loaded
    assert not loaded & {"torch", "numpy", "nbformat", "nbclient", "jupyterlab", "psutil", "tqdm"}


def test_help_lists_every_word(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    words = ("lab", "run", "doctor", "progress", "review", "hint", "solution", "reset", "live",
             "slides", "schedule", "diagnose", "choose", "predict", "new", "build", "refresh",
             "classroom", "test", "bench")
    assert all(re.search(rf"\n    {word}\s", said) for word in words)


@pytest.mark.parametrize("word", ["test", "bench"])
def test_what_only_the_launcher_can_do_is_said(capsys, word):
    assert cli.main([word]) == 2
    assert f"`python course.py {word}`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [([], "required: WORD"), (["frob"], "invalid choice: 'frob'"), (["run"], "required: lesson"),
     (["lab", "00", "01"], "unrecognized arguments: 01"), (["doctor", "--fast"], "--fast"),
     (["live"], "required: lesson;"), (["schedule"], "required: length;"),
     (["hint", "0.1", "4"], "choose from 1, 2, 3"), (["new", "17"], "required: slug;"),
     (["doctor", "--", "--port"], "unrecognized arguments:")],  # only `lab` hands on
)
def test_words_that_make_no_sense_end_in_one_sentence(capsys, words, reason):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert reason in said and "--help" in said and said.count("\n") == 1


@pytest.mark.parametrize("words", [["lab", "07"], ["run", "07"], ["run", "00", "--solutions"],
                                   ["reset", "x"], ["build", "07"]])
def test_an_unknown_lesson_ends_in_one_sentence_and_copies_nothing(
    course, workspace, capsys, words
):
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert "there is no lesson" in said and said.count("\n") == 1
    assert not workspace.exists()


@pytest.mark.parametrize(
    ("words", "started"),
    [
        (["lab"], ("00", [])),
        (["lab", "01"], ("01", [])),
        (["lab", "--", "--debug"], ("00", ["--debug"])),
        (["lab", "1", "--", "--no-browser", "--port", "9"], ("1", ["--no-browser", "--port", "9"])),
        (["lab", "01", "--port", "9", "--no-browser"], ("01", ["--port", "9", "--no-browser"])),
        (["lab", "--port", "9"], ("00", ["--port", "9"])),
        (["lab", "--debug", "--help-all"], ("00", ["--debug", "--help-all"])),
        (["lab", "--", "--help"], ("00", ["--help"])),
    ],
)
def test_lab_hands_on_the_options_that_follow_it(course, workspace, monkeypatch, words, started):
    calls = []
    monkeypatch.setattr(lab, "start", lambda *args: calls.append(args))
    assert cli.main(words) == 0
    assert calls == [started]
    assert (workspace / "00_start-here.ipynb").is_file()


@pytest.mark.parametrize("words", [["lab", "--help"], ["lab", "01", "-h"]])
def test_lab_shows_its_own_help(capsys, words):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0 and "such as 01; 00 by default" in capsys.readouterr().out


def test_reset_and_progress_say_what_they_did(course, capsys):
    assert cli.main(["reset", "01"]) == cli.main(["progress"]) == 0
    said = capsys.readouterr().out
    assert "01_training.ipynb is fresh." in said and "Next: exercise 0.1" in said


@pytest.mark.parametrize("word", ["build", "refresh"])
@pytest.mark.parametrize(
    ("words", "called"), [([], ([], False)), (["00", "1", "--check"], (["00", "1"], True))]
)
def test_build_and_refresh_are_called_and_their_code_handed_on(monkeypatch, word, words, called):
    monkeypatch.setattr(f"tlschool.authoring.{word}.{word}",
                        lambda ids, *, check: 5 if (ids, check) == called else 0)
    assert cli.main([word, *words]) == 5


def test_a_new_lesson_gets_the_number_and_the_name_that_were_given(monkeypatch):
    monkeypatch.setattr("tlschool.authoring.new.new",
                        lambda *given: 5 if given == ("17", "my-lesson") else 0)
    assert cli.main(["new", "17", "my-lesson"]) == 5


def test_hints_can_be_read_in_a_terminal(capsys):
    hints = exercises.get("0.1").hints
    assert cli.main(["hint", "0.1"]) == cli.main(["hint", "0.1", "3"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert " ".join(said.split()) == f"0.1 hint 1 of 3: {hints[0]} 0.1 hint 3 of 3: {hints[2]}"
    assert cli.main(["hint", "x"]) == 2
    assert capsys.readouterr().err.startswith("tlcourse: there is no exercise 'x'")


def test_a_reader_that_has_seen_enough_ends_it_quietly():
    code = ("import sys; from tlschool.cli import main as cli; sys.stdin.read(); "
            "sys.exit(cli.main(['hint', '0.1']))")
    words = subprocess.Popen([sys.executable, "-c", code], cwd=files.ROOT, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    words.stdout.close()
    words.stdin.close()
    assert words.stderr.read() == b"" and words.wait(60) == 1
    words.stderr.close()


def test_ctrl_c_ends_quietly(course, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(lab, "start", interrupted)
    assert cli.main(["lab"]) == 130
    assert capsys.readouterr().err == "tlcourse: stopped\n"
