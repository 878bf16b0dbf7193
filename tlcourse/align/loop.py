"""Feature alignment: train on the source while two domains are made to look alike inside.

Every method minimises one objective, and no target label enters it:

    cross-entropy on the source  +  weight * distance between source and target features
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tlcourse.align.adversarial import DANN
from tlcourse.align.methods import REGISTRY, Batch, Method, Term, as_method, one_of
from tlcourse.align.training_free import require_finite
from tlcourse.data.domain import Domain
from tlcourse.models.network import Network
from tlcourse.training import batches, check_training, stream_seed, training_steps

METHODS = tuple(REGISTRY)
ADVERSARIAL = tuple(name for name, method in REGISTRY.items() if issubclass(method, DANN))


@dataclass
class AdaptHistory:
    """What happened in training: one entry every `every` steps, each a mean since the last.

    ``source_loss``, the cross-entropy. ``distance``, before its weight: the MMD or CORAL, or the
    loss of the discriminator. ``discriminator_accuracy``, the share of samples whose domain it
    tells, mean of both domains. Lists stay empty where a method has none.
    """

    step: list[int] = field(default_factory=list)
    source_loss: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)
    discriminator_accuracy: list[float] = field(default_factory=list)
    interrupted: bool = False


def adapt(
    model: Network, source: Domain, target_x: Tensor, *, method: str | Method, steps: int,
    seed: int, batch_size: int = 64, lr: float = 1e-3, batchnorm: str = "joint", every: int = 50,
    watch: Callable[[int, Network], None] | None = None, device: str = "cpu",
    progress: bool = False, **settings,
) -> tuple[Network, AdaptHistory]:
    """Train a copy of a network on labelled source and unlabelled target samples.

    With weight 0, ``"mmd"``, ``"coral"``, ``"partial"``, ``"dann"`` and ``"cdan"`` skip the target
    pass and give the very weights of ``"none"``: the batches of the source come from a stream of
    their own, as `tlcourse.training.fit` draws them. An interrupt keeps what was reached.

    Parameters
    ----------
    model : Network
        Stays as it is.
    source : Domain
        n labelled samples.
    target_x : float32 tensor (m, ...)
        Target inputs as a Domain holds them, of the source's shape: images lie in [0, 1]. There is
        no place for target labels.
    method : str or Method
        A method with its settings, as ``MMD(weight=3)``, or the name of its class:

        - ``"none"``, `SourceOnly`;
        - ``"control"``, `Control`: target samples pass through the network, and so through its
          batch normalisation, and nothing else is done with them;
        - ``"mmd"``, ``"coral"``, `MMD` and `CORAL`: a distance between the features of the batches;
        - ``"partial"``, `Partial`: MMD for a target that lacks some of the classes;
        - ``"dann"``, ``"cdan"``, `DANN` and `CDAN`: an adversary;
        - ``"adabn"``, `AdaBN`: the source only, then `adapt_batchnorm`.
    steps : int
        Batches of each domain.
    seed : int
        Draws batches, dropout, and, each from a generator of its own, target batches and D.
    batch_size : int
        Samples of each domain in a step; all of a domain that has fewer.
    lr : float
        Of AdamW, for the network and the discriminator alike.
    batchnorm : {"joint", "separate"}
        Normalise source and target of a step as one batch, or each by itself. Apart, both look
        alike in training, but the running statistics that evaluation uses fit neither.
    every : int
        Steps between two entries of the history.
    watch : function (step, model), optional
        Called with each entry; for measuring, not for choosing.
    device, progress
        As for `tlcourse.training.fit`.
    **settings
        Of a method given by its name: ``weight`` for all, ``sign`` for ``"dann"`` and ``"cdan"``,
        ``class_weights`` for ``"partial"``. The classes explain them.

    Returns
    -------
    Network
        The adapted copy, in evaluation mode, on the CPU.
    AdaptHistory

    Raises
    ------
    TypeError
        A source that is no Domain, target inputs that are no tensor, or a setting that the method
        does not have.
    ValueError
        Unknown names, settings out of range, inputs of another shape or with NaN, a model that
        is no Network or, for ``"adabn"``, has no batch normalisation to adapt, or a loss that is
        not finite.
    """
    method = as_method(method, **settings)
    one_of("batchnorm", batchnorm, ("joint", "separate"))
    if not isinstance(model, Network):
        raise ValueError(f"adapt needs a Network, with backbone and head, got "
                         f"{type(model).__name__}; make one with as_network(model)")
    model = copy.deepcopy(model).to(device)
    check_training(model, source, steps=steps, batch_size=batch_size, every=every)
    _check_target(source, target_x)
    method.start(model, seed)
    trained = [*(p for p in model.parameters() if p.requires_grad), *method.trained]
    optimiser = torch.optim.AdamW(trained, lr=lr, weight_decay=0, fused=True)
    source_rows = batches(len(source), batch_size, seed)
    target_rows = batches(len(target_x), batch_size, stream_seed(seed, 1))
    history, since = AdaptHistory(), []
    with training_steps(model, history, steps, seed=seed, device=device, progress=progress) as bar:
        bar.set_description("adapting")
        for step in bar:
            rows = next(source_rows)
            x_s, y_s = source.X[rows].to(device), source.y[rows].to(device)
            if method.sees_target:
                x_t = target_x[next(target_rows)].to(device)
                z_s, z_t = _features(model, x_s, x_t, batchnorm)
                batch = Batch(y_s, z_s, z_t, model.head(z_s), model.head(z_t), step / steps)
                source_loss = _mean_loss(batch.logits_s, y_s, method.share)
                term = method.loss(batch)
            else:
                source_loss, term = cross_entropy(model(x_s), y_s), Term()
            optimiser.zero_grad()
            (source_loss + term.loss).backward()
            optimiser.step()

            since.append([value.detach() for value in (
                source_loss, term.distance, term.discriminator_accuracy) if value is not None])
            if step % every == 0 or step == steps:
                _record(history, step, since)
                since.clear()
                bar.set_postfix(loss=f"{history.source_loss[-1]:.3f}")
                if watch is not None:
                    watch(step, model)
                    model.to(device).train()
    method.finish(model, target_x)
    return model, history


def _features(model: Network, x_s: Tensor, x_t: Tensor, batchnorm: str) -> tuple[Tensor, Tensor]:
    """Features of both domains; batch normalisation sees them together or one after the other."""
    if batchnorm == "joint":
        return model.features(torch.cat([x_s, x_t])).split([len(x_s), len(x_t)])
    return model.features(x_s), model.features(x_t)


def _mean_loss(logits: Tensor, y: Tensor, share: Tensor | None) -> Tensor:
    """Cross-entropy, each sample counting as much as `share` has of its class."""
    if share is None:
        return cross_entropy(logits, y)
    return (share[y] * cross_entropy(logits, y, reduction="none")).mean()


def _record(history: AdaptHistory, step: int, since: list[list[Tensor]]) -> None:
    means = [float(torch.stack(values).double().mean()) for values in zip(*since, strict=True)]
    if not np.isfinite(means).all():
        raise ValueError(f"a loss is not finite at step {step}: {means}; lower the learning rate "
                         "or the weight, or look at the inputs")
    history.step.append(step)
    lists = history.source_loss, history.distance, history.discriminator_accuracy
    for values, mean in zip(lists, means, strict=False):
        values.append(mean)


def _check_target(source: Domain, target_x: Tensor) -> None:
    if not isinstance(target_x, Tensor):
        raise TypeError(f"target_x is a tensor of inputs alone, got {type(target_x).__name__}; "
                        "of a Domain give its X")
    if target_x.shape[1:] != source.X.shape[1:] or len(target_x) < 2:
        raise ValueError(f"target_x needs at least 2 samples of the source's shape "
                         f"{tuple(source.X.shape[1:])}, got {tuple(target_x.shape)}")
    require_finite(target_x)
    low, high = float(target_x.min()), float(target_x.max())
    if target_x.dtype != source.X.dtype or (target_x.ndim == 4 and (low < 0 or high > 1)):
        raise ValueError(f"target_x must be {source.X.dtype}, images in [0, 1] as the source's "
                         f"are, got {target_x.dtype} from {low:.3g} to {high:.3g}; divide bytes by "
                         "255")
