"""Proofs of lesson 03: what each wrong answer is told."""

from copy import copy, deepcopy

import torch

from tlcourse.finetune import l2_sp, stages
from tlcourse.notebook.proof import Proof


def grouped(rate):
    """A solution of 3.2 with another rate for stage i of n."""

    def speeds(model, lr, decay):
        parts = [part for _, part in stages(model)]
        return [{"params": list(part.parameters()), "lr": rate(lr, decay, i, len(parts))}
                for i, part in enumerate(parts)]

    return speeds


def five_stages(model, lr, decay):
    return grouped(lambda lr, decay, i, n: lr * decay ** (4 - i))(model, lr, decay)


def from_the_head_on(model, lr, decay):
    return [{"params": list(part.parameters()), "lr": lr * decay**i}
            for i, (_, part) in enumerate(reversed(stages(model)))]


def two_stages_exchanged(model, lr, decay):
    groups = grouped(lambda lr, decay, i, n: lr * decay ** (n - 1 - i))(model, lr, decay)
    groups[0]["params"], groups[1]["params"] = groups[1]["params"], groups[0]["params"]
    return groups


def backwards(model, lr, decay):
    groups = []
    for _, part in reversed(stages(model)):
        groups.insert(0, {"params": part.parameters(), "lr": lr * decay ** len(groups)})
    return groups


def everything_in_each(model, lr, decay):
    return [{"params": list(model.parameters()), "lr": lr * decay ** (4 - i)} for i in range(5)]


def head_and_rest(model, lr, decay):
    return [{"params": list(model.backbone.parameters()), "lr": lr * decay},
            {"params": list(model.head.parameters()), "lr": lr}]


def gap_left(model, lr, decay):
    return [{"params": list(part.parameters()), "lr": ...} for _, part in stages(model)]


def only_rates(model, lr, decay):
    return [lr * decay ** (4 - i) for i in range(5)]


def pairs(model, reference):
    start = dict(reference.named_parameters())
    return [(w, start[name].detach()) for name, w in model.named_parameters()
            if name in start and start[name].shape == w.shape]


def absolute(model, reference):
    return sum((w - w0).abs().sum() for w, w0 in pairs(model, reference))


def rooted(model, reference):
    return sum((w - w0).square().sum() for w, w0 in pairs(model, reference)).sqrt()


def averaged(model, reference):
    return sum((w - w0).square().mean() for w, w0 in pairs(model, reference))


def weight_decay(model, reference):
    return sum(w.square().sum() for w, _ in pairs(model, reference))


def cut_off(model, reference):
    return sum((w - w0).detach().square().sum() for w, w0 in pairs(model, reference))


def last_layer_only(model, reference):
    return [(w - w0).square().sum() for w, w0 in pairs(model, reference)][-1]


def one_twice(model, reference):
    squares = [(w - w0).square().sum() for w, w0 in pairs(model, reference)]
    return sum(squares) + squares[0]


def half_of_it(model, reference):
    return 0.5 * l2_sp(model, reference)


def roots(model, reference):
    return sum((w - w0).norm() for w, w0 in pairs(model, reference))


def not_summed(model, reference):
    return pairs(model, reference)[0][0].square()


def by_place(model, reference):
    return sum((w - w0).square().sum()
               for w, w0 in zip(model.parameters(), reference.parameters(), strict=True))


def pulls_the_reference(model, reference):
    start = dict(reference.named_parameters())
    return sum((w - start[name]).square().sum() for name, w in model.named_parameters()
               if name in start and start[name].shape == w.shape)


def forgets_to_return(model, reference):
    absolute(model, reference)


def zeros(model):
    return {name: 0 * w.detach() for name, w in model.named_parameters()}


def as_arrays(model):
    return {name: w.detach().numpy().copy() for name, w in model.named_parameters()}


def only_the_backbone(model):
    return {f"backbone.{name}": w.detach().clone()
            for name, w in model.backbone.named_parameters()}


def never_the_head(model, reference):
    start = dict(reference.named_parameters())
    return sum((w - start[name].detach()).square().sum() for name, w in model.named_parameters()
               if name in start and not name.startswith("head"))


def only_shapes_compared(model, reference):
    return sum((w - reference.state_dict()[name]).square().sum()
               for name, w in model.named_parameters()
               if reference.state_dict()[name].shape == w.shape)


def by_state_dict(model, reference):
    old = reference.state_dict()
    return torch.stack([(w - old[name]).pow(2).sum() for name, w in model.named_parameters()
                        if name in old and old[name].size() == w.size()]).sum()


def paired_by_place(model, reference):
    pairs = zip(model.parameters(), reference.parameters(), strict=False)
    return sum((a - b.detach()).square().sum() for a, b in pairs if a.shape == b.shape)


def one_memory_for_all(model, memory={}):  # noqa: B006, the fault itself
    memory.clear()
    memory.update({name: w.detach().clone() for name, w in model.named_parameters()})
    return memory


PROOFS = [
    Proof("3.1", wrong=[
        ("a", "the rule of thumb"),
        ("c", "print is of no use"),
        ("d", "two of the four lines do lie close"),
        ("e", "choose one of 'a', 'b', 'c', 'd'"),
        (..., "no answer yet"),
    ], only_visible=["a"]),
    Proof("3.2", given=lambda: {"stages": stages}, wrong=[
        (grouped(lambda lr, decay, i, n: lr), "nothing tells the stages apart"),
        (grouped(lambda lr, decay, i, n: lr * decay**i), "upside down"),
        (grouped(lambda lr, decay, i, n: lr / decay**i), "makes rates grow"),
        (grouped(lambda lr, decay, i, n: lr * decay ** (n - i)), "one step too slow"),
        (grouped(lambda lr, decay, i, n: lr * (i + 1) / n), "multiplies by the decay"),
        (grouped(lambda lr, decay, i, n: lr * decay ** (i < n - 1)), "2 places before it"),
        (grouped(lambda lr, decay, i, n: decay ** (n - 1 - i)), "where does lr come in?"),
        (grouped(lambda lr, decay, i, n: lr * decay * (n - 1 - i)), "by its own distance"),
        (everything_in_each, "belong to the group of one stage?"),
        (head_and_rest, "this makes 2 group"),
        (gap_left, "a gap is left"),
        (only_rates, "the list holds a float"),
        (grouped(lambda lr, decay, i, n: lr * decay * i), "i, its place from 0 to 4, is a factor"),
        (from_the_head_on, "the first group holds the parameters of the head"),
        (two_stages_exchanged, "group 1 does not hold just"),
        (five_stages, "right for this network of 5 stages"),
        (grouped(lambda lr, decay, i, n: lr + decay * (n - 1 - i) * i), "no stage faster"),
        (lambda model, lr, decay: dict(enumerate(five_stages(model, lr, decay))), "this is dict"),
    ], alike=[
        (grouped(lambda lr, decay, i, n: lr / decay ** (n - 1 - i)), "dividing by the decay"),
    ], right=[backwards]),
    Proof("3.3", wrong=[
        (absolute, "absolute distances"),
        (rooted, "root of the sum"),
        (averaged, "takes the mean"),
        (weight_decay, "distance from 0"),
        (cut_off, "cut off from the model"),
        (last_layer_only, "the distance of a single tensor"),
        (one_twice, "have a partner of the same name and shape"),
        (half_of_it, "a factor of 0.5"),
        (roots, "sums the distance of each tensor"),
        (not_summed, "a tensor without dimensions"),
        (by_place, "RuntimeError"),
        (pulls_the_reference, "the reference gets a gradient"),
        (forgets_to_return, "returns nothing yet"),
        (lambda model, reference: ..., "has no body yet"),
        (paired_by_place, "names tell which belong together"),
        (never_the_head, "the head belongs to the sum as well"),
        (only_shapes_compared, "KeyError"),
    ], right=[by_state_dict]),
    Proof("3.4", wrong=[
        (lambda model: model.state_dict(), "is still 0, so there is no pull"),
        (lambda model: copy(dict(model.named_parameters())), "under a second name"),
        (lambda model: {n: w.clone() for n, w in model.named_parameters()}, "exactly 0"),
        (deepcopy, "this is Network"),
        (as_arrays, "one leads to ndarray"),
        (zeros, "not the weights that the network has now"),
        (only_the_backbone, "parameters are not in it"),
    ], only_visible=[one_memory_for_all]),
]
