"""References and checks of lesson 01, Training from scratch."""

from tlcourse.notebook.ladder import changed, exists, is_function, is_number


def _written(answer, seed):
    if answer is None:
        return "this is None: `print` shows a number and hands back None. Write the number alone."
    if isinstance(answer, tuple):
        return ("a comma makes several numbers of one: Python writes a fraction with a point, as "
                "in 0.25.")
    if isinstance(answer, str):
        return (f"{answer!r} is a text: one number is needed, with a point, without quotes and "
                "without %.")


def _share(answer, seed):
    if answer >= 0.8:
        return "it is right only when that digit comes up, and nine others do too."
    if answer > 0.45:
        return "that would be a question with two classes; here there are ten."
    if answer < 0.01:
        cut = " (`//` cuts off what is behind the point.)" if isinstance(answer, int) else ""
        return (f"this is {answer:.3g}, and it is right now and then: the most frequent digit "
                f"does occur.{cut}")
    if abs(answer - 1 / 9) < 0.002:
        return "that is one of nine. How many digits are there, with the frequent one itself?"
    if not 0.09 <= answer <= 0.11:
        return "how often does one of ten equally frequent digits come up?"


def _recall():
    def recall_per_class(confusion):
        return confusion.diagonal() / confusion.sum(axis=1)

    return recall_per_class


def _recalls(answer, seed):
    import numpy as np

    confusion = np.random.default_rng(seed).integers(1, 30, (4, 4)) + np.diag([90, 60, 30, 5])
    given = confusion.copy()
    got = answer(given)
    if np.shape(got) != (4,):
        return {
            (4, 4): "four classes have four recalls, and this is (4, 4). One of the two, found or "
            "there, is a table and not four numbers in a row.",
            (): "it returns nothing: is the `return` missing?" if got is None else
            f"an array with four recalls is needed, and this is {type(got).__name__}.",
            (10,): "the check hands in a matrix of four classes: use `confusion`, not the lesson's "
            "scores.",
        }.get(np.shape(got), f"four classes have four recalls, and this is {np.shape(got)}.")
    right = confusion.diagonal()
    if (message := changed(confusion=(confusion, given))):
        return message
    if np.allclose(got, right / confusion.sum(axis=0)):
        return ("this divides by how often a class was predicted: that is precision. Recall "
                "divides by how often it was there.")
    if np.allclose(got, right / confusion.sum()):
        return "this divides by all samples, so the four numbers add up to the accuracy."
    if not np.allclose(got, right / confusion.sum(axis=1)):
        return _which_recall(np.asarray(got), confusion) or (
            "the shape is right, the values are not: for each class, how many were found, divided "
            "by how many were there.")


def _which_recall(got, confusion):
    """What is wrong with four numbers, where a known fault gives them."""
    import numpy as np

    right, there = confusion.diagonal(), confusion.sum(axis=1)
    for wrong, message in (
        (there / right, "this is upside down: what was there, divided by what was found."),
        (right / (there - right), "this divides by what was missed. Recall divides by all that "
         "were there, found or not."),
        (100 * right / there, "these are per cent, and a recall is a share from 0 to 1."),
        (right // there, "`//` cuts off all that stands behind the point, and shares are less "
         "than 1: divide with `/`."),
        (confusion.max(axis=1) / there, "this takes the largest number of each row. Found is what "
         "stands on the diagonal, where true and predicted class are the same."),
    ):
        if np.allclose(got, wrong):
            return message
    if any(np.allclose(got, np.round(right / there, digits)) for digits in (1, 2, 3)):
        return "these are the recalls, and not exactly: leave them as they are, without rounding."
    if got.max() > 1:
        return (f"a recall is a share from 0 to 1, and one of these is {got.max():.3g}: is it "
                "divided by how many of the class were there?")


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
        return f"two arrays of row numbers are needed: train, test. {_what_it_is(got, parts)}"
    train, test = parts
    if (most := max([*train.tolist(), *test.tolist()], default=0)) >= n:
        return (f"called with n = {n} it names row {most}, and there is no row {most}: they go "
                f"from 0 to {n - 1}. Do the rows begin at 0, and does their number come from n?")
    for name, rows in (("train", train), ("test", test)):
        if len({*rows.tolist()}) < len(rows):
            return (f"{name} holds {len(rows)} entries and only {len({*rows.tolist()})} different "
                    "rows: whole numbers in [ ] take the rows at these places, again and again.")
    if len(train) != len(test):
        return f"the parts should be equal in size, and have {len(train)} and {len(test)} rows."
    if shared := len(np.intersect1d(train, test)):
        return f"{shared} of {n} rows are in both parts: that leak is too plain, a test finds it."
    if sorted([*train.tolist(), *test.tolist()]) != list(range(n)):
        have = {*train.tolist(), *test.tolist()}
        left, more = sorted({*range(n)} - have), sorted(have - {*range(n)})
        return (f"together the parts should hold each of the {n} rows once, "
                + (f"and there is no row {more[0]}: they go from 0 to {n - 1}." if more else
                   f"and row {left[0]} is in neither." if left else "and one is there twice."))
    alone = sum(row - 1 not in train and row + 1 not in train for row in test)
    if alone:
        return f"{alone} of {len(test)} test rows have no neighbour in the training part yet."


def _what_it_is(got, parts):
    """What came back in place of two arrays of row numbers."""
    if got is None:
        return "Nothing comes back: is the `return` missing?"
    if len(parts) != 2:
        return f"This is of type {type(got).__name__}" + (
            f", with {len(parts)} parts." if parts else ", not two parts.")
    odd = next(rows for rows in parts if rows.ndim != 1 or rows.dtype.kind not in "iu")
    if odd.ndim > 1:
        return f"One of these has the shape {odd.shape}, where one row of numbers is wanted."
    if odd.dtype.kind == "f":
        return "One of these holds floats, and a row number is a whole number."
    return f"One of these is of type {type(got[0]).__name__}."


def _chosen():
    def chosen_score(on_validation, on_test):
        best = max(range(len(on_validation)), key=lambda i: on_validation[i])
        return on_test[best]

    return chosen_score


def _chooses(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    validation, test, first, second = _curves(rng)
    given = list(validation), list(test)
    got = answer(*given)
    if (message := changed(on_validation=(validation, given[0]), on_test=(test, given[1]))):
        return message
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
        (test[first + 1], "this is the look after the best one: places are counted from 0."),
        (test[0], "this is the first look, whatever validation says. (A list compared with a "
                  "number is one False, and as a place False is 0.)"),
        (sorted(test)[first], "the test accuracies were sorted, and no longer stand where their "
                              "looks were."),
    ]:
        if np.ndim(got) == 0 and got == value:
            return message
    return is_number(0, 1)(got, seed) or (
        "this is none of the looks that validation would choose." if got in test else
        f"{got:.3g} is none of the test accuracies: which of them stands at the best look?")


def _curves(rng):
    """Validation, with two looks that tie, and test, of which each fault picks another value."""
    while True:
        test = (0.5 + 0.4 * rng.permutation(12) / 12).tolist()
        validation = (0.2 + 0.1 * rng.permutation(12) / 12).tolist()
        first, second = sorted(rng.choice(range(1, 11), 2, replace=False).tolist())
        validation[first] = validation[second] = 0.9
        picked = [max(test), test[0], test[-1], test[validation.index(min(validation))],
                  test[first], test[second], test[first + 1], sorted(test)[first],
                  test[validation.index(sorted({*validation})[-2])]]
        if len({*picked}) == len(picked) and test[first] < test[second]:
            return validation, test, first, second


EXERCISES = {
    "1.1": (lambda: 0.1, [_written, exists(), is_number(0, 1), _share]),
    "1.2": (_recall, [exists(), is_function("confusion"), _recalls]),
    "1.3": (_leaky, [exists(), is_function("n"), _leaks]),
    "1.4": (_chosen, [exists(), is_function("on_validation", "on_test"), _chooses]),
}
