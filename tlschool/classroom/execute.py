"""Run one clean submission in a fresh process, and say what each exercise earned and why."""

import contextlib
import json
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tlschool.classroom import copies, sandbox, variants
from tlschool.classroom.assignment import Assignment
from tlschool.classroom.groups import Group
from tlschool.classroom.limits import (
    INTERRUPTED,
    Limits,
    end,
    end_all_with,
    supervise,
    tasks_of_this_user,
)
from tlschool.errors import CourseError

_WORKER = [sys.executable, "-m", "tlschool.classroom.worker"]
_TAIL = 2_000
_LONGEST_LINE = 5_000_000  # as all code that `clean` takes may become, each character escaped
_TO_FINISH = 3  # seconds, for what reads the last words of a process that has ended
_ROOM = 1_000  # for processes and threads that this user starts elsewhere in the meantime


class GraderError(CourseError):
    """The grader itself failed, so nothing can be said about the submission."""


@dataclass(frozen=True)
class Earned:
    """What one exercise earned; `reason` is empty when it earned all of its points."""

    exercise: str
    points: int
    maximum: int
    reason: str


@dataclass
class Outcome:
    """What came of a submission; `code` is that of the clean notebook, by cell id."""

    earned: list[Earned]
    remarks: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    code: list[tuple[str, str]] = field(default_factory=list)

    @property
    def points(self) -> int:
        """What all exercises earned together."""
        return sum(one.points for one in self.earned)

    @property
    def maximum(self) -> int:
        """What there was to earn."""
        return sum(one.maximum for one in self.earned)


def nothing(given: Assignment, reason: str) -> Outcome:
    """No points, for one reason that holds for every exercise."""
    return Outcome([Earned(task.id, 0, task.points, reason) for task in given.tasks.values()])


def run(
    content: bytes, given: Assignment, limits: Limits,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Read, run and check a submission, all of it within the limits.

    Parameters
    ----------
    content : bytes
        Of the file.
    given : Assignment
        In the variant of the student.
    limits : Limits
    stopped : callable
        Asked again and again; True ends the run.

    Raises
    ------
    GraderError
        The process could not be started, or was interrupted.
    """
    asked = {"name": given.name, "lesson": given.lesson, "variant": given.variant,
             "tasks": {id: asdict(task) for id, task in given.tasks.items()},
             "cells": [{"id": cell.id, "source": cell.source, "metadata": cell.metadata}
                       for cell in given.notebook.cells if cell.cell_type == "code"]}
    job = {"nonce": secrets.token_hex(), "given": asked, "bytes": len(content),
           "cell_seconds": limits.cell_seconds, "seeds": variants.seeds(given.variant),
           "memory": limits.memory, "tasks": tasks_of_this_user() + _ROOM}
    changes: list[str] = []
    with copies.lent(changes) as course:
        events, ending = _events(job, content, limits, stopped, course)
    if ending == INTERRUPTED or not events:
        raise GraderError(f"the submission could not be run: it {ending}")
    read = next((event for event in events if event["event"] == "read"), None)
    if read is None:
        return nothing(given, f"the submission {ending} while its file was read.")
    if read["refused"]:
        return nothing(given, f"{read['refused']}.")
    outcome = _outcome(events, ending, read["code"], given)
    outcome.remarks = [*read["remarks"], *outcome.remarks, *changes]
    return outcome


def _events(
    job: dict, content: bytes, limits: Limits, stopped: Callable, course: Path | None
) -> tuple[list[dict], str | None]:
    """The events that the worker reported, and how it ended if not as it should."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        group = Group.make(limits.memory, limits.processes)
        process = _start(folder, group, course)
        events, said = [], []
        readers = [threading.Thread(target=target, args=args, daemon=True) for target, *args in (
            (_listen, process.stdout, job["nonce"], events), (_keep_tail, process.stderr, said),
            (_hand_over, process, job, content))]
        try:
            for reader in readers:
                reader.start()
            reason = supervise(process, limits, group, stopped, lambda: bool(events))
        finally:
            end(process)
            if group:
                group.close()
            if sandbox.why_not():
                end_all_with(folder)
            for reader in readers:
                reader.join(timeout=_TO_FINISH)
            if not any(reader.is_alive() for reader in readers):  # to close it would wait for that
                for stream in (process.stdin, process.stdout, process.stderr):
                    with contextlib.suppress(OSError):
                        stream.close()
    if reason or (events and events[-1]["event"] == "done"):
        return events, reason
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    last = ("".join(said).strip().splitlines() or [""])[-1][:200]
    return events, (f"ended its own process{f' with status {status}' if status else ''}"
                    f"{f', saying {last!r},' if last else ''}")


def _start(folder: str, group: Group | None, course: Path | None) -> subprocess.Popen:
    """The worker's process, in the group and behind the walls where there are any."""
    apart = sandbox.why_not() is None
    command = [*sandbox.walls(), *_WORKER] if apart else _WORKER
    try:
        return subprocess.Popen(
            group.entering(command) if group else command, cwd=folder, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env=sandbox.environment("/tmp" if apart else folder, course))
    except OSError:
        if group:
            group.close()  # nobody else will
        raise


def _hand_over(process, job, content):
    with contextlib.suppress(OSError):  # the process has ended already, which is seen later
        process.stdin.write(json.dumps(job).encode() + b"\n" + content)
        process.stdin.flush()  # and it stays open: the worker ends when it closes


def _listen(stream, nonce, events):
    """Take the worker's reports from the stream, whatever else a learner may have written."""
    while line := stream.readline(_LONGEST_LINE):
        try:
            event = json.loads(line)
            if event.pop("nonce") == nonce:
                events.append(event)
        except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
            continue


def _keep_tail(stream, said):
    while chunk := stream.read1(65_536):
        said[:] = ["".join([*said, chunk.decode("utf-8", "replace")])[-_TAIL:]]


def _outcome(events, ending, code, given) -> Outcome:
    outcome, cells = Outcome([], code=code), [id for id, _ in code]
    ran = {event["id"]: event for event in events if event["event"] == "ran"}
    verdicts = {event["exercise"]: event for event in events if event["event"] == "checked"}
    outcome.outputs = {id: event["output"] for id, event in ran.items() if event["output"]}
    last = next((event["id"] for event in reversed(events) if event["event"] == "cell"), None)
    where = _exercise_at(last, cells, given)
    for check, task in given.tasks.items():
        verdict, reason = verdicts.get(task.id), ""
        if verdict is None:
            reason = (f"the submission {ending} while this ran." if task.id == where else
                      f"not reached: the submission {ending} in exercise {where}.")
        elif not verdict["passed"]:
            reason = verdict["message"] or _missing(task, _errors(check, cells, ran, given))
        outcome.earned.append(Earned(task.id, 0 if reason else task.points, task.points, reason))
        if (verdict or {}).get("refused"):
            outcome.remarks.append(f"{task.id}: this passed beside the code that made it, and not "
                                   "in the process that judges")
        for name in (verdict or {}).get("changed", ()):
            outcome.remarks.append(f"{task.id}: the submission changed {name}, and it was put back")
    return outcome


def _exercise_at(cell_id, cells, given):
    """The exercise to which a cell belongs: that of the next check cell."""
    later = cells[cells.index(cell_id):] if cell_id in cells else cells
    return next((given.tasks[id].id for id in later if id in given.tasks), "the last cells")


def _errors(check, cells, ran, given):
    """With what the cells of an exercise stopped: those since the check of the last one."""
    place = cells.index(check)
    begin = max((i for i in range(place) if cells[i] in given.tasks), default=0)
    answer = check.removesuffix("-check")
    own = [id for id in cells[begin:place] if id.startswith(("own-", "part-"))]
    said = [ran[id]["error"] for id in (answer, *own) if id in ran]
    return [error for error in said if error]


def _missing(task, errors):
    if errors:
        return f"its cell stopped with {errors[0]}"
    return f"there is no `{task.name}`: the cell that defines it is empty or missing."
