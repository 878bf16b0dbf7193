"""What a lesson says besides its code: measured claims, figures with words, quiz questions."""

import base64
import html
import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from tlcourse.school import exercises
from tlcourse.school.check import record, say
from tlcourse.stats import paired_gap

SEEDS = 5
"""A claim rests on at least so many paired runs."""
ALT_LENGTH = 20
"""An alternative text of fewer characters describes nothing."""
DPI, COLOURS = 110, 64


class ClaimError(AssertionError):
    """A claim that the measurements do not bear out."""


def claim(
    text: str, a: Sequence[float], b: Sequence[float], *, at_least: float, level: float = 0.95
) -> None:
    """State that `a` beats `b`, and fail when the measurements do not say so.

    Prints the words and the floor, which hold on every machine. The measured digits, which differ
    a little between processors, follow as an output of their own.

    Parameters
    ----------
    text : str
        The claim in words.
    a, b : sequences of float, both of length n >= 5
        Scores as fractions, one a seed, paired.
    at_least : float
        Floor of the gap, a fraction: 0.05 is 5 points.
    level : float
        Coverage of the interval whose lower end must reach the floor.

    Raises
    ------
    ClaimError
        The lower end of the interval of a - b lies under the floor.
    ValueError
        Fewer than 5 seeds, unpaired or non-finite scores.
    """
    if len(a) < SEEDS:
        raise ValueError(f"a claim needs at least {SEEDS} seeds, got {len(a)}: run more of them")
    gap = paired_gap(a, b, level=level)
    measured = (f"{100 * gap.estimate:.1f} points, {100 * level:g} % interval "
                f"{100 * gap.low:.1f} to {100 * gap.high:.1f}, {gap.n} seeds")
    points = f"{100 * at_least:g} point{'' if at_least == 0.01 else 's'}"
    floor = f"at least {points} over {gap.n} seeds"
    if not gap.low >= at_least:
        raise ClaimError(f"{text}: does not hold: {floor} was claimed, measured {measured}")
    say(f"{text}: holds: {floor}", indent="  ")
    _show(f"measured: {measured}")


def figure(fig: Figure, alt: str | None = None) -> None:
    """Show a figure as a small picture with an alternative text, and close it.

    Parameters
    ----------
    fig : matplotlib Figure
        Those of `tlcourse.plots` bring their text as ``alt_text``.
    alt : str, optional
        What the figure shows, for those who cannot see it.

    Raises
    ------
    TypeError
        `fig` is not a Figure.
    ValueError
        There is no alternative text of at least 20 characters.
    """
    if not isinstance(fig, Figure):
        raise TypeError(f"a matplotlib Figure is needed, got {type(fig).__name__}: "
                        "for axes, hand over axes.figure")
    alt = " ".join((alt or getattr(fig, "alt_text", None) or "").split())
    if len(alt) < ALT_LENGTH:
        raise ValueError(f"a figure needs a text that says what it shows, at least {ALT_LENGTH} "
                         f"characters, got {alt!r}: pass alt=")
    picture = base64.b64encode(_palette_png(fig)).decode()
    plt.close(fig)  # otherwise the inline backend shows it once more, as it is
    _show(f"[Figure: {alt}]", f'<img alt="{html.escape(alt)}" style="max-width:100%" '
                              f'src="data:image/png;base64,{picture}">')


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
        _show(*_asked(question))
    elif letter not in options:
        say(f"quiz {id}: choose one of {', '.join(options)}, got {choice!r}.")
    else:
        record(f"quiz {id}", letter == question.right)
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


def _palette_png(fig: Figure) -> bytes:
    """The figure as PNG with a palette: about a third of the bytes, the text as crisp."""
    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, format="png", dpi=DPI, facecolor="white")
    picture = Image.open(full).convert("RGB")
    picture = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


def _show(text: str, page: str | None = None) -> None:
    """One output of its own in a notebook; printed text in plain Python."""
    if get_ipython() is None:
        print(text)
    else:
        display({"text/plain": text, **({"text/html": page} if page else {})}, raw=True)
