"""Quiz questions in a lesson's page."""

import html

from tlcourse.notebook import exercises
from tlcourse.notebook.record import note
from tlcourse.notebook.show import show
from tlcourse.utils.messages import say


def quiz(id: str, choice: str | None = None) -> None:
    """Ask a quiz question, or say whether a choice is right and why.

    Parameters
    ----------
    id : str
        Lesson and number, such as "0.1".
    choice : str, optional
        The letter of an option. Without it the question is shown, with an explanation behind
        every option that opens by mouse or keyboard.
    """
    try:
        question = exercises.question(id)
    except LookupError as error:
        say(str(error))
        return
    options, letter = question.by_letter(), str(choice).strip().lower()
    if choice is None:
        show(*_asked(question))
    elif letter not in options:
        say(f"quiz {id}: choose one of {', '.join(options)}, got {choice!r}.")
    else:
        note(f"quiz {id}", letter == question.right)
        verdict = "right" if letter == question.right else "not yet"
        say(f"quiz {id} {verdict}: {letter}) {options[letter].text} {options[letter].why}")


def _asked(question: exercises.Question) -> tuple[str, str]:
    """A question as text, without the explanations, and as HTML, with them folded away."""
    options, call = question.by_letter().items(), f'quiz("{question.id}", "...")'
    text = [f"Quiz {question.id}. {question.text}"]
    text += [f"  {letter}) {option.text}" for letter, option in options]
    text += [f"To record your answer: {call}"]
    page = [f"<p><b>Quiz {question.id}.</b> {html.escape(question.text)}</p>"]
    page += [f"<details><summary>{letter}) {html.escape(option.text)}</summary>"
             f"<p>{'Right. ' * (letter == question.right)}{html.escape(option.why)}</p></details>"
             for letter, option in options]
    page += [f"<p>To record your answer: <code>{call}</code></p>"]
    return "\n".join(text), "\n".join(page)
