"""What one submission may use, and how it is held to that.

Limits per process stop neither a fork bomb nor, for root, anything else. Where Linux lets us make
control groups, the kernel holds memory and number of processes of all of them together; everywhere
else, a supervisor watches the whole tree and ends it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil

from tlschool.classroom.bounds import is_up, processor_seconds
from tlschool.classroom.groups import Group

INTERRUPTED = "was interrupted"
_POLL = 0.05
_NEXT_LOOK = 0.5
_TO_START = 120  # seconds, until Python and the libraries of the checks are loaded


@dataclass(frozen=True)
class Limits:
    """For one submission, and `cell_seconds` for one cell or check.

    The seconds count from where the first cell begins: how long Python takes to load torch is no
    fault of the learner's. Neither is a computer that is busy, see `bounds.is_up`.
    """

    seconds: float = 120
    cell_seconds: float = 20
    memory: int = 2_000_000_000
    processes: int = 64


def supervise(
    process: subprocess.Popen, limits: Limits, group: Group | None,
    stopped: Callable[[], bool] = lambda: False, has_begun: Callable[[], bool] = lambda: True,
) -> str | None:
    """Wait for a process, started in a session of its own, and end it where it breaks a limit.

    Returns
    -------
    str or None
        Which limit was broken, as the end of a sentence that begins with "the submission".
    """
    reason, before, is_loading, used = None, len(psutil.pids()), True, 0.0
    begun, deadline = 0.0, time.monotonic() + _TO_START
    while process.poll() is None and reason is None:
        time.sleep(_POLL)
        if is_loading and has_begun():
            is_loading, begun = False, time.monotonic()
            deadline = begun + limits.seconds
            used = processor_seconds(_family(process.pid))
        if time.monotonic() > deadline and not is_loading and not is_up(
                limits.seconds, time.monotonic() - begun,
                processor_seconds(_family(process.pid)) - used):
            deadline = time.monotonic() + _NEXT_LOOK
        if time.monotonic() > deadline:
            reason = f"was stopped after {_TO_START if is_loading else limits.seconds:g} s"
        elif stopped():
            reason = INTERRUPTED
        elif group is not None:
            reason = _refused(group, limits)
        else:
            now = len(psutil.pids())  # of the whole computer, but quick
            if now > before + limits.processes or _excess(process.pid, limits, _roughly):
                with _frozen(process):
                    reason = _excess(process.pid, limits, _exactly)
            before = now
    end(process)
    return reason or (_refused(group, limits) if group else None)


def tasks_of_this_user() -> int:
    """Processes and threads, which Linux counts together."""
    with contextlib.suppress(AttributeError, psutil.Error):
        own = psutil.Process().uids().real
        return sum(other.info["num_threads"] or 1
                   for other in psutil.process_iter(["num_threads", "uids"])
                   if other.info["uids"] and other.info["uids"].real == own)
    return 0  # a system that knows no such limit


def _refused(group: Group, limits: Limits) -> str | None:
    """What the kernel refused to the group, if anything."""
    if group.ran_out_of_processes():
        return _too_many(limits)
    return _too_much(limits) if group.ran_out_of_memory() else None


def _too_much(limits):
    return f"used more than {limits.memory / 1e6:,.0f} MB of memory"


def _too_many(limits):
    return f"started more than {limits.processes} processes"


def _excess(pid: int, limits: Limits, memory_of: Callable) -> str | None:
    """Which limit a process and its descendants break together."""
    family = _family(pid)
    if len(family) > limits.processes:
        return _too_many(limits)
    used = 0
    for member in family:
        with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
            used += memory_of(member)
    return _too_much(limits) if used > limits.memory else None


def _roughly(process: psutil.Process) -> int:
    """A quick count: pages that a copy shares with its parent may count for both."""
    info = process.memory_info()
    return info.rss - getattr(info, "shared", 0)


def _exactly(process: psutil.Process) -> int:
    """The exact count, which is slow: of a page that several share, each has its part."""
    info = process.memory_full_info()
    return getattr(info, "pss", info.uss)


def _family(pid: int) -> list[psutil.Process]:
    """A process and its descendants."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def end(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with _frozen(process):
        for member in _family(process.pid):
            with contextlib.suppress(psutil.Error):
                member.kill()
        _to_all(process, "SIGKILL")
    process.wait()


def end_all_with(home: str) -> None:
    """End the processes whose home is a submission's folder: daemons that outlived their parents.

    Where there are no walls, this finds what did not clear its environment.
    """
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("TLCOURSE_WORKSPACE") == home:
            with contextlib.suppress(psutil.Error):
                process.kill()


@contextlib.contextmanager
def _frozen(process: subprocess.Popen) -> Iterator[None]:
    """Stop all processes of a session at once: a fork bomb outgrows whoever counts it meanwhile."""
    _to_all(process, "SIGSTOP")
    try:
        yield
    finally:
        _to_all(process, "SIGCONT")


def _to_all(process: subprocess.Popen, name: str) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, getattr(signal, name))
