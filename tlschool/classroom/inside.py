"""What happens in the process that runs a learner's code: cells, checks where it ran, and calls."""

import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout

from tlcourse.notebook import exercises
from tlschool.classroom import wire
from tlschool.classroom.bounds import Kept, at_most
from tlschool.classroom.checks import judge
from tlschool.classroom.plain import plain
from tlschool.classroom.pristine import Pristine
from tlschool.classroom.shell import Shell


class Learner:
    """Runs a learner's cells and checks answers beside them.

    Parameters
    ----------
    graded : mapping of str to Exercise
        The exercises with their checks, by id.
    names : mapping of str to str
        What an answer is called, by the exercise's id.
    seeds : list of int
    seconds : float
        For one cell or check.
    """

    def __init__(self, graded: Mapping, names: Mapping[str, str], seeds: list[int],
                 seconds: float):
        self._graded, self._names, self._seeds, self._seconds = graded, names, seeds, seconds
        self._shell, self._answer, self._own = Shell.instance(colors="nocolor"), None, os.getpid()
        _lend_nothing(graded)
        steps = [step for exercise in graded.values() for step in exercise.checks]
        self._pristine = Pristine(steps)

    def cell(self, id: str, source: str) -> dict:
        """Run one cell as Jupyter would."""
        said = Kept()
        with redirect_stdout(said), redirect_stderr(said), at_most(self._seconds):
            try:
                result = self._shell.run_cell(source, silent=False)
                error = result.error_before_exec or result.error_in_exec
            except BaseException as escaped:  # noqa: BLE001, whatever a learner's cell may raise
                error = escaped
        if os.getpid() != self._own:  # a copy that the cell made, by os.fork()
            os._exit(1)
        if isinstance(error, KeyboardInterrupt):
            error = TimeoutError(f"stopped after {self._seconds} s")
        return {"event": "ran", "id": id, "output": said.said(),
                "error": _said(error) if error is not None else None}

    def check(self, exercise: str) -> dict:
        """Judge an answer here, beside the code that made it."""
        changed, said = self._pristine.restore(), Kept()
        verdict = {"event": "checked", "exercise": exercise, "passed": False, "changed": changed}
        if self._names[exercise] not in self._shell.user_ns:
            return verdict | {"message": None}
        self._answer = self._shell.user_ns[self._names[exercise]]
        with redirect_stdout(said), redirect_stderr(said):
            try:
                with at_most(self._seconds):
                    result = judge(self._graded[exercise], self._answer, self._seeds)
                verdict |= {"passed": result.passed, "message": result.message}
            except BaseException as error:  # noqa: BLE001
                late = isinstance(error, KeyboardInterrupt)
                verdict["message"] = (f"checking it took longer than {self._seconds} s." if late
                                      else f"checking it stopped with {type(error).__name__}.")
        if during := self._pristine.restore():
            verdict |= {"passed": False, "changed": sorted({*changed, *during}),
                        "message": f"while it was checked, this answer changed {during[0]}."}
        return verdict

    def value(self) -> dict:
        """The answer that was checked last, to be sent."""
        return self._sent(lambda: {"value": wire.pack(plain(self._answer))})

    def call(self, given: list, named: dict) -> dict:
        """Call the answer that was checked last; its arguments come back as it left them."""
        def called():
            own, own_named = wire.unpack(given), wire.unpack(named)
            value = wire.pack(plain(self._answer(*own, **own_named)))
            return {"value": value, "given": wire.pack([*own, *own_named.values()])}

        return self._sent(called)

    def _sent(self, make):
        said = Kept()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                with at_most(self._seconds):
                    return make()
            except BaseException as error:  # noqa: BLE001
                return {"error": _said(error)}


def _lend_nothing(chosen):
    """While grading, `check` hands back the learner's own object, and no reference can be made."""
    def refuse():
        raise LookupError("none is lent while this is graded")

    for id in chosen:
        object.__setattr__(exercises.get(id), "reference", refuse)


def _said(error):
    words = (f"{error.msg}, in line {error.lineno}" if isinstance(error, SyntaxError)
             else str(error))
    text = " ".join(f"{type(error).__name__}: {words}".split())[:400]
    return f"{text.rstrip(':.')}."
