"""Proofs of lesson 01: what each wrong answer is told."""

import numpy as np
from proof import Proof, ProofTests


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


def last_of_the_best(on_validation, on_test):
    best = max(on_validation)
    return [t for v, t in zip(on_validation, on_test, strict=True) if v == best][-1]


def second_best(on_validation, on_test):
    order = sorted(set(on_validation))
    return on_test[on_validation.index(order[-2])]


class TestLesson01(ProofTests):
    proofs = [
        Proof("1.1", wrong=[
            (0.5, "two classes"),
            (0.0, "right now and then"),
            (0.25, "how often does one of ten"),
            (10, "between 0 and 1"),
            ("a tenth", "one number is needed"),
        ]),
        Proof("1.2", wrong=[
            (lambda c: c.diagonal() / c.sum(axis=0), "that is precision"),
            (lambda c: c.diagonal() / c.sum(), "add up to the accuracy"),
            (lambda c: c.diagonal().sum() / c.sum(), "one number came back"),
            (lambda c: c / c.sum(axis=1), "this has the shape (4, 4)"),
            (lambda c: c.sum(axis=1) / c.sum(), "the values are not"),
            (lambda c: c.diagnoal() / c.sum(axis=1), "AttributeError"),
        ]),
        Proof("1.3", given=lambda: {"np": np}, wrong=[
            (halves, "have no neighbour in the training part yet"),
            (three_to_one, "equal in size"),
            (overlapping, "rows are in both parts"),
            (incomplete, "hold each of the"),
            (lambda n: np.arange(n), "two arrays of row numbers"),
        ]),
        Proof("1.4", given=lambda: {"np": np}, wrong=[
            (lambda v, t: max(t), "best look on the test set"),
            (lambda v, t: max(v), "validation accuracy itself"),
            (lambda v, t: t[-1], "this is the last look"),
            (lambda v, t: t[v.index(min(v))], "where validation is worst"),
            (last_of_the_best, "two looks tie"),
            (second_best, "none of the looks"),
            (lambda v, t: t, "one number is needed"),
        ]),
    ]
