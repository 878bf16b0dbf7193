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

from tlschool.classroom.groups import Group

_POLL = 0.05


@dataclass(frozen=True)
class Limits:
    """For one submission, and `cell_seconds` for one cell or check."""

    seconds: float = 120
    cell_seconds: float = 20
    memory: int = 2_000_000_000
    processes: int = 64


def supervise(
    process: subprocess.Popen, limits: Limits, group: Group | None,
    stopped: Callable[[], bool] = lambda: False,
) -> str | None:
    """Wait for a process, started in a session of its own, and end it where it breaks a limit.

    Returns
    -------
    str or None
        Which limit was broken, as the end of a sentence that begins with "the submission".
    """
    begun, reason, before = time.monotonic(), None, len(psutil.pids())
    while process.poll() is None and reason is None:
        time.sleep(_POLL)
        if time.monotonic() - begun > limits.seconds:
            reason = f"was stopped after {limits.seconds:g} s"
        elif stopped():
            reason = "was interrupted"
        elif group is not None:
            reason = _refused(group, limits)
        else:
            now = len(psutil.pids())  # of the whole computer, but quick
            if now > before + limits.processes or _is_suspicious(process.pid, limits):
                with _frozen(process):
                    reason = _excess(process.pid, limits)
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


def _is_suspicious(pid: int, limits: Limits) -> bool:
    """A quick look, which counts the pages that processes share for each of them anew."""
    family = _family(pid)
    return len(family) > limits.processes or (
        sum(_memory(member, quick=True) for member in family) > limits.memory)


def _excess(pid: int, limits: Limits) -> str | None:
    """The exact count, which takes its time."""
    family = _family(pid)
    if len(family) > limits.processes:
        return _too_many(limits)
    if sum(_memory(member, quick=False) for member in family) > limits.memory:
        return _too_much(limits)
    return None


def _family(pid: int) -> list[int]:
    """A process and its descendants, the nearest first.

    One quick pass: while this looks, a fork bomb grows, and psutil's own takes ten times as long.
    """
    children: dict[int, list[int]] = {}
    for child in psutil.pids():
        children.setdefault(_parent(child), []).append(child)
    found, waiting = [], [pid]
    while waiting:
        found += waiting
        waiting = [child for parent in waiting for child in children.get(parent, ())]
    return found


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform != "linux":
            return psutil.Process(pid).ppid()
        with open(f"/proc/{pid}/stat", "rb") as file:  # the name, in brackets, may hold anything
            return int(file.read().rpartition(b")")[2].split()[1])
    return 0


def _memory(pid: int, *, quick: bool) -> int:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if quick:
            info = process.memory_info()
            return info.rss - getattr(info, "shared", 0)
        info = process.memory_full_info()
        return getattr(info, "pss", info.uss)
    return 0


def end(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    with _frozen(process):
        for pid in _family(process.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        _to_all(process, "SIGKILL")
    process.wait()


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
