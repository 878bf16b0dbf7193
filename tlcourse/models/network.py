"""Networks as a backbone and a head, because transfer takes one and leaves the other.

Every network here takes images in [0, 1]: normalisation is its first layer, so it travels with
the weights and cannot be forgotten or applied twice. torchvision, timm and safetensors are
imported where they are used, for they are slow to load.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from tlcourse.data.bundled import manifest, verify
from tlcourse.models.weights import fit_state


class Normalise(nn.Module):
    """(x - mean) / std per channel; mean and std are saved with the weights."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32).view(-1, 1, 1))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32).view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class Network(nn.Module):
    """A backbone h that turns an input into features, and a head g that turns features into logits.

    Parameters
    ----------
    backbone : Module
        (N, C, H, W) or (N, d) -> (N, F).
    head : Linear
        (N, F) -> (N, K).

    Attributes
    ----------
    size : int or None
        Side in pixels of the pictures that the weights are made for, where `pretrained` knows it.
    """

    def __init__(self, backbone: nn.Module, head: nn.Linear):
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.size: int | None = None

    def features(self, x: Tensor) -> Tensor:
        """h(x), shape (N, F)."""
        return self.backbone(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def small_cnn(num_classes: int = 10, *, channels: int = 1, width: int = 16, seed: int) -> Network:
    """Make the small CNN of the course: three stages of convolution, for pictures of 16 pixels up.

    The named stages of the backbone are ``normalise``, ``stage1``, ``stage2``, ``stage3`` and
    ``embed``. Stages 1 to 3 are convolution, batch normalisation and ReLU; the first two halve
    the picture. ``embed`` averages what is left to 4 × 4 places, so that any size of picture
    fits, and makes one feature vector of it.

    Parameters
    ----------
    num_classes : int
    channels : int
        1 for grey pictures, 3 for colour.
    width : int
        Channels of the first stage; the later ones have 2 and 4 times as many.
    seed : int
        Draws the initial weights, and leaves the global random state as it was.

    Returns
    -------
    Network
        Features are (N, 4 * width).

    Raises
    ------
    ValueError
        Fewer than 2 classes, 1 channel or width 1.
    """
    if num_classes < 2 or channels < 1 or width < 1:
        raise ValueError("small_cnn needs at least 2 classes, 1 channel and width 1, "
                         f"got {num_classes}, {channels} and {width}")

    features = 4 * width

    def stage(c_in, c_out, *, halve):
        layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out)]
        return nn.Sequential(*layers, nn.ReLU(), *([nn.MaxPool2d(2)] if halve else []))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = nn.Sequential(
            OrderedDict(
                normalise=Normalise([0.5] * channels, [0.5] * channels),
                stage1=stage(channels, width, halve=True),
                stage2=stage(width, 2 * width, halve=True),
                stage3=stage(2 * width, 4 * width, halve=False),
                embed=nn.Sequential(
                    nn.AdaptiveAvgPool2d(4), nn.Flatten(),
                    nn.Linear(16 * 4 * width, features, bias=False),
                    nn.BatchNorm1d(features), nn.ReLU(),
                ),
            )
        )
        # Pooling is twice as fast on a CPU with the channels of a pixel side by side in memory.
        network = Network(backbone, nn.Linear(features, num_classes))
        return network.to(memory_format=torch.channels_last)


def as_network(model: nn.Module, *, mean=None, std=None) -> Network:
    """Split a torchvision or timm classifier into backbone and head.

    The head is the last linear layer, found under the name that the library gives it
    (``fc``, ``classifier``, ``head``, ``heads``); the backbone is the model with that layer
    replaced by the identity.

    Parameters
    ----------
    model : Module
        Changed in place: its last linear layer moves to ``network.head``, and the auxiliary heads
        of GoogLeNet and Inception are taken out.
    mean, std : sequence of float, optional
        What the weights were trained with, for inputs in [0, 1]. None: no normalisation.

    Raises
    ------
    ValueError
        A model with none of these layers.
    """
    path, head = find_head(model)
    model.set_submodule(path, nn.Identity())
    if getattr(model, "aux_logits", False):  # side classifiers, which only training of a whole uses
        model.aux_logits, model.aux1, model.aux2, model.AuxLogits = False, None, None, None
    layers = [] if mean is None else [("normalise", Normalise(mean, std))]
    return Network(nn.Sequential(OrderedDict([*layers, ("body", model)])), head)


def find_head(model: nn.Module, kinds=nn.Linear) -> tuple[str, nn.Module]:
    """Path and module of the last layer of these kinds under fc, classifier, head or heads.

    Raises
    ------
    ValueError
        A model with none of them: names its parts.
    """
    for name in ("fc", "classifier", "head", "heads"):
        part = getattr(model, name, None) or nn.Identity()
        layers = [(path, m) for path, m in part.named_modules() if isinstance(m, kinds)]
        if layers:
            path, head = layers[-1]
            return f"{name}.{path}".rstrip("."), head
    children = ", ".join(name for name, _ in model.named_children())
    raise ValueError(f"{type(model).__name__} has no linear layer called fc, classifier, head or "
                     f"heads; its parts are {children}; build a Network(backbone, head) yourself")


def pretrained(name: str = "efficientnet_lite0") -> Network:
    """Load a network with weights that somebody has trained.

    Parameters
    ----------
    name : str
        Bundled: ``"efficientnet_lite0"``, trained on ImageNet's 1,000 classes at 224 pixels, and
        ``"printed_cnn"``, a `small_cnn` trained on the ten printed digits at 16 pixels. Where there
        is a network or they have been loaded before, other libraries' weights too:
        ``"torchvision:resnet18"``, ``"timm:resnet18.a1_in1k"``.

    Returns
    -------
    Network
        In evaluation mode; its normalisation is its first layer, and ``size`` says for which side
        of pictures the weights are made.

    Raises
    ------
    ValueError
        A name that nobody knows, or weights that cannot be fetched.
    """
    if ":" in name:
        return _online(name)
    if name not in manifest():
        bundled = (each for each, about in manifest().items() if "architecture" in about)
        raise ValueError(f"there are no bundled weights called {name!r}; there is "
                         f"{', '.join(bundled)}; those of other libraries are called "
                         "torchvision:resnet18 or timm:resnet18.a1_in1k")
    about = manifest()[name]
    if "architecture" not in about:
        raise ValueError(f"{name} holds data, not weights; use tlcourse.load({name!r})")
    from safetensors.torch import load_file

    if about["architecture"] == "small_cnn":
        model = small_cnn(10, seed=0)
    else:
        import timm

        model = timm.create_model(about["architecture"], pretrained=False)
    state = {key: value.float() for key, value in load_file(verify(name)).items()}
    # The files hold no counters of batches seen; only further training would read them.
    counters = {k: v for k, v in model.state_dict().items() if k.endswith("num_batches_tracked")}
    fit_state(model, counters | state, name)
    own = isinstance(model, Network)  # its normalisation is among its weights
    network = model if own else as_network(model, mean=about["mean"], std=about["std"])
    network.size = about["size"]
    return network.eval()


def _online(name: str) -> Network:
    """Weights by the name of their library, with the preprocessing that belongs to them."""
    library, _, which = name.partition(":")
    load = {"torchvision": _from_torchvision, "timm": _from_timm}.get(library)
    if load is None:
        raise ValueError(f"there is no library {library!r} to load {name!r} from; write "
                         "torchvision:NAME or timm:NAME")
    try:
        model, mean, std, size = load(which)
    except OSError as error:  # both libraries raise a kind of it where no network answers
        raise ValueError(f"the weights {name} are not on this machine and could not be fetched "
                         f"({error}); load them once with a network, after that they are kept, or "
                         "use the bundled pretrained('efficientnet_lite0')") from error
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"could not load the weights {name} ({error}); the names are in "
                         "torchvision.models.list_models() and timm.list_pretrained()") from error
    network = as_network(model, mean=mean, std=std).eval()
    network.size = size
    return network


def _from_torchvision(name: str) -> tuple[nn.Module, list, list, int]:
    import torchvision

    weights = torchvision.models.get_model_weights(name).DEFAULT
    made_for = weights.transforms()
    model = torchvision.models.get_model(name, weights=weights)
    return model, made_for.mean, made_for.std, made_for.crop_size[0]


def _from_timm(name: str) -> tuple[nn.Module, tuple, tuple, int]:
    import timm

    model = timm.create_model(name, pretrained=True)
    made_for = model.pretrained_cfg
    return model, made_for["mean"], made_for["std"], made_for["input_size"][-1]
