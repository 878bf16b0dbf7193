"""References and checks of lesson 04, Which source?"""

from tlcourse.notebook.ladder import changed, exists, is_function, one_of

_WHICH = {
    "a": "the H-score of print is above MNIST's by a hair, close to the ceiling of 9, and being "
    "good at home was not asked. What do the three other scores say?",
    "c": "their H-scores are equal. But where does the H-score of pure noise end with 99 columns?",
    "d": "what they are varied in are clothes. Is there a score in the table that puts them first?",
}


def _copy_what_fits():
    def copy_what_fits(source, target):
        own = target.state_dict()
        fits = {name: w for name, w in source.state_dict().items()
                if name in own and own[name].shape == w.shape}
        target.load_state_dict(fits, strict=False)
        return list(fits)

    return copy_what_fits


def _two_networks(seed):
    """Equal names with equal and with other shapes, names on one side only, and buffers."""
    import torch

    from tlcourse.models import small_cnn

    source, target = small_cnn(4, width=2, seed=seed), small_cnn(3, width=2, seed=seed + 1)
    source.only_here = torch.nn.Linear(2, 2)
    target.only_there = torch.nn.Linear(2, 2)
    source.turned, target.turned = torch.nn.Linear(2, 3), torch.nn.Linear(3, 2)  # as many numbers
    generator = torch.Generator().manual_seed(seed)
    for tensor in source.state_dict().values():  # the buffers of untrained networks are all alike
        if tensor.is_floating_point():
            tensor.add_(torch.rand(tensor.shape, generator=generator))
        else:
            tensor.add_(7)
    return source, target


def _copies(answer, seed):
    import torch

    source, target = _two_networks(seed)
    theirs, own = source.state_dict(), target.state_dict()
    before = {name: w.clone() for name, w in own.items()}
    fits = [name for name in own if name in theirs and theirs[name].shape == own[name].shape]
    try:
        names = answer(source, target)
    except RuntimeError as error:
        if "size mismatch" in str(error):
            return ("load_state_dict stopped at a tensor that both have in different shapes: "
                    "strict=False forgives other names, and not other shapes.")
        if "Missing key" in str(error):
            return ("load_state_dict wants every name of the target and no other: which of its "
                    "options lets a part of them be loaded?")
        raise
    after = target.state_dict()
    if list(after) != list(before):
        return "the target has other tensors than before: fill the ones it has."
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    if not moved and isinstance(names, list | tuple | set) and not names:
        return ("nothing was copied, and the list is empty: the condition lets no tensor through. "
                f"Print what it compares for {fits[0]}, which has the same shape in both networks.")
    if (message := _moved(moved, fits, dict(target.named_buffers()))) is not None:
        return message
    if any(name in after and not torch.equal(after[name], theirs[name]) for name in fits):
        return "the target changed, but not to the source's values of the same name."
    return _told(names, fits) or _apart(source, target)


def _moved(moved, fits, buffers):
    """What is wrong with which tensors of the target have changed."""
    if not moved:
        return ("nothing in the target has changed: where do the source's numbers go in? (What is "
                "put into the dictionary of state_dict() stays in that dictionary.)")
    if extra := sorted(moved - set(fits)):
        return (f"{extra[0]} has changed in the target, and the source has nothing of that name "
                "and shape: match by name and by shape, not by order.")
    left = [name for name in fits if name not in moved]
    if left and buffers.keys() >= set(left):
        return (f"{len(left)} tensors that fit were not copied, such as {left[0]}: buffers belong "
                "to a network as well as its parameters.")
    if left:
        return f"{len(left)} of {len(fits)} tensors that fit were not copied, such as {left[0]}."


def _kind(names):
    if hasattr(names, "missing_keys"):
        return "what load_state_dict returns: the names that were not copied"
    return "None" if names is None else f"of type {type(names).__name__}"


def _told(names, fits):
    if not isinstance(names, (list, tuple, set)) or hasattr(names, "missing_keys"):
        return ("everything that fits was copied; now return the list of names, so that the "
                f"caller knows (this is {_kind(names)}).")
    if wrong := [name for name in names if name not in fits]:
        return f"the list holds {wrong[0]}, which was not copied: a report has to be true."
    if len(set(names)) != len(fits):
        return f"{len(fits)} tensors were copied, and the list names {len(set(names))} of them."


def _apart(source, target):
    """Whether the two networks still share memory: training one would move the other."""
    import torch

    before = {name: w.clone() for name, w in target.state_dict().items()}
    with torch.no_grad():
        for w in source.state_dict().values():
            w.add_(1)
    if any(not torch.equal(w, before[name]) for name, w in target.state_dict().items()):
        return ("copied by reference: when the source is trained on, the target moves along. "
                "Copy the numbers into the target's own tensors.")


def _leep():
    import numpy as np

    def my_leep(theta, y):
        classes, y = np.unique(y, return_inverse=True)
        joint = np.stack([theta[y == k].sum(0) for k in range(len(classes))]) / len(y)
        given_z = joint / np.maximum(joint.sum(0), 1e-12)
        return float(np.log((given_z[y] * theta).sum(1)).mean())

    return my_leep


def _leep_values(answer, seed):
    import math
    from numbers import Real

    import numpy as np

    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(60) % 3)
    theta = rng.dirichlet(np.ones(4) * 0.5, size=60)
    theta[np.arange(60), y] += 0.5
    theta /= theta.sum(1, keepdims=True)
    given = theta.copy(), y.copy()
    got = answer(*given)
    if got is None:
        return "it returns nothing: is the `return` missing?"
    if (message := changed(theta=(theta, given[0]), y=(y, given[1]))):
        return message
    if isinstance(got, bool) or not isinstance(got, Real):
        return f"one number is needed, and this is of type {type(got).__name__}."
    right = _leep()(theta, y)
    if math.isnan(got):
        return "the number is NaN for ordinary answers: a logarithm or a division went wrong."
    if not math.isclose(got, right, abs_tol=1e-6):
        return _which_mistake(got, theta, y) or _of_certain_answers(answer) or (
            f"the number is {got:.3f} where {right:.3f} is right. For each sample: the sum over z "
            "of P(its own label | z) times theta of z.")
    empty = np.insert(theta, 1, 0.0, axis=1)
    with np.errstate(all="ignore"):
        got = answer(empty.copy(), y.copy())
    if not math.isclose(got, right, abs_tol=1e-6):
        return (f"right, until one source class gets no probability from any sample: then it is "
                f"{got:.3g} where {right:.3f} is right. What is divided by its sum there?")


def _of_certain_answers(answer):
    """Where each answer z goes with one label alone, P(y | z) is 1 and the score 0."""
    import numpy as np

    y = np.arange(30) % 3
    got = answer(np.eye(3)[y], y.copy())
    if isinstance(got, float) and abs(got) > 1e-6:
        return (f"where each answer goes with one label alone, that label is certain and the score "
                f"is 0; here it comes out as {got:.3g}. Does P(y | z) add up to 1 over the labels?")


def _which_mistake(got, theta, y):
    import math

    import numpy as np

    joint = np.stack([theta[y == k].sum(0) for k in range(3)]) / len(y)
    by_answer = "of all answers z only one counts here: add up over z what each of them expects."
    given_z, given_y = joint / joint.sum(0), joint / joint.sum(1, keepdims=True)
    certain = np.eye(4)[theta.argmax(1)]
    hard = np.stack([certain[y == k].sum(0) for k in range(3)])
    weighted = given_z[y] * theta
    mistakes = {
        -np.log(weighted.sum(1)).mean(): "the sign is turned round: the logarithm of a probability "
            "is below 0, and so is this score.",
        weighted.sum(1).mean(): "the logarithm is missing.",
        np.log(weighted).mean(): "the sum over the answers z is missing: expected holds one number "
            "for each sample, and here it has a column for each answer.",
        0.0: "the number is 0, the logarithm of 1: were the probabilities of all labels added up? "
            "Take that of the sample's own label alone.",
        np.log(weighted.sum(1).mean()): "this is the logarithm of the mean: the mean of the "
            "logarithms is wanted.",
        np.log(weighted.sum(0)).mean(): "the sum runs over the samples: for each sample it is over "
            "the answers z, which lie across (axis 1).",
        np.log(weighted.mean(1)).mean(): "this is a mean over the answers z, where their sum is "
            "wanted: theta holds their weights already.",
        np.log((theta @ given_z.T)[y]).mean(): "y chooses among the samples here: of each sample's "
            "row it should choose the column of its own label.",
        np.log((theta @ given_z.T).max(1)).mean(): "this takes the most probable label of each "
            "sample: take its own, y[i], for sample i.",
        np.log(((joint / joint.max(0))[y] * theta).sum(1)).mean(): "each column is divided by its "
            "largest number: P(y | z) adds up to 1 over the labels.",
        (np.log((joint[y] * theta).sum(1)).mean()):
            "this predicts from the joint table: how likely is a label *given* an answer?",
        (np.log((given_y[y] * theta).sum(1)).mean()):
            "each row was divided by its sum, which gives P(z | y); wanted is P(y | z).",
        ((np.log(given_z[y]) * theta).sum(1).mean()):
            "the logarithm stands inside the sum over z: first add up what the answers expect, "
            "then take the logarithm.",
        (np.log((hard / np.maximum(hard.sum(0), 1))[y, theta.argmax(1)]).mean()):
            "this looks only at the most probable answer, which is NCE: let every answer count by "
            "its probability.",
        (np.log((given_z[y] * theta).max(1)).mean()): by_answer,
        (np.log(given_z[y, theta.argmax(1)]).mean()): by_answer,
        (np.log(theta @ given_z.T).mean()):
            "this averages over every label that a sample could have: take its own, y[i], for "
            "sample i.",
        (np.log(given_z[y]).mean()):
            "the probabilities theta of the sample do not occur: weight P(y | z) by theta of z.",
        (np.log((given_z[y] * theta).sum(1)).sum()):
            "this is the sum over the samples where the mean is wanted.",
        (np.log(theta[np.arange(len(y)), y]).mean()):
            "this takes class z of the source for class y of the target: their numbers have "
            "nothing to do with each other.",
    }
    for value, message in mistakes.items():
        if math.isclose(got, value, abs_tol=1e-6):
            return message


def _disguise():
    import numpy as np

    def disguise(z):
        scale = np.ones(z.shape[1])
        scale[0] = 100
        return z * scale

    return disguise


def _hides(answer, seed):
    import numpy as np

    from tlcourse.transferability import cka

    rng = np.random.default_rng([44, seed])  # not the one that an answer may draw from
    z = np.maximum(rng.normal(size=(200, 12)) + 0.5, 0)
    given = z.copy()
    got = answer(given)
    if got is None:
        return "it returns nothing: is the `return` missing?"
    if not isinstance(got, np.ndarray):
        return f"an array is needed, and this is of type {type(got).__name__}."
    if got.ndim != 2 or len(got) != 200:
        return f"a row for each of 200 samples is needed, and the shape of this is {got.shape}."
    if not np.array_equal(given, z):
        return ("z itself has changed, so that there is nothing left to compare with: work on "
                "z.copy().")
    if not np.isfinite(got).all():
        return "some of the new features are NaN or infinite."
    if np.ptp(got, axis=0).max() == 0:
        return "all samples are equal now, so there is nothing left to read."
    back = _left_over(got, z)
    if back > 1e-6:
        if got.shape == z.shape and np.array_equal(np.sort(got, axis=0), np.sort(z, axis=0)):
            return ("the numbers are there, in other rows: feature and sample no longer belong "
                    "together.")
        if got.shape == z.shape and np.allclose(got, z * _factor_of_each_row(got, z)):
            return ("each sample has got a factor of its own, and a linear map treats all samples "
                    "alike.")
        if np.array_equal(answer(z[::-1].copy()), got):
            return "it gives the same array for another z as well: z does not go in."
        return (f"z cannot be recovered from this by a linear map: {back:.0%} of its variation is "
                "lost. Which step has no linear way back?")
    score = cka(z, got)
    if score > 1 - 1e-9:
        return ("CKA is exactly 1: to rotate, to mirror, to shift and to scale all features alike "
                "is what it does not see. What else can be undone?")
    if score >= 0.5:
        return f"the right kind of map, but CKA is still {score:.2f}: be bolder."


def _factor_of_each_row(got, z):
    import numpy as np

    return (got * z).sum(1, keepdims=True) / np.maximum((z * z).sum(1, keepdims=True), 1e-12)


def _left_over(features, z):
    """Share of z's variation that no linear function of the features explains."""
    import numpy as np

    design = np.column_stack([features / np.maximum(np.abs(features).max(0), 1e-300),
                              np.ones(len(z))])
    weights, *_ = np.linalg.lstsq(design, z, rcond=None)
    return float(((z - design @ weights)**2).sum() / ((z - z.mean(0))**2).sum())


EXERCISES = {
    "4.1": (_copy_what_fits, [exists(), is_function("source", "target"), _copies]),
    "4.2": (_leep, [exists(), is_function("theta", "y"), _leep_values]),
    "4.3": (lambda: "b", [exists(), *one_of("b", _WHICH)]),
    "4.4": (_disguise, [exists(), is_function("z"), _hides]),
}
