"""Networks as a backbone and a head, their weights, and the architectures of the field."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["architectures"], submod_attrs={
    "network": ["Network", "Normalise", "as_network", "find_head", "pretrained", "small_cnn"],
    "weights": ["load_weights", "save_weights"],
})
