"""What every lesson's proof file uses: a table of wrong answers, each with its message.

A proof file reads::

    from proof import Proof, ProofTests

    class TestLesson07(ProofTests):
        proofs = [
            Proof("7.1", wrong=[("a", "too early"), ("c", "too late"), (None, "no answer yet")]),
            Proof("7.2", given=lambda: {"np": np}, wrong=[...]),
        ]

`given` makes the names that the exercise's cell finds defined when the lesson comes to it.
"""

import contextlib
import io
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from tlcourse import check
from tlcourse.school import exercises
from tlcourse.school.check import say
from tlcourse.school.source import checked, read_source, tags

SEEDS = (0, 1, 2)
FEWEST = 3


@dataclass(frozen=True)
class Proof:
    """That the checks of an exercise accept what is right and say what is wrong.

    Parameters
    ----------
    id : str
        The exercise.
    wrong : sequence of (answer, fragment)
        Wrong answers, each with a part of the message that only it must get.
    given : callable, optional
        Returns the names that the cells of the exercise use, made anew at every call.
    """

    id: str
    wrong: Sequence[tuple[object, str]]
    given: Callable[[], dict] = dict

    def __str__(self):
        return self.id

    def reference_passes(self):
        for seed in SEEDS:
            result = check.grade(self.id, exercises.get(self.id).reference(), seed=seed)
            assert result.passed, f"{self.id}, seed {seed}: {result.message}"

    def wrong_answers_get_their_messages(self):
        assert len(self.wrong) >= FEWEST, f"{self.id} has {len(self.wrong)} wrong answers"
        for answer, fragment in self.wrong:
            for seed in SEEDS:
                result = check.grade(self.id, answer, seed=seed)
                assert not result.passed, f"{self.id}, seed {seed}: {answer!r} passes"
                assert fragment in result.message, (
                    f"{self.id}, seed {seed}: {answer!r} gets {result.message!r}")

    def messages_differ(self):
        messages = [check.grade(self.id, answer).message for answer, _ in self.wrong]
        assert len(set(messages)) == len(messages), f"{self.id}: told twice in {messages}"

    def starter_fails_softly(self):
        """The untouched cell is told so, once, and goes on with the reference."""
        name, value, said = self._run("exercise")
        assert said.startswith(f"{self.id} not yet: "), said
        assert "The reference solution stands in" in said, said
        assert "lent to you" in check.grade(self.id, value).message, f"{name} is not the reference"

    def solution_passes(self):
        _, value, said = self._run("solution")
        assert said.startswith(f"{self.id} passed: "), said
        assert check.grade(self.id, value).passed

    def _run(self, tag: str) -> tuple[str, object, str]:
        """Execute a cell of the lesson's source: (name of the answer, its value, what it said)."""
        source, file = _cell(self.id, tag), f"<{tag} {self.id}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        names = {"check": check, **self.given()}
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(source, file, "exec"), names)  # noqa: S102, the lesson's own cell
        name = source.strip().splitlines()[-1].partition(" = ")[0]
        return name, names[name], _one_message(said.getvalue())


def _one_message(said: str) -> str:
    """What was said as one line; refuses more than one message."""
    message, again = " ".join(said.split()), io.StringIO()
    with contextlib.redirect_stdout(again):
        say(message)
    assert said == again.getvalue(), f"more than one message: {said!r}"
    return message


class ProofTests:
    """The tests of a proof file; a subclass lists the `proofs`, and each test runs on each."""

    proofs: Sequence[Proof] = ()

    def __init_subclass__(cls):
        cls.pytestmark = [pytest.mark.parametrize("proof", cls.proofs, ids=str)]

    @pytest.fixture(autouse=True)
    def _progress_apart(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))

    def test_the_reference_passes(self, proof):
        proof.reference_passes()

    def test_each_wrong_answer_gets_its_message(self, proof):
        proof.wrong_answers_get_their_messages()

    def test_no_two_wrong_answers_get_the_same_message(self, proof):
        proof.messages_differ()

    def test_the_untouched_starter_fails_softly(self, proof):
        proof.starter_fails_softly()

    def test_the_solution_passes(self, proof):
        proof.solution_passes()


def _cell(id: str, tag: str) -> str:
    found = [cell.source for cell in _source(id.partition(".")[0]).cells
             if tag in tags(cell) and checked(cell) == id]
    assert len(found) == 1, f"the lesson has {len(found)} cells tagged {tag} for exercise {id}"
    return found[0]


@cache
def _source(lesson: str):
    return read_source(lesson)
