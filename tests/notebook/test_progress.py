import errno
import json
import re
import subprocess
import sys
from datetime import datetime

import pytest

from tlcourse.notebook import progress, record
from tlcourse.utils import files


@pytest.fixture(autouse=True)
def say_again():
    """What is said once a process is said once a test."""
    record._say_once.cache_clear()


def entries(workspace):
    return json.loads((workspace / "progress.json").read_text(encoding="utf-8"))


def test_tries_are_counted_and_dated(workspace):
    record.record("0.1", False)
    record.record("0.1", True)
    entry = entries(workspace)["0.1"]
    assert entry["tries"] == 2
    assert datetime.fromisoformat(entry["passed"]) <= datetime.fromisoformat(entry["last"])


def test_a_failure_alone_is_not_a_pass(workspace):
    record.record("0.1", False)
    assert entries(workspace)["0.1"]["passed"] is None


def test_neither_a_later_failure_nor_a_later_pass_changes_the_first_pass(workspace):
    first = {"0.1": {"tries": 1, "passed": "2020-01-01T00:00:00+00:00", "last": "2020-01-01"}}
    workspace.mkdir()
    (workspace / "progress.json").write_text(json.dumps(first), encoding="utf-8")
    record.record("0.1", False)
    record.record("0.1", True)
    entry = entries(workspace)["0.1"]
    assert entry["passed"] == "2020-01-01T00:00:00+00:00"
    assert entry["tries"] == 3 and entry["last"] > "2020-01-02"


def test_processes_that_record_at_once_lose_nothing(workspace):
    code = (
        "import sys; from tlcourse.notebook.record import record\n"
        "for n in range(20): record(f'{sys.argv[1]}.{n}', True); record('9.9', False)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(k)], cwd=files.ROOT) for k in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    kept = entries(workspace)
    assert kept.keys() == {f"{k}.{n}" for k in range(3) for n in range(20)} | {"9.9"}
    assert kept["9.9"]["tries"] == 60


@pytest.mark.parametrize(
    "damage", ['{"0.1": {"tries": 2', "", "[]", '{"0.1": 3}', '{"0.1": {}}', "\x00\x00"]
)
def test_a_damaged_record_is_set_aside_and_named_and_a_new_one_begins(workspace, capsys, damage):
    workspace.mkdir()
    (workspace / "progress.json").write_text(damage, encoding="utf-8", newline="\n")
    record.record("0.2", True)
    (kept,) = workspace.glob("progress-corrupt-*.json")
    assert kept.read_text(encoding="utf-8") == damage
    assert capsys.readouterr().err.count(kept.name) == 1
    assert entries(workspace).keys() == {"0.2"}


def test_a_second_damaged_record_of_a_day_does_not_replace_the_first(workspace):
    workspace.mkdir()
    for damage in ("first", "second"):
        (workspace / "progress.json").write_text(damage, encoding="utf-8")
        record.record("0.1", True)
    kept = workspace.glob("progress-corrupt-*.json")
    assert {path.read_text(encoding="utf-8") for path in kept} == {"first", "second"}


def test_a_workspace_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path / "file" / "workspace"))
    record.record("0.1", True)
    record.record("0.2", True)
    said = capsys.readouterr().err
    assert said.count("Your progress is not kept") == said.count("\n") == 1


def test_a_full_disk_leaves_the_record_as_it_was(workspace, monkeypatch, capsys):
    record.record("0.1", True)
    before = entries(workspace)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(files, "write_atomically", full)
    record.record("0.2", True)
    assert entries(workspace) == before
    assert "No space left on device" in capsys.readouterr().err


def test_the_summary_says_what_is_passed_what_is_next_and_how_long_it_takes(course):
    start, training = progress.summary()
    assert (start.passed, start.exercises, start.next, start.minutes_left) == (0, 2, "0.1", 30)
    record.record("0.1", True)
    record.record("0.2", False)
    record.record("quiz 0.1", True)
    start, training = progress.summary()
    assert (start.passed, start.exercises, start.next, start.minutes_left) == (1, 2, "0.2", 10)
    assert (start.right, start.questions) == (1, 1)
    assert (training.title, training.passed, training.next) == ("Training", 0, "1.1")


def test_a_quiz_answer_is_no_exercise(course):
    record.record("quiz 0.1", True)
    assert progress.summary()[0].passed == 0


def test_looking_makes_no_folder(course, workspace):
    progress.summary()
    assert not workspace.exists()


def test_a_damaged_record_does_not_stop_the_summary(course, workspace):
    workspace.mkdir()
    (workspace / "progress.json").write_text("{", encoding="utf-8")
    assert progress.summary()[0].passed == 0
    assert list(workspace.glob("progress-corrupt-*.json"))


def test_a_record_that_cannot_be_read_is_said_and_stops_nothing(course, monkeypatch, capsys):
    record.record("0.1", True)

    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(record, "_lock", refused)
    assert progress.summary()[0].passed == 0
    assert "cannot be read" in capsys.readouterr().err


def test_the_overview_reads_well_as_text_and_as_a_table(course):
    record.record("0.1", True)
    shown = progress.show()
    assert re.search(r"00 Start here +1 of 2 +0 of 1 +10\n", str(shown))
    assert repr(shown).endswith("Next: exercise 0.2, in 00 Start here.")
    assert "<th>00 Start here</th>" in shown._repr_html_() and "1 of 2" in shown._repr_html_()


def test_the_overview_says_when_everything_is_passed(course):
    for item in ("0.1", "0.2", "1.1"):
        record.record(item, True)
    assert str(progress.show()).endswith("All exercises are passed.")
    assert [row.minutes_left for row in progress.summary()] == [0, 0]
