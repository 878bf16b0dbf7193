"""Fine-tuning: what of a pretrained network is kept, what is trained, and how fast."""

import numpy as np
import torch
from torch import Tensor, nn

from tlcourse.data import Domain
from tlcourse.models import find_head
from tlcourse.training import History, fit

HEAD_KINDS = (nn.Linear, nn.Conv2d)  # SqueezeNet's last layer is a 1 × 1 convolution
CONTAINERS = {"backbone", "body", "encoder", "features", "layers", "blocks", "stages",
              "trunk_output"}
"""Parts that hold the depth of a network in their children, in torchvision, timm and here."""


def replace_head(model: nn.Module, num_classes: int) -> nn.Module:
    """Put a new last layer on a network, in place.

    GoogLeNet's and Inception's auxiliary classifiers (children called ``aux...``) get a new last
    layer too, for they answer with the same classes. The new layers are trainable, also on a
    frozen network, and their weights are drawn from torch's global random state: call
    ``torch.manual_seed`` before.

    Parameters
    ----------
    model : Module
        A `tlcourse.models.Network`, a torchvision classification network, or any timm network.
    num_classes : int
        Outputs of the new head, at least 1.

    Returns
    -------
    Module
        The same model.

    Raises
    ------
    ValueError
        No such number of classes, or a model without a recognisable head.
    """
    if type(num_classes) is not int or num_classes < 1:
        parts = ", ".join(name for name, _ in model.named_children())
        raise ValueError(f"a new head of {type(model).__name__} (parts: {parts}) needs a whole "
                         f"number of classes, at least 1; got {num_classes!r}")
    if hasattr(model, "reset_classifier"):  # timm
        old = next(model.parameters())
        model.reset_classifier(num_classes)
        for head in _heads(model):
            head.to(old.device, old.dtype)
    else:
        _renew(model, find_head(model, HEAD_KINDS)[0], num_classes)
    for path, side in _side_classifiers(model):
        last = [name for name, m in side.named_modules() if isinstance(m, HEAD_KINDS)][-1]
        _renew(model, f"{path}.{last}", num_classes)
    if hasattr(model, "num_classes"):
        model.num_classes = num_classes
    return model


def _renew(model: nn.Module, path: str, num_classes: int) -> None:
    old = model.get_submodule(path)
    like = {"bias": old.bias is not None, "device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, num_classes, old.kernel_size, **like)
    else:
        new = nn.Linear(old.in_features, num_classes, **like)
    model.set_submodule(path, new.train(old.training))


def _side_classifiers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(path, m) for path, m in model.named_modules()
            if path.rpartition(".")[2].lower().startswith("aux")]


def _heads(model: nn.Module) -> list[nn.Module]:
    """The layers that give the logits; timm's distilled networks have two."""
    found = model.get_classifier() if hasattr(model, "get_classifier") else ()
    found = [m for m in (found if isinstance(found, tuple) else (found,)) if list(m.parameters())]
    return found or [find_head(model, HEAD_KINDS)[1]]


def _keep_in_eval(module: nn.Module, inputs) -> None:
    module.training = False


def freeze(module: nn.Module) -> nn.Module:
    """Keep every parameter and every buffer as it is, whatever ``.train()`` is called later.

    ``requires_grad = False`` stops the optimiser, but not batch normalisation, which updates its
    running mean, variance and counter whenever it is called in training mode. So each part is
    also put back into evaluation mode just before it computes, by a hook. The hook goes along
    when the module is copied or pickled; dropout inside is off, too.

    Parameters
    ----------
    module : Module
        Changed in place: a whole network or a part such as ``model.backbone.stage1``.

    Returns
    -------
    Module
        The same module.
    """
    module.eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.grad = None  # an optimiser made before would still step along it
    for part in module.modules():
        # Under a name of its own, for the numbers of register_forward_pre_hook begin anew in each
        # process: in a module that was pickled, the next hook could take this one's place.
        part._forward_pre_hooks["tlcourse.freeze"] = _keep_in_eval
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Undo `freeze`, in place: all parameters are trainable, and ``.train()`` works again."""
    for part in module.modules():
        part._forward_pre_hooks.pop("tlcourse.freeze", None)
    return module.requires_grad_(True)


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
    heads = _heads(model)
    tops = {id(m) for m in heads} | {id(m) for _, m in _side_classifiers(model)}
    found, before, head = [], [], []
    for path, layer in _layers(model, heads):
        has_weights = any(p.ndim > 1 for p in layer.parameters())
        if id(layer) in tops:
            head.append((path, layer))
        elif has_weights and not isinstance(layer, nn.ParameterList):
            found.append((path, [*before, layer]))
            before = []
        else:
            (found[-1][1] if found else before).append(layer)
    name = next(path for path, layer in head if layer is heads[0])
    found.append((name, before + [layer for _, layer in head]))
    return [(path, nn.ModuleList(parts)) for path, parts in found]


def _layers(module: nn.Module, heads: list[nn.Module], path: str = ""):
    """Parts in order, with their paths; those that hold others of interest are opened."""
    if own := list(module.parameters(recurse=False)):
        yield path, nn.ParameterList(own)
    for name, child in module.named_children():
        inner = list(child.modules())[1:]
        holds_head = any(m is head for m in inner for head in heads)
        if holds_head or (inner and name in CONTAINERS):
            yield from _layers(child, heads, f"{path}{name}.")
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


def unfreeze_gradually(
    model: nn.Module, train: Domain, *, steps_per_stage: int, seed: int, lr: float,
    decay: float = 1 / 2.6, weight_decay: float = 0.0, **fit_options,
) -> list[History]:
    """Train the head, then the head and the stage before it, and so on to the first stage.

    Parameters
    ----------
    model : Module
        Changed in place; at the end nothing is frozen.
    train : Domain
    steps_per_stage : int
        Steps of each phase; there are as many phases as `stages`.
    seed : int
        Each phase draws batches of its own from it.
    lr, decay, weight_decay : float
        For `param_groups`; the default decay is that of the paper.
    **fit_options
        Handed to `tlcourse.training.fit`.

    Returns
    -------
    list of History
        One of each phase. An interrupt ends the phase and the training, and leaves the rest
        frozen.

    References
    ----------
    Howard and Ruder, Universal language model fine-tuning for text classification, ACL 2018.
    """
    parts, histories = stages(model), []
    for _, part in parts:
        freeze(part)
    for phase, (_, part) in enumerate(reversed(parts)):
        unfreeze(part)
        groups = param_groups(model, lr, decay, weight_decay=weight_decay)
        histories.append(fit(model, train, steps=steps_per_stage, seed=_phase_seed(seed, phase),
                             groups=groups, **fit_options))
        if histories[-1].interrupted:
            break
    return histories


def linear_probe_then_fine_tune(
    model: nn.Module, train: Domain, *, probe_steps: int, tune_steps: int, seed: int,
    lr: float, tune_lr: float, **fit_options,
) -> tuple[History, History]:
    """Train the head on frozen features, then everything from there.

    A head drawn at random sends large wrong gradients into the backbone and distorts features
    that were good; a head that already fits sends small ones.

    Parameters
    ----------
    model : Module
        Changed in place; at the end nothing is frozen.
    train : Domain
    probe_steps, tune_steps : int
    seed : int
        Each phase draws batches of its own from it.
    lr, tune_lr : float
        Learning rates of the two phases; the second is usually ten times smaller.
    **fit_options
        Handed to `tlcourse.training.fit`.

    Returns
    -------
    History, History
        Of the probe and of the tuning; an interrupt of the probe leaves the second one empty.

    References
    ----------
    Kumar et al., Fine-tuning can distort pretrained features and underperform
    out-of-distribution, ICLR 2022.
    """
    *body, (_, head) = stages(model)
    for _, part in body:
        freeze(part)
    unfreeze(head)
    probe = fit(model, train, steps=probe_steps, seed=_phase_seed(seed, 0), lr=lr, **fit_options)
    unfreeze(model)
    if probe.interrupted:
        return probe, History(interrupted=True)
    return probe, fit(model, train, steps=tune_steps, seed=_phase_seed(seed, 1), lr=tune_lr,
                      **fit_options)


def _phase_seed(seed: int, phase: int) -> int:
    """A seed for each phase; seed + phase would give seed 1 the batches of seed 0."""
    return int(np.random.default_rng([seed, phase]).integers(2**31))


def l2_sp(model: nn.Module, reference_model: nn.Module) -> Tensor:
    """Squared distance of a network from where it started, sum_i ||w_i - w0_i||².

    The sum is over the parameters that both have under the same name and shape, so a head that
    was replaced by one of another shape is left out; one of the same shape is held at the old
    head, so compare the backbones then. As a penalty it holds the network near the
    pretrained weights, where weight decay pulls it to 0:
    ``fit(..., penalty=lambda m: weight * l2_sp(m, reference))``.

    Parameters
    ----------
    model : Module
        The network in training: gradients 2 (w - w0) go here.
    reference_model : Module
        A copy from before the training, ``copy.deepcopy(model)``; gets no gradient.

    Returns
    -------
    tensor ()

    Raises
    ------
    ValueError
        A reference that shares its tensors with the model (the distance would always be 0), or
        has no parameter in common with it.

    References
    ----------
    Li, Grandvalet and Davoine, Explicit inductive bias for transfer learning with convolutional
    networks, ICML 2018.
    """
    start = dict(reference_model.named_parameters())
    pairs = [(p, start[name].detach()) for name, p in model.named_parameters()
             if name in start and start[name].shape == p.shape]
    if not pairs:
        raise ValueError(f"this {type(model).__name__} and its reference have no parameter of the "
                         "same name and shape; use a copy.deepcopy of it from before the training")
    if any(p.data_ptr() == w0.data_ptr() for p, w0 in pairs):
        raise ValueError("the reference shares its tensors with the model, so that their distance "
                         "is always 0; keep a copy.deepcopy(model) from before the training")
    return torch.stack([(p - w0.to(p.device)).square().sum() for p, w0 in pairs]).sum()
