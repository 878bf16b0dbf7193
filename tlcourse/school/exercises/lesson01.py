"""Exercises and quiz of lesson 01, Training from scratch."""

from tlcourse.school.exercises import (
    Exercise, Option, Question, exists, is_function, is_number, shape_is,
)


def _share(answer, seed):
    if answer > 0.45:
        return "that would be a question with two classes; here there are ten."
    if answer < 0.01:
        return "it is right now and then: the most frequent digit does occur."
    if not 0.08 <= answer <= 0.14:
        return "how often does one of ten equally frequent digits come up?"


def _recall():
    def recall_per_class(confusion):
        return confusion.diagonal() / confusion.sum(axis=1)

    return recall_per_class


def _recalls(answer, seed):
    import numpy as np

    confusion = np.random.default_rng(seed).integers(1, 30, (4, 4)) + np.diag([90, 60, 30, 5])
    got = answer(confusion.copy())
    if np.isscalar(got) or np.ndim(got) == 0:
        return "one number came back; four classes have four recalls."
    if (message := shape_is(4)(np.asarray(got), seed)) is not None:
        return message
    right = confusion.diagonal()
    if np.allclose(got, right / confusion.sum(axis=0)):
        return ("this divides by how often a class was predicted: that is precision. Recall "
                "divides by how often it was there.")
    if np.allclose(got, right / confusion.sum()):
        return "this divides by all samples, so the four numbers add up to the accuracy."
    if not np.allclose(got, right / confusion.sum(axis=1)):
        return "the shape is right, the values are not: found over there, class by class."


def _leaky():
    import numpy as np

    def leaky_split(n):
        return np.arange(0, n, 2), np.arange(1, n, 2)

    return leaky_split


def _leaks(answer, seed):
    import numpy as np

    n = 40 + 2 * seed
    got = answer(n)
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "two arrays of row numbers are needed: train, test."
    train, test = (np.asarray(rows) for rows in got)
    if len(train) != len(test):
        return f"the parts should be equal in size, and have {len(train)} and {len(test)} rows."
    if shared := len(np.intersect1d(train, test)):
        return f"{shared} of {n} rows are in both parts: that leak is too plain, a test finds it."
    if sorted([*train.tolist(), *test.tolist()]) != list(range(n)):
        return f"together the parts should hold each of the {n} rows once."
    alone = sum(row - 1 not in train and row + 1 not in train for row in test)
    if alone:
        return f"{alone} of {len(test)} test rows have no neighbour in the training part yet."


def _chosen():
    def chosen_score(on_validation, on_test):
        best = max(range(len(on_validation)), key=lambda i: on_validation[i])
        return on_test[best]

    return chosen_score


def _chooses(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    test = (0.5 + 0.4 * rng.permutation(12) / 12).tolist()
    looks = rng.permutation([i for i in range(1, 11) if test[i] not in (max(test), min(test))])
    first, second = sorted(int(i) for i in looks[:2])
    validation = (0.2 + 0.1 * rng.permutation(12) / 12).tolist()
    validation[first] = validation[second] = 0.9
    got = answer(list(validation), list(test))
    if (message := is_number(0, 1)(got, seed)) is not None:
        return message
    if got == max(test):
        return "this is the best look on the test set: the choice was made on it."
    if got == max(validation):
        return "this is the validation accuracy itself; it chose the look, so it is flattered too."
    if got == test[-1]:
        return "this is the last look: nothing was chosen, and early stopping goes unused."
    if got == test[int(np.argmin(validation))]:
        return "this is the look where validation is worst."
    if got == test[second]:
        return "two looks tie on validation; the first of them is the one that training kept."
    if got != test[first]:
        return "this is none of the looks that validation would choose."


EXERCISES = [
    Exercise(
        id="1.1",
        title="The least a network must beat",
        kind="predict",
        minutes=2,
        reference=lambda: 0.1,
        checks=[exists(), is_number(0, 1), _share],
        hints=(
            "Always the same answer: when is it right?",
            "It is right exactly when that class comes up.",
            "Ten classes, equally frequent: one in ten.",
        ),
        praise="one in ten, and any accuracy is read against that.",
    ),
    Exercise(
        id="1.2",
        title="Recall from a confusion matrix",
        kind="complete",
        minutes=5,
        reference=_recall,
        checks=[exists(), is_function("confusion"), _recalls],
        hints=(
            "For class k: how many were found, and how many were there?",
            "The found ones stand on the diagonal; those that were there fill row k.",
            "found = confusion.diagonal() and there = confusion.sum(axis=1).",
        ),
        praise="found over there, row by row.",
    ),
    Exercise(
        id="1.3",
        title="A split that passes every test and leaks",
        kind="break it",
        minutes=8,
        reference=_leaky,
        checks=[exists(), is_function("n"), _leaks],
        hints=(
            "In the starter's split, which test rows have a neighbour in the training part?",
            "Only the row at the cut has one. Every test row needs its own cut.",
            "Deal the rows out in turn: rows[0::2] and rows[1::2].",
        ),
        praise="formally a split, and every test row sits beside a training row.",
    ),
    Exercise(
        id="1.4",
        title="The best look (bug hunt)",
        kind="write",
        minutes=8,
        reference=_chosen,
        checks=[exists(), is_function("on_validation", "on_test"), _chooses],
        hints=(
            "Which of the two curves may decide which look counts?",
            "Find the place of the best validation accuracy, then read the other curve there.",
            "np.argmax(on_validation) is the place (the first, if several tie): return "
            "on_test at that place.",
        ),
        praise="validation chooses, test only answers.",
    ),
]

QUIZ = [
    Question(
        id="1.1",
        text="With 10 labels, the interval of 'network minus logistic regression' touched zero. "
        "What does that mean?",
        options=[
            Option("The two are equally good with 10 labels.",
                   "Not shown either. Equal would need an interval that is narrow around zero."),
            Option("Five seeds do not decide it.",
                   "Right. Undecided is a result: more seeds might settle it, and it warns "
                   "against any story about this number of labels."),
            Option("The network is worse with 10 labels.",
                   "Then the whole interval would lie below zero."),
            Option("The experiment was done wrongly.",
                   "An interval around zero is what a small true difference looks like."),
        ],
        right="b",
    ),
    Question(
        id="1.2",
        text="A screening test must not miss the one patient in a hundred who is ill. Which "
        "number do you look at first?",
        options=[
            Option("Accuracy.",
                   "'Nobody is ill' reaches 99 % and misses every patient."),
            Option("The recall of the class 'ill'.",
                   "Right. It is the share of ill patients who are found; precision then says "
                   "how many false alarms that costs."),
            Option("The training loss.",
                   "It says how training went, not what is missed on new patients."),
            Option("The recall averaged over both classes.",
                   "Better than accuracy, but finding all the healthy ones can hide a poor half."),
        ],
        right="b",
    ),
    Question(
        id="1.3",
        text="Heart sounds of 40 patients, 50 recordings each. How should the test set be made?",
        options=[
            Option("Shuffle all 2,000 recordings and take a quarter.",
                   "Then every test patient is in training too, like the shuffled digits."),
            Option("Take the last quarter of each patient's recordings.",
                   "Later, but the same hearts: it tells how the method does on known patients."),
            Option("Take all recordings of ten patients.",
                   "Right. In use the patients are new, so the test patients must be new too."),
            Option("Take the recordings the model finds easiest to classify.",
                   "That chooses the test set by the result."),
        ],
        right="c",
    ),
]
