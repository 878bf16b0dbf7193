"""An answer as plain numbers, lists, arrays and tensors, which cannot say what they are not.

An object of a learner's own class can be equal to everything, and a subclass of an array can lie
about its sum. What a check compares is therefore of exactly the types that it asks for.
"""

import functools
import sys
import types
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

_AS_THEY_ARE = (type(None), bool, int, float, complex, str, bytes, range, slice)
_CHANGED = (  # the base type, and how a subclass becomes it without asking the object
    (str, str.__str__), (int, int.__int__), (float, float.__float__),
    (np.ndarray, lambda value: np.ndarray.view(value, np.ndarray)),
)
_LIES = ("__eq__", "__lt__", "__gt__", "__float__", "__array__", "__getattr__", "__getattribute__")
_MADE_BY_US = "__main__"


def plain(value: object) -> object:
    """The value with all that is in it of exactly the types of Python, NumPy and torch.

    A value that is so already is handed back itself.

    Raises
    ------
    TypeError
        An object of a class of the learner's own, which decides itself what it is equal to.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if issubclass(kind, list | tuple | set | frozenset):
        return _collection(value, kind)
    if issubclass(kind, dict):
        return _dictionary(value, kind)
    if kind.__module__ == _MADE_BY_US:
        for base, become in _CHANGED:
            if issubclass(kind, base):
                return become(value)
    elif issubclass(kind, np.ndarray) and kind is not np.ndarray:
        return np.ndarray.view(value, np.ndarray)
    return _tensor(value, kind)


def plain_answer(answer: object) -> object:
    """The answer as plain values; of a function, one that returns them."""
    if not isinstance(answer, types.FunctionType):
        return plain(answer)
    return _returning_plain(answer)


def _returning_plain(function: Callable) -> Callable:
    @functools.wraps(function)
    def call(*given, **named):
        return plain(function(*given, **named))

    return call


def _collection(value, kind):
    base = next(base for base in (list, tuple, set, frozenset) if issubclass(kind, base))
    inside = [*base.__iter__(value)]
    made = [plain(one) for one in inside]
    is_same = all(a is b for a, b in zip(inside, made, strict=True))
    return value if is_same and kind.__module__ != _MADE_BY_US else base(made)


def _dictionary(value, kind):
    inside = dict(dict.items(value))
    made = {plain(key): plain(one) for key, one in inside.items()}
    is_same = all(made.get(key) is one for key, one in inside.items())
    if is_same and kind.__module__ != _MADE_BY_US:
        return value
    return OrderedDict(made) if issubclass(kind, OrderedDict) else made


def _tensor(value, kind):
    """A tensor as one of torch's own kinds; anything else as it is, unless it could lie."""
    torch = sys.modules.get("torch")  # to import it takes memory that a submission may not have
    if torch is None or not issubclass(kind, torch.Tensor):
        if kind.__module__ == _MADE_BY_US and any(
                name in vars(one) for one in kind.__mro__ if one.__module__ == _MADE_BY_US
                for name in _LIES):
            raise TypeError(f"a plain number, text, list, array or tensor is needed, and this is "
                            f"an object of the class {kind.__name__}")
        return value
    shadows = any(callable(one) for one in object.__getattribute__(value, "__dict__").values())
    if kind.__module__.partition(".")[0] == "torch" and not shadows:
        return value
    with torch._C.DisableTorchFunctionSubclass():
        return torch.Tensor.as_subclass(value, torch.Tensor)
