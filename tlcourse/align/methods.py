"""Methods of alignment: each adds a term of its own to the cross-entropy on the source.

A method is a small class with three verbs, which `tlcourse.align.adapt` calls: `Method.start` once,
`Method.loss` in every step, `Method.finish` once. Those that compare statistics are here, those
with an adversary in `tlcourse.align.adversarial`, and those that learn from their own answers in
`tlcourse.align.own_answers`. Another one is a subclass of `Method`.
"""

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from tlcourse.align.training_free import adapt_batchnorm, normalisations
from tlcourse.distances.discrepancy import coral, mmd2
from tlcourse.models.network import Network

REGISTRY: dict[str, type["Method"]] = {}
"""The class of each name that `adapt` takes."""


@dataclass
class Batch:
    """What a method sees of one step: n labelled source samples and m unlabelled target samples.

    ``y_s`` (n,), the labels. ``z_s`` (n, d) and ``z_t`` (m, d), the features. ``logits_s`` (n, K)
    and ``logits_t`` (m, K), what the head makes of them. ``progress``, the share of the training
    that this step completes, above 0 and up to 1. ``x_t`` (m, ...), the inputs of the target, and
    ``model``, for whoever asks the network again. Those of the source are None for a method that
    does not see it.
    """

    y_s: Tensor | None
    z_s: Tensor | None
    z_t: Tensor
    logits_s: Tensor | None
    logits_t: Tensor
    progress: float
    x_t: Tensor
    model: Network


@dataclass
class Term:
    """What a method adds to the objective in one step, and what goes into the history with it.

    ``loss``, a scalar tensor with a gradient, or 0. ``distance``, the same before its weight.
    ``discriminator_accuracy``, the share of samples whose domain an adversary tells.
    """

    loss: Tensor | float = 0.0
    distance: Tensor | None = None
    discriminator_accuracy: Tensor | None = None


@dataclass(eq=False)
class Method:
    """Base of all methods: training on the source, with nothing added.

    A subclass says what it adds. What a run needs and no setting gives, as a discriminator, it
    makes in `start`. `adapt` works on a copy, so an object serves for any number of runs.

    Parameters
    ----------
    weight : float
        Of the distance. Below 0 it has the wrong sign, and drives the domains apart; with 0 the
        target is not looked at. A method that adds nothing has no use for it.

    Attributes
    ----------
    trained : iterable of Parameter
        What is trained together with the model.
    share : tensor (K,) or None
        How much a source sample of each class counts in the cross-entropy; None for all the same.
    sees_source : bool
        Whether it trains on labelled source samples at all.

    Raises
    ------
    ValueError
        A weight that is not finite.
    """

    weight: float = 1.0

    trained = ()
    share = None
    sees_source = True

    def __init_subclass__(cls, name: str | None = None):
        """Enter the class in `REGISTRY`: ``class MMD(Method, name="mmd")``."""
        if name is not None:
            REGISTRY[name] = cls

    def __post_init__(self):
        if not math.isfinite(self.weight):
            raise ValueError(f"the weight must be finite, got {self.weight}")

    @property
    def sees_target(self) -> bool:
        """Whether target samples pass through the network in training."""
        return self.weight != 0

    def start(self, model: Network, seed: int) -> None:
        """Make what one run needs, on the device of the model."""

    def loss(self, batch: Batch) -> Term:
        """What is added to the cross-entropy in one step; not called unless `sees_target`."""
        return Term()

    def finish(self, model: Network, target_x: Tensor) -> None:
        """Change the trained model, on the CPU and in evaluation mode, once at the end."""


class SourceOnly(Method, name="none"):
    """Training on the source only: what every other method is compared with."""

    sees_target = False


class Control(Method, name="control"):
    """Target samples pass through the network, and nothing else is done with them.

    They move the statistics of batch normalisation, so this is what a loss must improve on.
    """

    sees_target = True


class MMD(Method, name="mmd"):
    r"""Maximum mean discrepancy between the features, `tlcourse.distances.discrepancy.mmd2`.

    .. math:: L = L_\mathrm{source} + w \, \mathrm{MMD}^2(z_s, z_t)

    References
    ----------
    Long et al., Learning transferable features with deep adaptation networks, ICML 2015.
    """

    def loss(self, batch: Batch) -> Term:
        distance = mmd2(batch.z_s, batch.z_t)
        return Term(self.weight * distance, distance)


class CORAL(Method, name="coral"):
    r"""Distance between the covariances of the features, `tlcourse.distances.discrepancy.coral`.

    .. math:: L = L_\mathrm{source} + w \, \mathrm{CORAL}(z_s, z_t)

    References
    ----------
    Sun and Saenko, Deep CORAL: correlation alignment for deep domain adaptation, ECCV 2016.
    """

    def loss(self, batch: Batch) -> Term:
        distance = coral(batch.z_s, batch.z_t)
        return Term(self.weight * distance, distance)


@dataclass(eq=False)
class Partial(Method, name="partial"):
    r"""MMD for a target that lacks some of the classes.

    Each source sample counts, in both terms, as much as the target seems to hold of its class k:

    .. math:: r_k \leftarrow 0.95 \, r_k + 0.05 \, K \operatorname{mean}_t p_k(x_t), \qquad
              L = \operatorname{mean}_s r_{y_s} \ell(x_s, y_s) + w \, \mathrm{MMD}^2_r(z_s, z_t)

    Parameters
    ----------
    weight : float
    class_weights : tensor (K,), optional
        How much of each class the target holds. None: r as above, 1 at the start.

    Raises
    ------
    ValueError
        At the start of a run: weights below 0, all 0, or not one for each class.

    References
    ----------
    Cao et al., Partial adversarial domain adaptation, ECCV 2018, for weights from the mean of the
    predictions; Yan et al., Mind the class weight bias: weighted maximum mean discrepancy for
    unsupervised domain adaptation, CVPR 2017, for their place in the distance.
    """

    class_weights: Tensor | None = None

    def start(self, model: Network, seed: int) -> None:
        classes = len(model.head.weight)
        given = torch.ones(classes) if self.class_weights is None else self.class_weights
        if given.shape != (classes,) or not (given >= 0).all() or not given.any():
            raise ValueError(f"class_weights are 0 or more, one for each of the {classes} classes, "
                             f"got {given}")
        self.share = (given.float() / given.float().mean()).to(model.head.weight.device)

    def loss(self, batch: Batch) -> Term:
        weights = self.share[batch.y_s].clamp(min=0.01)
        distance = mmd2(batch.z_s, batch.z_t, weights=weights)
        if self.class_weights is None:  # a running mean, for a batch alone says little
            now = batch.logits_t.softmax(1).detach().mean(0) * len(self.share)
            self.share = torch.lerp(self.share, now, 0.05)
        return Term(self.weight * distance, distance)


class AdaBN(SourceOnly, name="adabn"):
    """Training on the source only, then `tlcourse.align.adapt_batchnorm`, which has the source."""

    def start(self, model: Network, seed: int) -> None:
        normalisations(model)  # refuses a model that has none, before it is trained

    def finish(self, model: Network, target_x: Tensor) -> None:
        adapt_batchnorm(model, target_x)


class Together(Method):
    """Several methods at once: the sum of what they add.

    The history has the distance of the first that measures one.
    """

    def __init__(self, methods: Sequence[Method]):
        self.methods = methods
        self.sees_source = any(method.sees_source for method in methods)

    @property
    def sees_target(self) -> bool:
        return any(method.sees_target for method in self.methods)

    @property
    def trained(self) -> list:
        return [parameter for method in self.methods for parameter in method.trained]

    @property
    def share(self) -> Tensor | None:
        return next((m.share for m in self.methods if m.share is not None), None)

    def start(self, model: Network, seed: int) -> None:
        for method in self.methods:
            method.start(model, seed)

    def loss(self, batch: Batch) -> Term:
        terms = [method.loss(batch) for method in self.methods if method.sees_target]
        measured = [term for term in terms if term.distance is not None]
        told = [t for t in terms if t.discriminator_accuracy is not None]
        return Term(sum(term.loss for term in terms), measured[0].distance if measured else None,
                    told[0].discriminator_accuracy if told else None)

    def finish(self, model: Network, target_x: Tensor) -> None:
        for method in self.methods:
            method.finish(model, target_x)


def as_method(method: str | Method | Sequence[str | Method], **settings) -> Method:
    """The method of one run: made from a name and settings, or a copy of the object given.

    Several in a list become one, `Together`.

    ``sign="reversal"``, the default of the adversarial methods, goes with any name, so that a
    table of settings may have it for all methods.

    Raises
    ------
    TypeError
        Settings that the method does not know, or that come with an object.
    ValueError
        An unknown name, or settings out of range.
    """
    if isinstance(method, list | tuple):
        if settings or not method:
            raise TypeError("a list holds one method or more, each with its own settings, as in "
                            "method=[MMD(weight=3), MCC()]")
        return Together([as_method(each) for each in method])
    if isinstance(method, Method):
        if settings:
            raise TypeError(f"a {type(method).__name__} object has its own settings, and got "
                            f"{', '.join(settings)} beside it; give them to the object, as in "
                            f"{type(method).__name__}(weight=...)")
        return copy.copy(method)
    kind = REGISTRY[one_of("method", method, REGISTRY)]
    known = [field.name for field in fields(kind)]
    if "sign" not in known and settings.get("sign") == "reversal":
        settings.pop("sign")
    if unknown := [name for name in settings if name not in known]:
        raise TypeError(f"method {method!r} has no setting {', '.join(unknown)}, only "
                        f"{', '.join(known)}; leave it out or use another method")
    return kind(**settings)


def one_of(name: str, value: str, values: Iterable[str]) -> str:
    """A setting that has one of these values, or an error that lists them."""
    if value not in list(values):
        raise ValueError(f"{name} is one of {', '.join(values)}, got {value!r}")
    return value
