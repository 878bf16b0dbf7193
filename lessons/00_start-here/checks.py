"""References and checks of lesson 00, Start here."""

from tlcourse.notebook.ladder import exists, is_function, one_of

_ORDER = {
    "a": "the network trained on print is put above scratch here. Think of what it has seen of "
    "handwriting: nothing.",
    "c": "this says ten labels spoil the network that knows print. They move it, but towards "
    "handwriting or away from it?",
    "d": "this says that knowing print makes a worse start than random weights. Which strokes do "
    "a printed and a written 7 share?",
}
_SHAPES = {
    (): "one number for all six pictures: argmax needs dim.",
    (4,): "6 pictures went in and 4 numbers came out, one for each class: the largest was taken "
    "along the wrong axis.",
}


def _classify():
    def classify(model, x):
        return model.head(model.features(x)).argmax(dim=1)

    return classify


def _toy(seed):
    """A network and a batch on which the wrong axis and a skipped head show."""
    import torch

    from tlcourse.models import small_cnn

    generator = torch.Generator().manual_seed(seed)
    model = small_cnn(4, width=2, seed=seed).eval()
    # The class is the smallest of four features, so it is never the place of the largest.
    model.head.weight.data = -torch.eye(4, 8)
    model.head.bias.data = 0.01 * torch.rand(4, generator=generator)
    return model, torch.rand(6, 1, 16, 16, generator=generator)


def _classes(answer, seed):
    import torch

    model, x = _toy(seed)
    got = answer(model, x)
    if got is None or got is ...:
        return "it returns nothing: is a gap still open, or the `return` missing?"
    if isinstance(got, tuple) and hasattr(got, "indices"):
        return "these are values and places together: take the places."
    if not isinstance(got, torch.Tensor):
        return f"it should return a tensor of class numbers, and returned {type(got).__name__}."
    if got.shape == (6, 4):
        return _table(got, model(x))
    if got.shape != (6,):
        return _SHAPES.get(tuple(got.shape), "6 pictures went in, so 6 class numbers should come "
                                             f"out, not {tuple(got.shape)}.")
    if got.is_floating_point() and torch.equal(got, model(x).argmax(1).to(got)):
        return "these are the right classes as floats; class numbers are whole numbers."
    if got.is_floating_point():
        return ("these are values such as "
                f"{got[0].item():.3g}, not class numbers: the place of the largest is wanted.")
    if torch.equal(got, model.features(x).argmax(1)):
        return "these are the places of the largest features: the head has not been asked."
    if not torch.equal(got, model(x).argmax(1)):
        return "the shape is right, but some classes differ from those of the network itself."


def _table(got, logits):
    """What is said to a row of four numbers for each picture."""
    import torch

    if torch.equal(got, logits):
        return "these are the logits, one row a picture: which column of each row is largest?"
    if torch.equal(got, got.round()) and got.min() >= 0 and got.max() <= 1:
        return ("this is a 0 or a 1 for each of four classes of each picture: one class number a "
                "picture is wanted, and rounding does not find it.")
    return ("these are four numbers a picture, one for each class: which column of each row is "
            "largest?")


def _fine_tune():
    from copy import deepcopy

    from tlcourse.training import fit

    def fine_tune(model, few, steps):
        tuned = deepcopy(model)
        fit(tuned, few, steps=steps, seed=0)
        return tuned

    return fine_tune


def _why_both_moved(model, tuned):
    theirs = {w.data_ptr() for w in model.parameters()}
    if any(w.data_ptr() in theirs for w in tuned.parameters()):
        return "do the two share their weights?"
    return ("it was trained itself. (A state_dict() taken before holds the weights themselves, and "
            "moves along: what is put back from it is what is there.)")


def _no_network(answer, seed):
    if hasattr(answer, "state_dict"):
        return "this is a network; hand in the function itself."


def _state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _leaves_original(answer, seed):
    import torch

    from tlcourse.data import Domain
    from tlcourse.models import small_cnn

    few = Domain("toy", _toy(seed)[1], [0, 1, 2, 3, 0, 1])
    model = small_cnn(4, width=2, seed=seed)
    before = _state(model)
    tuned = answer(model, few, 3)
    if not isinstance(tuned, torch.nn.Module):
        return f"it should return a network, and returned {type(tuned).__name__}."
    start = _state(tuned)
    if {n: t.shape for n, t in start.items()} != {n: t.shape for n, t in before.items()}:
        return "the returned network is not a copy of the given one: its tensors have other shapes."
    untrained = all(torch.equal(start[n], before[n]) for n in before)
    moved = [n for n, t in model.state_dict().items() if not torch.equal(t, before[n])]
    if tuned is model:
        if moved:
            return ("on whatever data the two networks are scored, before and after are still one "
                    "and the same number.")
        return "what comes back is the given network, untrained: where did the tuned one go?"
    if moved:
        return ("two networks, but the given one was trained: which goes into fit?" if untrained
                else f"there are two networks now, but {len(moved)} tensors of the original moved "
                "all the same: " + _why_both_moved(model, tuned))
    if untrained:
        return "the original is safe, but the returned network equals it: it was not trained."
    expected = _state(_fine_tune()(model, few, 3))
    if any(not torch.allclose(start[n], expected[n]) for n in before):
        return ("the returned network was trained, but not from the given weights for the given "
                "number of steps, or not with seed=0.")


EXERCISES = {
    "0.1": (lambda: "b", [exists(), *one_of("b", _ORDER)]),
    "0.2": (_classify, [exists(), is_function("model", "x"), _classes]),
    "0.3": (_fine_tune, [exists(), _no_network, is_function("model", "few", "steps"),
                         _leaves_original]),
}
