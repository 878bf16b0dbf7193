"""When a question comes again: right answers double the wait, a wrong one begins anew."""

import json
from datetime import date, timedelta

import pytest

from tlcourse.notebook import leitner, progress, record

DAY = date(2030, 1, 1)


def due(day):
    return [question.id for question in progress.due(day)]


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


def test_an_answer_in_the_lesson_counts_and_exercises_have_no_boxes(calendar):
    record.record("quiz 0.1", True)
    record.record("0.1", True)
    assert record.entries()["quiz 0.1"]["due"] == "2030-01-02"
    assert not {"box", "due"} & record.entries()["0.1"].keys()
    assert due(DAY) == [] and due(DAY + timedelta(days=1)) == ["0.1"]


def test_trying_the_options_one_after_the_other_climbs_no_boxes(calendar):
    for right in (False, False, True, True, True):
        record.record("quiz 0.1", right)
    assert record.entries()["quiz 0.1"]["box"] == 1
    assert record.entries()["quiz 0.1"]["due"] == "2030-01-02"


def test_those_that_waited_longest_come_first_and_new_ones_last(calendar):
    for id in ("1.1", "0.3"):
        record.record(f"quiz {id}", True)
        calendar.go_on()
    for id in ("0.1", "0.2"):
        record.record(id, True)  # all exercises of the tiny lesson 00
    assert due(calendar.today) == ["1.1", "0.3", "0.1", "0.2"]


def test_a_lesson_that_is_not_finished_asks_nothing_new(calendar):
    record.record("0.1", True)
    assert due(DAY) == []


@pytest.mark.parametrize("damage", [{"box": "two"}, {"due": 7}, {"due": "soon"}])
def test_a_damaged_box_is_a_damaged_record_and_is_kept_aside(calendar, workspace, damage):
    damaged = json.dumps({"quiz 0.1": {"tries": 1, "passed": None, **damage}})
    workspace.mkdir()
    (workspace / "progress.json").write_text(damaged, encoding="utf-8")
    assert due(DAY) == []
    (kept,) = workspace.glob("progress-corrupt-*.json")
    assert kept.read_text(encoding="utf-8") == damaged
