"""Proofs of lesson 00: what each wrong answer is told."""

from copy import copy, deepcopy

import torch

from tlcourse.models import small_cnn
from tlcourse.notebook.proof import Proof
from tlcourse.training import fit


def features_only(model, x):
    return model.features(x).argmax(dim=1)


def wrong_axis(model, x):
    return model(x).argmax(dim=0)


def no_argmax(model, x):
    return model(x)


def value_not_place(model, x):
    return model(x).max(dim=1).values


def one_off(model, x):
    return (model(x).argmax(dim=1) + 1) % 4


def one_for_all(model, x):
    return model(x).argmax()


def one_column(model, x):
    return model(x).argmax(dim=1, keepdim=True)


def values_and_places(model, x):
    return model(x).max(dim=1)


def as_floats(model, x):
    return model(x).argmax(dim=1).float()


def as_a_list(model, x):
    return model(x).argmax(dim=1).tolist()


def no_return(model, x):
    model(x).argmax(dim=1)


def rounded_probabilities(model, x):
    return model(x).softmax(dim=1).round()


def probabilities(model, x):
    return model(x).softmax(dim=1)


def largest_probability(model, x):
    return model(x).softmax(dim=1).max(dim=1).values


def one_gap_left(model, x):
    y = model(x)
    del y
    return ...


def alias(model, few, steps):
    tuned = model
    fit(tuned, few, steps=steps, seed=0)
    return tuned


def shallow(model, few, steps):
    tuned = copy(model)
    fit(tuned, few, steps=steps, seed=0)
    return tuned


def returns_the_original(model, few, steps):
    tuned = deepcopy(model)
    fit(tuned, few, steps=steps, seed=0)
    return model


def never_trained(model, few, steps):
    return deepcopy(model)


def from_random_weights(model, few, steps):
    tuned = deepcopy(model)
    torch.manual_seed(1)
    torch.nn.init.normal_(tuned.head.weight)
    fit(tuned, few, steps=steps, seed=0)
    return tuned


def another_seed(model, few, steps):
    tuned = deepcopy(model)
    fit(tuned, few, steps=steps, seed=1)
    return tuned


def another_network(model, few, steps):
    tuned = small_cnn(4, width=3, seed=0)
    fit(tuned, few, steps=steps, seed=0)
    return tuned


def trains_the_given(model, few, steps):
    tuned = deepcopy(model)
    fit(model, few, steps=steps, seed=0)
    return tuned


def put_back_from_state_dict(model, few, steps):
    before = model.state_dict()
    fit(model, few, steps=steps, seed=0)
    tuned = deepcopy(model)
    model.load_state_dict(before)
    return tuned


def trained_then_copied(model, few, steps):
    fit(model, few, steps=steps, seed=0)
    return deepcopy(model)


def loaded_into_a_second_network(model, few, steps):
    tuned = small_cnn(4, width=2, seed=9)
    tuned.load_state_dict(model.state_dict())
    fit(tuned, few, steps=steps, seed=0)
    return tuned


def put_back_from_a_copy(model, few, steps):
    before = deepcopy(model.state_dict())
    fit(model, few, steps=steps, seed=0)
    tuned = deepcopy(model)
    model.load_state_dict(before)
    return tuned


def returns_the_history(model, few, steps):
    return fit(deepcopy(model), few, steps=steps, seed=0)


def without_squeezed_batch(model, x):
    return model(x).squeeze().argmax(dim=-1)


def always_three_steps(model, few, steps):
    from copy import deepcopy

    tuned = deepcopy(model)
    fit(tuned, few, steps=3, seed=0)
    return tuned


PROOFS = [
    Proof("0.1", wrong=[
        ("a", "above scratch"),
        ("c", "ten labels spoil"),
        ("d", "worse start than random"),
        ("e", "choose one of 'a', 'b', 'c', 'd'"),
        (..., "no answer yet"),
    ], only_visible=["d"]),
    Proof("0.2", wrong=[
        (features_only, "the head has not been asked"),
        (wrong_axis, "wrong axis"),
        (no_argmax, "these are the logits"),
        (value_not_place, "not class numbers"),
        (one_off, "some classes differ"),
        (one_for_all, "argmax needs dim."),
        (one_column, "6 class numbers should come out, not (6, 1)"),
        (values_and_places, "take the places"),
        (as_floats, "class numbers are whole numbers"),
        (rounded_probabilities, "rounding does not find it"),
        (probabilities, "these are four numbers a picture"),
        (as_a_list, "and returned list."),
        (no_return, "or the `return` missing?"),
        (lambda x: x, "this one takes (x)"),
    ], alike=[(one_gap_left, "is a gap still open"),
              (largest_probability, "not class numbers")], only_visible=[without_squeezed_batch]),
    Proof("0.3", given=lambda: {"fit": fit, "deepcopy": deepcopy}, wrong=[
        (alias, "before and after are still one"),
        (shallow, "do the two share their weights?"),
        (returns_the_original, "where did the tuned one go?"),
        (never_trained, "it was not trained"),
        (from_random_weights, "not from the given weights"),
        (put_back_from_state_dict, "moves along"),
        (returns_the_history, "returned History"),
        (another_network, "its tensors have other shapes"),
        (trains_the_given, "which goes into fit?"),
        (small_cnn(4, width=2, seed=0), "hand in the function itself"),
    ], alike=[
        (another_seed, "or not with seed=0."),
        (trained_then_copied, "it was trained itself"),
    ], only_visible=[always_three_steps], right=[put_back_from_a_copy]),
]

