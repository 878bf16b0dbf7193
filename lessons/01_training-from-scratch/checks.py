"""References and checks of lesson 01, Training from scratch."""

from tlcourse.notebook.ladder import exists, is_function, is_number


def _share(answer, seed):
    if answer >= 0.8:
        return "it is right only when that digit comes up, and nine others do too."
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
    if np.shape(got) != (4,):
        return {
            (): f"an array with four recalls is needed, and this is {type(got).__name__}.",
            (10,): "the check hands in a matrix of four classes: use `confusion`, not the lesson's "
            "scores.",
        }.get(np.shape(got), f"four classes have four recalls, and this is {np.shape(got)}.")
    right = confusion.diagonal()
    if np.allclose(got, right / confusion.sum(axis=0)):
        return ("this divides by how often a class was predicted: that is precision. Recall "
                "divides by how often it was there.")
    if np.allclose(got, right / confusion.sum()):
        return "this divides by all samples, so the four numbers add up to the accuracy."
    if not np.allclose(got, right / confusion.sum(axis=1)):
        return ("the shape is right, the values are not: for each class, how many were found, "
                "divided by how many were there.")


def _leaky():
    import numpy as np

    def leaky_split(n):
        return np.arange(0, n, 2), np.arange(1, n, 2)

    return leaky_split


def _leaks(answer, seed):
    # Two sizes, so that a fixed number of rows does not pass.
    return _leaks_at(40 + 2 * seed, answer) or _leaks_at(46 + 2 * seed, answer)


def _leaks_at(n, answer):
    import numpy as np

    got = answer(n)
    parts = [np.asarray(rows) for rows in got] if isinstance(got, tuple | list) else []
    if any(rows.dtype == bool for rows in parts):
        return "row numbers are wanted, not True and False."
    if len(parts) != 2 or any(r.ndim != 1 or r.dtype.kind not in "iu" for r in parts):
        return "two arrays of row numbers are needed: train, test."
    train, test = parts
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
    for value, message in [
        (test[first], None),
        (first, "this is the place of the best look; which test accuracy stands there?"),
        (max(test), "this is the best look on the test set: the choice was made on it."),
        (validation[test.index(max(test))], "validation chooses and test answers: are the two "
                                            "swapped?"),
        (0.9, "this is the validation accuracy itself; it chose the look, so it is flattered too."),
        (test[-1], "this is the last look: nothing was chosen, and early stopping goes unused."),
        (test[int(np.argmin(validation))], "this is the look where validation is worst."),
        (test[second], "two looks tie on validation; the first is the one that training kept."),
    ]:
        if np.ndim(got) == 0 and got == value:
            return message
    return is_number(0, 1)(got, seed) or "this is none of the looks that validation would choose."


EXERCISES = {
    "1.1": (lambda: 0.1, [exists(), is_number(0, 1), _share]),
    "1.2": (_recall, [exists(), is_function("confusion"), _recalls]),
    "1.3": (_leaky, [exists(), is_function("n"), _leaks]),
    "1.4": (_chosen, [exists(), is_function("on_validation", "on_test"), _chooses]),
}
