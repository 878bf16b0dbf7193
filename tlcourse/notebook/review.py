"""Quiz questions again, when they are due: in the terminal and in a notebook, by keyboard only.

What is due is read from the learner's record, and each answer is kept there at once.
"""

import random
import shutil
import textwrap
from dataclasses import replace
from datetime import date

from tlcourse.notebook import progress, record
from tlcourse.notebook.exercises import Option, Question

_STOP = ("q", "quit", "exit")


def review() -> None:
    """Ask the quiz questions that are due, and explain every option after each answer.

    A letter and Enter answer, q and Enter stop. A question that was answered, here or by
    ``quiz``, comes again after 1 day, then 2, 4, 8 and 16, and after a wrong answer on the next
    day. Questions of a lesson whose exercises are all passed are asked even if they were never
    answered.
    """
    today = record.now().date()
    questions = progress.due(today)
    answers: list[bool] = []
    try:
        for number, question in enumerate(questions, start=1):
            print(f"Question {number} of {len(questions)}: quiz {question.id}")
            right = _ask(question, today)
            if right is None:
                break
            record.record(progress.item(question), right)
            answers.append(right)
    except (EOFError, KeyboardInterrupt):
        print()  # the same as q
    except RuntimeError:  # a notebook that is run by a program, or a Python without a console
        print("A review needs someone who types: call it in JupyterLab or in a terminal.")
        return
    if answers:
        print(f"{sum(answers)} of {len(answers)} right; what you answered is kept.")
    print(_filled(_outlook(today)))


def shuffled(question: Question, today: date) -> dict[str, Option]:
    """The options by letter, in an order that changes from day to day, so that none is learned."""
    options = list(question.options)
    random.Random(f"{question.id} {today.isoformat()}").shuffle(options)
    return replace(question, options=options).by_letter()


def _ask(question: Question, today: date) -> bool | None:
    """Whether the answer is right, after the explanations; None to stop."""
    options, correct = shuffled(question, today), question.by_letter()[question.right]
    print(_filled(question.text))
    for letter, option in options.items():
        print(_filled(f"{letter}) {option.text}", "  "))
    while (letter := input(f"{', '.join(options)} or q: ").strip().lower()) not in options:
        if letter in _STOP:
            return None
        print(f"Type one of {', '.join(options)} and Enter, or q and Enter to stop.")
    right = options[letter] is correct
    print("Right." if right else "Not yet.")
    for each, option in options.items():
        verdict = "right" if option is correct else "wrong"
        print(_filled(f"{each}) {option.text}", "  "))
        print(_filled(f"{verdict}{', your choice' * (each == letter)}: {option.why}", "     "))
    print()
    return right


def _outlook(today: date) -> str:
    """How many questions are still due, or when the next one will be, in one sentence."""
    if left := len(progress.due(today)):
        return f"Still due: {left} question{'s' * (left > 1)}."
    entries = record.entries()
    items = {progress.item(question) for _, question in progress.questions()}
    if not (asked := items & entries.keys()):
        return ("There is nothing to review yet: answer a lesson's quiz, or pass all of its "
                "exercises.")
    soonest = min(entries[item]["due"] for item in asked)
    return f"Nothing is due any more. The next question comes on {soonest}."


def _filled(text: str, indent: str = "") -> str:
    width = min(shutil.get_terminal_size().columns, 90)
    hanging = indent + "   " * text[1:3].startswith(")")
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=hanging)
