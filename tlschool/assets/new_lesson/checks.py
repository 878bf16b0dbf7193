"""References and checks of lesson @ID@, @TITLE@."""

from tlcourse.notebook.ladder import exists, is_function, one_of


def _mean_gap():
    def mean_gap(a, b):
        return sum(x - y for x, y in zip(a, b, strict=True)) / len(a)

    return mean_gap


def _value(answer, seed):
    a, b = [0.5, 0.5 + 0.01 * seed, 0.8], [0.4, 0.4, 0.6]
    gap, got = _mean_gap()(a, b), answer(a, b)
    if abs(got + gap) < 1e-9:
        return "the size is right, the sign is that of b less a."
    if abs(got - len(a) * gap) < 1e-9:
        return "this is the sum of the gaps: divide by their number."
    if abs(got - gap) > 1e-9:
        return "this is not the mean of the gaps, each taken within one seed."


EXERCISES = {
    "@N@.1": (lambda: "a", [exists(), *one_of("a", {
        "b": "its accuracies are the lower ones: look at the first seed.",
        "c": "compare within each seed, not over all of them.",
    })]),
    "@N@.2": (_mean_gap, [exists(), is_function("a", "b"), _value]),
}
