"""The process in which one submission runs: ``python -m tlschool.classroom.worker``.

It reads a job and the submitted file from the standard input, cleans the notebook, runs its cells
in order, checks each answer where its check cell stands, and writes a line of JSON for each event.
It is started, limited and, if need be, killed by `tlschool.classroom.execute`.
"""

import ast
import ctypes
import inspect
import json
import os
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import import_module

import nbformat

from tlcourse.notebook import exercises, lessons
from tlschool.classroom import variants
from tlschool.classroom.assignment import Assignment, Task
from tlschool.classroom.bounds import Kept, at_most
from tlschool.classroom.checks import graded_exercise, judge
from tlschool.classroom.clean import Unreadable, clean, parsed
from tlschool.classroom.pristine import Pristine
from tlschool.classroom.shell import Shell

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, in linux/prctl.h


def main() -> None:
    """Run the job, and end the process without running anything else."""
    job = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read(job.pop("bytes"))
    given = _given(job.pop("given"))
    _end_with_the_grader()
    report = _reporter(job.pop("nonce"))
    with suppress(ImportError):
        _limit(job["memory"], job["tasks"])
    shell, graded, pristine = _prepare(given)
    report(event="begun")
    read, own = _read(content, given, job["cell_seconds"]), os.getpid()
    del content
    report(**read)
    for id, source in read["code"]:
        report(event="cell", id=id)
        if task := given.tasks.get(id):
            report(**_checked(shell, graded[task.id], task, job, pristine))
        else:
            event = _ran(shell, id, source, job["cell_seconds"])
            if os.getpid() != own:  # a copy that the cell made, by os.fork()
                os._exit(1)
            report(**event)
    report(event="done")
    os._exit(0)


def _end_with_the_grader():
    """End this process when the grader is no more, and leave nothing to read for `input`."""
    grader = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)

    def watch():
        while os.read(grader, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _reporter(nonce):
    """A function that reports through what was the standard output, which learners cannot reach
    by printing: their output goes to the standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

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
        return {"event": "read", "refused": "", "remarks": submission.remarks, "code": [
            (cell.id, cell.source) for cell in submission.notebook.cells]}
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
    """Import what the checks need, before the learner's first line, and keep how it was."""
    shell = Shell.instance(colors="nocolor")
    graded = {task.id: graded_exercise(task.id, given.variant, task.letters)
              for task in given.tasks.values()}
    _import_for(graded)
    _lend_nothing(graded)
    steps = [step for exercise in graded.values() for step in exercise.checks]
    return shell, graded, Pristine(steps)


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


def _lend_nothing(chosen):
    """While grading, `check` hands back the learner's own object, and no reference can be made."""
    def refuse():
        raise LookupError("none is lent while this is graded")

    for id in chosen:
        object.__setattr__(exercises.get(id), "reference", refuse)


def _ran(shell, id, source, seconds):
    """Run one cell as Jupyter would."""
    said = Kept()
    with redirect_stdout(said), redirect_stderr(said), at_most(seconds):
        try:
            result = shell.run_cell(source, silent=False)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as escaped:  # noqa: BLE001, whatever a learner's cell may raise
            error = escaped
    if isinstance(error, KeyboardInterrupt):
        error = TimeoutError(f"stopped after {seconds} s")
    return {"event": "ran", "id": id, "output": said.said(),
            "error": _said(error) if error is not None else None}


def _said(error):
    words = (f"{error.msg}, in line {error.lineno}" if isinstance(error, SyntaxError)
             else str(error))
    text = " ".join(f"{type(error).__name__}: {words}".split())[:400]
    return f"{text.rstrip(':.')}."


def _checked(shell, exercise, task, job, pristine):
    changed, said = pristine.restore(), Kept()
    verdict = {"event": "checked", "exercise": task.id, "passed": False, "changed": changed}
    if task.name not in shell.user_ns:
        return verdict | {"message": None}
    with redirect_stdout(said), redirect_stderr(said):
        try:
            with at_most(job["cell_seconds"]):
                result = judge(exercise, shell.user_ns[task.name], job["seeds"])
            verdict |= {"passed": result.passed, "message": result.message}
        except BaseException as error:  # noqa: BLE001
            late = isinstance(error, KeyboardInterrupt)
            verdict["message"] = (f"checking it took longer than {job['cell_seconds']} s." if late
                                  else f"checking it stopped with {type(error).__name__}.")
    if during := pristine.restore():
        verdict |= {"passed": False, "changed": sorted({*changed, *during}),
                    "message": f"while it was checked, this answer changed {during[0]}."}
    return verdict


if __name__ == "__main__":
    from tlschool.classroom import worker  # so that its names are guarded as any other module's

    worker.main()
