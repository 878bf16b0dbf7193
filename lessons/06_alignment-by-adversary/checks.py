"""References and checks of lesson 06, Feature alignment by adversary."""

from tlcourse.notebook.ladder import exists, is_function, one_of

_EFFECT = {
    "a": "D and f would then pull at the same rope. Would features without a trace of the domain "
    "help D to tell the domains apart?",
    "c": "D alone may be done, but f still gets a gradient from D's loss: which features make that "
    "loss smaller still?",
    "d": "nothing has to blow up: two networks that minimise one loss together are ordinary "
    "training. Ask what they are trained for.",
}


def _reverse():
    import torch

    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, lam):
            ctx.lam = lam
            return x.view_as(x)

        @staticmethod
        def backward(ctx, gradient):
            return -ctx.lam * gradient, None

    return Reverse


def _is_a_layer(answer, seed):
    import torch

    function = torch.autograd.Function
    if isinstance(answer, function) or isinstance(getattr(answer, "__self__", None), type):
        return "hand over the class itself, by its name: without ( ) and without .apply behind it."
    if not isinstance(answer, type) or not issubclass(answer, function):
        return ("a class that inherits from torch.autograd.Function is needed, and this is "
                + (f"a class that inherits from {answer.__base__.__name__}."
                   if isinstance(answer, type) else f"of type {type(answer).__name__}."))


def _reverses(answer, seed):
    import torch

    generator = torch.Generator().manual_seed(seed)
    x, back = (torch.randn(6, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    lam = (0.3, 0.7, 2.0)[seed % 3]
    x.requires_grad_()
    z, above = answer.apply(x, lam), back.clone()
    if not torch.equal(z, x):
        return "the forward pass has changed x: it is the identity, all happens on the way back."
    try:
        (got,) = torch.autograd.grad(z, x, above, allow_unused=True)
    except NameError as error:
        if error.name not in ("x", "lam"):
            raise
        return (f"backward does not know `{error.name}`, which is an argument of forward: it has "
                "the gradient from above, and ctx with what forward has kept on it.")
    except RuntimeError as error:  # autograd's own words about what backward returned
        if (message := _unusable(str(error))) is None:
            raise
        return message
    if got is None:
        return "no gradient at all comes back: the first value that backward returns is that of x."
    if not torch.equal(above, back):
        return ("the gradient from above was changed in place, and whoever handed it over may "
                "still need it: make a new tensor of it.")
    factors = (got / back).unique()
    factor = float(factors[0])
    if float(factors[-1] - factor) > 1e-6:
        return ("what comes back is no multiple of what came in: backward gets the gradient from "
                "above as its argument.")
    for wrong, message in (
        (1, "the gradient comes back as it came: nothing is reversed yet."),
        (-1, f"the gradient is reversed at full strength, whatever lam is: here it was {lam}."),
        (lam, "the strength is right and the sign is not: f would help D."),
        (-1 / lam, "lam divides here: a small lam must mean a weak reversal."),
        (0, "the gradient comes back as 0: nothing would reach the backbone."),
    ):
        if abs(factor - wrong) < 1e-6:
            return message
    if abs(factor + lam) > 1e-6:  # lam may have become a float32
        return f"with lam = {lam} the gradient comes back {factor:.3g} times."


def _unusable(error):
    for sign, message in (
        ("ellipsis", "a gap is left in backward: write what the features get in place of `...`."),
        ("incorrect number", "forward takes x and lam, so backward returns two values, one for "
         "each: for lam it is None."),
        ("different than None", "lam is a plain number and gets no gradient: the second value "
         "that backward returns is None, the first is for x."),
        ("invalid gradient", "the gradient of x has the shape of x, entry by entry: no mean or sum "
         "of it."),
        ("expected Variable", "the first value that backward returns is no tensor: it is made from "
         "the gradient that came from above."),
    ):
        if sign in error:
            return message


def _slope():
    import torch

    def slope(loss, w, h=1e-5):
        result = torch.zeros_like(w)
        for i in range(w.numel()):
            step = torch.zeros_like(w)
            step.view(-1)[i] = h
            result.view(-1)[i] = (loss(w + step) - loss(w - step)) / (2 * h)
        return result

    return slope


def _slope_value(answer, seed):
    import torch

    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    factors = torch.arange(1, 7, dtype=torch.float64).view(2, 3)
    before, h = w.clone(), 0.07  # a step that nobody writes into the function by hand

    def loss(v):  # its slope is 3 v² times a factor of its own for each entry
        return (factors * v**3).sum()

    try:
        got = answer(loss, w, h)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        return ("this asks autograd for a gradient, and here only values of the loss are asked "
                "for: its value with an entry of w moved ahead, and with it moved back.")
    if got is None or got is ...:
        return ("it returns nothing yet." if w.grad is None else "it returns nothing, and w has a "
                "gradient now: only values of the loss are asked for.")
    if not isinstance(got, torch.Tensor) or got.shape != w.shape:
        shape = tuple(got.shape) if isinstance(got, torch.Tensor) else type(got).__name__
        return ("one slope for each entry of w is needed, shape (2, 3), and this is "
                f"{'one number for all of them' if shape == () else shape}.")
    if not torch.equal(w, before):
        return "w is not what it was: put each entry back, or change a copy."
    exact = 3 * factors * before**2
    return _why_another_slope(got, exact, factors, before, h) or _depends(answer, w)


def _depends(answer, w):
    """The slope of a loss in which that of each entry depends on where the others are."""
    got, right = answer(lambda v: v.sum()**2, w.clone(), 0.07), 2 * float(w.sum())
    off = (abs(got.flatten() - right) > 1e-4).nonzero()
    if len(off):
        place = int(off[0])
        return (f"for the square of the sum of w, entry {place}, counted from 0, comes out as "
                f"{float(got.flatten()[place]):.4g} where {right:.4g} is right: when one entry is "
                "moved, are all others back where they were?")


def _why_another_slope(got, exact, factors, w, h):
    import torch

    central = exact + factors * h**2
    forward = central + 3 * factors * w * h
    backward = central - 3 * factors * w * h
    together = torch.full_like(w, float(central.sum()))
    for wrong, message in (
        (forward, "this looks to one side only, and its error shrinks with h where that of both "
         "sides shrinks with the square of h: compare w + h with w - h."),
        (backward, "this looks back only; compare w + h with w - h."),
        (2 * central, "from w - h to w + h it is 2 h, not h."),
        (2 * h * central, "this is the difference: divide by the 2 h between the two places."),
        (h * h * central, "`/ 2 * h` divides by 2 and multiplies by h: put 2 * h in brackets."),
        (-central, "the sign is turned round: what lies ahead, minus what lies behind."),
        (central.sum(1, keepdim=True).expand_as(w), "a whole row of w was moved at once, so each "
         "slope is the sum of a row: w.numel() entries, one at a time."),
        (central.flatten().cumsum(0).view_as(w), "each slope holds those of the entries before it "
         "as well: when an entry is moved, are the others back where they were?"),
        (together, "all entries were moved at once, so every slope is the sum of all."),
        (exact, "this is the derivative itself, whatever the h that is handed in. Here the "
         "difference over that h is asked for, which knows nothing but values of the loss."),
    ):
        if torch.allclose(got.to(exact), wrong, rtol=1e-6, atol=1e-9):
            return message
    off = ~torch.isclose(got.to(exact), central, rtol=1e-5, atol=1e-7).flatten()
    if not off.any():
        return None
    flat = got.to(exact).flatten()
    place = int(off.nonzero()[0])
    if place and not flat[place:].any():
        return ("the first entry is right and all others are 0: does the `return` stand inside of "
                "the loop?" if place == 1 else
                f"the first {place} of {len(off)} entries are right and all others are 0: how far "
                "does the loop go? len(w) counts the rows, w.numel() the entries.")
    return (f"for the sum of a·w³ and h = {h}, entry {place} of {len(off)}, counted from 0, comes "
            f"out as {float(flat[place]):.4g} where {float(central.flatten()[place]):.4g} is right"
            f"{', and those before it are right' if place else ''}.")


def _make_discriminator():
    from torch import nn

    def make_discriminator(features):
        return nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, 1))

    return make_discriminator


def _can_learn(answer, seed):
    import torch

    torch.manual_seed(seed)
    disc = answer(5)
    if disc is None:
        return "it returns nothing: is the `return` missing?"
    if not isinstance(disc, torch.nn.Module):
        several = isinstance(disc, list | tuple)
        return (f"a module is needed, and this returns {type(disc).__name__}"
                f"{': nn.Sequential makes one of several layers' if several else ''}.")
    if not any(w.requires_grad for w in disc.parameters()):
        return "none of its weights can be trained: requires_grad is off for each of them."
    takes = next((layer.in_features for layer in disc.modules()
                  if isinstance(layer, torch.nn.Linear) and layer.in_features), 5)
    if takes != 5:
        return f"asked for 5 features it takes {takes}: the argument `features` says how many."
    x = 3 * torch.randn(64, 5, generator=torch.Generator().manual_seed(seed))
    says = disc(x).detach()
    if tuple(says.shape) != (64, 1):
        return (f"64 samples give {tuple(says.shape)}, and one number for each, (64, 1), is "
                "needed: large means source.")
    if float(says.std()) < 1e-6:
        return f"it says {float(says[0]):.3g} of every sample, wherever the sample comes from."
    if float(says.min()) > 0 and float(disc(1000 * x).detach().max()) <= 1:
        return ("it gives probabilities, all between 0 and 1, and the loss below applies a sigmoid "
                "of its own: give it plain logits, of either sign.")
    if float(says.min()) >= 0:
        return "it never says a number below 0, so it can never be sure of a target sample."
    return _learns(disc, x)


def _learns(disc, x):
    """Train it on two domains that one straight cut cannot separate."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    is_source = (x[:, :1].abs() > 2).float()
    optimiser = torch.optim.Adam(disc.parameters(), lr=0.02)
    for _ in range(300):
        optimiser.zero_grad()
        binary_cross_entropy_with_logits(disc(x), is_source).backward()
        optimiser.step()
    says = disc(x).detach()
    if float(says.max()) <= 0:
        return "it never says a number above 0, so it can never be sure of a source sample."
    if float(says.abs().max()) <= 1:
        return ("whatever it learns, it never goes beyond -1 and 1, so it can never be sure: the "
                "last layer's output should be free to be anything.")
    if float(((says > 0) == is_source.bool()).float().mean()) < 0.9:
        return ("it answers, but one straight cut is all that it can learn: two domains, one of "
                "which lies around the other, look alike to it. Keep the hidden layer.")


EXERCISES = {
    "6.1": (lambda: "b", [exists(), *one_of("b", _EFFECT)]),
    "6.2": (_reverse, [exists(), _is_a_layer, _reverses]),
    "6.3": (_slope, [exists(), is_function("loss", "w", "h"), _slope_value]),
    "6.4": (_make_discriminator, [exists(), is_function("features"), _can_learn]),
}
