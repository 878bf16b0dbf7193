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


PROOFS = [
    Proof("1.1", wrong=[
        (0.5, "two classes"),
        (1, "nine others do too"),
        (0.0, "right now and then"),
        (0.25, "how often does one of ten"),
        (10, "between 0 and 1"),
        ("a tenth", "one number is needed"),
    ], alike=[(guess, "nine others do too") for guess in (0.8, 0.9, 1.0)], only_visible=[0.5]),
    Proof("1.2", wrong=[
        (lambda c: c.diagonal() / c.sum(axis=0), "that is precision"),
        (lambda c: c.diagonal() / c.sum(), "add up to the accuracy"),
        (lambda c: c.diagonal().sum() / c.sum(), "and this is float64."),
        (lambda c: c / c.sum(axis=1), "four recalls, and this is (4, 4)."),
        (lambda c: c.sum(axis=1) / c.sum(), "the values are not"),
        (lambda c: print(c), "four recalls is needed, and this is NoneType."),
        (lambda c: dict(enumerate(c.diagonal() / c.sum(axis=1))), "and this is dict."),
        (lambda c: np.full(10, 0.9), "use `confusion`, not the lesson's scores"),
        (lambda c: c.diagnoal() / c.sum(axis=1), "AttributeError"),
    ], only_visible=[four_classes]),
    Proof("1.3", given=lambda: {"np": np}, wrong=[
        (halves, "have no neighbour in the training part yet"),
        (three_to_one, "equal in size"),
        (overlapping, "rows are in both parts"),
        (incomplete, "hold each of the"),
        (lambda n: np.arange(n), "two arrays of row numbers"),
        (masks, "not True and False"),
        (of_forty_rows, "rows once"),
    ], alike=[
        (lambda n: (n // 2, n // 2), "two arrays of row numbers"),
        (lambda n: (set(range(0, n, 2)), set(range(1, n, 2))), "two arrays of row numbers"),
        (lambda n: (np.arange(0.0, n, 2), np.arange(1.0, n, 2)), "two arrays of row numbers"),
        (lambda n: print(n), "two arrays of row numbers"),
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
    ], only_visible=[first_look_left_out]),
]

