"""The layers that give a network's answers: found, and replaced for another task."""

from torch import nn

from tlcourse.models.network import find_head

HEAD_KINDS = (nn.Linear, nn.Conv2d)  # SqueezeNet's last layer is a 1 × 1 convolution


def replace_head(model: nn.Module, num_classes: int) -> nn.Module:
    """Put a new last layer on a network, in place.

    GoogLeNet's and Inception's auxiliary classifiers (children called ``aux...``) get a new last
    layer too, for they answer with the same classes. The new layers are trainable, also on a
    frozen network, and their weights are drawn from torch's global random state: call
    ``torch.manual_seed`` before.

    Parameters
    ----------
    model : Module
        A `tlcourse.models.Network`, a torchvision classification network, or any timm network.
    num_classes : int
        Outputs of the new head, at least 1.

    Returns
    -------
    Module
        The same model.

    Raises
    ------
    ValueError
        No such number of classes, or a model without a recognisable head.
    """
    if type(num_classes) is not int or num_classes < 1:
        parts = ", ".join(name for name, _ in model.named_children())
        raise ValueError(f"a new head of {type(model).__name__} (parts: {parts}) needs a whole "
                         f"number of classes, at least 1; got {num_classes!r}")
    if hasattr(model, "reset_classifier"):  # timm
        old = next(model.parameters())  # older timm makes a float32 layer on the CPU all the same
        model.reset_classifier(num_classes)
        for head in heads(model):
            head.to(old.device, old.dtype)
    else:
        _renew(model, find_head(model, HEAD_KINDS)[0], num_classes)
    for path, side in side_classifiers(model):
        last = [name for name, m in side.named_modules() if isinstance(m, HEAD_KINDS)][-1]
        _renew(model, f"{path}.{last}", num_classes)
    if hasattr(model, "num_classes"):
        model.num_classes = num_classes
    return model


def _renew(model: nn.Module, path: str, num_classes: int) -> None:
    old = model.get_submodule(path)
    like = {"bias": old.bias is not None, "device": old.weight.device, "dtype": old.weight.dtype}
    if isinstance(old, nn.Conv2d):
        new = nn.Conv2d(old.in_channels, num_classes, old.kernel_size, **like)
    else:
        new = nn.Linear(old.in_features, num_classes, **like)
    model.set_submodule(path, new.train(old.training))


def side_classifiers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Auxiliary classifiers, which only training uses, with their paths."""
    return [(path, m) for path, m in model.named_modules()
            if path.rpartition(".")[2].lower().startswith("aux")]


def heads(model: nn.Module) -> list[nn.Module]:
    """The layers that give the logits; timm's distilled networks have two."""
    found = model.get_classifier() if hasattr(model, "get_classifier") else ()
    found = [m for m in (found if isinstance(found, tuple) else (found,)) if list(m.parameters())]
    return found or [find_head(model, HEAD_KINDS)[1]]
