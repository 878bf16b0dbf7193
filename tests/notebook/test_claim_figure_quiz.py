"""Claims hold or raise, figures bring words, quiz options explain themselves."""

import base64
import html
import io
import re

import fake_lesson
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tlcourse import claim, figure, quiz
from tlcourse.notebook import exercises, record
from tlcourse.notebook.claim import ClaimError
from tlcourse.notebook.figure import COLOURS, DPI
from tlcourse.utils.messages import COLUMNS

HIGH, LOW = [0.80, 0.81, 0.82, 0.83, 0.84], [0.70, 0.71, 0.70, 0.71, 0.70]
ALT = 'Two lines; the "upper" one rises & the lower <falls>.'


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show: (text, html) for each output."""
    outputs = []
    for module in ("claim", "figure", "quiz"):
        monkeypatch.setattr(f"tlcourse.notebook.{module}.show",
                            lambda text, page=None: outputs.append((text, page)))
    return outputs


@pytest.fixture
def asked(tmp_path, monkeypatch):
    fake_lesson.lay_out(tmp_path, monkeypatch)
    recorded = []
    monkeypatch.setattr(record, "record", lambda *outcome: recorded.append(outcome))
    return recorded


def test_a_claim_prints_words_and_floor_and_shows_the_digits_apart(capsys, shown):
    claim("more is better", HIGH, LOW, at_least=0.05)
    assert capsys.readouterr().out == "more is better: holds: at least 5 points over 5 seeds\n"
    ((text, page),) = shown
    assert page is None
    assert re.fullmatch(r"measured: 11\.6 points, 95 % interval \d+\.\d to \d+\.\d, 5 seeds", text)


def test_a_long_claim_goes_on_indented_and_no_word_is_cut(capsys, shown):
    words = "what nobody would have thought of a network of this size " * 2
    claim(words.strip(), HIGH, LOW, at_least=0.05)
    first, *more = capsys.readouterr().out.splitlines()
    assert len(first) <= COLUMNS and more and all(line.startswith("  ") for line in more)
    together = " ".join([first, *(line.strip() for line in more)])
    assert together == f"{words.strip()}: holds: at least 5 points over 5 seeds"


def test_in_plain_python_both_are_printed(capsys):
    claim("more is better", HIGH, LOW, at_least=0.01, level=0.9)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "more is better: holds: at least 1 point over 5 seeds"
    assert lines[1].startswith("measured: 11.6 points, 90 % interval ")


def test_a_claim_rests_on_the_lower_end_of_the_interval_not_on_the_mean(capsys):
    assert np.mean(np.subtract(HIGH, LOW)) > 0.11
    with pytest.raises(ClaimError, match=r"does not hold: at least 11 points .* 11\.6"):
        claim("more is better", HIGH, LOW, at_least=0.11)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("a", "b", "said"), [
    (HIGH[:4], LOW[:4], "a claim needs at least 5 seeds, got 4"),
    (HIGH, LOW[:4], "equal numbers"),
    ([*HIGH[:4], float("nan")], LOW, "finite"),
])
def test_a_claim_on_too_little_is_refused(a, b, said):
    with pytest.raises(ValueError, match=said):
        claim("more is better", a, b, at_least=0.0)


def drawn():
    fig, axes = plt.subplots(figsize=(6.4, 3.8))
    axes.plot([1, 2, 3], color="#0072B2")
    axes.imshow(np.random.default_rng(0).random((8, 8)), cmap="viridis")
    axes.set_title("Accuracy against labels")
    return fig


def picture(page):
    return Image.open(io.BytesIO(base64.b64decode(page.split("base64,")[1].split('"')[0])))


def test_a_figure_is_shown_once_with_its_words(shown):
    fig = drawn()
    figure(fig, ALT)
    ((text, page),) = shown
    assert text == f"[Figure: {ALT}]"
    assert html.unescape(re.search(r'alt="([^"]*)"', page)[1]) == ALT
    assert "<falls>" not in page and "max-width" in page
    assert not plt.fignum_exists(fig.number)


def test_a_figure_of_the_course_brings_its_own_words(shown):
    fig = Figure()
    fig.alt_text = ALT
    figure(fig)
    assert ALT in shown[0][0]


def test_the_picture_has_a_palette_and_looks_as_before(shown):
    fig, full = drawn(), io.BytesIO()
    fig.savefig(full, dpi=DPI)
    figure(fig, ALT)
    small = picture(shown[0][1])
    assert small.mode == "P" and len(small.getcolors()) <= COLOURS
    before, after = (np.asarray(p.convert("RGB"), int) for p in (Image.open(full), small))
    assert before.shape == after.shape and np.abs(before - after).mean() < 1
    dark, white = (before == 0).all(-1), (before == 255).all(-1)
    assert after[dark].max() < 20 and after[white].min() > 250  # text and paper stay apart
    assert len(base64.b64decode(shown[0][1].split("base64,")[1].split('"')[0])) < (
        len(full.getvalue()) / 2)


@pytest.mark.parametrize("alt", [None, "", "   ", "a curve", "a\n\n   curve        "])
def test_a_figure_without_words_is_refused(alt, shown):
    with pytest.raises(ValueError, match="at least 20 characters.*pass alt="):
        figure(drawn(), alt)
    assert shown == []


def test_axes_are_no_figure():
    with pytest.raises(TypeError, match="hand over axes.figure"):
        figure(Figure().subplots(), ALT)


def test_a_question_folds_each_explanation_behind_its_option(asked, shown):
    quiz("90.1")
    ((text, page),) = shown
    assert text == ("Quiz 90.1. Is 1 < 2?\n  a) No & never\n  b) Yes\n"
                    'To record your answer: quiz("90.1", "...")')
    assert page.count("<details><summary>") == 2 and "Is 1 &lt; 2?" in page
    assert "<summary>a) No &amp; never</summary><p>It is smaller.</p>" in page
    assert "<summary>b) Yes</summary><p>Right. So it is.</p>" in page
    assert page.endswith('<p>To record your answer: <code>quiz("90.1", "...")</code></p>')
    assert "script" not in page and "open" not in page
    assert asked == []


@pytest.mark.parametrize(("choice", "line", "outcome"), [
    ("b", "quiz 90.1 right: b) Yes So it is.", ("quiz 90.1", True)),
    (" B", "quiz 90.1 right: b) Yes So it is.", ("quiz 90.1", True)),
    ("a", "quiz 90.1 not yet: a) No & never It is smaller.", ("quiz 90.1", False)),
    ("z", "quiz 90.1: choose one of a, b, got 'z'.", None),
    (2, "quiz 90.1: choose one of a, b, got 2.", None),
])
def test_a_choice_gets_its_explanation_and_is_recorded(asked, capsys, choice, line, outcome):
    quiz("90.1", choice)
    assert capsys.readouterr().out == f"{line}\n"
    assert asked == [outcome] * bool(outcome)


def test_an_explanation_is_printed_in_lines_that_end_between_words(asked, capsys, monkeypatch):
    long = exercises.Option("Yes", " ".join(["because"] * 30))
    question = exercises.Question("90.8", "Why?", [long], "a")
    monkeypatch.setattr(exercises, "question", {"90.8": question}.__getitem__)
    quiz("90.8", "a")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and max(map(len, lines)) <= 80
    assert " ".join(lines) == f"quiz 90.8 right: a) Yes {long.why}"


@pytest.mark.parametrize("number", exercises.lessons())
def test_the_texts_leave_the_verdict_to_the_quiz(number):
    options = [o for question in exercises.lesson(number).questions for o in question.options]
    assert options and not [o.why for o in options if o.why.startswith("Right")]


def test_an_unknown_question_is_one_sentence(asked, capsys):
    quiz("90.7", "a")
    assert capsys.readouterr().out == "there is no question '90.7'; there are: 90.1.\n"
    assert asked == []


def test_letters_follow_the_order_of_the_options(asked):
    assert list(exercises.question("90.1").by_letter()) == ["a", "b"]
