"""``%live`` in a notebook: the next snippet, or the room's state, for whoever is behind.

    %load_ext tlschool.live.magic
    %live 01                    follow lesson 01 live
    %live next                  fill this cell with its step's code, or give the next one
    %live next 7                the code of step 7
    %live checkpoint            load what came before the section of this cell
    %live checkpoint data-hunger   the same for a section by its name
"""

import contextlib
import json
import re
import time
from pathlib import Path
from types import SimpleNamespace

from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from tlcourse.notebook import places
from tlcourse.utils.files import write_atomically
from tlcourse.utils.messages import say
from tlschool.live import checkpoints, notebooks
from tlschool.live.steps import Lesson, Step, read

USAGE = "`%live 01`, `%live next`, `%live next 7`, `%live checkpoint` or `%live checkpoint NAME`"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by ``%load_ext``."""
    magics = LiveMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.begin)
    shell.events.register("post_run_cell", magics.end)


@magics_class
class LiveMagics(Magics):
    """Knows the lesson, the cell that runs, and the steps that ran in this kernel."""

    lesson: Lesson | None = None
    ran: set[int]
    running = SimpleNamespace(raw_cell="", cell_id="")

    def begin(self, info: ExecutionInfo) -> None:
        """Remember the cell that starts to run."""
        self.running = info

    def end(self, result: ExecutionResult) -> None:
        """Note which step has run: known by its cell, or by the text that was handed out.

        A cell that is not Python yet never reaches its `%live next`: that is answered here.
        """
        asked = re.search(r"(?m)^%live next *(\d*)$", result.info.raw_cell)
        if self.lesson and asked and getattr(result, "error_before_exec", None):
            self.live(f"next {asked[1]}")
        if self.lesson and result.success and "%live" not in result.info.raw_cell:
            step = self._step_of(result.info)
            if step and result.info.raw_cell.strip():
                self.ran.add(step.number)
                _note(self.lesson, step.number)

    @line_magic("live")
    def live(self, line: str) -> None:
        """Follow a lesson typed live; see `tlschool.live.magic`."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        try:
            if word.isdigit():
                self._follow(word)
            elif self.lesson is None:
                say("Say which lesson first, such as `%live 01`.")
            elif word == "next" and (rest.isdecimal() or not rest):
                self._next(rest)
            elif word == "checkpoint":
                self._checkpoint(rest)
            else:
                say(f"`{f'%live {line.strip()}'.strip()}` is not known; there is {USAGE}.")
        except LookupError as error:  # a lesson, checkpoint or step that there is not
            say(f"{error}.")

    def _follow(self, id: str) -> None:
        import tlcourse.plots  # noqa: F401, so that a checkpoint need not wait for it
        import tlcourse.training  # noqa: F401

        self.lesson, self.ran = read(id), set()
        say(f"Lesson {self.lesson.about['id']}, {len(self.lesson.steps)} steps. Behind? `%live "
            "next` in an empty cell fills it. Missed more? `%live checkpoint` in the first cell "
            "of a section.")

    def _next(self, number: str) -> None:
        """Fill the cell that asks when it is empty but for the call, otherwise a new one below."""
        here = self._step_of(self.running)
        step = self.lesson.step(int(number)) if number else here or self._after()
        own = step is here and self._is_untouched(here)
        self.shell.set_next_input(step.code, replace=own)
        missing = [number for number in range(1, step.number) if number not in self.ran]
        say(f"Step {step.number} of {len(self.lesson.steps)} is in "
            f"{'this' if own else 'the next'} cell: run it.")
        if missing:
            say(f"{len(missing)} of the steps before it did not run here, from step {missing[0]} "
                "on. `%live next` in those cells fills them; `%live checkpoint` loads all that "
                "came before this section.")

    def _checkpoint(self, name: str) -> None:
        here = self._step_of(self.running)
        section = checkpoints.find(self.lesson, name or (here or self._after()).section)
        if not checkpoints.is_made(self.lesson):
            checkpoints.make_apart(self.lesson.about["id"])
        start = time.perf_counter()
        loaded = checkpoints.load(self.lesson, section, self.shell.user_ns)
        first = next(step.number for step in self.lesson.steps if step.section == section)
        self.ran = set(range(1, first))  # `next` goes on from here, an earlier section too
        _note(self.lesson, first - 1)
        if here and self._is_untouched(here):
            self.shell.set_next_input(here.given, replace=True)  # the cell as it was
        say(f"The state before {section!r} is loaded in {time.perf_counter() - start:.1f} s: "
            f"{', '.join(loaded.names) or 'nothing is needed'}. Go on with step {first}.")
        if loaded.left_out:
            say(f"What could not be kept is missing: {', '.join(loaded.left_out)}. Run the cells "
                "that define it.")

    def _is_untouched(self, step: Step) -> bool:
        """Whether the cell that runs holds nothing but what was given in it, and calls of this."""
        typed = [line for line in self.running.raw_cell.splitlines()
                 if line.strip() and not line.startswith("%live")]
        return typed in ([], [line for line in step.given.splitlines() if line.strip()])

    def _step_of(self, info: ExecutionInfo) -> Step | None:
        """The step of a cell: by the cell's id, which Jupyter tells, or by its text."""
        text = info.raw_cell.strip()
        return next((step for step in self.lesson.steps if step.cell.id == info.cell_id
                     or step.code.strip() == text), None)

    def _after(self) -> Step:
        """The step after the last one that ran."""
        return self.lesson.step(max(self.ran, default=0) + 1)


def upcoming(id: str | None, number: int | None) -> tuple[Lesson, Step]:
    """The step after the last one that a live notebook ran, or the one of this number.

    Parameters
    ----------
    id : str or None
        The lesson; by default that of the live notebook.
    number : int or None

    Raises
    ------
    LookupError
        No live notebook has run yet, no such lesson or step.
    """
    last, ran = _last_position()
    if id is None and last is None:
        raise LookupError(f"no live notebook has run here yet: name the lesson, as in "
                          f"`{places.command()} live next 01`")
    lesson = read(id or last)
    done = ran if lesson.about["id"] == last else 0
    return lesson, lesson.step(done + 1 if number is None else number)


def _last_position() -> tuple[str | None, int]:
    """Lesson and step that ran last in any live notebook; None and 0 where that is not known."""
    try:
        noted = json.loads(_position().read_text(encoding="utf-8"))
        return str(noted["lesson"]), int(noted["step"])
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged
        return None, 0


def _position() -> Path:
    return notebooks.folder() / ".position.json"


def _note(lesson: Lesson, number: int) -> None:
    """Keep the position for `tlcourse live next`; a folder that cannot be written stops nobody."""
    with contextlib.suppress(OSError):
        write_atomically(_position(), json.dumps({"lesson": lesson.about["id"], "step": number}))
