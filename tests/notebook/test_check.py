"""Checks judge the learner's own answer, lend the reference and never mistake one for the other."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace

import fake_lesson
import numpy as np
import pytest
import torch

import tlcourse
from tlcourse import check, hint, judge
from tlcourse.notebook import exercises, record
from tlcourse.notebook.ladder import changed, exists, one_of


@pytest.fixture(autouse=True)
def lesson(tmp_path, monkeypatch):
    fake_lesson.lay_out(tmp_path, monkeypatch)
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("tlcourse.notebook.hint._hints_given", {})


@pytest.fixture
def recorded(monkeypatch):
    items = []
    monkeypatch.setattr(record, "record", lambda item, passed: items.append((item, passed)))
    return items


def added(exercise, monkeypatch):
    """One more exercise in the lesson."""
    there = exercises.lesson("90")
    more = replace(there, exercises=(*there.exercises, exercise))
    monkeypatch.setattr(exercises, "lesson", lambda id: more)


def exercise(reference, *checks, id="90.9"):
    hints = ("a", "b", "c")
    return exercises.Exercise(id, "t", "write", 1, reference, checks or (lambda a, s: "no",), hints)


def test_an_answer_that_passes_comes_back_itself(capsys, recorded):
    def double(x):
        return x + x

    assert check("90.2", double) is double
    assert capsys.readouterr().out == "90.2 passed: every check holds.\n"
    assert recorded == [("90.2", True)]


def test_an_answer_that_does_not_pass_is_replaced_by_the_reference_and_the_line_says_so(
    capsys, recorded
):
    double = check("90.2", lambda x: x)
    assert double(4) == 8
    assert capsys.readouterr().out == (
        "90.2 not yet: what comes back is what went in. (The reference solution stands in\n"
        'for now, so the rest of the lesson runs; hint("90.2") helps.)\n')
    assert recorded == [("90.2", False)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("answer", "said"), [
    (None, "there is no answer yet"),
    (..., "there is no answer yet"),
    ("seven", "one number is needed, and this is of type str."),
    (True, "one number is needed, and this is of type bool."),
    (float("nan"), "such a number lies between 0 and 99"),
    (100, "such a number lies between 0 and 99, and this is 100."),
    (8, "count again: fewer than that."),
])
def test_the_ladder_stops_at_the_first_step_that_fails(answer, said, seed):
    result = check.grade("90.1", answer, seed=seed)
    assert not result.passed and result.message.startswith(said)


def empty(x):
    """Twice x."""


def raises(x):
    message = "no\nsuch thing"
    raise KeyError(message)


def divides(x):
    return x / 0


def refuses(x):
    message = "no such thing"
    raise LookupError(message)


def leaves(x):
    sys.exit(3)


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


def raises_unprintable(x):
    raise Unprintable


@pytest.mark.parametrize(("answer", "said"), [
    (7, "a function of 1 (x) is needed, and this is of type int."),
    (7, "Hand over the function by its name, without calling it."),
    (torch.nn.ReLU(), "and this is of type ReLU. Hand over the function by its name"),
    (lambda: 7, "a function of 1 (x) is needed, and this one takes ()."),
    (empty, "`empty` has no body yet"),
    (raises, "`raise KeyError(message)`: there is no entry 'no\\nsuch thing' here"),
    (divides, "`return x / 0`: this divides by 0 (ZeroDivisionError: division by zero)."),
    (refuses, "your code raised LookupError: no such thing (line"),
    (leaves, "your code raised SystemExit: 3 (line"),
    (raises_unprintable, "Unprintable"),
    (int("7").__add__, "what comes back is not twice"),
    (print, "what comes back is not twice"),
])
def test_whatever_a_function_does_the_message_is_about_it(answer, said, capsys):
    result = check.grade("90.2", answer)
    assert not result.passed and said in result.message
    assert "\n" not in result.message and capsys.readouterr().out == ""


def test_the_line_named_is_the_deepest_of_the_learner_s_own():
    def helper(x):
        return x.missing

    def double(x):
        return helper(x) + np.mean([helper])

    said = check.grade("90.2", double).message
    assert "`return x.missing`" in said and said.startswith("your code stopped in line")


def test_an_error_in_a_method_of_a_class_names_its_line(monkeypatch):
    class Doubler:
        @staticmethod
        def double(x):
            return x + nothing  # noqa: F821, the error itself

    added(exercise(lambda: 3, lambda answer, seed: answer.double(2)), monkeypatch)
    assert "`return x + nothing" in check.grade("90.9", Doubler).message


def test_an_error_outside_the_learner_s_code_is_told_of_what_was_handed_in(monkeypatch):
    added(exercise(lambda: 3, lambda answer, seed: answer[7]), monkeypatch)
    assert check.grade("90.9", [1]).message == (
        "what you handed in stopped when it was tried: the list has no entry at this place: places "
        "go from 0 to its length - 1 (IndexError: list index out of range).")


def test_an_error_about_shapes_tells_the_shapes_of_its_line():
    def double(x):
        small, table = np.ones(3), np.ones((2, 4))
        return x * small * table

    assert check.grade("90.2", double).message.endswith(
        "There `small` is (3,), `table` is (2, 4).")


def test_a_function_that_changes_what_it_was_given_is_told_so():
    assert changed(x=([1, 2], [1, 2]), y=(np.ones(2), np.ones(2))) is None
    assert changed(x=([1, 2], [1, 2]), y=([1, 2], [2, 1])).startswith("`y` itself was changed")


def test_an_interrupt_by_hand_gets_through():
    def double(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.grade("90.2", double)


def test_what_a_function_prints_while_it_is_checked_is_not_shown(capsys):
    def double(x):
        print("now", x)
        return 2 * x

    check("90.2", double)
    assert capsys.readouterr().out.count("\n") == 1


def test_each_wrong_choice_has_its_own_message():
    is_choice, is_right = one_of("b", {"a": "too early.", "c": "too late."})
    assert [is_right(answer, 0) for answer in ("b", " B ", "a", "c")] == [
        None, None, "too early.", "too late."]
    assert [is_choice(answer, 0) for answer in ("b", " B ", "a")] == [None, None, None]
    assert is_choice("z", 0) == is_choice(["b"], 0) == (
        "choose one of 'a', 'b', 'c': a single letter, in quotes.")


@pytest.mark.parametrize(("prediction", "passed", "said"), [
    (7, True, "90.1 passed, with 7: every check holds."),
    (8, False, "90.1 came out otherwise than 8: count again: fewer than that."),
])
def test_a_prediction_is_kept_without_a_verdict_and_judged_later(
    prediction, passed, said, capsys, recorded
):
    kept = check("90.1", prediction)
    assert kept is prediction and recorded == []
    assert capsys.readouterr().out == (
        "90.1 is recorded, and judged after the measurement.\n")
    judge("90.1", kept)
    assert capsys.readouterr().out == f"{said}\n" and recorded == [("90.1", passed)]


@pytest.mark.parametrize("nothing", [..., "seven", 100])
def test_what_is_no_prediction_is_said_at_once_and_never_judged(nothing, capsys, recorded):
    lent = check("90.1", nothing)
    assert capsys.readouterr().out.startswith("90.1 not yet: ")
    judge("90.1", lent)
    assert "90.1 has no prediction of your own" in capsys.readouterr().out
    assert recorded == [("90.1", False)]


REFERENCES = [
    lambda: 3, lambda: 0.5, lambda: "b", lambda: (1, 2), lambda: [1, 2], lambda: {"a": 1},
    lambda: np.arange(3), lambda: np.float64(2), lambda: len.__call__, lambda: fake_lesson.built,
]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: type(r()).__name__)
def test_a_lent_reference_is_not_an_answer_and_an_equal_answer_is(
    reference, monkeypatch, capsys, recorded
):
    added(exercise(reference, exists(-1)), monkeypatch)
    lent = check("90.9", None)
    again = check("90.9", lent)
    assert "not yet: this is the reference that was lent to you" in capsys.readouterr().out
    assert check("90.9", again) is not None
    assert not check.grade("90.9", lent).passed
    assert not any(passed for _, passed in recorded)
    assert check("90.9", reference()) is not None
    assert recorded[-1] == ("90.9", True)


@pytest.mark.parametrize("value", [3, 0.5, "b", (1, 2)])
def test_a_lent_value_works_like_the_plain_one(value, monkeypatch):
    added(exercise(lambda: value), monkeypatch)
    lent = check("90.9", None)
    assert lent == value and hash(lent) == hash(value) and repr(lent) == repr(value)
    assert isinstance(lent, type(value)) and lent + lent == value + value
    for twin in (pickle.loads(pickle.dumps(lent)), copy.deepcopy(lent)):
        assert type(twin) is type(value) and twin == value


@pytest.mark.parametrize("value", [True, False, None])
def test_a_reference_of_which_there_is_only_one_is_refused(value, monkeypatch, capsys):
    added(exercise(lambda: value), monkeypatch)
    assert check("90.9", 5) == 5
    assert "a reference may not be" in capsys.readouterr().out


def test_a_reference_that_cannot_be_made_stops_no_lesson(monkeypatch, capsys):
    added(exercise(lambda: 1 / 0), monkeypatch)
    assert check("90.9", 5) == 5
    assert " ".join(capsys.readouterr().out.split()) == (
        "90.9 not yet: no (No reference can stand in: ZeroDivisionError: division by zero.)")


def test_progress_that_cannot_be_kept_stops_no_lesson(monkeypatch, capsys):
    def full(item, passed):
        raise OSError("disk full")

    monkeypatch.setattr(record, "record", full)
    check("90.2", lambda x: 2 * x)
    assert "90.2 passed" in capsys.readouterr().out


def test_an_unknown_id_is_one_sentence_that_names_those_there_are(capsys):
    assert check("90.7", 5) == 5
    hint("90.7")
    hint(90.1)
    said = "there is no exercise '90.7'; there are: 90.1, 90.2."
    number = "there is no exercise 90.1; there are: '90.1', '90.2'."
    assert capsys.readouterr().out == f"{said}\n{said}\n{number}\n"
    assert check.grade("90.7", 5).message == said
    assert "90.1" in check.grade("77.1", 5).message
    assert "90.1" in check.grade(None, 5).message


LONG = "one-word-of-ninety-columns-" + 63 * "x"


@pytest.mark.parametrize("words", [50 * ["well-known"], [LONG], ["a", LONG, "b"], ["a" * 79, "b"]])
def test_lines_end_between_words_and_no_word_is_lost(words, monkeypatch, capsys):
    added(exercise(lambda: 7, lambda answer, seed: " ".join(words)), monkeypatch)
    check("90.9", 5)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 or line == LONG for line in lines)
    printed = " ".join(lines).split()
    said = check.grade("90.9", 5).message
    assert printed[:3] == ["90.9", "not", "yet:"]
    assert printed[3 : 3 + len(said.split())] == said.split() and "\n" not in said


def test_hints_come_one_after_the_other_and_the_last_stays(capsys):
    for _ in range(4):
        hint("90.2")
    hint("90.2", 1)
    hint("90.2", 9)
    assert capsys.readouterr().out.splitlines() == [
        "90.2 hint 1 of 3: Add.", "90.2 hint 2 of 3: x + x", "90.2 hint 3 of 3: return 2 * x",
        "90.2 hint 3 of 3: return 2 * x", "90.2 hint 1 of 3: Add.",
        "90.2 has hints 1, 2 and 3, and 9 is none of them."]


def test_the_package_hands_on_the_checks_without_loading_torch():
    code = "import sys, tlcourse; tlcourse.check; tlcourse.hint; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert tlcourse.check.grade is tlcourse.notebook.check.grade


def test_a_gap_left_open_inside_an_answer_is_called_a_gap():
    def double(x):
        twice = ...
        return twice + x

    assert "a gap, `...`, is still open" in check.grade("90.2", double).message
