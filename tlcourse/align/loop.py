"""Adaptation: train on the source while a second term speaks for the unlabelled target.

Every method minimises one objective, and no target label enters it:

    cross-entropy on the source  +  weight * term of the method

The term is a distance between source and target features, or a loss on the network's own answers.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import tlcourse.align.own_answers  # noqa: F401  enters its methods in the registry
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
    model: Network, source: Domain | None, target_x: Tensor, *,
    method: str | Method | Sequence[str | Method], steps: int, seed: int, batch_size: int = 64,
    lr: float = 1e-3, batchnorm: str = "joint", average: float | None = None, every: int = 50,
    watch: Callable[[int, Network], None] | None = None, device: str = "cpu",
    progress: bool = False, **settings,
) -> tuple[Network, AdaptHistory]:
    """Train a copy of a network on labelled source and unlabelled target samples.

    With weight 0 a method that sees the source skips the target pass and gives the very weights
    of ``"none"``: the batches of the source come from a stream of their own, as
    `tlcourse.training.fit` draws them. An interrupt keeps what was reached.

    Parameters
    ----------
    model : Network
        Stays as it is.
    source : Domain or None
        n labelled samples. ``"shot"`` and ``"tent"`` do not look at it, and take None.
    target_x : float32 tensor (m, ...)
        Target inputs as a Domain holds them, of the source's shape: images lie in [0, 1]. There is
        no place for target labels.
    method : str, Method or list of them
        A method with its settings, as ``MMD(weight=3)``, the name of its class, or several that
        are added up, as ``[DANN(), Consistency()]``:

        - ``"none"``, `SourceOnly`;
        - ``"control"``, `Control`: target samples pass through the network, and so through its
          batch normalisation, and nothing else is done with them;
        - ``"mmd"``, ``"coral"``, `MMD` and `CORAL`: a distance between the features of the batches;
        - ``"partial"``, `Partial`: MMD for a target that lacks some of the classes;
        - ``"dann"``, ``"cdan"``, `DANN` and `CDAN`: an adversary;
        - ``"adabn"``, `AdaBN`: the source only, then `adapt_batchnorm`;
        - ``"entropy"``, ``"information_maximisation"``, ``"mcc"``, ``"pseudo_label"``,
          ``"consistency"``: the network's own answers on the target, `tlcourse.align.own_answers`;
        - ``"shot"``, ``"tent"``, `SHOT` and `TENT`: the same without any source data.
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
    average : float, optional
        Return an exponential average of the weights instead of the last ones: after each step, so
        much of the average is kept, and the rest is new. From 0 up to, not including, 1.
    every : int
        Steps between two entries of the history.
    watch : function (step, model), optional
        Called with each entry; for measuring, not for choosing.
    device, progress
        As for `tlcourse.training.fit`.
    **settings
        Of a method given by its name: ``weight`` for all, ``sign`` for ``"dann"`` and ``"cdan"``,
        ``class_weights`` for ``"partial"``, and others that the classes explain.

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
    if average is not None and not 0 <= average < 1:
        raise ValueError(f"average is a share from 0 up to, not including, 1, got {average}")
    model = copy.deepcopy(model).to(device)
    if method.sees_source:
        check_training(model, source, steps=steps, batch_size=batch_size, every=every)
        _check_target(source, target_x)
        source_rows = batches(len(source), batch_size, seed)
    else:
        alone = Domain("the target", target_x, torch.zeros(len(target_x), dtype=torch.int64))
        check_training(model, alone, steps=steps, batch_size=batch_size, every=every)
    method.start(model, seed)
    trained = [*(p for p in model.parameters() if p.requires_grad), *method.trained]
    optimiser = torch.optim.AdamW(trained, lr=lr, weight_decay=0, fused=True)
    averaged = None if average is None else AveragedModel(
        model, multi_avg_fn=get_ema_multi_avg_fn(average), use_buffers=True)
    target_rows = batches(len(target_x), batch_size, stream_seed(seed, 1))
    history, since = AdaptHistory(), []
    with training_steps(model, history, steps, seed=seed, device=device, progress=progress) as bar:
        bar.set_description("adapting")
        for step in bar:
            x_s = y_s = x_t = None
            if method.sees_source:
                rows = next(source_rows)
                x_s, y_s = source.X[rows].to(device), source.y[rows].to(device)
            if method.sees_target:
                x_t = target_x[next(target_rows)].to(device)
            source_loss, term = _terms(model, method, x_s, y_s, x_t, batchnorm, step / steps)
            optimiser.zero_grad()
            (term.loss if source_loss is None else source_loss + term.loss).backward()
            optimiser.step()
            if averaged is not None:
                averaged.update_parameters(model)

            now = {"source_loss": source_loss, "distance": term.distance,
                   "discriminator_accuracy": term.discriminator_accuracy}
            since.append({name: value.detach() for name, value in now.items() if value is not None})
            if step % every == 0 or step == steps:
                _record(history, step, since)
                since.clear()
                bar.set_postfix(loss=f"{(history.source_loss or history.distance)[-1]:.3f}")
                if watch is not None:
                    watch(step, model)
                    model.to(device).train()
    if averaged is not None:
        model.load_state_dict(averaged.module.state_dict())
    method.finish(model, target_x)
    return model, history


def _terms(model: Network, method: Method, x_s: Tensor | None, y_s: Tensor | None,
           x_t: Tensor | None, batchnorm: str, progress: float) -> tuple[Tensor | None, Term]:
    """The cross-entropy on the source and the method's term; without x_s or x_t, the other alone.

    Batch normalisation sees both domains together, or one after the other.
    """
    if x_t is None:
        return cross_entropy(model(x_s), y_s), Term()
    if x_s is None:
        z_t = model.features(x_t)
        return None, method.loss(
            Batch(None, None, z_t, None, model.head(z_t), progress, x_t, model))
    if batchnorm == "joint":
        z_s, z_t = model.features(torch.cat([x_s, x_t])).split([len(x_s), len(x_t)])
    else:
        z_s, z_t = model.features(x_s), model.features(x_t)
    batch = Batch(y_s, z_s, z_t, model.head(z_s), model.head(z_t), progress, x_t, model)
    return _mean_loss(batch.logits_s, y_s, method.share), method.loss(batch)


def _mean_loss(logits: Tensor, y: Tensor, share: Tensor | None) -> Tensor:
    """Cross-entropy, each sample counting as much as `share` has of its class."""
    if share is None:
        return cross_entropy(logits, y)
    return (share[y] * cross_entropy(logits, y, reduction="none")).mean()


def _record(history: AdaptHistory, step: int, since: list[dict[str, Tensor]]) -> None:
    means = {name: float(torch.stack([each[name] for each in since]).double().mean())
             for name in since[0]}
    if not np.isfinite(list(means.values())).all():
        raise ValueError(f"a loss is not finite at step {step}: {list(means.values())}; lower the "
                         "learning rate or the weight, or look at the inputs")
    history.step.append(step)
    for name, mean in means.items():
        getattr(history, name).append(mean)


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
