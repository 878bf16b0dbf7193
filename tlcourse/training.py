"""One training loop, in the open: every lesson trains with the function `fit`."""

import copy
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm.auto import tqdm

from tlcourse.data.domain import Domain


@dataclass
class History:
    """What happened in training: one entry per evaluation.

    ``step``, ``loss`` (mean training loss since the last entry) and, with a validation set,
    ``accuracy`` on it. ``best_step`` is the step whose weights were kept: the one with the best
    accuracy, or without a validation set the last one here.
    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    best_step: int = 0
    interrupted: bool = False


def batches(n: int, batch_size: int, seed: int):
    """Endless stream of row numbers: a new random order each epoch, from a generator of its own.

    Parameters
    ----------
    n : int
        Number of rows. With fewer rows than `batch_size`, a batch is one whole epoch; with more,
        rows that fill no batch at the end of an epoch are left out of it.
    batch_size, seed : int
    """
    generator = torch.Generator().manual_seed(seed)
    size = min(n, batch_size)
    while True:
        order = torch.randperm(n, generator=generator)
        yield from order[: n - n % size].split(size)


def fit(
    model: nn.Module, train: Domain, *, steps: int, seed: int,
    validation: Domain | None = None, patience: int | None = None, every: int = 50,
    batch_size: int = 32, lr: float = 3e-3, groups: list[dict] | None = None,
    penalty: Callable[[nn.Module], Tensor] | None = None,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    device: str = "cpu", progress: bool = False,
) -> History:
    """Train a model in place with AdamW on the cross-entropy.

    Only parameters with ``requires_grad`` are trained. With a validation set, the weights of the
    best evaluation are restored at the end, whatever it is. An interrupt (Ctrl-C, or the stop
    button) ends the training and keeps what was reached.

    Parameters
    ----------
    model : Module
        (N, ...) inputs to (N, K) logits.
    train : Domain
    steps : int
        Number of batches, not epochs: with few samples an epoch is short, and comparing methods
        at equal epochs would give the larger set more training.
    seed : int
        Draws the order of the batches, dropout and augmentation.
    validation : Domain, optional
        Scored every `every` steps. Never the test set.
    patience : int, optional
        Stop after this many evaluations without a new best.
    lr : float
        Learning rate of AdamW.
    groups : list of dict, optional
        Groups of this model's parameters with learning rates and weight decay of their own, as
        `tlcourse.finetune.groups.param_groups` makes them. None: all parameters at `lr`, no decay.
    penalty : function (model) -> scalar tensor, optional
        Added to the loss at every step.
    augment : function (batch, generator) -> batch, optional
        Applied to each training batch.
    device : str
        "cpu", or "cuda" / "mps" for those who have one. The model comes back on the CPU.
    progress : bool
        Show a bar.

    Returns
    -------
    History

    Raises
    ------
    TypeError
        Training samples that are no Domain.
    ValueError
        Settings out of range, a model with nothing to train or with too few outputs, groups of
        another model, or a loss that stops being finite (the weights are then those of the last
        evaluation).
    """
    check_training(model, train, steps=steps, batch_size=batch_size, every=every,
                   patience=patience)
    if patience is not None and validation is None:
        raise ValueError("early stopping (patience) needs a validation set")
    groups = groups or [{"params": [p for p in model.parameters() if p.requires_grad]}]
    optimiser = torch.optim.AdamW(groups, lr=lr, weight_decay=0, fused=True)
    _check_reach(optimiser, model)
    generator = torch.Generator().manual_seed(seed)
    history, kept, losses = History(), copy.deepcopy(model.state_dict()), []
    order = batches(len(train), batch_size, seed)
    try:
        with training_steps(model, history, steps, seed=seed, device=device,
                            progress=progress) as bar:
            for step in bar:
                rows = next(order)
                x, y = train.X[rows], train.y[rows].to(device)
                if augment is not None:
                    x = augment(x, generator)
                loss = _loss(model(x.to(device)), y)
                if penalty is not None:
                    loss = loss + penalty(model)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.detach())

                if step % every == 0 or step == steps:
                    _record(history, step, losses, model, validation, device, kept)
                    losses.clear()
                    bar.set_postfix(loss=f"{history.loss[-1]:.3f}")
                    if patience and step - history.best_step >= patience * every:
                        bar.total = step  # early is an end too, not a failure
                        break
    finally:  # also where an augmentation or a penalty fails
        if validation is not None and history.step:
            model.load_state_dict(kept)
    return history


@contextmanager
def training_steps(model: nn.Module, history, steps: int, *, seed: int, device: str,
                   progress: bool):
    """What every training shares: give its steps, 1 to `steps`, as a bar to loop over.

    Inside, the model is on `device` and in training mode, `seed` draws dropout, and the global
    random state is left alone. An interrupt ends the loop, is noted in ``history.interrupted``
    and goes no further. At the end, whatever it is, the model is on the CPU and in evaluation
    mode.
    """
    model.to(device).train()
    threads = torch.get_num_threads()
    small = sum(p.numel() for p in model.parameters()) < 1e6
    bar = tqdm(range(1, steps + 1), disable=not progress, desc="training", leave=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # More threads gain a small network little, and cost much when the cores are busy.
        torch.set_num_threads(1 if small else threads)
        try:
            yield bar
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            bar.close()
            torch.set_num_threads(threads)
            model.to("cpu").eval()


def stream_seed(seed: int, stream: int) -> int:
    """A seed for each stream of random numbers; seed + 1 would give seed 0 the stream of seed 1."""
    return int(np.random.default_rng([seed, stream]).integers(2**31))


def _loss(outputs, y: Tensor) -> Tensor:
    """Cross-entropy; GoogLeNet's auxiliary heads, there in training only, count 0.3 each."""
    if isinstance(outputs, Tensor):
        return cross_entropy(outputs, y)
    logits, *others = (logits for logits in outputs if logits is not None)
    return cross_entropy(logits, y) + 0.3 * sum(cross_entropy(other, y) for other in others)


def _record(history, step, losses, model, validation, device, kept) -> None:
    """Note loss and validation accuracy; remember the weights if they are the best so far."""
    loss = float(torch.stack(losses).mean())
    if not np.isfinite(loss):
        model.load_state_dict(kept)
        raise ValueError(f"the loss is {loss} at step {step}: the weights of step "
                         f"{history.best_step} are restored; lower the learning rate or look at "
                         "the inputs")
    history.step.append(step)
    history.loss.append(loss)
    if validation is not None:
        history.accuracy.append(accuracy(model, validation, device=device))
        model.train()
        if history.accuracy[-1] <= max(history.accuracy[:-1], default=-1.0):
            return
    history.best_step = step
    for key, value in model.state_dict().items():
        kept[key].copy_(value)


def check_training(model: nn.Module, train: Domain, **counts: int | None) -> None:
    """Refuse what cannot be trained; `counts` are settings that are whole numbers above 0."""
    if not isinstance(train, Domain):
        raise TypeError(f"training needs a Domain, got {type(train).__name__}; make one with "
                        'Domain("name", X, y)')
    for name, value in counts.items():
        if value is not None and (not isinstance(value, int | np.integer) or value < 1):
            raise ValueError(f"{name} is a whole number of at least 1, got {value!r}")
    if len(train) < 2:  # batch normalisation needs two samples to compare
        raise ValueError(f"training needs at least 2 samples, and {train.name} has {len(train)}; "
                         "add samples")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("no parameter of this model has requires_grad: there is nothing to train")
    model.eval()
    with torch.no_grad():
        outputs = model(train.X[:1].to(next(model.parameters()).device)).shape[-1]
    if int(train.y.max()) >= outputs:
        raise ValueError(f"{train.name} has labels up to {int(train.y.max())}, but the model has "
                         f"{outputs} outputs; give it a head with {len(train.classes)} classes")


def _check_reach(optimiser: torch.optim.Optimizer, model: nn.Module) -> None:
    own = {id(p) for p in model.parameters()}
    if any(id(p) not in own for group in optimiser.param_groups for p in group["params"]):
        raise ValueError("the groups hold parameters of another model, and this one would not "
                         "learn; make them from the model that is trained, after copying it")


@torch.no_grad()
def predict(model: nn.Module, X: Tensor, *, batch_size: int = 512, device: str = "cpu") -> Tensor:
    """Logits (N, K) in evaluation mode, batch by batch, on the CPU; the model ends on `device`."""
    model.to(device).eval()
    return torch.cat([model(x.to(device)).cpu() for x in X.split(batch_size)])


def accuracy(model: nn.Module, domain: Domain, *, device: str = "cpu") -> float:
    """Share of samples whose largest logit is that of their label, between 0 and 1."""
    logits = predict(model, domain.X, device=device)
    return float((logits.argmax(1) == domain.y).double().mean())


def evaluate(model: nn.Module, domain: Domain, *, device: str = "cpu") -> dict:
    """Score a model with the usual measures.

    Returns
    -------
    dict
        ``accuracy``; ``recall`` and ``f1``, each the plain mean (macro average) over the classes
        that occur, as truth or as an answer; ``loss``, the mean cross-entropy in nats;
        ``confusion``, a (K, K) array of counts of all classes, with the true class down and the
        predicted class across.
    """
    from sklearn.metrics import confusion_matrix, f1_score, recall_score

    logits = predict(model, domain.X, device=device)
    truth, guess = domain.y.numpy(), logits.argmax(1).numpy()
    return {
        "accuracy": float((truth == guess).mean()),
        "recall": float(recall_score(truth, guess, average="macro", zero_division=0)),
        "f1": float(f1_score(truth, guess, average="macro", zero_division=0)),
        "loss": float(cross_entropy(logits, domain.y)),
        "confusion": confusion_matrix(truth, guess, labels=range(len(domain.classes))),
    }


def random_shift(x: Tensor, generator: torch.Generator, *, pixels: int = 1) -> Tensor:
    """Move each image by up to `pixels` in each direction, filling with black: (N, C, H, W)."""
    n, _, h, w = x.shape
    padded = nn.functional.pad(x, [pixels] * 4)
    offset = torch.randint(0, 2 * pixels + 1, (2, n), generator=generator)
    rows = offset[0][:, None] + torch.arange(h)
    columns = offset[1][:, None] + torch.arange(w)
    image = torch.arange(n)[:, None, None]
    # Three index arrays give (N, H, W, C): the channels, not indexed, come last.
    moved = padded.movedim(1, 3)[image, rows[:, :, None], columns[:, None, :]]
    return moved.movedim(3, 1)
