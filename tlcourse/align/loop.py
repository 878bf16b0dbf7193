"""Feature alignment: train on the source while two domains are made to look alike inside.

Every method minimises one objective, and no target label enters it:

    cross-entropy on the source  +  weight * distance between source and target features
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm

from tlcourse.align.adversarial import (
    cdan_map,
    dann_lambda,
    discriminator,
    domain_adversarial_loss,
    domain_logits,
    grad_reverse,
    non_saturating_loss,
)
from tlcourse.align.training_free import (
    adapt_batchnorm,
    normalisations,
    require_finite,
    subspace_alignment,
)
from tlcourse.data.domain import Domain
from tlcourse.distances.discrepancy import coral, mmd2
from tlcourse.models.network import Network
from tlcourse.training import batches, check_training, few_threads

__all__ = ["ADVERSARIAL", "METHODS", "STATISTICAL", "AdaptHistory", "adapt", "adapt_batchnorm",
           "cdan_map", "coral", "dann_lambda", "discriminator", "domain_adversarial_loss",
           "grad_reverse", "mmd2", "non_saturating_loss", "subspace_alignment"]

STATISTICAL = ("mmd", "coral", "partial")
ADVERSARIAL = ("dann", "cdan")
METHODS = ("none", "control", *STATISTICAL, *ADVERSARIAL, "adabn")


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
    model: Network, source: Domain, target_x: Tensor, *, method: str, weight: float = 1.0,
    steps: int, seed: int, batch_size: int = 64, lr: float = 1e-3, batchnorm: str = "joint",
    sign: str = "reversal", class_weights: Tensor | None = None,
    every: int = 50, watch: Callable[[int, Network], None] | None = None,
    device: str = "cpu", progress: bool = False,
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
    method : str
        - ``"none"``: the source only;
        - ``"control"``: target samples pass through the network, and so through its batch
          normalisation, and nothing else is done with them;
        - ``"mmd"``, ``"coral"``: `mmd2` or `coral` between the features of the two batches;
        - ``"dann"``: `domain_adversarial_loss` on the features, times `dann_lambda`;
        - ``"cdan"``: the same on `cdan_map` of features and logits;
        - ``"partial"``: ``"mmd"`` for a target that lacks some of the classes. Each source sample
          counts, in both terms, as much as the target seems to hold of its class;
        - ``"adabn"``: the source only, then `adapt_batchnorm`.
    weight : float
        Of the distance. Below 0 it has the wrong sign, and drives the domains apart.
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
    sign : {"reversal", "non_saturating"}
        Which adversarial loss the backbone gets (see `non_saturating_loss`).
    class_weights : tensor (K,), optional
        For ``"partial"``: how much of each class the target holds. None: the mean of the
        predictions on the target so far.
    every : int
        Steps between two entries of the history.
    watch : function (step, model), optional
        Called with each entry; for measuring, not for choosing.
    device, progress
        As for `tlcourse.training.fit`.

    Returns
    -------
    Network
        The adapted copy, in evaluation mode, on the CPU.
    AdaptHistory

    Raises
    ------
    TypeError
        A source that is no Domain, or target inputs that are no tensor.
    ValueError
        Unknown names, settings out of range, inputs of another shape or with NaN, a model that
        is no Network or, for ``"adabn"``, has no batch normalisation to adapt, or a loss that is
        not finite.
    """
    _check_names(method, batchnorm, sign)
    _check(model, method, weight, class_weights)
    model = copy.deepcopy(model).to(device)
    check_training(model, source, steps=steps, batch_size=batch_size, every=every)
    _check_target(source, target_x)
    model.train()
    term = _Term(model, method, weight, sign, seed, class_weights).to(device)
    uses_target = method == "control" or term.is_on
    optimiser = torch.optim.AdamW([p for p in (*model.parameters(), *term.parameters())
                                   if p.requires_grad], lr=lr, weight_decay=0, fused=True)
    source_rows = batches(len(source), batch_size, seed)
    target_rows = batches(len(target_x), batch_size, _other_seed(seed, 1))
    history, since = AdaptHistory(), []
    with torch.random.fork_rng(devices=[]), few_threads(model):
        torch.manual_seed(seed)
        bar = tqdm(range(1, steps + 1), disable=not progress, desc="adapting", leave=False)
        try:
            for step in bar:
                rows = next(source_rows)
                x_s, y_s = source.X[rows].to(device), source.y[rows].to(device)
                if uses_target:
                    x_t = target_x[next(target_rows)].to(device)
                    z_s, z_t = _both(model, x_s, x_t, batchnorm)
                else:
                    z_s, z_t = model.features(x_s), None

                loss = source_loss = term.source_loss(model.head(z_s), y_s)
                if term.is_on:
                    loss = loss + term(model.head, z_s, z_t, y_s, step / steps)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

                since.append((source_loss.detach(), *term.seen))
                if step % every == 0 or step == steps:
                    _record(history, step, since)
                    since.clear()
                    bar.set_postfix(loss=f"{history.source_loss[-1]:.3f}")
                    if watch is not None:
                        watch(step, model)
                        model.to(device).train()
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            bar.close()
            model.to("cpu").eval()
    if method == "adabn":
        adapt_batchnorm(model, target_x)
    return model, history


class _Term(nn.Module):
    """The distance of the objective with its weight, and the discriminator if it has one."""

    def __init__(self, model: Network, method, weight, sign, seed, class_weights):
        super().__init__()
        self.method, self.weight, self.seen = method, weight, ()
        self.is_on = method in (*STATISTICAL, *ADVERSARIAL) and weight != 0
        self.loss = non_saturating_loss if sign == "non_saturating" else domain_adversarial_loss
        classes, width = model.head.weight.shape
        if self.is_on and method in ADVERSARIAL:
            inputs = {"dann": width, "cdan": classes * width}[method]
            self.disc = discriminator(inputs, seed=_other_seed(seed, 2))
        self.estimates = class_weights is None
        share = torch.ones(classes) if self.estimates else class_weights.float()
        self.register_buffer("share", share / share.mean())

    def source_loss(self, logits: Tensor, y: Tensor) -> Tensor:
        if self.method != "partial" or not self.is_on:
            return cross_entropy(logits, y)
        return (self.share[y] * cross_entropy(logits, y, reduction="none")).mean()

    def forward(self, head, z_s: Tensor, z_t: Tensor, y_s: Tensor, progress: float) -> Tensor:
        if self.method in ADVERSARIAL:
            return self._adversarial(head, z_s, z_t, self.weight * dann_lambda(progress))
        if self.method == "coral":
            distance = coral(z_s, z_t)
        elif self.method == "mmd":
            distance = mmd2(z_s, z_t)
        else:
            distance = mmd2(z_s, z_t, weights=self.share[y_s].clamp(min=0.01))
            if self.estimates:  # a running mean, for a batch alone says little
                now = head(z_t).softmax(1).detach().mean(0) * len(self.share)
                self.share = torch.lerp(self.share, now, 0.05)
        self.seen = (distance.detach(),)
        return self.weight * distance

    def _adversarial(self, head, z_s: Tensor, z_t: Tensor, strength: float) -> Tensor:
        """The weight is in the reversal: in front of the loss, it would slow D down as well."""
        if self.method == "cdan":
            z_s, z_t = cdan_map(z_s, head(z_s)), cdan_map(z_t, head(z_t))
        loss = self.loss(self.disc, z_s, z_t, strength)
        self.seen = loss.detach(), _told_apart(self.disc, z_s, z_t)
        return loss


def _both(model: Network, x_s: Tensor, x_t: Tensor, batchnorm: str) -> tuple[Tensor, Tensor]:
    """Features of both domains; batch normalisation sees them together or one after the other."""
    if batchnorm == "joint":
        return model.features(torch.cat([x_s, x_t])).split([len(x_s), len(x_t)])
    return model.features(x_s), model.features(x_t)


@torch.no_grad()
def _told_apart(disc: nn.Module, z_s: Tensor, z_t: Tensor) -> Tensor:
    source, target = domain_logits(disc, z_s, z_t)
    return ((source > 0).double().mean() + (target < 0).double().mean()) / 2


def _record(history: AdaptHistory, step: int, since: list[tuple]) -> None:
    means = [float(torch.stack(values).double().mean()) for values in zip(*since, strict=True)]
    if not np.isfinite(means).all():
        raise ValueError(f"a loss is not finite at step {step}: {means}; lower the learning rate "
                         "or the weight, or look at the inputs")
    history.step.append(step)
    lists = history.source_loss, history.distance, history.discriminator_accuracy
    for values, mean in zip(lists, means, strict=False):
        values.append(mean)


def _other_seed(seed: int, stream: int) -> int:
    """A seed for each stream of random numbers; seed + 1 would give seed 0 the stream of seed 1."""
    return int(np.random.default_rng([seed, stream]).integers(2**31))


def _check_names(method, batchnorm, sign) -> None:
    known = {"method": (method, METHODS), "batchnorm": (batchnorm, ("joint", "separate")),
             "sign": (sign, ("reversal", "non_saturating"))}
    for name, (value, values) in known.items():
        if value not in values:
            raise ValueError(f"{name} is one of {', '.join(values)}, got {value!r}")


def _check(model, method, weight, class_weights) -> None:
    if not isinstance(model, Network):
        raise ValueError(f"adapt needs a Network, with backbone and head, got "
                         f"{type(model).__name__}; make one with as_network(model)")
    if not np.isfinite(weight):
        raise ValueError(f"the weight must be finite, got {weight}")
    if method == "adabn":
        normalisations(model)
    classes = len(model.head.weight)
    if class_weights is not None and (class_weights.shape != (classes,)
                                      or not (class_weights >= 0).all() or not class_weights.any()):
        raise ValueError(f"class_weights are 0 or more, one for each of the {classes} classes, got "
                         f"{class_weights}")


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
