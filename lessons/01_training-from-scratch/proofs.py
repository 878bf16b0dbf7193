"""Proofs of lesson 01: what each wrong answer is told."""

import numpy as np

from tlcourse.notebook.proof import Proof


def halves(n):
    rows = np.arange(n)
    return rows[: n // 2], rows[n // 2 :]


def three_to_one(n):
    rows = np.arange(n)
    return np.delete(rows, np.arange(0, n, 4)), rows[0::4]


def overlapping(n):
    return np.arange(0, n, 2), np.arange(0, n, 2)


def incomplete(n):
    return np.arange(0, n - 4, 2), np.arange(1, n - 4, 2)


def masks(n):
    even = np.arange(n) % 2 == 0
    return even, ~even


def of_forty_rows(n):
    rows = np.arange(n)
    return rows[0:40:2], rows[1:40:2]


def last_of_the_best(on_validation, on_test):
    best = max(on_validation)
    return [t for v, t in zip(on_validation, on_test, strict=True) if v == best][-1]


def second_best(on_validation, on_test):
    order = sorted(set(on_validation))
    return on_test[on_validation.index(order[-2])]


def recall(found, there):
    """A solution of 1.2 with other counts of what was found and what was there."""

    def recall_per_class(confusion):
        return found(confusion) / there(confusion)

    return recall_per_class


def rows_of(confusion):
    return confusion.sum(axis=1)


def from_one_on(n):
    rows = np.arange(1, n + 1)
    return rows[0::2], rows[1::2]


def two_rows_of_pairs(n):
    rows = np.arange(n).reshape(-1, 2)
    return rows[0], rows[1]


def pairs_upright(n):
    rows = np.arange(n).reshape(-1, 2)
    return rows[:, :1], rows[:, 1:]


def split_by_a_float(n):
    rows = np.arange(n)
    return rows[: n / 2], rows[n / 2 :]


def best_of_the_tied(on_validation, on_test):
    return max(zip(on_validation, on_test, strict=True))[1]


def place_counted_from_one(on_validation, on_test):
    return on_test[on_validation.index(max(on_validation)) + 1]


def four_classes(confusion):
    return np.array([confusion[k, k] / confusion[k].sum() for k in range(4)])


def small_numbers(n):
    return np.arange(0, n, 2).astype(np.uint8), np.arange(1, n, 2).astype(np.uint8)


def first_look_left_out(on_validation, on_test):
    best, at = 0, None
    for look in range(1, len(on_validation)):
        if on_validation[look] > best:
            best, at = on_validation[look], look
    return on_test[at]


def rows_by_parity(n):
    rows = np.arange(n)
    return rows[rows % 2], rows[1 - rows % 2]


def all_rows_of_the_digits(n):
    rows = np.arange(1797)
    return rows[0::2], rows[1::2]


def sorted_in_place(on_validation, on_test):
    on_validation.sort()
    return on_test[len(on_validation) - 1]


def diagonal_taken_out(confusion):
    found = confusion.diagonal().copy()
    np.fill_diagonal(confusion, 0)
    return found / (found + confusion.sum(axis=1))


PROOFS = [
    Proof("1.1", wrong=[
        (0.5, "two classes"),
        (1, "nine others do too"),
        (0.0, "right now and then"),
        (10, "between 0 and 1"),
        ("a tenth", "one number is needed, with a point"),
        ((0, 1), "a fraction with a point"),
        (1 // 10, "cuts off what is behind the point"),
        (1 / 9, "one of nine"),
        (1 / 8, "how often does one of ten equally frequent"),
        (None, "`print` shows a number"),
        (np.array([0.1]), "takes it out"),
    ], alike=[*((guess, "nine others do too") for guess in (0.8, 0.9, 1.0)),
              (0.25, "how often does one of ten")],
       right=[1 / 10, np.float64(0.1), 0.102], only_visible=[0.5]),
    Proof("1.2", wrong=[
        (lambda c: c.diagonal() / c.sum(axis=0), "that is precision"),
        (lambda c: c.diagonal() / c.sum(), "add up to the accuracy"),
        (lambda c: c.diagonal().sum() / c.sum(), "and this is float64."),
        (lambda c: c / c.sum(axis=1), "four recalls, and this is (4, 4)."),
        (lambda c: c.sum(axis=1) / c.sum(), "the values are not"),
        (lambda c: print(c), "is the `return` missing?"),
        (lambda c: dict(enumerate(c.diagonal() / c.sum(axis=1))), "and this is dict."),
        (lambda c: np.full(10, 0.9), "use `confusion`, not the lesson's scores"),
        (lambda c: c.diagnoal() / c.sum(axis=1), "AttributeError"),
        (recall(np.diag, len), "and one of these is"),
        (recall(lambda c: c.max(axis=1), rows_of), "the largest number of each row"),
        (recall(np.diag, lambda c: rows_of(c) - np.diag(c)), "by what was missed"),
        (recall(rows_of, np.diag), "upside down"),
        (recall(lambda c: 100 * np.diag(c), rows_of), "per cent"),
        (lambda c: np.round(np.diag(c) / rows_of(c), 2), "without rounding"),
        (lambda c: np.diag(c) // rows_of(c), "cuts off all"),
        (recall(lambda c: c.diagonal, rows_of), "call it, with ( )"),
        (recall(np.diag, lambda c: c.sum(dim=1)), "`dim` is PyTorch's word"),
        (lambda c: [c[k, k] / c[k].sum() for k in range(10)], "there is no entry 4"),
        (recall(np.diag, lambda c: ...), "a gap, `...`, is still open"),
        (diagonal_taken_out, "`confusion` itself was changed"),
        (np.full(4, 0.9), "Hand over the function by its name"),
    ], alike=[
        (recall(np.trace, rows_of), "and one of these is"),
        (recall(np.diag, lambda c: c.sum(axis=1, keepdims=True)), "is a table and not"),
        (lambda c: (np.diag(c) / rows_of(c)).mean(), "and this is float64"),
    ], only_visible=[four_classes]),
    Proof("1.3", given=lambda: {"np": np}, wrong=[
        (halves, "have no neighbour in the training part yet"),
        (three_to_one, "equal in size"),
        (overlapping, "rows are in both parts"),
        (incomplete, "hold each of the"),
        (lambda n: np.arange(n), "two arrays of row numbers"),
        (masks, "not True and False"),
        (of_forty_rows, "rows once"),
        (from_one_on, "there is no row"),
        (two_rows_of_pairs, "row 4 is in neither"),
        (pairs_upright, "where one row of numbers is wanted"),
        (split_by_a_float, "`n // 2` is one"),
        (lambda n: (np.arange(0, n / 2), np.arange(n / 2, n)), "a row number is a whole number"),
        (lambda n: {"train": np.arange(0, n, 2), "test": np.arange(1, n, 2)}, "of type dict"),
        (lambda n: print(n), "is the `return` missing?"),
        (rows_by_parity, "entries and only 2 different rows"),
        (all_rows_of_the_digits, "does their number come from n?"),
    ], alike=[
        (lambda n: (n // 2, n // 2), "two arrays of row numbers"),
        (lambda n: (set(range(0, n, 2)), set(range(1, n, 2))), "two arrays of row numbers"),
        (lambda n: (np.arange(0.0, n, 2), np.arange(1.0, n, 2)), "two arrays of row numbers"),
    ], only_visible=[small_numbers]),
    Proof("1.4", given=lambda: {"np": np}, wrong=[
        (lambda v, t: max(t), "best look on the test set"),
        (lambda v, t: max(v), "validation accuracy itself"),
        (lambda v, t: t[-1], "this is the last look"),
        (lambda v, t: t[v.index(min(v))], "where validation is worst"),
        (last_of_the_best, "two looks tie"),
        (second_best, "none of the looks"),
        (lambda v, t: t, "one number is needed"),
        (lambda v, t: -1.0, "lies between 0 and 1"),
        (lambda v, t: np.argmax(v), "this is the place of the best look"),
        (lambda v, t: v[int(np.argmax(t))], "are the two swapped?"),
        (place_counted_from_one, "places are counted from 0"),
        (lambda v, t: sorted(t)[np.argmax(v)], "the test accuracies were sorted"),
        (lambda v, t: np.mean(t), "none of the test accuracies"),
        (lambda v, t: t[max(v)], "the place of an entry is a whole number"),
        (lambda v, t: t[v.argmax()], "a list has no `.argmax`"),
        (lambda v, t: print(v), "is the `return` missing?"),
        (lambda v, t: t[v == max(v)], "this is the first look"),
        (lambda v, t: t[v.index(max(t))], "is not in the list that is searched"),
        (sorted_in_place, "`on_validation` itself was changed"),
    ], alike=[
        (best_of_the_tied, "two looks tie"),
        (lambda v, t: np.array(t)[np.array(v) == max(v)], "one number is needed"),
    ], only_visible=[first_look_left_out]),
]

