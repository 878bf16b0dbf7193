"""References and checks of lesson 05, Feature alignment by statistics."""

from tlcourse.notebook.ladder import exists, is_function, is_number, one_of

_ORDER = {
    "a": "no loss is computed on handwriting, true. But do statistics need a loss to move? Look at "
    "what happens to the outline in the four panels.",
    "c": "this order says that training with handwriting beside the print helps more than "
    "exchanging the statistics. How far apart are the centres in the last panel?",
    "d": "compare the two panels in the middle: in which of them does handwriting come nearer to "
    "the place where print was learned?",
}


def _fool():
    def fool(x):
        return x + 1

    return fool


def _fools_coral(answer, seed):
    import torch

    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    given = x.clone()
    y = answer(given)
    if not isinstance(y, torch.Tensor) or y.shape != x.shape:
        shape = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
        return f"a tensor of the shape of x, {tuple(x.shape)}, is needed, and this is {shape}."
    if not torch.isfinite(y).all():
        return "not every number of it is finite."
    if not torch.equal(given, x):
        return "x itself has changed: make new features, and leave those that you were given."
    distance, moved = _coral(x, y.to(x)), (y.to(x).mean(0) - x.mean(0)).abs()
    if distance < 1e-9:
        if moved.max() < 1e-9:
            return "CORAL is 0, but so is the change of every mean: nothing has moved yet."
        far = int((moved > 1 - 1e-6).sum())
        if far < len(moved):
            return (f"CORAL is 0, as it should be, and {far} of {len(moved)} means have moved by 1 "
                    "or more: move them all.")
        return None
    if torch.allclose(y.std(0), x.std(0)):
        return (f"CORAL is {distance:.2g}: each feature varies as before, but no longer together "
                "with the others. Are the rows still whole?")
    if torch.allclose(*(_correlation(z) for z in (x, y.to(x)))):
        return (f"CORAL is {distance:.2g}: this stretches the sample, and a covariance grows with "
                "the square of the stretch. What leaves every difference between rows as it is?")
    return (f"CORAL is {distance:.2g}: the rows do not all move in the same way, so they vary in "
            "another way than before.")


def _coral(x, y):
    difference = x.T.cov() - y.T.cov()
    return float(difference.square().sum() / (4 * x.shape[1] ** 2))


def _correlation(x):
    return x.T.corrcoef()


def _by_hand(answer, seed):
    for wrong, message in (
        (1.0, "this comes out when the distance itself stands in the exponent: 2 to the power of "
         "minus the *square* is asked for."),
        (15 / 16, "the first mean runs over four pairs: 0 with 0 and 1 with 1 are pairs as well."),
        (5 / 8, "the last term is twice the *mean* of two pairs, not twice their sum."),
        (47 / 32, "the mean of k(x, y) counts twice."),
        (37 / 16, "what x and y have in common makes the distance smaller: subtract it."),
        ((19 / 16) ** 0.5, "this is the root: the distance, where its square is asked for."),
        (3 / 16, "the single pair within y is a point with itself: what is k at distance 0?"),
        (23 / 8, "these are sums over pairs; each of the three terms is a mean."),
    ):
        if abs(answer - wrong) < 6e-3:
            return message
    if abs(answer - 19 / 16) >= 6e-3:
        return (f"{answer:g} is not it. Write the three means down one by one: over 4 pairs, over "
                "1 pair, over 2 pairs.")


def _mmd2():
    import torch

    def mmd2(x, y, s):
        def mean_kernel(a, b):
            return torch.exp(-torch.cdist(a, b).square() / (2 * s**2)).mean()

        return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)

    return mmd2


def _counted(function):
    """What a function returns, and how many operations of PyTorch it took."""
    from torch.overrides import TorchFunctionMode

    class Counting(TorchFunctionMode):
        count = 0

        def __torch_function__(self, operation, types, args=(), kwargs=None):
            self.count += 1
            return operation(*args, **(kwargs or {}))

    with Counting() as mode:
        return function(), mode.count


def _mmd_value(answer, seed):
    import torch

    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(12, 3, generator=generator, dtype=torch.float64).requires_grad_()
    y = (1.5 * torch.randn(17, 3, generator=generator, dtype=torch.float64) + 1).requires_grad_()
    s = 1.5 + 0.75 * (seed % 3)  # not 1 or 2, where a missing square of s would not show
    got, operations = _counted(lambda: answer(x, y, s))
    if got is None or got is ...:
        return "it returns nothing yet."
    if isinstance(got, float):
        return ("this is a plain number, through which no gradient can reach the features: return "
                "the tensor itself, without .item() and float().")
    if not isinstance(got, torch.Tensor) or got.ndim:
        return "one number is needed, a tensor without dimensions: take the means."
    if not torch.allclose(got.to(x), _mmd2()(x, y, s)):
        return _why_another_value(float(got.detach()), x.detach(), y.detach(), s, operations > 150)
    if operations > 150:
        return (f"the number is right now, but 12 and 17 points took {operations} operations: the "
                "loops over points are still there. What does torch.cdist(a, b) return?")
    if not got.requires_grad:
        return ("the number is right, but it is cut off from x: no gradient of it could ever move "
                "the features. Leave out .item(), .detach() and no_grad.")
    return None


def _why_another_value(got, x, y, s, loops):
    """What is wrong with the number, where a known fault gives it.

    With the loops of the starter its fault is not named: that is what the learner looks for.
    """
    import math

    import torch

    def distance(a, b):
        return (a[:, None] - b[None]).square().sum(2)

    def combined(kernel, mean=torch.mean):
        xx, yy, xy = (kernel(distance(a, b)) for a, b in ((x, x), (y, y), (x, y)))
        return float(mean(xx) + mean(yy) - 2 * mean(xy))

    def without_itself(k):
        if k.shape[0] != k.shape[1]:
            return k.mean()
        n = len(k)
        return (k.sum() - k.diagonal().sum()) / (n * (n - 1))

    def gaussian(d2):
        return torch.exp(-d2 / (2 * s**2))

    plain = combined(gaussian)
    def each_feature(a, b):
        return gaussian((a[:, None] - b[None]).square()).mean()

    for wrong, message in (
        (float(each_feature(x, x) + each_feature(y, y) - 2 * each_feature(x, y)),
         "this takes k for each feature on its own. The squared distance of two rows is a sum "
         "over their features; your three points have one feature, so there it makes no "
         "difference."),
        (combined(lambda d2: torch.exp(-d2.sqrt() / (2 * s**2))),
         "by hand another number comes out, for your three points too." if loops else
         "twice as far away should mean k to the fourth power, and here it is only the second: "
         "something in the exponent is not squared."),
        (combined(lambda d2: torch.exp(-d2 / s**2)), "a factor 2 is missing under the exponent."),
        (combined(lambda d2: torch.exp(-d2 / (2 * s))), "the width s counts squared."),
        (combined(lambda d2: torch.exp(-d2 / 2 * s**2)),
         "`/ 2 * s**2` divides by 2 and multiplies by s squared: put 2 * s**2 in brackets."),
        (combined(lambda d2: torch.exp(d2 / (2 * s**2))),
         "this kernel grows with the distance: what is the sign in the exponent?"),
        (combined(lambda d2: 2**-d2), "the width s plays no part: right for your three points, "
         "where k is a half at distance 1, and for no other width."),
        (combined(lambda d2: torch.exp(-d2.square() / (2 * s**2))),
         "the distance is squared twice now."),
        (combined(gaussian, torch.sum), "these are sums over pairs: each term is a mean."),
        (combined(gaussian, without_itself), "this leaves out the pairs of a point with itself: a "
         "good estimate too, but your three points were computed with them."),
        (plain + float(gaussian(distance(x, y)).mean()), "the mixed term counts twice."),
        (math.sqrt(max(plain, 0)), "this is the root of MMD²."),
        (-plain, "the signs are turned round: what x and y have in common is subtracted."),
    ):
        if math.isclose(got, wrong, rel_tol=1e-6):
            return message
    return (f"for 12 and 17 points of 3 features it gives {got:.4g}, and {plain:.4g} is right: is "
            "each of the three terms a mean over all pairs of rows, and k that of their distance?")


EXERCISES = {
    "5.1": (lambda: "b", [exists(), *one_of("b", _ORDER)]),
    "5.2": (_fool, [exists(), is_function("x"), _fools_coral]),
    "5.3": (lambda: 1.1875, [exists(), is_number(-10, 10), _by_hand]),
    "5.4": (_mmd2, [exists(), is_function("x", "y", "s"), _mmd_value]),
}
