"""Quiz questions come again when they are due, and a keyboard is all that it takes."""

import json
import os
import re
import subprocess
import sys
from datetime import date, datetime, timedelta

import pytest

from tlcourse import files
from tlcourse.school import cli, exercises, leitner, places, progress
from tlcourse.school import review as reviewing
from tlcourse.school.review import review

DAY = date(2030, 1, 1)


class Calendar:
    """The day on which a test happens; it can go on."""

    def __init__(self, monkeypatch):
        self.today = DAY
        monkeypatch.setattr(progress, "now", lambda: datetime(
            self.today.year, self.today.month, self.today.day, 22, 30).astimezone())

    def go_on(self, days=1):
        self.today += timedelta(days=days)


@pytest.fixture
def calendar(course, monkeypatch):
    return Calendar(monkeypatch)


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


def due(day):
    return [question.id for question in reviewing.due(day)]


def entry(workspace, id):
    return json.loads((workspace / "progress.json").read_text(encoding="utf-8"))[f"quiz {id}"]


# When a question comes again


def test_right_answers_on_their_days_double_the_wait_up_to_sixteen_days():
    known, day, waits = {}, DAY, []
    for _ in range(7):
        known |= leitner.step(known, True, day)
        waits.append((date.fromisoformat(known["due"]) - day).days)
        day = date.fromisoformat(known["due"])
    assert waits == [1, 2, 4, 8, 16, 16, 16]


def test_a_wrong_answer_puts_a_question_back_to_the_first_box_from_any_box():
    for box in range(1, 6):
        known = {"box": box, "due": DAY.isoformat()}
        assert leitner.step(known, False, DAY) == {"box": 1, "due": "2030-01-02"}


def test_a_right_answer_before_its_day_changes_nothing_and_a_late_one_counts_from_today():
    known = {"box": 2, "due": "2030-01-03"}
    assert leitner.step(known, True, DAY) == {}
    late = date(2031, 5, 1)
    assert leitner.step(known, True, late) == {"box": 3, "due": "2031-05-05"}


def test_an_answer_in_the_lesson_counts_and_exercises_have_no_boxes(calendar, workspace):
    progress.record("quiz 0.1", True)
    progress.record("0.1", True)
    assert entry(workspace, "0.1")["due"] == "2030-01-02"
    assert not {"box", "due"} & progress.entries()["0.1"].keys()
    assert due(DAY) == [] and due(DAY + timedelta(days=1)) == ["0.1"]


def test_trying_the_options_one_after_the_other_climbs_no_boxes(calendar, workspace):
    for right in (False, False, True, True, True):
        progress.record("quiz 0.1", right)
    assert entry(workspace, "0.1")["box"] == 1
    assert entry(workspace, "0.1")["due"] == "2030-01-02"


def test_those_that_waited_longest_come_first_and_new_ones_last(calendar):
    for id in ("1.1", "0.3"):
        progress.record(f"quiz {id}", True)
        calendar.go_on()
    for id in ("0.1", "0.2"):
        progress.record(id, True)  # all exercises of the tiny lesson 00
    assert due(calendar.today) == ["1.1", "0.3", "0.1", "0.2"]


def test_a_lesson_that_is_not_finished_asks_nothing_new(calendar):
    progress.record("0.1", True)
    assert due(DAY) == []


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
        "last": progress.now().isoformat(timespec="seconds")}
    assert entry(workspace, "99.1") == old["quiz 99.1"]  # of a lesson that is not here


@pytest.mark.parametrize("damage", [{"box": "two"}, {"due": 7}, {"due": "soon"}])
def test_a_damaged_box_is_a_damaged_record_and_is_kept_aside(calendar, workspace, damage):
    damaged = json.dumps({"quiz 0.1": {"tries": 1, "passed": None, **damage}})
    workspace.mkdir()
    (workspace / "progress.json").write_text(damaged, encoding="utf-8")
    assert due(DAY) == []
    (kept,) = workspace.glob("progress-corrupt-*.json")
    assert kept.read_text(encoding="utf-8") == damaged


# A review


def test_each_answer_explains_every_option_and_says_which_was_right(
    calendar, keys, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "999")
    progress.record("quiz 0.1", True)
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
    progress.record("quiz 0.1", True)
    calendar.go_on()
    keys.append(lambda: seen.append(capsys.readouterr().out) or "q")
    seen = []
    review()
    why = [" ".join(option.why.split()[:3]) for option in exercises.question("0.1").options]
    assert seen and not any(words in seen[0] for words in why)


def test_a_review_asks_all_that_is_due_and_says_when_to_come_back(
    calendar, workspace, keys, capsys
):
    progress.record("quiz 0.1", True)
    progress.record("quiz 0.2", True)
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
        progress.record(f"quiz {id}", True)
    calendar.go_on()
    keys += [letter("0.1", calendar.today), *([stop] if stop else [])]
    review()
    assert entry(workspace, "0.1")["box"] == 2 and entry(workspace, "0.2")["tries"] == 1
    assert "1 of 1 right" in (said := capsys.readouterr().out)
    assert said.endswith("Still due: 2 questions.\n")


def test_another_key_is_asked_again_and_no_answer(calendar, workspace, keys, capsys):
    progress.record("quiz 0.1", True)
    calendar.go_on()
    keys += ["", "z", "ab", letter("0.1", calendar.today).upper() + " "]
    review()
    assert capsys.readouterr().out.count("Type one of a, b, c, d") == 3
    assert entry(workspace, "0.1")["tries"] == 2


def test_with_nothing_due_it_says_what_makes_something_due(calendar, keys, capsys):
    review()
    assert "nothing to review yet" in capsys.readouterr().out
    progress.record("quiz 0.1", False)
    review()
    assert "next question comes on 2030-01-02" in capsys.readouterr().out


def test_where_nobody_can_type_it_says_so(calendar, keys, capsys):
    def no_input():
        raise RuntimeError("raw_input was called, but this frontend does not support it")

    progress.record("quiz 0.1", True)
    calendar.go_on()
    keys.append(no_input)
    review()
    assert "needs someone who types" in capsys.readouterr().out


def test_a_record_that_cannot_be_written_is_said_and_the_review_goes_on(
    course, calendar, workspace, keys, capsys, monkeypatch
):
    progress._say_once.cache_clear()
    progress.record("quiz 0.1", True)
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
    texts = {f"{q.id}: {text}" for id in exercises.lessons() for q in exercises.lesson(id).QUIZ
             for option in q.options for text in (option.text, option.why)}
    assert texts and [text for text in texts if places_of.search(text)] == []


# The commands


def test_the_progress_page_says_how_many_are_due(calendar):
    progress.record("quiz 0.1", True)
    assert "To review" not in str(progress.show())
    calendar.go_on()
    shown = progress.show()
    assert f"To review: 1 quiz question, by review() in a notebook or `{places.command()} review`" \
        in str(shown)
    assert "To review: 1 quiz question" in shown._repr_html_()


def test_the_word_review_is_the_function_of_the_notebooks(calendar, keys, capsys):
    import tlcourse

    assert tlcourse.review is review
    progress.record("quiz 0.1", True)
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
    terminal = pexpect.spawn(sys.executable, ["-m", "tlcourse", "review"], cwd=str(files.ROOT),
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
    code = "from tlcourse.school.progress import record; record('quiz 0.1', True)"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=files.ROOT) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert entry(workspace, "0.1")["box"] == 4 and entry(workspace, "0.1")["tries"] == 3
