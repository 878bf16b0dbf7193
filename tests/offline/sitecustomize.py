"""Python imports this as it starts, when this folder is on PYTHONPATH: children are kept offline.

A sitecustomize that the computer has of its own runs all the same.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

import loopback

loopback.guard()

_here = Path(__file__).resolve().parent
if _own := PathFinder.find_spec(
    "sitecustomize", [folder for folder in sys.path if Path(folder).resolve() != _here]
):
    _own.loader.exec_module(module_from_spec(_own))
