"""Stages of a network, from its first layers to its head, and a learning rate for each."""

from torch import nn

from tlcourse.finetune.heads import heads, side_classifiers

CONTAINERS = {"backbone", "body", "encoder", "features", "layers", "blocks", "stages",
              "trunk_output"}
"""Parts that hold the depth of a network in their children, in torchvision, timm and here."""


def stages(model: nn.Module) -> list[tuple[str, nn.ModuleList]]:
    """Cut a network into stages, from the first layers to the head.

    A stage begins with a layer, or a block of layers, that has weights. What has none
    (normalisation, activation, pooling, dropout) belongs to the stage before it; class tokens and
    position embeddings belong to the first. The last stage is the head, with auxiliary
    classifiers if there are any. Each parameter is in exactly one stage.

    Parameters
    ----------
    model : Module
        As for `replace_head`. Its parts are taken in the order in which it lists them.

    Returns
    -------
    list of (str, ModuleList)
        The path of the layer with weights, as in ``model.get_submodule(path)``, and all parts of
        the stage, which are the model's own: freezing a stage freezes that part of the model.

    Raises
    ------
    ValueError
        A model without a recognisable head.
    """
    last = heads(model)
    tops = {id(m) for m in last} | {id(m) for _, m in side_classifiers(model)}
    found, before, head = [], [], []
    for path, layer in _layers(model, last):
        has_weights = any(p.ndim > 1 for p in layer.parameters())
        if id(layer) in tops:
            head.append((path, layer))
        elif has_weights and not isinstance(layer, nn.ParameterList):
            found.append((path, [*before, layer]))
            before = []
        else:
            (found[-1][1] if found else before).append(layer)
    name = next(path for path, layer in head if layer is last[0])
    found.append((name, before + [layer for _, layer in head]))
    return [(path, nn.ModuleList(parts)) for path, parts in found]


def _layers(module: nn.Module, last: list[nn.Module], path: str = ""):
    """Parts in order, with their paths; those that hold others of interest are opened."""
    if own := list(module.parameters(recurse=False)):
        yield path, nn.ParameterList(own)
    for name, child in module.named_children():
        inner = list(child.modules())[1:]
        holds_head = any(m is head for m in inner for head in last)
        if holds_head or (inner and name in CONTAINERS):
            yield from _layers(child, last, f"{path}{name}.")
        else:
            yield path + name, child


def param_groups(
    model: nn.Module, lr: float, decay: float, *, weight_decay: float = 0.0
) -> list[dict]:
    """Discriminative learning rates: the nearer to the input, the slower.

    The head learns at `lr`, the stage k places before it at ``lr * decay ** k``, for the first
    layers hold what most pictures share. With many stages, take a decay nearer to 1.

    Parameters
    ----------
    model : Module
        Frozen parameters are left out.
    lr : float
    decay : float
        Above 0, at most 1.
    weight_decay : float
        For matrices and kernels; biases and the parameters of normalisation (all those with one
        dimension) get none.

    Returns
    -------
    list of dict
        For ``fit(..., groups=...)`` or an optimiser: ``name``, ``params``, ``lr``,
        ``weight_decay``; from the first stage to the head, at most two groups each.

    Raises
    ------
    ValueError
        Rates out of range, or a model without a recognisable head.

    References
    ----------
    Howard and Ruder, Universal language model fine-tuning for text classification, ACL 2018.
    """
    if not (lr > 0 and 0 < decay <= 1 and weight_decay >= 0):
        raise ValueError("param_groups needs lr above 0, decay above 0 and at most 1, and weight "
                         f"decay at least 0; got {lr}, {decay} and {weight_decay}")
    parts, groups = stages(model), []
    for depth, (name, module) in enumerate(reversed(parts)):
        trainable = [p for p in module.parameters() if p.requires_grad]
        for suffix, rate, params in (
            (" (no weight decay)", 0.0, [p for p in trainable if p.ndim <= 1]),
            ("", weight_decay, [p for p in trainable if p.ndim > 1]),
        ):
            if params:
                groups.append({"name": name + suffix, "params": params,
                               "lr": lr * decay**depth, "weight_decay": rate})
    return groups[::-1]
