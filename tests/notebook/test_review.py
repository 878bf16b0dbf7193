"""A review asks and explains all that is due, and a keyboard is all that it takes."""

import json
import os
import re
import subprocess
import sys
from datetime import date, timedelta

import pytest

from tlcourse.notebook import exercises, places, progress, record
from tlcourse.notebook import review as reviewing
from tlcourse.notebook.review import review
from tlcourse.utils import files
from tlschool.cli import main as cli

DAY = date(2030, 1, 1)


@pytest.fixture
def keys(monkeypatch):
    """Keys that will be typed, a line each; after the last one the input ends, as at Ctrl-D."""
    typed = []

    def line(prompt=""):
        print(prompt, end="")
        if not typed:
            raise EOFError
        key = typed.pop(0)
        return key() if callable(key) else key

    monkeypatch.setattr("builtins.input", line)
    return typed


def letter(id, today, *, right=True):
    """What to type for the right answer to a question, or for a wrong one."""
    question = exercises.question(id)
    correct = question.by_letter()[question.right]
    return next(key for key, option in reviewing.shuffled(question, today).items()
                if (option is correct) == right)


def entry(workspace, id):
    return json.loads((workspace / "progress.json").read_text(encoding="utf-8"))[f"quiz {id}"]


# A review


def test_a_record_from_before_there_were_boxes_is_due_and_lost_nothing(
    calendar, workspace, keys
):
    old = {"quiz 0.1": {"tries": 2, "passed": "2029-01-01T00:00:00+00:00", "last": "2029-01-01"},
           "quiz 99.1": {"tries": 1, "passed": None, "last": "2029-01-01"}}
    workspace.mkdir()
    (workspace / "progress.json").write_text(json.dumps(old), encoding="utf-8")
    keys.append(letter("0.1", DAY))
    review()
    assert entry(workspace, "0.1") == {
        "tries": 3, "passed": "2029-01-01T00:00:00+00:00", "box": 1, "due": "2030-01-02",
        "last": record.now().isoformat(timespec="seconds")}
    assert entry(workspace, "99.1") == old["quiz 99.1"]  # of a lesson that is not here


def test_each_answer_explains_every_option_and_says_which_was_right(
    calendar, keys, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "999")
    record.record("quiz 0.1", True)
    calendar.go_on()
    chosen = letter("0.1", calendar.today, right=False)
    keys.append(chosen)
    review()
    said = " ".join(capsys.readouterr().out.split())
    question = exercises.question("0.1")
    assert question.text in said and "Not yet." in said and "0 of 1 right" in said
    for key, option in reviewing.shuffled(question, calendar.today).items():
        verdict = "right" if option is question.by_letter()[question.right] else "wrong"
        yours = ", your choice" * (key == chosen)
        assert f"{key}) {option.text} {verdict}{yours}: {option.why}" in said


def test_nothing_is_explained_before_the_answer(calendar, keys, capsys):
    record.record("quiz 0.1", True)
    calendar.go_on()
    keys.append(lambda: seen.append(capsys.readouterr().out) or "q")
    seen = []
    review()
    why = [" ".join(option.why.split()[:3]) for option in exercises.question("0.1").options]
    assert seen and not any(words in seen[0] for words in why)


def test_a_review_asks_all_that_is_due_and_says_when_to_come_back(
    calendar, workspace, keys, capsys
):
    record.record("quiz 0.1", True)
    record.record("quiz 0.2", True)
    calendar.go_on()
    keys += [letter("0.1", calendar.today), letter("0.2", calendar.today, right=False)]
    review()
    said = capsys.readouterr().out
    assert "1 of 2 right" in said
    assert said.endswith("Nothing is due any more. The next question comes on 2030-01-03.\n")
    assert (entry(workspace, "0.1")["box"], entry(workspace, "0.2")["box"]) == (2, 1)


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("stop", ["q", " Q ", "exit", None, interrupt])
def test_stopping_keeps_what_was_answered(calendar, workspace, keys, capsys, stop):
    for id in ("0.1", "0.2", "0.3"):
        record.record(f"quiz {id}", True)
    calendar.go_on()
    keys += [letter("0.1", calendar.today), *([stop] if stop else [])]
    review()
    assert entry(workspace, "0.1")["box"] == 2 and entry(workspace, "0.2")["tries"] == 1
    assert "1 of 1 right" in (said := capsys.readouterr().out)
    assert said.endswith("Still due: 2 questions.\n")


def test_another_key_is_asked_again_and_no_answer(calendar, workspace, keys, capsys):
    record.record("quiz 0.1", True)
    calendar.go_on()
    keys += ["", "z", "ab", letter("0.1", calendar.today).upper() + " "]
    review()
    assert capsys.readouterr().out.count("Type one of a, b, c, d") == 3
    assert entry(workspace, "0.1")["tries"] == 2


def test_with_nothing_due_it_says_what_makes_something_due(calendar, keys, capsys):
    review()
    assert "nothing to review yet" in (said := capsys.readouterr().out)
    assert max(map(len, said.splitlines())) <= 80
    record.record("quiz 0.1", False)
    review()
    assert "next question comes on 2030-01-02" in capsys.readouterr().out


def test_where_nobody_can_type_it_says_so(calendar, keys, capsys):
    def no_input():
        raise RuntimeError("raw_input was called, but this frontend does not support it")

    record.record("quiz 0.1", True)
    calendar.go_on()
    keys.append(no_input)
    review()
    assert "needs someone who types" in capsys.readouterr().out


def test_a_record_that_cannot_be_written_is_said_and_the_review_goes_on(
    course, calendar, workspace, keys, capsys, monkeypatch
):
    record._say_once.cache_clear()
    record.record("quiz 0.1", True)
    calendar.go_on()
    keys.append(letter("0.1", calendar.today))

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(files, "write_atomically", full)
    review()
    said = capsys.readouterr()
    assert "1 of 1 right" in said.out and "Your progress is not kept" in said.err
    assert entry(workspace, "0.1")["box"] == 1


# The order of the options


def test_the_order_is_the_same_all_day_and_another_on_other_days():
    question = exercises.question("0.1")
    orders = [tuple(option.text for option in reviewing.shuffled(question, day).values())
              for day in (DAY + timedelta(days=n // 2) for n in range(40))]
    assert orders[0::2] == orders[1::2]
    assert len(set(orders)) > 10


def test_no_option_speaks_of_its_place_for_it_has_none():
    places_of = re.compile(r"\b(?:all|none|both) of the above\b|\boptions? [a-h]\b|\b[a-h]\)|"
                           r"\bthe (?:first|second|third|last) (?:option|answer|choice)\b", re.I)
    texts = {f"{q.id}: {text}" for id in exercises.lessons() for q in exercises.lesson(id).questions
             for option in q.options for text in (option.text, option.why)}
    assert texts and [text for text in texts if places_of.search(text)] == []


# The commands


def test_the_progress_page_says_how_many_are_due(calendar):
    record.record("quiz 0.1", True)
    assert "To review" not in str(progress.show())
    calendar.go_on()
    shown = progress.show()
    called = f"review() or `{places.command()} review`"
    assert f"To review: 1 quiz question, with {called}." in str(shown).splitlines()
    assert max(map(len, str(shown).splitlines())) <= 80
    assert "To review: 1 quiz question" in shown._repr_html_()


def test_the_word_review_is_the_function_of_the_notebooks(calendar, keys, capsys):
    import tlcourse

    assert tlcourse.review is review
    record.record("quiz 0.1", True)
    calendar.go_on()
    keys.append("q")
    assert cli.main(["review"]) == 0
    assert "Question 1 of 1: quiz 0.1" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="it needs a terminal as Linux and macOS have it")
def test_in_a_real_terminal_a_letter_and_enter_are_enough(workspace):
    pexpect = pytest.importorskip("pexpect")
    workspace.mkdir()
    answered = {"quiz 0.1": {"tries": 1, "passed": None, "last": "", "box": 3, "due": "2020-01-01"}}
    (workspace / "progress.json").write_text(json.dumps(answered), encoding="utf-8")
    terminal = pexpect.spawn(sys.executable, ["-m", "tlschool", "review"], cwd=str(files.ROOT),
                             timeout=30, encoding="utf-8")
    terminal.expect("Question 1 of 1: quiz 0.1")
    terminal.expect("a, b, c, d or q: ")
    terminal.sendline("a")
    terminal.expect("your choice: ")
    terminal.expect("The next question comes on")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert entry(workspace, "0.1")["tries"] == 2 and entry(workspace, "0.1")["box"] in (1, 4)


def test_two_reviews_at_once_move_a_question_up_one_box_only(course, workspace):
    workspace.mkdir()
    answered = {"quiz 0.1": {"tries": 1, "passed": None, "last": "", "box": 3, "due": "2020-01-01"}}
    (workspace / "progress.json").write_text(json.dumps(answered), encoding="utf-8")
    code = "from tlcourse.notebook.record import record; record('quiz 0.1', True)"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=files.ROOT) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert entry(workspace, "0.1")["box"] == 4 and entry(workspace, "0.1")["tries"] == 3
