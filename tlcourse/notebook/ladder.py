"""Steps of checks that several exercises use; what is special to one stands in its lesson.

A check is a ladder: exists, type, shape, value, property. Each step is a function
``step(answer, seed)`` that returns None, or one sentence about *this* answer that points at the
next thought without giving the solution away.
"""

import dis
import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Real

Step = Callable[[object, int], str | None]
"""A step of the ladder: the answer and a seed in, a message or None out."""


def exists(placeholder: object = ...) -> Step:
    """The answer is there: not None, not `...`, and not the starter's placeholder."""

    def step(answer, seed):
        if answer is None or answer is ... or answer is placeholder:
            return "there is no answer yet: put yours where the cell leaves a gap."

    return step


def is_function(*arguments: str) -> Step:
    """The answer is a function that takes these arguments by position and has a body."""
    wanted = f"a function of {len(arguments)} ({', '.join(arguments)}) is needed, and this"

    def step(answer, seed):
        is_network = not isinstance(answer, type) and hasattr(answer, "named_parameters")
        if not callable(answer) or is_network:  # a network can be called, too
            return (f"{wanted} is of type {type(answer).__name__}. Hand over the function by its "
                    "name, without calling it.")
        try:
            inspect.signature(answer).bind(*arguments)
        except TypeError:
            return f"{wanted} one takes {inspect.signature(answer)}."
        if _is_empty(answer):
            return f"`{answer.__name__}` has no body yet: write it in place of the `...`."

    return step


def _is_empty(function: object) -> bool:
    """Whether a function is as the starter left it: a docstring at most, then `...` or pass."""
    code = getattr(function, "__code__", None)
    idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return code is not None and {None, ..., function.__doc__}.issuperset(code.co_consts) and all(
        instruction.opname in idle for instruction in dis.get_instructions(code)
    )


def is_number(low: float = -math.inf, high: float = math.inf) -> Step:
    """The answer is one finite number from `low` to `high`, the range that makes sense at all."""

    def step(answer, seed):
        if answer is None:
            return "one number is needed, and this is None: is the `return` missing?"
        if isinstance(answer, bool) or not isinstance(answer, Real):
            alone = getattr(answer, "size", None) == 1 or getattr(answer, "shape", None) == ()
            return (f"one number is needed, and this is of type {type(answer).__name__}"
                    f"{': `.item()` takes it out' if alone else ''}.")
        if not (math.isfinite(answer) and low <= answer <= high):
            return f"such a number lies between {low:g} and {high:g}, and this is {answer:g}."

    return step


def one_of(right: str, wrong: Mapping[str, str]) -> tuple[Step, Step]:
    """The answer is one of these strings, and then the right one; each wrong one has a message."""
    choices = ", ".join(repr(choice) for choice in sorted([right, *wrong]))

    def is_choice(answer, seed):
        if _choice(answer) not in {right, *wrong}:
            return f"choose one of {choices}: a single letter, in quotes."

    def is_right(answer, seed):
        if _choice(answer) != right:
            return wrong[_choice(answer)]

    return is_choice, is_right


def _choice(answer: object) -> str | None:
    return answer.strip().lower() if isinstance(answer, str) else None


def changed(**given: tuple[object, object]) -> str | None:
    """A sentence when a function has changed what it was given: pairs of before and after."""
    import numpy as np

    for name, (before, after) in given.items():
        if not np.array_equal(before, after):
            return (f"`{name}` itself was changed on the way, and whoever handed it over still "
                    "needs it: work on a copy.")
