"""Proofs of lesson 04: what each wrong answer is told."""

import numpy as np
import torch

from tlcourse.notebook.proof import Proof


def fitting(source, target):
    own = target.state_dict()
    return {name: w for name, w in source.state_dict().items()
            if name in own and own[name].shape == w.shape}


def hopes(source, target):
    target.load_state_dict(source.state_dict(), strict=False)
    return list(source.state_dict())


def only_parameters(source, target):
    own = dict(target.named_parameters())
    fits = {name: w for name, w in source.named_parameters()
            if name in own and own[name].shape == w.shape}
    target.load_state_dict(fits, strict=False)
    return list(fits)


def into_a_copy(source, target):
    fits = fitting(source, target)
    dict(target.state_dict()).update(fits)
    return list(fits)


def in_order(source, target):
    pairs = zip(source.state_dict().values(), target.state_dict().items(), strict=False)
    names = [name for w, (name, own) in pairs if w.shape == own.shape and own.copy_(w) is own]
    target.only_there.weight.data.copy_(source.only_here.weight)
    return names


def first_half(source, target):
    fits = fitting(source, target)
    half = {name: fits[name] for name in list(fits)[: len(fits) // 2]}
    target.load_state_dict(half, strict=False)
    return list(half)


def strictly(source, target):
    fits = fitting(source, target)
    target.load_state_dict(fits)
    return list(fits)


def silent(source, target):
    target.load_state_dict(fitting(source, target), strict=False)


def boasts(source, target):
    target.load_state_dict(fitting(source, target), strict=False)
    return list(target.state_dict())


def modest(source, target):
    fits = fitting(source, target)
    target.load_state_dict(fits, strict=False)
    return list(fits)[1:]


def by_reference(source, target):
    fits = fitting(source, target)
    target.load_state_dict(fits, strict=False, assign=True)
    return list(fits)


def doubled(source, target):
    fits = {name: w * 2 + 1 for name, w in fitting(source, target).items()}
    target.load_state_dict(fits, strict=False)
    return list(fits)


def parts(theta, y):
    y = np.unique(y, return_inverse=True)[1]
    joint = np.stack([theta[y == k].sum(0) for k in range(y.max() + 1)]) / len(y)
    return joint, y


def from_joint(theta, y):
    joint, y = parts(theta, y)
    return float(np.log((joint[y] * theta).sum(1)).mean())


def given_the_label(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / joint.sum(1, keepdims=True))[y] * theta).sum(1)).mean())


def log_inside(theta, y):
    joint, y = parts(theta, y)
    return float((np.log((joint / joint.sum(0))[y]) * theta).sum(1).mean())


def most_probable(theta, y):
    joint, y = parts(np.eye(theta.shape[1])[theta.argmax(1)], y)
    return float(np.log((joint / np.maximum(joint.sum(0), 1e-12))[y, theta.argmax(1)]).mean())


def summed(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / joint.sum(0))[y] * theta).sum(1)).sum())


def same_numbers(theta, y):
    return float(np.log(theta[np.arange(len(y)), y]).mean())


def empty_class(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / joint.sum(0))[y] * theta).sum(1)).mean())


def in_bits(theta, y):
    joint, y = parts(theta, y)
    return float(np.log2(((joint / joint.sum(0))[y] * theta).sum(1)).mean())


def for_each_sample(theta, y):
    joint, y = parts(theta, y)
    return np.log((joint[y] * theta).sum(1))


def largest_term(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / joint.sum(0))[y] * theta).max(1)).mean())


def every_label(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(theta @ (joint / joint.sum(0)).T).mean())


def without_theta(theta, y):
    joint, y = parts(theta, y)
    return float(np.log((joint / joint.sum(0))[y]).mean())


def gap_left(theta, y):
    joint, y = parts(theta, y)
    given_z = ...
    return float(np.log((given_z[y] * theta).sum(1)).mean())


def scored(expected, score=lambda p: float(np.log(p).mean())):
    """A solution of 4.2 with another expectation, from P(y | z), theta and y, or another score."""

    def my_leep(theta, y):
        joint, y = parts(theta, y)
        return score(expected(joint / joint.sum(0), theta, y))

    return my_leep


def own(given_z, theta, y):
    return (given_z[y] * theta).sum(1)


def divided_by_the_largest(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / joint.max(0))[y] * theta).sum(1)).mean())


def rows_without_keepdims(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / joint.sum(1))[y] * theta).sum(1)).mean())


def returns_the_report(source, target):
    return target.load_state_dict(fitting(source, target), strict=False)


def as_many_numbers(source, target):
    own = target.state_dict()
    fits = {name: w for name, w in source.state_dict().items()
            if name in own and own[name].numel() == w.numel()}
    target.load_state_dict(fits, strict=False)
    return list(fits)


def without_asking(source, target):
    own = target.state_dict()
    return [name for name, w in source.state_dict().items() if own[name].shape == w.shape]


def a_list_of_names(source, target):
    target.load_state_dict(list(fitting(source, target)), strict=False)


def into_weights(source, target):
    for name, w in target.named_parameters():
        w.copy_(source.state_dict()[name])


def without_items(source, target):
    return [name for name, w in source.state_dict() if name in target.state_dict()]


def into_the_dictionary(source, target):
    own = target.state_dict()
    own.update(fitting(source, target))
    return list(fitting(source, target))


def a_scale_for_each_row(z):
    scale = np.ones(len(z))
    scale[0] = 100
    return z * scale


def forgets_the_return(z):
    z @ np.eye(z.shape[1])


def rotated(z):
    return z @ np.linalg.qr(np.random.default_rng(0).normal(size=(z.shape[1],) * 2))[0]


def timid(z):
    return z * np.linspace(1, 1.5, z.shape[1])


def loses_a_column(z):
    return np.column_stack([z[:, 1:], 1000 * z[:, 1]])


def in_place(z):
    z[:, 0] *= 100
    return z


def divided_by_zero(z):
    with np.errstate(all="ignore"):
        return z / (z * 0)


def all_but_the_head(source, target):
    own = target.state_dict()
    fits = {name: w for name, w in source.state_dict().items()
            if name in own and not name.startswith("head")}
    target.load_state_dict(fits, strict=False)
    return list(fits)


def means_of_classes(theta, y):
    classes, y = np.unique(y, return_inverse=True)
    given_y = np.stack([theta[y == k].mean(0) for k in range(len(classes))])
    given_z = given_y / np.maximum(given_y.sum(0), 1e-12)
    return float(np.log((given_z[y] * theta).sum(1)).mean())


def loud_among_few(z):
    return z * np.where(np.arange(z.shape[1]) == 0, 4.2, 1)


def tensor_by_tensor(source, target):
    theirs, own, names = source.state_dict(), target.state_dict(), []
    for name, w in own.items():
        if name in theirs and theirs[name].shape == w.shape:
            with torch.no_grad():
                w.copy_(theirs[name])
            names.append(name)
    return tuple(names)


def whole_state(source, target):
    own = target.state_dict()
    fits = {name: w.clone() for name, w in source.state_dict().items()
            if name in own and own[name].shape == w.shape}
    target.load_state_dict({**own, **fits})
    return set(fits)


def leep_in_a_loop(theta, y):
    total = 0.0
    for row, own in zip(theta, y, strict=True):
        of_answer = theta.sum(0)
        given = np.divide(theta[y == own].sum(0), of_answer, out=np.zeros_like(of_answer),
                          where=of_answer > 0)
        total += np.log(given @ row)
    return total / len(y)


def leep_of_a_table(theta, y):
    table = np.eye(y.max() + 1)[y].T @ theta
    return np.log(np.sum(np.nan_to_num(table / table.sum(0))[y] * theta, axis=1)).mean()


def louder_and_louder(z):
    return z * np.logspace(0, 3, z.shape[1])


def mixed_then_loud(z):
    mixed = z @ np.linalg.qr(np.random.default_rng(3).normal(size=(z.shape[1],) * 2))[0]
    mixed[:, -1] *= 50
    return mixed


def with_a_loud_column(z):
    return np.column_stack([z, 1e4 * np.random.default_rng(1).normal(size=len(z))])


def compares_methods(source, target):
    own = target.state_dict()
    fits = {name: w for name, w in source.state_dict().items()
            if name in own and own[name].size == w.size}
    target.load_state_dict(fits, strict=False)
    return list(fits)


def one_more_in_the_count(theta, y):
    joint, y = parts(theta, y)
    return float(np.log(((joint / (joint.sum(0) + 1))[y] * theta).sum(1)).mean())


def theta_in_place(theta, y):
    theta *= 2
    return empty_class(theta, y)


def factors_of_samples(z):
    return z * np.linspace(1, 100, len(z))[:, None]


def for_sixty_four(z):
    scale = np.ones(64)
    return z * scale


PROOFS = [
    Proof("4.1", wrong=[
        (hopes, "strict=False forgives other names"),
        (only_parameters, "buffers belong to a network"),
        (into_a_copy, "nothing in the target has changed"),
        (in_order, "not by order"),
        (first_half, "tensors that fit were not copied"),
        (strictly, "lets a part of them be loaded"),
        (silent, "now return the list"),
        (boasts, "a report has to be true"),
        (modest, "and the list names"),
        (by_reference, "copied by reference"),
        (doubled, "not to the source's values"),
        (returns_the_report, "what load_state_dict returns"),
        (without_asking, "there is no entry 'only_here.weight'"),
        (a_list_of_names, "a dictionary of names and their tensors"),
        (into_weights, "with torch.no_grad()"),
        (without_items, "`.items()` gives pairs"),
        (lambda source, target: ..., "has no body yet"),
        (compares_methods, "the condition lets no tensor through"),
    ], alike=[
        (as_many_numbers, "strict=False forgives other names"),
        (into_the_dictionary, "stays in that dictionary"),
        (all_but_the_head, "strict=False forgives other names"),
    ], right=[tensor_by_tensor, whole_state]),
    Proof("4.2", given=lambda: {"np": np}, wrong=[
        (from_joint, "*given* an answer"),
        (given_the_label, "each row was divided"),
        (log_inside, "inside the sum"),
        (most_probable, "which is NCE"),
        (summed, "the mean is wanted"),
        (same_numbers, "nothing to do with each other"),
        (empty_class, "gets no probability from any sample"),
        (in_bits, "For each sample"),
        (largest_term, "add up over z"),
        (every_label, "take its own"),
        (without_theta, "weight P(y | z) by theta"),
        (for_each_sample, "one number is needed"),
        (gap_left, "a gap, `...`, is still open"),
        (scored(own, lambda p: -float(np.log(p).mean())), "the sign is turned round"),
        (scored(own, lambda p: float(p.mean())), "the logarithm is missing"),
        (scored(own, lambda p: float(np.log(p.mean()))), "the logarithm of the mean"),
        (scored(lambda g, theta, y: (g[y] * theta).sum(0)), "runs over the samples"),
        (scored(lambda g, theta, y: (g[y] * theta).mean(1)), "where their sum is wanted"),
        (scored(lambda g, theta, y: (theta @ g.T)[y]), "y chooses among the samples"),
        (scored(lambda g, theta, y: (theta @ g.T).max(1)), "the most probable label"),
        (divided_by_the_largest, "divided by its largest number"),
        (rows_without_keepdims, "the shapes (3,4) and (3,) do not fit"),
        (scored(lambda g, theta, y: theta @ g), "they are 4 and 3"),
        (lambda theta, y: print(y), "is the `return` missing?"),
        (one_more_in_the_count, "add up to 1 over the labels?"),
        (theta_in_place, "`theta` itself was changed"),
        (scored(lambda g, theta, y: g[y] * theta), "the sum over the answers z is missing"),
        (scored(lambda g, theta, y: (theta @ g.T).sum(1)), "of all labels added up?"),
        (scored(lambda g, theta, y: (g.T[y] * theta).sum(1)), "There `g` is (3, 4)"),
    ], only_visible=[means_of_classes], right=[leep_in_a_loop, leep_of_a_table]),
    Proof("4.3", wrong=[
        ("a", "by a hair"),
        ("c", "noise end with 99"),
        ("d", "are clothes"),
        ("e", "choose one of"),
        (..., "no answer yet"),
    ], only_visible=["a"]),
    Proof("4.4", given=lambda: {"np": np}, wrong=[
        (rotated, "does not see"),
        (timid, "be bolder"),
        (loses_a_column, "has no linear way back"),
        (lambda z: z**3, "has no linear way back"),
        (in_place, "z itself has changed"),
        (lambda z: z[::-1], "in other rows"),
        (lambda z: 0 * z, "all samples are equal"),
        (divided_by_zero, "NaN or infinite"),
        (lambda z: z[:100], "of this is (100, 12)"),
        (lambda z: 100 * torch.from_numpy(z), "of type Tensor"),
        (lambda z: torch.from_numpy(z) @ 3, "a Tensor is needed here"),
        (a_scale_for_each_row, "the shapes (200,12) and (200,) do not fit"),
        (forgets_the_return, "is the `return` missing?"),
        (lambda z: z @ np.diag([100, 1]), "they are 12 and 2"),
        (lambda z: np.linalg.inv(z) @ z, "a square table"),
        (lambda z: torch.from_numpy(z) @ torch.ones(12, 12), "double and float"),
        (lambda z: z.T, "of this is (12, 200)"),
        (factors_of_samples, "each sample has got a factor of its own"),
        (lambda z: np.random.default_rng(0).normal(size=z.shape), "z does not go in"),
        (for_sixty_four, "`scale` is (64,)"),
    ], alike=[
        (lambda z: 100 * z, "does not see"),
        (lambda z: z / np.linalg.norm(z, axis=1, keepdims=True), "a factor of its own"),
        (lambda z: z[:, ::-1], "does not see"),
        (lambda z: (z - z.mean(0)) / z.std(0), "be bolder"),
        (lambda z: np.exp(z), "has no linear way back"),
        (lambda z: z.tolist(), "of type list"),
    ], only_visible=[loud_among_few],
       right=[louder_and_louder, mixed_then_loud, with_a_loud_column]),
]
