"""The process in which one submission runs: ``python -m tlschool.classroom.worker``.

It reads a job and the submitted file from the standard input, cleans the notebook, has its cells
run in order, each answer checked where its check cell stands, and writes a line of JSON for each
event. It is started, limited and, if need be, killed by `tlschool.classroom.execute`.
"""

import ast
import ctypes
import inspect
import json
import os
import sys
import threading
from contextlib import suppress
from functools import partial
from importlib import import_module

import nbformat

from tlcourse.notebook import lessons
from tlschool.classroom import apart, variants
from tlschool.classroom.assignment import Assignment, Task
from tlschool.classroom.bounds import at_most
from tlschool.classroom.checks import graded_exercise
from tlschool.classroom.clean import Unreadable, clean, parsed
from tlschool.classroom.inside import Learner
from tlschool.classroom.scan import scan

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, in linux/prctl.h
_AGAIN = 3  # times the seconds of a check, for one that is done again, call by call


def main() -> None:
    """Run the job, and end the process without running anything else."""
    job = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read(job.pop("bytes"))
    given = _given(job.pop("given"))
    with suppress(ImportError):
        _limit(job["memory"], job["tasks"])
    graded = _prepare(given)
    grader, channel = _take_over()
    report = _reporter(channel, job.pop("nonce"))
    report(event="begun")
    read = _read(content, given, job["cell_seconds"])
    del content
    report(**read)
    names = {task.id: task.name for task in given.tasks.values()}
    make = partial(Learner, graded, names, job["seeds"], job["cell_seconds"])
    is_apart = apart.can_fork()
    learner = apart.Apart(make, (grader, channel.fileno())) if is_apart else make()
    threading.Thread(target=_end_with, args=[grader], daemon=True).start()
    for id, source in read["code"]:
        report(event="cell", id=id)
        if task := given.tasks.get(id):
            verdict = learner.check(task.id)
            if is_apart and verdict["passed"] and apart.goes_by_value(graded[task.id]):
                verdict |= _confirmed(graded[task.id], learner, job)
            report(**verdict)
            if verdict.get("is_late"):  # half a message may be left: no other is understood
                os._exit(1)
        else:
            report(**learner.cell(id, source))
    report(event="done")
    os._exit(0)


def _confirmed(exercise, learner, job):
    """What becomes of the verdict on an answer that passed beside its code, judged once more by
    this process, which ran none of it."""
    try:
        with at_most(_AGAIN * job["cell_seconds"]):
            result = apart.judge_by_value(exercise, learner.ask, job["seeds"])
    except KeyboardInterrupt:
        return {"passed": False, "is_late": True, "message": "checking it again took too long."}
    return {} if result.passed else {
        "passed": False, "message": result.message, "refused": True}


def _take_over():
    """Where the grader is read from and written to; `print` and `input` reach neither."""
    grader, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return grader, channel


def _end_with(grader):
    """End this process when the grader is no more."""
    while os.read(grader, 1):
        pass
    os._exit(1)


def _reporter(channel, nonce):
    """A function that reports through what was the standard output."""
    def report(**event):
        channel.write(json.dumps(event | {"nonce": nonce}) + "\n")
        channel.flush()

    return report


def _limit(memory: int, tasks: int) -> None:
    """One process's own share, so that most memory bombs end as a MemoryError in their cell."""
    import resource

    def hold(kind, value):
        resource.setrlimit(kind, (value, value))

    hold(resource.RLIMIT_CORE, 0)
    hold(resource.RLIMIT_FSIZE, memory // 4)
    if sys.platform == "linux":  # elsewhere these do not count what matters
        hold(resource.RLIMIT_DATA, memory * 3 // 4)
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)  # orphans stay among the descendants
        hold(resource.RLIMIT_NPROC, tasks)  # which holds everybody but root


def _given(asked):
    """The assignment, without its texts."""
    cells = [nbformat.v4.new_code_cell(**cell) for cell in asked.pop("cells")]
    tasks = {id: Task(**task) for id, task in asked.pop("tasks").items()}
    return Assignment(**asked, notebook=nbformat.v4.new_notebook(cells=cells), tasks=tasks)


def _read(content, given, seconds):
    """The cells of the file, cleaned, or why it is refused."""
    try:
        with at_most(seconds):
            submission = clean(parsed(content), given)
            code = [(cell.id, cell.source) for cell in submission.notebook.cells]
            locked = [cell.id for cell in given.notebook.cells
                      if cell.metadata["nbgrader"]["locked"]]
            remarks = [*submission.remarks, *scan(code, locked, given.tasks)]
        return {"event": "read", "refused": "", "remarks": remarks, "code": code}
    except Unreadable as error:
        why = str(error)
    except KeyboardInterrupt:
        why = f"reading the file took longer than {seconds:g} s"
    except MemoryError:
        why = "reading the file took more memory than a submission may use"
    except Exception as error:  # noqa: BLE001, a submitted file may hold anything
        why = f"reading the file stopped with {type(error).__name__}"
    return {"event": "read", "refused": why, "remarks": [], "code": []}


def _prepare(given):
    """The graded exercises; what they need is imported before the learner's first line."""
    graded = {task.id: graded_exercise(task.id, given.variant, task.letters)
              for task in given.tasks.values()}
    _import_for(graded)
    return graded


def _import_for(chosen):
    """Import what the checks import when they are called."""
    for id in chosen:
        for module in (lessons.part(id.partition(".")[0], "checks"), variants.own(id)):
            for node in ast.walk(ast.parse(inspect.getsource(module) if module else "")):
                if isinstance(node, ast.Import):
                    for name in node.names:
                        import_module(name.name)
                elif isinstance(node, ast.ImportFrom):
                    import_module(node.module)


if __name__ == "__main__":
    from tlschool.classroom import worker  # so that its names are guarded as any other module's

    worker.main()
