"""Strategies of using a source, and training from scratch, which they are compared with.

Each makes the same number of steps on the target; what a source costs comes on top.
The learning rates were chosen from one grid for all, on other pairs: see data/runs/negative.json.
"""

from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn

from tlcourse.diagnose.pair import Draw, Pair
from tlcourse.finetune.freezing import freeze
from tlcourse.models.network import Network, small_cnn
from tlcourse.training import fit

SOURCE_STEPS, STEPS = 400, 200
RATES = {"source": 3e-3, "scratch": 3e-3, "frozen": 1e-3, "fine_tune": 3e-4, "aligned": 3e-4}
SETTINGS = {"steps": STEPS, "source_steps": SOURCE_STEPS, "rates": RATES}
"""What a report says of how its strategies were trained."""

AT_ONCE = 64
"""Samples that pass through a network together: what larger pictures leave behind on their way
then still fits into fast memory."""

Maker = Callable[[int, int], Network]
"""(number of classes, seed) -> a fresh network."""


def small_mlp(num_classes: int, *, inputs: int, width: int = 64, seed: int) -> Network:
    """Make a small network for tables: two hidden layers.

    Parameters
    ----------
    num_classes, inputs : int
    width : int
        Units of each hidden layer, and features.
    seed : int
        Draws the initial weights, and leaves the global random state as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = nn.Sequential(OrderedDict(
            stage1=nn.Sequential(nn.Linear(inputs, width), nn.ReLU()),
            stage2=nn.Sequential(nn.Linear(width, width), nn.ReLU())))
        return Network(backbone, nn.Linear(width, num_classes))


def default_model(pair: Pair) -> Maker:
    """The small CNN for images, the small network above for tables and features."""
    shape = pair.target_X.shape[1:]
    if len(shape) == 1:
        return lambda num_classes, seed: small_mlp(num_classes, inputs=shape[0], seed=seed)
    return lambda num_classes, seed: small_cnn(num_classes, channels=shape[0], seed=seed)


def pretrain(draw: Draw, make: Maker) -> Network:
    """A network for all classes, trained on the source."""
    model = make(len(draw.source.classes), draw.seed)
    _fit(model, draw.source, "source", draw.seed, SOURCE_STEPS)
    return model


def scratch(draw: Draw, make: Maker, start: None) -> Network:
    """A fresh network, trained on the labelled target samples alone."""
    model = make(draw.targets, draw.seed)
    _fit(model, draw.own_few, "scratch", draw.seed)
    return model


def source_only(draw: Draw, make: Maker, start: Network) -> Network:
    """The source's network as it is: no target label is used."""
    return start


def frozen(draw: Draw, make: Maker, start: Network) -> Network:
    """The source's features as they are, the head trained on the labelled target samples."""
    model = with_target_head(draw, make, start)
    freeze(model.backbone)
    with torch.no_grad():  # they do not change, so once is enough
        z = torch.cat([model.eval().features(x) for x in draw.few.X.split(AT_ONCE)])
    _fit(model.head, replace(draw.few, X=z), "frozen", draw.seed)
    return model


def fine_tune(draw: Draw, make: Maker, start: Network) -> Network:
    """The source's network, all of it trained further on the labelled target samples."""
    model = with_target_head(draw, make, start)
    _fit(model, draw.few, "fine_tune", draw.seed)
    return model


def aligned(draw: Draw, make: Maker, start: Network) -> Network:
    """The source's network, its features drawn towards the unlabelled target by MMD."""
    from tlcourse.align.loop import adapt

    model, history = adapt(start, draw.source, draw.pool, method="mmd", weight=1.0, steps=STEPS,
                           seed=draw.seed, lr=RATES["aligned"])
    _stop_if(history)
    return model


TRAIN = {"scratch": scratch, "source_only": source_only, "frozen": frozen, "fine_tune": fine_tune,
         "aligned": aligned}
"""What trains the network of each strategy, and of scratch: (draw, make, start) -> Network."""
STRATEGIES = ("source_only", "frozen", "fine_tune", "aligned")
UNLABELLED = ("source_only", "aligned")
"""They answer with the source's classes and need no target label."""


def with_target_head(draw: Draw, make: Maker, start: Network) -> Network:
    """A copy that answers with the target's classes: rows of the head for common ones are kept."""
    model, fresh = deepcopy(start), make(draw.targets, draw.seed)
    with torch.no_grad():
        for k in draw.common:
            fresh.head.weight[k], fresh.head.bias[k] = start.head.weight[k], start.head.bias[k]
    model.head = fresh.head
    return model


def _fit(model, train, rate: str, seed: int, steps: int = STEPS) -> None:
    _stop_if(fit(model, train, steps=steps, seed=seed, lr=RATES[rate]))


def _stop_if(history) -> None:
    """`fit` keeps what it reached when it is interrupted; half a run is no result here."""
    if history.interrupted:
        raise KeyboardInterrupt
