"""Records of long runs, and the scripts that made them."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from tlcourse.utils.files import ROOT

FOLDER = ROOT / "data" / "runs"


def script(path: Path) -> ModuleType:
    """Import a file of Python by its path; what pickles its functions looks in `sys.modules`."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def record(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def the_run(kept: dict, **key) -> dict:
    """The one run of a record that has these settings."""
    (run,) = runs_of(kept["runs"], **key)
    return run


def runs_of(runs: list[dict], **key) -> list[dict]:
    """The runs that have these settings."""
    return [run for run in runs if key.items() <= run.items()]


def spread(values: list[float], least: float) -> float:
    """How far today's run may be from the recorded one: three standard deviations over seeds.

    Another kind of processor rounds otherwise, and some hundred steps of training make of that
    what another seed would have made. `least` holds where all seeds came out nearly equal.
    """
    return max(least, 3 * float(np.std(values, ddof=1)))
