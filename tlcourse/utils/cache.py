"""Results kept on disk: known by all that they depend on, written whole, checked when read.

`joblib.Memory` is not used, for it keeps pickles and knows a result by the source of one function
alone.
"""

import hashlib
import inspect
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import CodeType

import numpy as np
import torch
from torch import Tensor, nn

from tlcourse.utils.files import cache_folder, write_atomically

NO_SCIENCE = ("notebook", "plots", "_course")
"""Folders of the package that no result depends on; a report draws with `plots`, and keeps none."""


def fingerprint(package: Path) -> str:
    """Hash of the names and bytes of a package's source files, without those of `NO_SCIENCE`."""
    known = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if name.parts[0] not in NO_SCIENCE:
            known.update(f"{name.as_posix()} {path.stat().st_size} ".encode() + path.read_bytes())
    return known.hexdigest()


SCIENCE = fingerprint(Path(__file__).resolve().parents[1])
"""Taken once, at import: the code that this process runs, whatever its files become later."""


def place(kind: str, *known_by: str | np.ndarray | Tensor) -> Path:
    """Where a result is kept, under a name made of all that it depends on.

    Parameters
    ----------
    kind : str
        The folder within the course's cache.
    *known_by : str, array or tensor
        What the result depends on, beside the course's own code and the version of PyTorch. An
        array counts with its type, shape, strides and every value.

    Returns
    -------
    Path
        Nothing need be there yet.
    """
    name = hashlib.sha256()
    for part in (SCIENCE, torch.__version__, *known_by):
        if isinstance(part, str):
            name.update(f"{len(part)} {part}".encode())
        else:
            strides = part.stride() if isinstance(part, Tensor) else part.strides
            name.update(f"{part.dtype} {tuple(part.shape)} {strides}".encode())
            name.update(_bytes(part) if isinstance(part, Tensor) else np.ascontiguousarray(part))
    return cache_folder() / kind / name.hexdigest()[:40]


def read(path: Path) -> bytes | None:
    """What `write` kept there, or None where there is no file or a damaged one."""
    try:
        with path.open("rb") as file:
            digest, content = file.readline(), file.read()
    except OSError:
        return None
    return content if digest == _digest(content) else None


def write(path: Path, content: bytes) -> None:
    """Keep `content` after a line with its SHA-256.

    Raises
    ------
    OSError
        As the system says it (disk full, no permission). The old file is then untouched.
    """
    write_atomically(path, _digest(content) + content)


def parts_of(model: nn.Module) -> Iterator[str | Tensor]:
    """All that the output of a network depends on, for `place`.

    Its structure, weights and buffers, the plain attributes of its modules, and the code of their
    classes, those of PyTorch excepted.
    """
    yield repr(model)
    every_module_has = vars(nn.Module()).keys()
    attributes = ((f"{module_name}.{name}", value) for module_name, module in model.named_modules()
                  for name, value in vars(module).items() if name not in every_module_has)
    for name, value in chain(attributes, model.named_parameters(), model.named_buffers()):
        yield name
        yield value if isinstance(value, Tensor) else described(value)
    classes = {cls for module in model.modules() for cls in type(module).__mro__}
    for cls in sorted(classes, key=lambda cls: (cls.__module__, cls.__qualname__)):
        if not cls.__module__.startswith(("torch.", "builtins")):  # PyTorch's version is known
            yield described(cls)


def described(value) -> str:
    """What a function or a class does, a plain value, or the type of any other.

    Functions are known by their compiled code and the defaults of their parameters, classes by
    their methods and plain attributes, without the places in memory and in files where they stand.
    """
    value = getattr(value, "__func__", getattr(value, "fget", value))  # of methods and properties
    if inspect.isclass(value):
        return repr([(name, described(part)) for name, part in vars(value).items()
                     if not name.startswith("__") or inspect.isfunction(part)])
    if inspect.isfunction(value):
        defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).items()]
        return repr([_code(value.__code__), *map(described, defaults)])
    known = isinstance(value, (int, float, str, list, tuple, type(None)))
    return repr(value) if known else getattr(value, "__qualname__", type(value).__qualname__)


def _code(code: CodeType) -> list:
    constants = [_code(c) if isinstance(c, CodeType) else c for c in code.co_consts]
    constants = [sorted(map(repr, c)) if isinstance(c, frozenset) else c for c in constants]
    return [code.co_code, code.co_names, constants]


def _bytes(tensor: Tensor) -> np.ndarray:
    """The bytes of a tensor, where it can be in the order of its memory, which needs no copy."""
    tensor = tensor.detach().cpu()
    if tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last):
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n"
