"""A folder with every kind of submission is graded whole, exactly, and safely."""

import http.server
import os
import re
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import hand_ins
import pytest
from hand_ins import LIMITS

from tlschool.classroom import command, execute, sandbox
from tlschool.classroom.clean import Unreadable
from tlschool.classroom.grade import dry_run, grade_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="expects what Linux can limit")
EXPECTED = Path(__file__).with_name("expected.csv")
NEED_WALLS = ("reading_a_sibling,", "network_call,")


@dataclass
class Batch:
    """A graded folder: where, how long it took, what was said, and requests that got out."""

    folder: Path
    course: Path
    seconds: float
    said: str
    status: int
    requests: list

    def table(self, name):
        """The lines of a report."""
        path = self.course / "reports" / "lesson-01" / f"{name}.csv"
        return path.read_text(encoding="utf-8-sig").splitlines()


@pytest.fixture(scope="module")
def batch(released, tmp_path_factory):
    """Every kind of submission, graded."""
    folder, requests = tmp_path_factory.mktemp("handed-in"), []
    course = tmp_path_factory.mktemp("batch") / "course"
    shutil.copytree(released, course)
    with _server(requests) as address:
        hand_ins.all_kinds(folder, address)
        begun = time.monotonic()
        with pytest.MonkeyPatch.context() as patch:
            said = []
            patch.setattr("builtins.print", lambda *words, **_: said.extend(map(str, words)))
            status = command.grade(str(folder), "01", str(course), hand_ins.LIMITS)
        seconds, gone_out = time.monotonic() - begun, list(requests)
        yield Batch(folder, course, seconds, "\n".join(said), status, gone_out)


class _server:
    """Answers on this computer with the right answer to exercise 1.3."""

    def __init__(self, requests):
        answer = hand_ins.answers()["01-ex-1-3"].encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def rows(lines):
    """Without the rows that only walls can answer for, where there are none."""
    return [line for line in lines
            if sandbox.why_not() is None or not line.startswith(NEED_WALLS)]


def test_bubblewrap_works_where_it_has_to():
    reason = sandbox.why_not()
    if reason and not os.environ.get("TLCOURSE_REQUIRE_BUBBLEWRAP"):
        pytest.skip(reason)
    assert reason is None


def test_every_submission_gets_exactly_its_points_and_reasons(batch):
    expected = EXPECTED.read_text(encoding="utf-8").splitlines()
    assert rows(batch.table("points")) == rows(expected)


def test_twenty_and_more_are_graded_within_four_minutes(batch):
    assert len(list(batch.folder.glob("*"))) >= 20
    others = max(1, os.getloadavg()[0] / os.cpu_count())  # on a computer that does more than this
    assert batch.seconds < 240 * others
    assert batch.status == 0


def test_a_guard_is_all_that_stops_who_changes_the_package(batch, monkeypatch):
    """So that submission really changes what grades it, under the names of before as well."""
    monkeypatch.setattr(execute, "_WORKER", [sys.executable, "-c", (
        "from tlschool.classroom import apart, pristine, worker\napart.can_fork = lambda: False\n"
        "pristine.Pristine.restore = lambda self: []\nworker.main()")])
    outcome = grade_file(batch.folder / "tampered_package.ipynb", hand_ins.given(), LIMITS)
    assert [one.reason for one in outcome.earned] == [""] * 4


def total(batch, student):
    return sum(int(line.split(",")[3]) for line in batch.table("points")
               if line.startswith(f"{student},"))


def test_the_perfect_one_gets_all_points_and_the_wrong_one_checked_twice_none(batch):
    assert total(batch, "perfect") == 23
    assert total(batch, "wrong_checked_twice") == 0


def test_what_was_done_to_cells_is_said(batch):
    said = "\n".join(batch.table("remarks"))
    for remark in (
        "duplicated_cell,duplicated_cell.ipynb,1.2: the cell of the answer is there 2 times",
        "deleted_answer,deleted_answer.ipynb,1.2: the cell of the answer had been deleted",
        'deleted_tests,deleted_tests.ipynb,"the locked cell 01-ex-1-1-check had been deleted',
        'tampered_tests,tampered_tests.ipynb,"the locked cell 01-ex-1-4-check had been changed',
        'reordered_cells,reordered_cells.ipynb,"the cells were in another order',
        'renamed_cells,renamed_cells.ipynb,"1.3: the cell of the answer had lost its mark',
        'utf_16,utf_16.ipynb,"the file was saved as UTF-16',
        "the submission changed tlcourse.notebook.check.grade, and it was put back",
        "the submission changed tlcourse.notebook.check.climb, and it was put back",
    ):
        assert remark in said
    for sound in ("perfect", "own_helper_cell", "released_before"):
        assert f"\n{sound}," not in said


def test_no_submission_reached_the_network(batch):
    if reason := sandbox.why_not():
        pytest.skip(reason)
    assert batch.requests == []


def test_without_walls_that_very_submission_would_have_got_through(monkeypatch, batch):
    """So the test above can fail."""
    monkeypatch.setattr(sandbox, "why_not", lambda: "for this test")
    for name in ("reading_a_sibling", "network_call"):
        outcome = grade_file(batch.folder / f"{name}.ipynb", hand_ins.given(), LIMITS)
        assert outcome.earned[2].reason == "", name


def test_the_conditions_are_said_before_anything_runs(batch, monkeypatch):
    assert "for at most 15 s, with at most 1,000 MB and 64 processes" in batch.said
    assert ("NOT in bubblewrap" in batch.said) == (sandbox.why_not() is not None)
    monkeypatch.setattr(sandbox, "why_not", lambda: "it is not installed")
    assert ("NOT in bubblewrap, so it can read and change your files and this course, fill the "
            "disk and use the network (it is not installed)") in command._conditions(LIMITS)
    monkeypatch.setattr(sandbox, "why_not", lambda: None)
    for knows, said in ((True, "at most 500 MB of files"), (False, "its files NOT limited")):
        monkeypatch.setattr(sandbox, "knows_sizes", lambda knows=knows: knows)
        assert f"in bubblewrap, without network, {'with ' * knows}{said}" in (
            command._conditions(LIMITS))


def test_the_totals_are_those_of_the_points(batch):
    header, *rows = (line.split(",") for line in batch.table("totals"))
    assert header == ["student", "file", "points", "maximum", "late", "note"]
    assert {student: int(points) for student, _, points, *_, note in rows if not note} == {
        student: total(batch, student) for student, *_ in rows}
    assert len(rows) == len(list(batch.folder.glob("*")))


def test_the_database_of_nbgrader_has_the_same_points(batch):
    points = hand_ins.points(batch.course, "lesson-01")
    assert points == {student: total(batch, student) for student in points}
    assert len(points) == len(list(batch.folder.glob("*")))


def test_everybody_gets_a_page_with_the_reasons_and_no_check_is_in_it(batch):
    page = batch.course / "feedback" / "wrong_checked_twice" / "lesson-01" / "lesson-01.html"
    text = page.read_text(encoding="utf-8")
    assert "1.2: 0 of 5 points: this divides by how often a class was predicted" in text
    assert "_recalls" not in text and "integers(1, 30" not in text
    assert "HIDDEN" not in text and "hidden(" not in text
    assert "<math" in text and "$C_{kj}$" not in text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    pages = {path.parts[-3] for path in (batch.course / "feedback").rglob("*.html")}
    assert pages == {path.stem for path in batch.folder.glob("*")}


def test_a_second_run_grades_nothing_again(batch, monkeypatch, capsys):
    monkeypatch.setattr(execute, "run", None)
    before = {path: path.stat().st_mtime_ns for path in (batch.course / "feedback").rglob("*.html")}
    assert command.grade(str(batch.folder), "01", str(batch.course), LIMITS) == 0
    assert "0 graded now" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_the_items_say_which_wrong_answer_was_how_frequent(batch):
    items = batch.table("items")
    assert items[0] == "exercise,students,share,answer"
    ones = [line for line in items if line.startswith("1.2,")]
    assert ones[0].endswith(",right")
    assert [int(line.split(",")[1]) for line in ones] == sorted(
        (int(line.split(",")[1]) for line in ones), reverse=True)
    assert any("that is precision" in line for line in ones)
    assert sum(int(line.split(",")[1]) for line in ones) == len(list(batch.folder.glob("*")))


@pytest.mark.parametrize("name", ["duplicated_cell", "tampered_package", "os_exit", "utf_16"])
def test_a_dry_run_gives_what_the_batch_gave(batch, name):
    earned = dry_run(batch.folder / f"{name}.ipynb", LIMITS).earned
    given = [line for line in batch.table("points") if line.startswith(f"{name},")]
    assert [str(one.points) for one in earned] == [line.split(",")[3] for line in given]
    assert all(one.reason.replace('"', '""') in line
               for one, line in zip(earned, given, strict=True))


def test_a_dry_run_of_something_else_says_what_is_needed(batch, tmp_path):
    other = hand_ins.perfect()
    del other.metadata["tlcourse"]
    with pytest.raises(Unreadable, match="does not say which assignment it is"):
        dry_run(hand_ins.save(tmp_path / "other.ipynb", other), LIMITS)
    with pytest.raises(Unreadable, match="no complete notebook"):
        dry_run(batch.folder / "half_saved.ipynb", LIMITS)
