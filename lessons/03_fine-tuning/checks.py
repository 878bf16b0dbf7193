"""References and checks of lesson 03, Fine-tuning."""

from tlcourse.notebook.ladder import exists, is_function, one_of

_DECIDE = {
    "a": "that is the rule of thumb. Find the frozen line at 20: which other line is it next to?",
    "c": "this says that print is of no use. Compare scratch at 20 with the line that began from "
    "print and moved everything.",
    "d": "two of the four lines do lie close together at 20. Do the other two lie there as well?",
}


def _speeds():
    from tlcourse.finetune import stages

    def speeds(model, lr, decay):
        parts = stages(model)
        groups = []
        for i, (_, part) in enumerate(parts):
            before_the_head = len(parts) - 1 - i
            groups.append({"params": list(part.parameters()), "lr": lr * decay**before_the_head})
        return groups

    return speeds


def _groups(answer, seed):
    import math

    from tlcourse.models import small_cnn

    model, lr, decay = small_cnn(3, width=2, seed=seed), 0.01, (0.5, 0.4, 0.3)[seed % 3]
    got = answer(model, lr, decay)
    if not isinstance(got, list):
        return f"a list of groups is needed, one a stage, and this is {type(got).__name__}."
    if (odd := next((group for group in got if not isinstance(group, dict)), None)) is not None:
        return (f"the list holds a {type(odd).__name__}, and each group is a dictionary with its "
                "params and its lr.")
    if len(got) != 5:
        return f"the network has 5 stages, and this makes {len(got)} group(s)."
    if any(not {"params", "lr"} <= group.keys() or ... in group.values() for group in got):
        return "a gap is left: each group needs its params and its lr."
    params = [list(group["params"]) for group in got]
    counts = [len(held) for held in params]
    total = len(list(model.parameters()))
    if sum(counts) != total:
        return (f"the groups hold {sum(counts)} parameters together, the network has {total}: "
                "whose parameters belong to the group of one stage?")
    if (message := _order(params, model)) is not None:
        return message
    rates = [group["lr"] for group in got]
    right = [lr * decay ** (4 - i) for i in range(5)]
    if (message := _rates(rates, right, lr, decay)) is not None:
        return message
    wrong = [i for i in range(5) if not math.isclose(rates[i], right[i])]
    if wrong:
        before = 4 - wrong[-1]
        return (f"the head learns at {rates[-1]:.3g}, as it should, but the stage {before} "
                f"place{'s' * (before > 1)} before it at {rates[wrong[-1]]:.3g}: each step towards "
                "the input multiplies by the decay once more.")
    other = [group["lr"] for group in answer(_three_stages(seed), lr, decay)]
    if len(other) != 3 or not all(map(math.isclose, other, right[2:])):
        return (f"right for this network of 5 stages, but one of 3 stages gets the rates "
                f"{', '.join(f'{rate:.3g}' for rate in other)}, and its head should learn at "
                f"{lr:.3g}: how many stages are there?")


def _order(params, model):
    """Whether each group holds the parameters of its stage."""
    from tlcourse.finetune import stages

    held = [{id(w) for w in group} for group in params]
    own = [{id(w) for w in part.parameters()} for _, part in stages(model)]
    if held == own:
        return None
    if held == own[::-1]:
        return ("the first group holds the parameters of the head, and the last those of the first "
                "layers: list the groups from the first layers to the head.")
    place = next(i for i in range(len(own)) if held[i] != own[i])
    return f"group {place + 1} does not hold just the parameters of stage {place + 1}."


def _three_stages(seed):
    import torch
    from torch import nn

    from tlcourse.models import Network

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 4)), nn.Linear(4, 2))


def _rates(rates, right, lr, decay):
    """What is wrong with the order or the ends of the rates, most telling first."""
    import math

    if len(set(rates)) == 1:
        return f"all five stages learn at {rates[0]:.3g}: nothing tells the stages apart yet."
    if all(math.isclose(rate * lr, b) for rate, b in zip(rates, right, strict=True)):
        return f"these are the factors alone, from {rates[0]:.3g} to 1: where does lr come in?"
    if rates[0] == 0:
        return (f"the first stage learns at 0 and the head at {rates[-1]:.3g}: i, its place from 0 "
                "to 4, is a factor here. How many times is the decay multiplied into each rate?")
    if rates[-1] == 0:
        return ("the head learns at 0, multiplied by its own distance: how many times is the decay "
                "applied to the head, and how many times to the stage before it?")
    if any(all(math.isclose(rate, lr / decay**k) for rate, k in zip(rates, ks, strict=True))
           for ks in (range(5), range(4, -1, -1))):
        return (f"dividing by the decay makes rates grow: they run from {rates[0]:.3g} to "
                f"{rates[-1]:.3g}, and none should exceed lr = {lr:.3g}.")
    if rates[0] > rates[-1]:
        return (f"the first stage learns at {rates[0]:.3g} and the head at {rates[-1]:.3g}: "
                "upside down. Which of the two is new to the target?")
    if max(rates) > lr * 1.0001:
        return (f"the head should learn at lr = {lr:.3g} and no stage faster, and this gives it "
                f"{rates[-1]:.3g}, and up to {max(rates):.3g} elsewhere."
                if max(rates) > rates[-1] else
                f"the head should learn at lr = {lr:.3g}, and this gives it {rates[-1]:.3g}.")
    if math.isclose(rates[-1], right[-2]):
        return (f"the head learns at {rates[-1]:.3g} = lr * decay, one step too slow: how many "
                "stages lie between the head and the head?")


def _l2_sp():
    def l2_sp(model, reference):
        start = dict(reference.named_parameters())
        distance = 0.0
        for name, w in model.named_parameters():
            if name in start and start[name].shape == w.shape:
                distance = distance + (w - start[name].detach()).square().sum()
        return distance

    return l2_sp


def _pair(seed):
    """A network and its start: other numbers everywhere, another head, and one layer more."""
    import torch

    from tlcourse.models import small_cnn

    model, reference = small_cnn(3, width=2, seed=seed), small_cnn(4, width=2, seed=seed + 1)
    generator = torch.Generator().manual_seed(seed)
    for tensor in [*model.state_dict().values(), *reference.state_dict().values()]:
        if tensor.is_floating_point():  # the buffers too, which do not belong to the penalty
            tensor.add_(0.3 * torch.rand(tensor.shape, generator=generator))
    model.extra = torch.nn.Linear(2, 2)
    return model, reference


def _distance(answer, seed):
    import torch

    model, reference = _pair(seed)
    if (message := _sum_of_squares(answer(model, reference), model, reference)) is not None:
        return message
    for change, message in (
        (_same_heads, "right where the heads have different shapes. Where name and shape are the "
         "same, the head belongs to the sum as well."),
        (_same_shapes, "right where the networks have the same layers in the same order. Here a "
         "layer of the one has the place and the shape of another of the other, and another name: "
         "names tell which belong together."),
    ):
        model, reference = change(seed)
        right = sum((a - b).square().sum() for a, b in _shared(model, reference))
        if not torch.allclose(torch.as_tensor(answer(model, reference)).to(right), right):
            return message


def _sum_of_squares(got, model, reference):
    """What is wrong with the penalty of two networks, if anything."""
    import torch

    if got is None or got is ...:
        return "it returns nothing yet."
    if isinstance(got, float) or (isinstance(got, torch.Tensor) and not got.requires_grad):
        return ("the number that comes back is cut off from the model: no gradient can pull the "
                "weights. Tensors of state_dict(), .data, .item() and .detach() are cut off.")
    if not isinstance(got, torch.Tensor) or got.ndim:
        return "one number is needed, a tensor without dimensions: sum over all weights."
    shared = _shared(model, reference)
    squares = [(a - b).square() for a, b in shared]
    for wrong, message in (
        (sum(s.sqrt().sum() for s in squares), "these are absolute distances, not squared ones."),
        (sum(s.sum() for s in squares).sqrt(), "this is the root of the sum: the distance itself, "
         "where its square is wanted."),
        (sum(s.sum().sqrt() for s in squares), "this sums the distance of each tensor, a root: its "
         "square is wanted."),
        (sum(s.mean() for s in squares), "this takes the mean of each tensor, so a large layer "
         "counts no more than a small one: sum."),
        (sum(a.square().sum() for a, _ in shared), "this is the distance from 0, which is weight "
         "decay. Where did the training start?"),
    ):
        if torch.allclose(got, wrong):
            return message
    if any(torch.allclose(got, s.sum()) for s in squares):
        return ("this is the distance of a single tensor: is the sum overwritten in the loop, or "
                "the return inside of it?")
    right = sum(s.sum() for s in squares)
    for factor in (0.01, 0.5):
        if torch.allclose(got, factor * right):
            return f"a factor of {factor} is in front: the sum alone is wanted."
    if not torch.allclose(got, right):
        return (f"the number is {got.item():.4g} where {right.item():.4g} is right: {len(shared)} "
                "parameters have a partner of the same name and shape.")
    got.backward()
    if any(p.grad is not None for p in reference.parameters()):
        return ("the value is right, but the reference gets a gradient as well: it is where we "
                "came from and should stay put. Which call cuts a tensor off?")


def _same_heads(seed):
    """Two networks whose heads have the same shape."""
    from tlcourse.models import small_cnn

    return small_cnn(3, width=2, seed=seed), small_cnn(3, width=2, seed=seed + 1)


def _same_shapes(seed):
    """Two networks with a layer of the same place and shape under two names."""
    import torch

    model, reference = _pair(seed)
    reference.other = torch.nn.Linear(2, 2)
    return model, reference


def _shared(model, reference):
    start = dict(reference.named_parameters())
    return [(p, start[name]) for name, p in model.named_parameters()
            if name in start and start[name].shape == p.shape]


def _remember():
    def remember(model):
        return {name: w.detach().clone() for name, w in model.named_parameters()}

    return remember


def _remembers(answer, seed):
    import torch

    from tlcourse.models import small_cnn

    model = small_cnn(3, width=2, seed=seed)
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    start = answer(model)
    if not hasattr(start, "keys"):
        return f"a dictionary of name and tensor is needed, and this is {type(start).__name__}."
    if missing := [name for name in before if name not in start]:
        return f"{len(missing)} of {len(before)} parameters are not in it, such as {missing[0]}."
    other = next((v for v in start.values() if not isinstance(v, torch.Tensor)), None)
    if other is not None:
        return f"each name should lead to a tensor, and one leads to {type(other).__name__}."
    if any(not torch.equal(start[name], w) for name, w in before.items()):
        return "these are not the weights that the network has now."
    if all(start[name] is w for name, w in model.named_parameters()):
        return ("each entry *is* a parameter of the network, under a second name: what training "
                "does to the one it does to the other.")
    with torch.no_grad():
        for w in model.parameters():
            w.add_(1)
    moved = sum(not torch.equal(start[name], w) for name, w in before.items())
    if moved:
        return ("after some training the distance to what was remembered is still 0, so there is "
                "no pull, whatever alpha is." if moved == len(before) else
                f"after some training {moved} of {len(before)} tensors are not the start any more.")
    penalty = sum((w - start[name]).square().sum() for name, w in model.named_parameters())
    gradients = torch.autograd.grad(penalty, list(model.parameters()))
    if not any(g.any() for g in gradients):
        return ("the values stay, but they still hang on the weights in autograd's graph, so the "
                "two gradients cancel: the penalty is large and its pull is exactly 0.")


EXERCISES = {
    "3.1": (lambda: "b", [exists(), *one_of("b", _DECIDE)]),
    "3.2": (_speeds, [exists(), is_function("model", "lr", "decay"), _groups]),
    "3.3": (_l2_sp, [exists(), is_function("model", "reference"), _distance]),
    "3.4": (_remember, [exists(), is_function("model"), _remembers]),
}
