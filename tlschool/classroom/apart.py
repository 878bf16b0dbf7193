"""The process that runs a learner's code, seen from the one that judges and never runs any of it.

Both are copies of one, made after everything was imported and before the learner's first line, so
the second one costs next to nothing. The judge alone can reach the grader. An answer that is made
of plain values is sent to it. Of a function that takes and returns plain values it tries the
checks' inputs, each call a message there and back.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from tlcourse.notebook.check import Result
from tlcourse.notebook.exercises import Exercise
from tlschool.classroom import variants, wire
from tlschool.classroom.checks import judge

_LONGEST = 20_000  # characters of what a cell put out, which are fewer
_DEATH_SIGNAL, _DUMPABLE = 1, 4  # PR_SET_PDEATHSIG, PR_SET_DUMPABLE, in linux/prctl.h


def can_fork() -> bool:
    """Whether a process can be copied here without harm; else there is one for both."""
    return sys.platform == "linux"


class Apart:
    """A learner's process, copied from this one.

    Parameters
    ----------
    make : callable
        Called there; returns what answers `ask`.
    closed : sequence of int
        Numbers of files that are open here and must not be there.
    """

    def __init__(self, make: Callable, closed=()):
        ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if not self._pid:
            with suppress(BaseException):  # and end in any case: nothing of the judge's runs here
                ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
                ours.close()
                for number in closed:
                    os.close(number)
                _serve(make(), theirs.makefile("rw", encoding="utf-8"))
            os._exit(1)
        theirs.close()
        ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)  # nobody looks into this one or its files
        self._channel = ours.makefile("rw", encoding="utf-8")
        threading.Thread(target=self._end_with_it, daemon=True).start()

    def cell(self, id: str, source: str) -> dict:
        """Have a cell run there."""
        said = self.ask({"do": "cell", "id": id, "source": source})
        return {"event": "ran", "id": id, "output": _text(said.get("output")) or "",
                "error": _text(said.get("error"))}

    def check(self, exercise: str) -> dict:
        """Have an answer judged there, beside its code."""
        said = self.ask({"do": "check", "exercise": exercise})
        changed = said.get("changed")
        return {"event": "checked", "exercise": exercise, "passed": said.get("passed") is True,
                "message": _text(said.get("message")),
                "changed": [*map(str, changed)] if isinstance(changed, list) else []}

    def ask(self, order: dict) -> dict:
        """Have something done there; what comes back is a dictionary, and may hold anything."""
        self._channel.write(json.dumps(order) + "\n")
        self._channel.flush()
        answer = json.loads(self._channel.readline() or "[]")
        if not isinstance(answer, dict):
            signal.pause()  # it has ended, and so will this one
        return answer

    def _end_with_it(self):
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os._exit(code if code >= 0 else 128 - code)


def _text(said):
    return None if said is None else str(said)[:_LONGEST]


def _serve(learner, channel):
    for line in channel:
        order = json.loads(line)
        channel.write(json.dumps(getattr(learner, order.pop("do"))(**order)) + "\n")
        channel.flush()


def goes_by_value(exercise: Exercise) -> bool:
    """Whether an answer, or what it takes and returns, can be sent: it is no network or class."""
    return (exercise.id in getattr(variants.own(exercise.id), "BY_VALUE", ())
            or not callable(exercise.reference()))


def judge_by_value(exercise: Exercise, ask: Callable, seeds: list[int]) -> Result:
    """Judge the answer that was checked last in the learner's process, by what it sends."""
    try:
        if callable(exercise.reference()):
            return judge(exercise, _remote(ask), seeds)
        return judge(exercise, wire.unpack(_value(ask({"do": "value"}))), seeds)
    except Exception as error:  # noqa: BLE001, what is sent may be anything
        return Result(False, f"what it gives cannot be judged: {type(error).__name__}.")


def _remote(ask):
    """A function that is called in the learner's process."""
    def answer(*given, **named):
        said = ask({"do": "call", "given": wire.pack([*given]), "named": wire.pack(named)})
        value = wire.unpack(_value(said))
        for own, after in zip([*given, *named.values()], wire.unpack(said["given"]), strict=True):
            wire.put_back(own, after)
        return value

    answer.__module__ = "__main__"
    return answer


def _value(said):
    if "error" in said:
        raise RuntimeError(said["error"])
    return said["value"]
