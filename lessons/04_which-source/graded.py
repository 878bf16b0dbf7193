"""Further checks of lesson 04."""


def _other_networks(answer, seed):
    """The head fits and the body does not, with as many numbers as in the other shape."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        source, target = (
            nn.ModuleDict({"stem": nn.Linear(3, 4), "body": nn.Linear(*body), "head": head})
            for body, head in (((4, 6), nn.Linear(6, 2)), ((6, 4), nn.Linear(6, 2))))
    theirs, before = source.state_dict(), {n: w.clone() for n, w in target.state_dict().items()}
    names, after = answer(source, target), target.state_dict()
    fits = [name for name in before if before[name].shape == theirs[name].shape]
    for name in before:
        right = theirs[name] if name in fits else before[name]
        if not torch.equal(after[name], right):
            told = "fits and was not copied" if name in fits else "was changed and does not fit"
            return f"between two networks of linear layers, {name} {told}."
    if set(names) != set(fits):
        return "between two networks of linear layers, the names that it returns are not right."


def _other_frequencies(answer, seed):
    """Labels that are no 0, 1, 2, of classes that are not equally frequent, and few answers."""
    import math

    import numpy as np

    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([2, 5, 9], [4, 9, 27]))
    theta = rng.dirichlet([0.5, 0.5], size=40)
    given = {k: theta[y == k].sum(0) / theta.sum(0) for k in (2, 5, 9)}
    right = np.mean([math.log(given[k] @ row) for k, row in zip(y, theta, strict=True)])
    got = float(answer(theta.copy(), y.copy()))
    if not math.isclose(got, right, abs_tol=1e-6):
        return (f"for the labels 2, 5 and 9, of which 9 is the most frequent, it is {got:.3f}, and "
                f"{right:.3f} is right.")


def _as_many_features_as_a_network(answer, seed):
    import numpy as np

    from tlcourse.transferability import cka

    z = np.maximum(np.random.default_rng(seed).normal(size=(400, 64)) + 0.5, 0)
    got = np.asarray(answer(z.copy()))
    if got.ndim != 2 or len(got) != len(z):
        return f"64 features become an array of the shape {got.shape}."
    score = cka(z, got)
    if score >= 0.5:
        return f"with 64 features, as our networks have, CKA is still {score:.2f}."


PROPERTIES = {"4.1": (_other_networks,), "4.2": (_other_frequencies,),
              "4.4": (_as_many_features_as_a_network,)}
SHOWN = ("4.4",)
BY_VALUE = ("4.2", "4.4")
ASKED = {"4.2": ("leep",)}
