"""What honest learners do in JupyterLab, and on a busy computer, costs them no points."""

import multiprocessing
import subprocess
import sys
import time

import psutil
import pytest
from hand_ins import answers, cell, content, given, perfect

from tlschool.classroom import bounds, execute, limits
from tlschool.classroom.bounds import at_most, is_up, processor_seconds
from tlschool.classroom.limits import Limits

WORK = Limits(seconds=60, cell_seconds=10)
MAGICS = """%matplotlib inline
%pylab inline
%store -r guess
%autosave 60
%gui qt
%config InlineBackend.figure_format = "retina"
%load_ext there_is_no_such_extension
%load_ext autoreload
%autoreload 2
%there_is_no_such_magic
!pip install there-is-no-such-package
%pip install there-is-no-such-package
found = !python -m pip list
?print
print?
import torch, torchvision
"""


def graded(notebook):
    return execute.run(content(notebook), given(), WORK)


def test_lines_that_steer_jupyter_cost_nothing_and_none_is_called_tampering():
    right = answers()
    outcome = graded(perfect(
        ex_1_1=MAGICS + right["01-ex-1-1"],
        ex_1_2="%%time\n" + right["01-ex-1-2"],
        ex_1_3="%%capture\n%matplotlib\n" + right["01-ex-1-3"],
        ex_1_4=right["01-ex-1-4"].replace(":\n", ":\n    import torch\n", 1)))
    assert [one.reason for one in outcome.earned] == [""] * 4
    assert outcome.remarks == []
    assert "!pip install there-is-no-such-package is passed over" in outcome.outputs["01-ex-1-1"]


def test_somebody_elses_replacement_of_what_torch_replaces_is_still_said():
    outcome = graded(perfect(ex_1_1="import inspect\ninspect.getfile = len\nguess = 0.1"))
    assert outcome.remarks == [
        "1.1: the code replaces inspect.getfile",
        "1.1: the submission changed inspect.getfile, and it was put back"]


def test_what_an_answer_raises_inside_a_magic_is_still_an_error():
    outcome = graded(perfect(ex_1_1="%time guess = 1 / 0"))
    assert "ZeroDivisionError" in outcome.earned[0].reason


def test_the_first_half_of_a_split_cell_is_named_where_it_stopped():
    notebook = perfect()
    place = notebook.cells.index(cell(notebook, "01-ex-1-1"))
    half = type(notebook)(dict(notebook.cells[place]))
    half.source = "guess = 1 / 0"
    notebook.cells.insert(place, half)
    cell(notebook, "01-ex-1-1")
    notebook.cells[place + 1].source = "print('done')"
    outcome = graded(notebook)
    assert outcome.earned[0].reason == (
        "its cell stopped with ZeroDivisionError: division by zero.")


@pytest.mark.parametrize(("waited", "used", "expected"), [
    (9.9, 40, False),   # the clock holds whoever has many processes
    (10, 10, True), (10, 3, False), (29, 9.9, False), (30, 9.9, True),  # a busy computer
    (10, 0.4, True),    # it only waits
])
def test_a_time_is_up_by_the_clock_and_by_the_processor(waited, used, expected):
    assert is_up(10, waited, used) is expected


def test_a_cell_that_got_little_of_a_busy_computer_goes_on(monkeypatch):
    monkeypatch.setattr(bounds, "processor_seconds", lambda family: 0.2 * time.monotonic())
    begun = time.monotonic()
    with at_most(0.3):
        while time.monotonic() < begun + 0.7:
            pass
    with pytest.raises(KeyboardInterrupt), at_most(0.3):
        while time.monotonic() < begun + 20:
            pass


def test_a_submission_that_got_little_of_a_busy_computer_goes_on(monkeypatch):
    def ended_after(share):
        monkeypatch.setattr(limits, "processor_seconds", lambda family: share * time.monotonic())
        process = subprocess.Popen([sys.executable, "-c", "import time\ntime.sleep(1.2)"],
                                   start_new_session=True)
        return limits.supervise(process, Limits(seconds=0.5), None)

    assert ended_after(0.2) is None
    assert ended_after(0) == "was stopped after 0.5 s"


def _burn():
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


def test_the_processor_seconds_of_workers_count():
    own, worker = psutil.Process(), multiprocessing.get_context("spawn").Process(target=_burn)
    before = processor_seconds([own])
    worker.start()
    worker.join()
    assert processor_seconds([own]) - before >= (0.3 if sys.platform != "win32" else 0)
