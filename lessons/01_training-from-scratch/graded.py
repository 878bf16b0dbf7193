"""Further checks of lesson 01, and the variants of its prediction."""

import random

from tlcourse.notebook.ladder import exists, is_number

_CLASSES = {5: "Five", 8: "Eight", 20: "Twenty", 25: "Twenty-five", 50: "Fifty"}


def _classes(variant):
    return random.Random(variant).choice(list(_CLASSES))


def _words(prompt, variant):
    if not variant:
        return prompt
    return prompt.replace("Ten digits,", f"{_CLASSES[_classes(variant)]} symbols,")


def _share(variant):
    """The ladder of 1.1 for another number of classes."""
    classes = _classes(variant)

    def share(answer, seed):
        if not 0.8 / classes <= answer <= 1.4 / classes:
            return ("how often does one of so many equally frequent symbols come up? "
                    f"{'Less' if answer > 1 / classes else 'More'} often than that.")

    return [exists(), is_number(0, 1), share]


def _other_classes(answer, seed):
    """Matrices of other sizes, of which one is the lesson's, and they stay as they are."""
    import numpy as np

    for classes in (2, 10):
        confusion = np.random.default_rng(seed).integers(1, 30, (classes, classes))
        got = answer(handed_in := confusion.copy())
        if np.shape(got) != (classes,):
            return f"{classes} classes should have {classes} recalls."
        if not np.allclose(got, confusion.diagonal() / confusion.sum(axis=1)):
            return f"with {classes} classes the values are not the recalls."
        if not np.array_equal(handed_in, confusion):
            return "the confusion matrix that was handed in has been changed."


def _other_sizes(answer, seed):
    """The smallest number of rows, and that of the lesson."""
    import numpy as np

    for n in (2, 1796):
        train, test = (np.asarray(rows) for rows in answer(n))
        if sorted([*train.tolist(), *test.tolist()]) != list(range(n)) or len(train) != len(test):
            return f"for {n} rows the parts do not hold each row once, half in each."
        if not (np.isin(test - 1, train) | np.isin(test + 1, train)).all():
            return f"for {n} rows some test rows have no neighbour in the training part."


def _other_curves(answer, seed):
    """The best look is the first, the last or the only one, or no look is better than 0."""
    for validation, test, where in (
        ([0.9, 0.5, 0.7], [0.31, 0.62, 0.83], "the first look is the best on validation"),
        ([0.5, 0.6, 0.8], [0.82, 0.61, 0.33], "the last look is the best on validation"),
        ([0.0, 0.0], [0.41, 0.72], "every look scores 0 on validation"),
        ([0.7], [0.54], "there is only one look"),
    ):
        if answer(list(validation), list(test)) != test[validation.index(max(validation))]:
            return f"where {where}, this gives another test accuracy."


PROPERTIES = {"1.2": (_other_classes,), "1.3": (_other_sizes,), "1.4": (_other_curves,)}
WORDS = {"1.1": _words}
CHECKS = {"1.1": _share}
BY_VALUE = ("1.2", "1.3", "1.4")
