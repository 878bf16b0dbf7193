"""What a network makes of a data set: computed once, kept on disk, and never stale.

Features of a frozen network are the same in every epoch and every experiment, so they are worth
keeping. A kept result is known by its content: every weight and every pixel that went into it.
"""

import json
import warnings
from collections.abc import Iterator

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from tqdm.auto import tqdm

from tlcourse.data.domain import Domain
from tlcourse.models.network import Network
from tlcourse.utils import cache


def features(
    model: nn.Module,
    domain: Domain,
    *,
    layer: str | None = None,
    size: int | None = None,
    batch_size: int = 128,
    progress: bool = False,
) -> Tensor:
    """Compute the features of every sample, or read them where they are kept.

    The network runs in evaluation mode and keeps its own flags. Results lie in the folder
    ``features`` of the course's cache and may be deleted at any time. A changed weight, buffer,
    setting or method of the network, another pixel, layer or size is another result.

    Parameters
    ----------
    model : Module
        Takes images in [0, 1]; normalisation is its own affair. Where it takes three channels and
        the images are grey, the grey is repeated three times.
    domain : Domain
        N samples.
    layer : str, optional
        A name in ``model.named_modules()``, such as ``"backbone.stage2"``: what this layer puts
        out, averaged over its places: (N, F, H, W) over the picture, (N, L, F) over the tokens.
        None: ``model.features(x)`` of a `tlcourse.models.Network`.
    size : int, optional
        Bring the images to `size` × `size` pixels first. None leaves them as they are.
    batch_size : int
        Changes speed and memory, and the result by rounding only.
    progress : bool
        Show a bar.

    Returns
    -------
    float32 tensor (N, F)
        Without gradient, on the CPU.

    Raises
    ------
    ValueError
        A layer that is not there or is not used, images of another number of channels than the
        network takes, or features that are NaN or infinite.
    """
    modules = dict(model.named_modules())
    if layer is None and not isinstance(model, Network):
        raise ValueError(f"{type(model).__name__} is no Network with a backbone: name a layer, or "
                         "use as_network(model)")
    if layer is not None and layer not in modules:
        some = [name for name in modules if name][:12]
        raise ValueError(f"there is no layer {layer!r}; there is {', '.join(some)} ...")
    channels = _channels_to_feed(modules, domain)
    if size is not None and domain.X.ndim != 4:
        raise ValueError(f"size={size} is for images; {domain.name} is a table")

    asked = json.dumps([layer, size])
    path = cache.place("features", asked, domain.X, *cache.parts_of(model))
    if (kept := cache.read(path)) is not None:
        return safetensors.torch.load(kept)["features"]
    batches = tqdm(domain.X.split(batch_size), desc="batches", disable=not progress)
    prepared = (_prepare(x, channels, size) for x in batches)
    found = _compute(model, layer, prepared, len(domain))
    if bad := int((~torch.isfinite(found)).any(1).sum()):
        raise ValueError(f"the features of {bad} of {len(domain)} samples of {domain.name} are "
                         "NaN or infinite; look for such values in the weights of the network")
    try:
        cache.write(path, safetensors.torch.save({"features": found}))
    except OSError as error:  # a result that cannot be kept is a result all the same
        warnings.warn(f"the features could not be kept ({error}): they will be computed again; "
                      "make room, or set TLCOURSE_CACHE to a folder that can be written",
                      stacklevel=2)
    return found


def _channels_to_feed(modules: dict[str, nn.Module], domain: Domain) -> int | None:
    """How many channels the images need, or None for a table or a network without convolution."""
    convolutions = [m for m in modules.values() if isinstance(m, nn.Conv2d)]
    if domain.X.ndim != 4 or not convolutions:
        return None
    has, takes = domain.X.shape[1], convolutions[0].in_channels
    if has != takes and (has, takes) != (1, 3):
        raise ValueError(f"{domain.name} has {has} channels and the network takes {takes}; bring "
                         "the images to as many, e.g. by the mean over their colours")
    return takes


def _prepare(x: Tensor, channels: int | None, size: int | None) -> Tensor:
    if size is not None and x.shape[-2:] != (size, size):
        x = interpolate(x, (size, size), mode="bilinear", antialias=True).clamp(0, 1)
    return x if channels is None else x.expand(-1, channels, -1, -1)


@torch.no_grad()
def _compute(model: nn.Module, layer: str | None, batches: Iterator[Tensor], n: int) -> Tensor:
    """Fill the rows of one result, batch after batch, so that nothing else grows."""
    row, result = 0, None
    training = {module: module.training for module in model.modules()}
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    try:
        model.eval()
        for x in batches:
            x = x.to(device)
            pooled = _pool(model.features(x) if layer is None else _output(model, x, layer))
            if result is None:
                result = torch.empty(n, pooled.shape[1])
            result[row : row + len(x)] = pooled
            row += len(x)
    finally:
        for module, flag in training.items():
            module.training = flag
    return result


def _output(model: nn.Module, x: Tensor, layer: str):
    """What a layer puts out while the whole model runs."""
    seen = []
    hook = model.get_submodule(layer).register_forward_hook
    with hook(lambda module, given, output: seen.append(output)):
        model(x)
    if not seen:
        raise ValueError(f"the network does not use its layer {layer!r} in evaluation mode; "
                         "name another one")
    return seen[-1]


def _pool(output) -> Tensor:
    """One row a sample: the mean over the places of a picture, or over the tokens."""
    if not isinstance(output, Tensor) or output.ndim < 2:
        raise ValueError("the layer must put out one tensor with a row for each sample, got "
                         f"{type(output).__name__}; name a layer inside or after it")
    if output.ndim == 3:
        return output.mean(1)
    return output.flatten(2).mean(2) if output.ndim > 3 else output
