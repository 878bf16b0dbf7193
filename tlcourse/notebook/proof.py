"""What the ``proofs.py`` of a lesson is made of: right and wrong answers to its exercises."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Proof:
    """That the checks of an exercise accept what is right and say what is wrong.

    Parameters
    ----------
    id : str
        The exercise.
    wrong : sequence of (answer, fragment)
        Wrong answers, each with a part of the message that only it must get.
    alike : sequence of (answer, fragment)
        Further wrong answers, which share their message with one of `wrong`.
    right : sequence of answers
        Right ones that are written in another way than the reference.
    only_visible : sequence of answers
        Wrong ones that the visible check of a graded assignment lets through, and the hidden one
        does not.
    given : callable, optional
        Returns the names that the cells of the exercise use, made anew at every call.
    """

    id: str
    wrong: Sequence[tuple[object, str]]
    alike: Sequence[tuple[object, str]] = ()
    right: Sequence[object] = ()
    only_visible: Sequence[object] = ()
    given: Callable[[], dict] = field(default=dict)

    def __str__(self) -> str:
        return self.id
