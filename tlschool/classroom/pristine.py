"""Undo what a submission changed in the course and in the libraries that the checks rely on.

This finds modules, functions, classes and methods that were replaced, and functions whose code
was. It is a guard against the tricks that are found by searching, not a wall: a network cannot be
handed to another process unchanged, so there learner and check share one.
"""

import re
import sys
import types
from collections.abc import Iterable

import numpy as np

PACKAGES = ("tlcourse", "tlschool")
"""The course's own packages."""
_WHOLE = re.compile(r"(tlschool|tlcourse\.notebook)(\.|$)")  # tables and numbers of the checks too
_GUARDED = {"builtins", "inspect", "dis", "math", "copy", "json", "os", "sys", "signal", "types",
            "torch", "numpy", "sklearn", *PACKAGES}
_CLASSES = {"torch.Tensor", "torch.nn.modules.module.Module", "torch._tensor.Tensor"}
_CHANGE_THEMSELVES = {"torch.manual_seed", "torch.onnx.symbolic_helper"}  # as parts are imported
_CHANGED_BY_TORCH = {"inspect.getfile": "package_importer.py"}  # as torch is imported
_KEPT = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType,
         property, staticmethod, classmethod, type(np.allclose), np.ufunc)


class Pristine:
    """What the guarded modules hold when this is made, to be put back later.

    Parameters
    ----------
    steps : functions
        The checks themselves, of which closures are kept too.
    """

    def __init__(self, steps: Iterable[types.FunctionType] = ()):
        self._modules = {
            name: module for name, module in list(sys.modules.items())
            if name.partition(".")[0] in _GUARDED and isinstance(module, types.ModuleType)}
        modules = list(self._modules.values())
        classes = {id(value): value for module in modules for value in vars(module).values()
                   if issubclass(type(value), type) and _is_guarded(value)}
        self._held = [(space, {name: value for name, value in list(vars(space).items())
                               if issubclass(type(value), _KEPT) or _is_kept_whole(space)})
                      for space in (*modules, *classes.values())]
        functions = {id(value): value for _, held in self._held for value in held.values()
                     if isinstance(value, types.FunctionType)
                     and str(value.__module__).partition(".")[0] in PACKAGES}
        functions |= {id(step): step for step in steps if isinstance(step, types.FunctionType)}
        self._codes = [(function, _inside(function)) for function in functions.values()]

    def restore(self) -> list[str]:
        """Put back what was changed, and name it, such as ``tlcourse.notebook.check.grade``."""
        changed = [f"sys.modules[{name!r}]" for name, module in self._modules.items()
                   if sys.modules.get(name) is not module]
        sys.modules.update(self._modules)
        for space, held in self._held:
            now = vars(space)
            for name, value in held.items():
                full = f"{_name(space)}.{name}"
                if now.get(name) is not value and full not in _CHANGE_THEMSELVES:
                    if not _is_by_torch(full, now.get(name)):
                        changed.append(full)
                    setattr(space, name, value)
            if isinstance(space, type) and _is_kept_whole(space):
                for name in set(now) - set(held):
                    delattr(space, name)
                    changed.append(f"{_name(space)}.{name}")
        for function, inside in self._codes:
            if not _same(_inside(function), inside):
                code, defaults, keywords, contents = inside
                function.__code__, function.__defaults__ = code, defaults
                function.__kwdefaults__ = dict(keywords) or None
                for cell, content in zip(function.__closure__ or (), contents, strict=True):
                    cell.cell_contents = content
                changed.append(_name(function))
        return sorted(set(changed))


def _is_by_torch(name: str, value) -> bool:
    """Whether this is what torch itself puts there, which says nothing about the learner."""
    code = getattr(value, "__code__", None)
    return (isinstance(code, types.CodeType) and name in _CHANGED_BY_TORCH
            and code.co_filename.endswith(_CHANGED_BY_TORCH[name]))


def _is_guarded(kind: type) -> bool:
    name = f"{kind.__module__}.{kind.__qualname__}"
    return kind.__module__.partition(".")[0] in PACKAGES or name in _CLASSES


def _is_kept_whole(space) -> bool:
    """Whether a module, or the module of a class, belongs to the grading or to the checks."""
    home = space.__name__ if isinstance(space, types.ModuleType) else space.__module__
    return _WHOLE.match(home) is not None


def _inside(function):
    contents = tuple(_content(cell) for cell in function.__closure__ or ())
    return (function.__code__, function.__defaults__, dict(function.__kwdefaults__ or {}),
            contents)


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _same(now, before):
    return (now[0] is before[0] and now[1] is before[1] and now[2] == before[2]
            and all(a is b for a, b in zip(now[3], before[3], strict=True)))


def _name(thing) -> str:
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    return f"{thing.__module__}.{thing.__qualname__}"
