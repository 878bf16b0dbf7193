"""Proofs of lesson @ID@: what each wrong answer is told."""

from tlcourse.notebook.proof import Proof


def largest_only(a, b):
    return max(a) - max(b)


def turned_round(a, b):
    return sum(y - x for x, y in zip(a, b, strict=True)) / len(a)


def sum_of_gaps(a, b):
    return sum(a) - sum(b)


def three_seeds_only(a, b):
    return (sum(a) - sum(b)) / 3


PROOFS = [
    Proof("@N@.1", wrong=[
        ("b", "the lower ones"),
        ("c", "within each seed"),
        ("d", "choose one of 'a', 'b', 'c'"),
    ]),
    Proof("@N@.2", wrong=[
        (largest_only, "each taken within one seed"),
        (turned_round, "the sign is that of b less a"),
        (sum_of_gaps, "divide by their number"),
        (lambda a: a, "this one takes (a)"),
    ], only_visible=[three_seeds_only]),
]
