"""Values as JSON and safetensors, without pickle: what a checkpoint brings back.

Numbers, text, containers, small arrays, tables and the records of the science are JSON. The
weights of a network lie in a file of their own, named after their content, so that lessons which
train the same network share it.
"""

import dataclasses
import hashlib
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save
from torch import nn

from tlcourse.models.network import Network, small_cnn

MOST_NUMBERS = 2000
"""A larger array is made anew instead of stored."""


class NotStorable(TypeError):
    """A value that only its own code can make again."""


def encode(value: object, weights: dict[str, bytes]) -> object:
    """A value as JSON; the bytes of weights go into `weights`, by the name of their file.

    Raises
    ------
    NotStorable
        A kind that is not stored, an array that is too large.
    """
    def inner(each):
        return encode(each, weights)

    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic | np.ndarray | torch.Tensor):
        return _encode_array(value)
    if type(value) is list:
        return [inner(each) for each in value]
    if type(value) is tuple:
        return {"tuple": [inner(each) for each in value]}
    if type(value) is dict:
        return {"dict": [[inner(key), inner(each)] for key, each in value.items()]}
    if isinstance(value, pd.DataFrame) and value.columns.nlevels == value.index.nlevels == 1:
        return {"table": [[name, str(value[name].dtype), inner(value[name].tolist())]
                          for name in value],
                "index": inner(value.index.tolist()), "names": [value.index.name,
                                                                value.columns.name]}
    if isinstance(value, nn.Module):
        return _encode_network(value, weights)
    if (names := _fields(type(value))) is not None:
        return {"record": f"{type(value).__module__}:{type(value).__qualname__}",
                "fields": {name: inner(getattr(value, name)) for name in names}}
    raise NotStorable(f"a {type(value).__name__} cannot be stored; its code is run instead")


def decode(stored: object, folder: Path, old: object = None) -> object:
    """The value again; weights go into the `old` network where there is one."""
    def inner(each):
        return decode(each, folder)

    if isinstance(stored, list):
        return [inner(each) for each in stored]
    if not isinstance(stored, dict):
        return stored
    if "tuple" in stored:
        return tuple(inner(stored["tuple"]))
    if "dict" in stored:
        return {inner(key): inner(value) for key, value in stored["dict"]}
    if "array" in stored:
        array = np.array(stored["array"], dtype=stored["dtype"])
        return torch.from_numpy(array) if stored["tensor"] else array[()]
    if "table" in stored:
        table = pd.DataFrame({name: pd.Series(inner(cells), dtype=dtype)
                              for name, dtype, cells in stored["table"]})
        table.index, table.columns.name = inner(stored["index"]), stored["names"][1]
        table.index.name = stored["names"][0]
        return table
    if "weights" in stored:
        network = small_cnn(**stored["small_cnn"], seed=0) if old is None else old
        network.load_state_dict(load_file(folder / stored["weights"]))
        return network
    module, _, name = stored["record"].partition(":")
    fields = {key: inner(value) for key, value in stored["fields"].items()}
    return getattr(importlib.import_module(module), name)(**fields)


def _fields(kind: type) -> list[str] | None:
    """Names of the fields of a record of the course, a dataclass or a named tuple."""
    if not kind.__module__.startswith("tlcourse."):
        return None
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    return list(kind._fields) if issubclass(kind, tuple) else None


def _encode_array(value: np.generic | np.ndarray | torch.Tensor) -> dict:
    tensor = isinstance(value, torch.Tensor)
    if tensor and value.is_meta:
        raise NotStorable("a tensor on the meta device has no numbers to store")
    array = value.detach().numpy() if tensor else np.asarray(value)
    if array.size > MOST_NUMBERS or array.dtype == object:
        raise NotStorable(f"an array of {array.size} numbers is too large to be stored")
    return {"array": array.tolist(), "dtype": str(array.dtype), "tensor": tensor}


def _encode_network(model: nn.Module, weights: dict[str, bytes]) -> dict:
    """Its weights, and how to make the network itself where it is the small one of the course."""
    if any(tensor.is_meta for tensor in model.state_dict().values()):
        raise NotStorable("a network on the meta device has no weights to store")
    content = save({key: tensor.contiguous() for key, tensor in model.state_dict().items()})
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.safetensors"
    weights[name] = content
    return {"weights": name, "small_cnn": _recipe(model)}


def _recipe(model: nn.Module) -> dict | None:
    try:
        channels, width = len(model.backbone.normalise.mean), model.head.in_features // 4
        recipe = {"num_classes": model.head.out_features, "channels": channels, "width": width}
        same = small_cnn(**recipe, seed=0).state_dict()
    except (AttributeError, ValueError):
        return None
    own = {key: tensor.shape for key, tensor in model.state_dict().items()}
    plain = isinstance(model, Network) and all(w.requires_grad for w in model.parameters())
    return recipe if plain and own == {key: w.shape for key, w in same.items()} else None
