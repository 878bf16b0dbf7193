"""What differs from student to student: the data of an exercise, never its difficulty.

A variant is a number. It draws the seeds on which functions are tried, and shuffles the options
of a question. Variant 0 is the release that is the same for all.
"""

import hashlib
import random
import re
from types import ModuleType

from tlcourse.notebook import lessons

SEEDS = range(1, 9)
"""Seeds of the hidden checks. Every reference passes on each of them, as the tests show."""
_DRAWN = 2
_LETTERS = "abcdefgh"
_OPTION = re.compile(r"^- ([a-h])\) ((?:.|\n(?!- [a-h]\) |\n|\Z))*)", re.MULTILINE)


def of_student(student: str) -> int:
    """The variant of a student, from the name alone: 1 to 9999."""
    return 1 + int(hashlib.sha256(student.encode()).hexdigest(), 16) % 9999


def seeds(variant: int) -> list[int]:
    """The seeds, besides 0, on which a function is tried."""
    return random.Random(variant).sample(SEEDS, _DRAWN)


def own(exercise_id: str) -> ModuleType | None:
    """The module with what is special to the graded exercises of a lesson, if it has one."""
    return lessons.part(exercise_id.split(".")[0], "graded")


def reword(exercise_id: str, prompt: str, variant: int) -> tuple[str, str]:
    """The text of an exercise in a variant.

    Returns
    -------
    prompt : str
    letters : str
        The original letter of the first option, of the second, ...; empty where there are none.
    """
    if words := getattr(own(exercise_id), "WORDS", {}).get(exercise_id):
        return words(prompt, variant), ""
    options = list(_OPTION.finditer(prompt))
    letters = [option[1] for option in options]
    if len(options) < 2 or letters != list(_LETTERS[: len(options)]):
        return prompt, ""
    order = letters[:]
    if variant:
        random.Random(f"{variant} {exercise_id}").shuffle(order)
    text = {option[1]: option[2] for option in options}
    new = dict(zip(letters, order, strict=True))
    return _OPTION.sub(lambda old: f"- {old[1]}) {text[new[old[1]]]}", prompt), "".join(order)


def original(answer: object, letters: str) -> object:
    """The letter that an answer to a shuffled question has in the lesson; others stay as is."""
    original_of = dict(zip(_LETTERS, letters, strict=False))
    return original_of.get(answer.strip().lower(), answer) if isinstance(answer, str) else answer
