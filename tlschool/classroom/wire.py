"""Plain values as JSON and back, between a process that ran a learner's code and one that did not.

Nothing is pickled: whatever arrives is a number, a text, a collection, an array or a tensor, or
an `Odd` thing of which only the name of its type is known.
"""

import base64
import sys
from numbers import Real

import numpy as np

_SIMPLE = (type(None), bool, int, float, str)
_COLLECTIONS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_KINDS = "biufcUSmM"  # of numbers, texts and times, which hold no object


class Odd:
    """In place of what cannot be sent; its type is called as that of the original."""


def pack(value: object) -> object:
    """A plain value, as JSON can have it."""
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if value is ...:
        return {"kind": "gap"}
    if kind is complex:
        return {"kind": "complex", "parts": [value.real, value.imag]}
    if kind.__name__ in _COLLECTIONS and kind.__module__ == "builtins":
        return {"kind": kind.__name__, "inside": [pack(one) for one in value]}
    if issubclass(kind, dict):
        return {"kind": "dict", "inside": [[pack(k), pack(v)] for k, v in dict.items(value)]}
    if kind is range:
        return {"kind": "range", "parts": [value.start, value.stop, value.step]}
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return {**pack(value.detach().cpu().numpy()), "kind": "tensor"}
    if not isinstance(value, type) and hasattr(value, "__array__"):  # pandas' too
        array = np.asarray(value)
        if array.dtype.kind in _KINDS:
            return {"kind": "scalar" if isinstance(value, np.generic) else "array",
                    "dtype": array.dtype.str, "shape": array.shape,
                    "bytes": base64.b64encode(array.tobytes()).decode()}
    if isinstance(value, Real):  # a fraction
        return float(value)
    return {"kind": "odd", "name": kind.__name__}


def unpack(sent: object) -> object:
    """The value that `pack` was given.

    Raises
    ------
    ValueError, KeyError, TypeError
        This is nothing that `pack` makes.
    """
    if type(sent) in _SIMPLE:
        return sent
    kind = sent["kind"]
    if kind in _COLLECTIONS:
        return _COLLECTIONS[kind](unpack(one) for one in sent["inside"])
    if kind == "dict":
        return {unpack(key): unpack(value) for key, value in sent["inside"]}
    if kind == "odd":
        return type(str(sent["name"]), (Odd,), {})()
    if kind in ("gap", "complex", "range"):
        return {"gap": lambda: ..., "complex": complex, "range": range}[kind](
            *sent.get("parts", ()))
    dtype = np.dtype(str(sent["dtype"]))
    if dtype.kind not in _KINDS:
        raise ValueError(f"an array of {dtype} cannot be sent")
    array = np.frombuffer(base64.b64decode(sent["bytes"]), dtype).reshape(sent["shape"]).copy()
    if kind == "tensor":
        import torch

        return torch.from_numpy(array)
    return array[()] if kind == "scalar" else array


def put_back(given: object, after: object) -> None:
    """Change an argument as the function changed its own copy of it."""
    if isinstance(given, list) and isinstance(after, list):
        given[:] = after
    elif isinstance(given, dict) and isinstance(after, dict):
        given.clear()
        given.update(after)
    elif isinstance(given, np.ndarray) and isinstance(after, np.ndarray):
        np.copyto(given, after)
    elif hasattr(given, "copy_") and type(after) is type(given):
        given.copy_(after)
