"""Proofs of lesson 03: what each wrong answer is told."""

from copy import copy, deepcopy

from tlcourse.finetune import l2_sp, stages
from tlcourse.notebook.proof import Proof


def grouped(rate):
    """A solution of 3.2 with another rate for stage i of n."""

    def speeds(model, lr, decay):
        parts = [part for _, part in stages(model)]
        return [{"params": list(part.parameters()), "lr": rate(lr, decay, i, len(parts))}
                for i, part in enumerate(parts)]

    return speeds


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


def five_stages(model, lr, decay):
    return [{"params": list(part.parameters()), "lr": lr * decay ** (4 - i)}
            for i, (_, part) in enumerate(stages(model))]


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
        (only_rates, "a list of groups is needed"),
    ], only_visible=[five_stages]),
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
    ], only_visible=[paired_by_place]),
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
