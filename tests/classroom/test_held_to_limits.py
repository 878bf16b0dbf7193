"""A submission is ended at its limits, with all that it started, by the kernel or a supervisor."""

import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from hand_ins import content, given, perfect, save

from tlschool.classroom import clean, execute, groups, limits, sandbox, variants
from tlschool.classroom.collect import submissions
from tlschool.classroom.grade import grade_file
from tlschool.classroom.groups import Group
from tlschool.classroom.limits import Limits
from tlschool.classroom.release import variants_in

_POPEN = subprocess.Popen
SMALL = Limits(seconds=60, cell_seconds=30, memory=800_000_000, processes=40)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")

FORKS = "import os\nwhile True:\n    os.fork()"
SHELLS = "import subprocess\nsubprocess.run(['bash', '-c', ':(){ :|:& };: ; sleep 60'])"
SHARED_HOARD = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(200_000_000)
        time.sleep(60)
time.sleep(60)
"""


@pytest.fixture(params=["walls", "no walls"])
def walls(request, monkeypatch):
    if request.param == "no walls":
        monkeypatch.setattr(sandbox, "why_not", lambda: "for this test")
    elif reason := sandbox.why_not():
        pytest.skip(reason)


@pytest.fixture(params=["kernel", "supervisor"])
def holder(request, monkeypatch):
    made, none = Group.make(6 * SMALL.memory, 1500), lambda *sizes: None
    if request.param == "kernel":
        if made is None:
            pytest.skip("no control group can be made here")
        made.close()
        yield
        return
    monkeypatch.setattr(execute, "Group", type("None", (), {"make": none}))
    if made is None:
        yield
        return
    # A net far below the supervisor, for the sake of this computer while it is being changed.
    monkeypatch.setattr(execute.subprocess, "Popen", lambda command, **more: _POPEN(
        made.entering(command), **more))
    yield
    made.close()


def reasons(notebook, limits=SMALL):
    outcome = execute.run(content(notebook), given(), limits)
    return [one.reason for one in outcome.earned]


@pytest.mark.parametrize(("code", "said"), [
    (FORKS, "the submission started more than 40 processes while this ran."),
    (SHELLS, "the submission started more than 40 processes while this ran."),
    (SHARED_HOARD, "the submission used more than 800 MB of memory while this ran."),
], ids=["fork bomb", "shell bomb", "memory of all together"])
def test_bombs_end_inside_their_limits_and_leave_nothing(code, said, walls, holder, running):
    assert reasons(perfect(ex_1_3=code))[:3] == ["", "", said]
    assert running() == []


def test_a_memory_bomb_ends_in_its_cell_and_the_next_exercise_counts(walls, holder):
    hoard = "hoard = []\nwhile True:\n    hoard.append(bytearray(10_000_000))"
    assert reasons(perfect(ex_1_3=hoard)) == [
        "", "", "its cell stopped with MemoryError.", ""]


def test_a_grandchild_in_a_session_of_its_own_is_ended_too(holder):
    if reason := sandbox.why_not():
        pytest.skip(reason)
    code = ("import subprocess\nsubprocess.Popen(['/bin/sh', '-c', 'setsid sleep 61.7 & sleep 61.7'"
            "])\nwhile True:\n    pass")
    reasons(perfect(ex_1_4=code), Limits(seconds=3, cell_seconds=30))
    assert not [p for p in psutil.process_iter(["cmdline"]) if "61.7" in (p.info["cmdline"] or ())]


def test_without_what_windows_lacks_a_submission_is_graded_and_a_loop_ends(monkeypatch):
    """A plain process, held by the supervisor: no walls, groups, timers or limits of the system."""
    monkeypatch.setattr(sandbox, "why_not", lambda: "for this test")
    monkeypatch.setattr(execute, "Group", type("None", (), {"make": lambda *sizes: None}))
    monkeypatch.setattr(execute, "_WORKER", [sys.executable, "-c", (
        "import psutil, signal, sys\ndel signal.setitimer\nsys.modules['resource'] = None\n"
        "from tlschool.classroom.worker import main\nmain()")])
    assert reasons(perfect(ex_1_3="while True:\n    pass"), Limits(seconds=60, cell_seconds=2)) == [
        "", "", "its cell stopped with TimeoutError: stopped after 2 s.", ""]


def test_a_run_that_is_called_off_says_nothing_about_the_submission():
    with pytest.raises(execute.GraderError, match="was interrupted"):
        execute.run(content(perfect(ex_1_1="while True:\n    pass")), given(), SMALL,
                    stopped=lambda: True)


def test_a_grader_that_cannot_start_blames_no_student(monkeypatch):
    monkeypatch.setattr(execute, "_WORKER", [sys.executable, "-c", "raise SystemExit('no torch')"])
    with pytest.raises(execute.GraderError, match="could not be run: .* saying 'no torch'"):
        execute.run(content(perfect()), given(), SMALL)


def test_loading_the_libraries_takes_nothing_of_the_time_of_a_submission(monkeypatch):
    monkeypatch.setattr(execute, "_WORKER", [sys.executable, "-c", (
        "import time\ntime.sleep(1.5)\nfrom tlschool.classroom.worker import main\nmain()")])
    begun = time.monotonic()
    outcome = execute.run(content(perfect()), given(), Limits(seconds=1.4))
    assert time.monotonic() - begun > 1.5 and all(one.points for one in outcome.earned)


@pytest.mark.parametrize(("lines", "made"), [
    ("8:pids:/a\n4:memory:/b/c\n1:cpu:/", {"pids": "pids/a", "memory": "memory/b/c"}),
    ("0::/user.slice/app.slice/one.scope", {"pids": "user.slice/app.slice",
                                            "memory": "user.slice/app.slice"}),
], ids=["version 1", "version 2"])
def test_groups_are_made_where_this_process_may_make_them(tmp_path, monkeypatch, lines, made):
    """On folders that stand for the kernel's, for a machine has groups of one version only."""
    (tmp_path / "self").write_text(lines)
    monkeypatch.setattr(groups, "_OWN", tmp_path / "self")
    monkeypatch.setattr(groups, "_ROOT", tmp_path)
    monkeypatch.setattr(Group, "_fill", lambda group, memory, processes: None)
    folders = Group.make(1000, 10)._folders
    assert {kind: folder.parent for kind, folder in folders.items()} == {
        kind: tmp_path / path for kind, path in made.items()}
    assert len({folder.name for folder in folders.values()}) == 1


def test_groups_of_a_grader_that_was_killed_are_cleared_away():
    code = ("import os, signal\nfrom tlschool.classroom.groups import Group\n"
            "group = Group.make(10**9, 10)\n"
            "print(*(group._folders.values() if group else ()), sep='\\n', flush=True)\n"
            "os.kill(os.getpid(), signal.SIGKILL)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = [Path(line) for line in done.stdout.splitlines()]
    if not left:
        pytest.skip("no control group can be made here")
    assert all(folder.is_dir() for folder in left)
    Group.make(10**9, 10).close()
    assert not any(folder.exists() for folder in left)


def test_where_no_group_can_be_made_there_is_none(tmp_path, monkeypatch):
    (tmp_path / "self").write_text("0::/one")
    (tmp_path / "one").mkdir()
    monkeypatch.setattr(groups, "_OWN", tmp_path / "self")
    monkeypatch.setattr(groups, "_ROOT", tmp_path)
    assert Group.make(1000, 10) is None  # a folder without the kernel's files
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["one", "self"]


def test_a_process_that_ends_by_itself_breaks_no_limit():
    process = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    assert limits.supervise(process, SMALL, None) is None
    assert process.returncode == 0
    assert not Path(f"/proc/{process.pid}").exists()


def odd(source):
    """The file of a notebook with a cell that takes long to read, or much memory."""
    notebook = perfect()
    notebook.cells.append(type(notebook.cells[0])(
        cell_type="code", source=source, metadata={}, outputs=[], execution_count=None, id="odd"))
    return content(notebook)


@pytest.mark.parametrize("source", ["x=[" * 1_000_000, "f(x);" * 600_000, "\\\n" * 1_500_000])
def test_megabytes_of_odd_code_are_refused_before_they_cost_anything(source):
    begun = time.monotonic()
    outcome = execute.run(odd(source), given(), SMALL)
    assert re.fullmatch(r"the file holds 3,00\d,\d{3} characters of code in \d+ cells, and at most "
                        "200,000 in 2,000 are read: hand in the exercises alone.",
                        outcome.earned[0].reason)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("source", ["f(x);" * 39_000, "(" * 190_000, "-" * 190_000 + "1",
                                    "x = " + "+".join("1" * 95_000), "'''" + "\\\n" * 90_000])
def test_as_much_odd_code_as_is_read_is_read_within_the_limits(source):
    assert [one.reason for one in execute.run(odd(source), given(), SMALL).earned] == [""] * 4


def test_pictures_in_outputs_and_texts_do_not_count():
    notebook = perfect()
    for one in notebook.cells:
        if one.cell_type == "code":
            one.outputs = [nbformat.v4.new_output(
                "display_data", data={"image/png": "A" * 2_000_000})]
        elif one.id.endswith("-text"):
            one.source += f"\n![mine](data:image/png;base64,{'A' * 300_000})"
    assert reasons(notebook) == [""] * 4


def test_what_cannot_be_read_in_time_or_in_memory_is_said_of_the_file(monkeypatch):
    nested = b"[" + b"[]," * 16_000_000 + b"[]]"
    assert execute.run(nested, given(), SMALL).earned[0].reason in (
        "reading the file took more memory than a submission may use.",
        "the submission used more than 800 MB of memory while its file was read.")
    monkeypatch.setattr(execute, "_WORKER", [sys.executable, "-c", (
        "from tlschool.classroom import worker\n"
        "def clean(*given):\n    while True: pass\n"
        "worker.clean = clean\nworker.main()")])
    slow = Limits(seconds=60, cell_seconds=1)
    assert execute.run(content(perfect()), given(), slow).earned[0].reason == (
        "reading the file took longer than 1 s.")
    assert execute.run(content(perfect()), given(), Limits(seconds=1)).earned[3].reason == (
        "the submission was stopped after 1 s while its file was read.")


def test_the_grader_itself_reads_no_notebook(tmp_path, monkeypatch):
    """Its own process takes the bytes of a file, and what the submission's process says of them."""
    def refuse(*given, **more):
        raise AssertionError("read outside the limits")

    folder = tmp_path / "in"
    for student in ("ann", "bob"):
        save(variants_in(tmp_path, "lesson-01") / f"{student}.ipynb", given().notebook)
    save(folder / "1_ann_2.ipynb", perfect(variant=variants.of_student("ann")))
    for module, names in ((clean, ("clean", "parsed")), (nbformat, ("reads",))):
        for name in names:
            monkeypatch.setattr(module, name, refuse)
    assert [*submissions(folder, "lesson-01", tmp_path)] == ["ann"]
    outcome = grade_file(folder / "1_ann_2.ipynb", given("01", variants.of_student("ann")), SMALL)
    assert [one.reason for one in outcome.earned][1:] == [""] * 3  # 1.1 has its own numbers
    assert [one.id for one in clean.with_code(given(), outcome.code).cells] == [
        one.id for one in given().notebook.cells]


@pytest.mark.parametrize("environment", ["None", "{}"], ids=["with its environment", "without"])
def test_a_daemon_that_keeps_a_stream_open_does_not_hang_the_grader(monkeypatch, environment):
    monkeypatch.setattr(sandbox, "why_not", lambda: "for this test")
    monkeypatch.setattr(execute, "Group", type("None", (), {"make": lambda *sizes: None}))
    mark = f"{environment} {time.time_ns()}"
    daemon = ("import os, time\nif os.fork():\n    os._exit(0)\nos.setsid()\nif os.fork():\n"
              f"    os._exit(0)\ntime.sleep(80)  # {mark}")
    code = (f"import os, subprocess, sys\nsubprocess.run([sys.executable, '-c', {daemon!r}], "
            f"env={environment})\nos._exit(0)")

    def left():
        return [one for one in psutil.process_iter(["cmdline"])
                if any(mark in word for word in one.info["cmdline"] or ())]

    begun = time.monotonic()
    try:
        assert reasons(perfect(ex_1_4=code))[2:] == [
            "", "the submission ended its own process while this ran."]
        assert time.monotonic() - begun < 40
        assert len(left()) == (environment == "{}"), "only one without its environment is missed"
    finally:
        for one in left():
            one.kill()
