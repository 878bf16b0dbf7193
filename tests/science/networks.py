"""Networks of three libraries with weights drawn at random, pictures for them, and what training
changed in them.
"""

import torch
import torchvision

from tlcourse.data import Domain
from tlcourse.models import as_network, small_cnn
from tlcourse.training import fit


def bare(name, num_classes=3):
    """A network with weights drawn at random; "timm:" before the name takes it from timm."""
    if name.startswith("timm:"):
        import timm

        return timm.create_model(name[5:], pretrained=False, num_classes=num_classes)
    if name == "small_cnn":
        return small_cnn(num_classes, channels=3, width=4, seed=0)
    options = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(name, weights=None, num_classes=num_classes, **options)


def network(name):
    return bare(name) if name == "small_cnn" else as_network(bare(name))


def blobs(n: int, *, brightness: float, seed: int) -> Domain:
    """Three classes of pictures, told apart by where they are bright."""
    y = torch.arange(n) % 3
    X = 0.3 * torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    for i, k in enumerate(y):
        X[i, 0, 5 * k : 5 * k + 5] += brightness
    return Domain("blobs", X, y)


def noise(n: int = 20, *, channels: int = 1, size: int = 16) -> Domain:
    generator = torch.Generator().manual_seed(3)
    X = torch.rand(n, channels, size, size, generator=generator)
    return Domain("noise", X, torch.arange(n) % 2)


def epoch(model, domain, **options):
    return fit(model, domain, steps=3, batch_size=8, seed=0, **options)


def snapshot(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(module, before):
    return {name for name, t in module.state_dict().items() if not torch.equal(t, before[name])}
