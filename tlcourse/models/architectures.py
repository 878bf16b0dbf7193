"""Four architectures side by side, and what of one network's weights fits into another."""

from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

ARCHITECTURES = {
    "alexnet": ("AlexNet", 2012, "won classification",
                "ReLU, dropout, training on two GPUs"),
    "vgg16": ("VGG-16", 2014, "second in classification",
              "3 × 3 filters only, many in a row"),
    "googlenet": ("GoogLeNet", 2014, "won classification",
                  "Inception: several filter sizes side by side"),
    "resnet18": ("ResNet-18", 2015, "its family won classification",
                 "shortcuts around every two layers"),
    "resnet50": ("ResNet-50", 2015, "its family won classification",
                 "shortcuts around three, with 1 × 1 bottlenecks"),
}
"""torchvision's name -> name, year, place in that year's ILSVRC, what was new."""


class Copied(NamedTuple):
    """What happened to each tensor when weights were copied from one network into another.

    Attributes
    ----------
    copied : list of str
        Tensors of the target that took the source's values.
    wrong_shape : dict of str -> (source's shape, target's shape)
        The name is in both, and the shapes differ.
    missing : list of str
        Tensors of the target whose name the source does not have: as they were.
    unused : list of str
        Tensors of the source whose name the target does not have.
    """

    copied: list[str]
    wrong_shape: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    missing: list[str]
    unused: list[str]

    def __str__(self) -> str:
        return (f"{len(self.copied)} tensors copied, {len(self.wrong_shape)} of another shape, "
                f"{len(self.missing)} not in the source, {len(self.unused)} not in the target")


@torch.no_grad()
def copy_what_fits(source: nn.Module, target: nn.Module) -> Copied:
    """Copy every parameter and buffer that both networks have under one name and in one shape.

    That names and shapes agree does not mean that the layers do the same work. And nothing may
    fit at all, which ``load_state_dict(..., strict=False)`` does not mention.

    Parameters
    ----------
    source : Module
        Stays as it is.
    target : Module
        Changed in place.

    Returns
    -------
    Copied
        Every tensor of both networks is accounted for.
    """
    theirs, own = source.state_dict(), target.state_dict()
    report = Copied([], {}, [], [name for name in theirs if name not in own])
    for name, tensor in own.items():
        if name not in theirs:
            report.missing.append(name)
        elif theirs[name].shape != tensor.shape:
            report.wrong_shape[name] = tuple(theirs[name].shape), tuple(tensor.shape)
        else:
            tensor.copy_(theirs[name])
            report.copied.append(name)
    return report


def build(name: str, *, num_classes: int = 1000, device: str = "cpu") -> nn.Module:
    """Make one of torchvision's networks without weights of its training.

    Parameters
    ----------
    name : str
        As torchvision calls it, such as ``"resnet18"``. GoogLeNet and Inception come without
        their auxiliary classifiers, which only training uses.
    num_classes : int
    device : str
        "meta" makes shapes without numbers: instantly, in no memory.

    Raises
    ------
    ValueError
        A name that torchvision does not know.
    """
    from torchvision.models import get_model, list_models

    if name not in list_models():
        raise ValueError(f"torchvision has no network {name!r}; this lesson uses "
                         f"{', '.join(ARCHITECTURES)}")
    extra = {}
    if name in ("googlenet", "inception_v3"):  # their own initialisation takes half a minute
        extra = {"aux_logits": False, "init_weights": False}
    with torch.device(device):
        return get_model(name, weights=None, num_classes=num_classes, **extra).eval()


def multiply_adds(model: nn.Module, x: Tensor) -> int:
    """Multiplications, each with an addition, of the convolutions and linear layers for an input.

    Parameters
    ----------
    model : Module
    x : tensor (1, C, H, W)
        One picture, on the model's device; "meta" will do.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(x)
    return counter.get_total_flops() // 2  # it counts the two separately


def depth(model: nn.Module) -> int:
    """Convolutions and linear layers on the longest way from the input to the output.

    Raises
    ------
    ValueError
        A network whose way depends on its input, which cannot be traced.
    """
    from torch.fx import symbolic_trace
    from torch.fx.proxy import TraceError

    try:
        graph = symbolic_trace(model.eval()).graph
    except TraceError as error:
        raise ValueError(f"the layers of {type(model).__name__} cannot be traced ({error}); "
                         "count them by hand") from None
    longest, modules = {}, dict(model.named_modules())
    for node in graph.nodes:
        is_layer = node.op == "call_module" and isinstance(
            modules[node.target], (nn.Conv2d, nn.Linear))
        longest[node] = is_layer + max((longest[n] for n in node.all_input_nodes), default=0)
    return max(longest.values())


def side_by_side(names=tuple(ARCHITECTURES), *, size: int = 224) -> pd.DataFrame:
    """Size, cost and depth of torchvision's networks, from their shapes alone.

    Parameters
    ----------
    names : sequence of str
        Keys of `ARCHITECTURES`.
    size : int
        Side in pixels of the picture whose cost is counted.

    Returns
    -------
    DataFrame
        One row a network: year, place in the ILSVRC of that year, parameters in millions,
        multiply-adds in billions for one picture, depth in layers with weights, what was new.
    """
    rows = {}
    for name in names:
        title, year, place, new = ARCHITECTURES[name]
        model = build(name, device="meta")
        rows[title] = {
            "year": year, "ILSVRC": place,
            "parameters (M)": round(sum(p.numel() for p in model.parameters()) / 1e6, 1),
            "multiply-adds (G)": round(
                multiply_adds(model, torch.empty(1, 3, size, size, device="meta")) / 1e9, 2),
            "depth": depth(model), "what was new": new,
        }
    return pd.DataFrame.from_dict(rows, orient="index")
