"""What the texts of exercises and quizzes may not give away."""

import pytest

from tlcourse.notebook import exercises

QUESTIONS = [question for id in exercises.lessons() for question in exercises.lesson(id).questions]


def is_longest(question):
    """Whether the right option has more letters than each of the others."""
    lengths = {letter: len(option.text) for letter, option in question.by_letter().items()}
    right = lengths.pop(question.right)
    return right > max(lengths.values())


def test_the_right_option_of_a_quiz_is_the_longest_in_a_third_of_them_at_most():
    longest = [question.id for question in QUESTIONS if is_longest(question)]
    assert len(longest) <= len(QUESTIONS) / 3, longest


@pytest.mark.parametrize("letter", "abcd")
def test_no_letter_is_the_right_one_in_more_than_a_third_of_the_quizzes(letter):
    assert sum(question.right == letter for question in QUESTIONS) <= len(QUESTIONS) / 3


@pytest.mark.parametrize(("right", "longest"), [("a", False), ("b", True)])
def test_the_longest_option_is_found(right, longest):
    options = [exercises.Option("Short.", "why"), exercises.Option("A long answer.", "why"),
               exercises.Option("Shorter.", "why")]
    assert is_longest(exercises.Question("9.1", "?", options, right)) == longest
