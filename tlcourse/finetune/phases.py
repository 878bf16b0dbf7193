"""Fine-tuning: ways to train a pretrained network, and to hold it near where it began.

What they are made of is in modules of its own, whose names are handed on from here: `heads`
replaces the last layer, `freezing` keeps a part as it is, `stages` gives each depth its rate,
`distillation` lets a student learn from a teacher.
"""

import torch
from torch import Tensor, nn

from tlcourse.data.domain import Domain
from tlcourse.finetune.freezing import freeze, unfreeze
from tlcourse.finetune.groups import param_groups, stages
from tlcourse.training import History, fit, stream_seed


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
        histories.append(fit(model, train, steps=steps_per_stage, seed=stream_seed(seed, phase),
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
    probe = fit(model, train, steps=probe_steps, seed=stream_seed(seed, 0), lr=lr, **fit_options)
    unfreeze(model)
    if probe.interrupted:
        return probe, History(interrupted=True)
    return probe, fit(model, train, steps=tune_steps, seed=stream_seed(seed, 1), lr=tune_lr,
                      **fit_options)


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
