"""Further checks of lesson 03."""


def _flat_network(seed, classes=2):
    """A network of three stages where the lesson's has five."""
    from collections import OrderedDict

    import torch
    from torch import nn

    from tlcourse.models import Network

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, second = nn.Linear(3, 4), nn.Linear(4, 4)
        return Network(nn.Sequential(OrderedDict(first=first, second=second)),
                       nn.Linear(4, classes))


def _other_depth(answer, seed):
    import math

    rates = [group["lr"] for group in answer(_flat_network(seed), 0.1, 0.5)]
    if len(rates) != 3:
        return f"a network of 3 stages should give 3 groups, and gives {len(rates)}."
    if not all(math.isclose(a, b) for a, b in zip(rates, (0.025, 0.05, 0.1), strict=True)):
        return (f"in a network of 3 stages the head should learn at lr = 0.1, and the rates are "
                f"{', '.join(f'{rate:.3g}' for rate in rates)}.")


def _other_order(answer, seed):
    """The same names in another order, so that only names find the partners."""
    import torch
    from torch import nn

    model, reference = _flat_network(seed), _flat_network(seed + 1, classes=3)
    longer = nn.Sequential(nn.Linear(3, 4), model)
    mixed = nn.Module()
    mixed.new, mixed.head, mixed.backbone = longer[0], model.head, model.backbone
    got = answer(mixed, reference)
    start = dict(reference.named_parameters())
    right = sum((w - start[name].detach()).square().sum()
                for name, w in model.named_parameters() if start[name].shape == w.shape)
    if not torch.allclose(torch.as_tensor(got, dtype=right.dtype), right):
        return ("in a model that has the parameters of the reference in another order, and one "
                "layer more, the distance is wrong: names tell which belong together.")


def _two_memories(answer, seed):
    import torch

    one, other = _flat_network(seed), _flat_network(seed + 1)
    first = answer(one)
    kept = {name: tensor.clone() for name, tensor in first.items()}
    second = answer(other)
    if any(not torch.equal(second[name], w) for name, w in other.named_parameters()):
        return "what it remembers of a second network is not that network."
    if any(not torch.equal(first[name], tensor) for name, tensor in kept.items()):
        return "remembering a second network changes what was remembered of the first."


PROPERTIES = {"3.2": (_other_depth,), "3.3": (_other_order,), "3.4": (_two_memories,)}
ASKED = {"3.2": ("param_groups",), "3.3": ("l2_sp",)}
