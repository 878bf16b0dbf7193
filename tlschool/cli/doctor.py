"""Is this computer ready for the course? One line a check, and for each problem its repair.

Only the standard library is imported up here, for any other package may be what is missing.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from tlcourse.notebook import places

OLDEST, NEWEST = (3, 11), (3, 13)
DISK_GB, MEMORY_GB = 1, 1
"""What the workspace, and a lesson beside a browser, need free."""

_PIP = f'"{sys.executable}" -m pip install'


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name : str
    ok : bool
    detail : str
        What is there, in a few words.
    fix : str
        What to do when it is not well, in one sentence.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""

    def __str__(self) -> str:
        line = f"{'✓ ok     ' if self.ok else '✗ problem'}  {self.name}: {self.detail}"
        return line if self.ok else f"{line}\n             to repair: {self.fix}"


def report() -> int:
    """Print a line for each check as it ends; 0 when all are well, otherwise 1."""
    problems = 0
    for finding in examine():
        print(finding, flush=True)
        problems += not finding.ok
    print(f"Problems to repair: {problems}." if problems else "All well.")
    return min(problems, 1)


def examine() -> Iterator[Finding]:
    """Do all checks, the quick ones first. One that breaks down is a problem, not the end."""
    for check in CHECKS:
        try:
            yield check()
        except Exception as error:  # noqa: BLE001, the other checks must still be made
            yield Finding(check.__name__, False,
                          f"could not be checked ({type(error).__name__}: {_first_line(error)})",
                          "repair the other problems, or else install the course once more")


def python() -> Finding:
    """The version of Python is one that the packages exist for."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", OLDEST <= sys.version_info[:2] <= NEWEST,
                   f"{found} at {sys.executable}",
                   "set the course up with Python {}.{} to {}.{}".format(*OLDEST, *NEWEST))


def packages() -> Finding:
    """Every package that tlcourse requires is installed, in a version that it accepts."""
    from packaging.requirements import Requirement

    try:
        required = [Requirement(line) for line in metadata.requires("tlcourse") or ()]
    except metadata.PackageNotFoundError:
        return Finding("packages", False, "tlcourse is not installed",
                       f"run {_PIP} followed by the folder or the wheel of the course")
    required = [r for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = {}
    for need in required:
        found = next((one.version for one in metadata.distributions(name=need.name)), None)
        if found is None or not need.specifier.contains(found, prereleases=True):
            wrong[f'"{need.name}{need.specifier}"'] = f"{need.name} is {found or 'missing'}"
    return Finding("packages", not wrong,
                   "; ".join(wrong.values()) or f"all {len(required)} are installed",
                   f"run {_PIP} {' '.join(wrong)}")


def workspace() -> Finding:
    """The folder of the learner's files can be written."""
    home, reason = places.workspace(), None
    try:
        tempfile.TemporaryFile(dir=_existing(home)).close()
    except OSError as error:
        reason = error.strerror or error
    state = f"cannot be written ({reason})" if reason else "can be written"
    return Finding("workspace", reason is None, f"{home} {state}",
                   "give yourself the right, or set TLCOURSE_WORKSPACE to a folder of your own")


def disk() -> Finding:
    """There is room for the learner's files."""
    free = shutil.disk_usage(_existing(places.workspace())).free / 1e9
    return Finding("disk", free >= DISK_GB, f"{free:.1f} GB free",
                   f"delete or move large files until {DISK_GB} GB is free")


def memory() -> Finding:
    """There is memory for a lesson."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    return Finding("memory", free >= MEMORY_GB, f"{free:.1f} GB available",
                   f"close other programs until {MEMORY_GB} GB is available")


def kernel() -> Finding:
    """The entry that Jupyter and editors look up starts this Python; `tlcourse lab` needs none."""
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
    from jupyter_client.manager import KernelManager

    kernel = KernelManager(kernel_name=NATIVE_KERNEL_NAME)
    starts = kernel.format_kernel_cmd()[0]
    # The folder, for the programs of two environments may be links to one and the same file.
    ours = os.path.exists(starts) and os.path.samefile(
        Path(starts).parent, Path(sys.executable).parent)
    state = "this Python" if ours else f"{starts}, which is missing or another Python"
    return Finding("kernel", ours, f"{NATIVE_KERNEL_NAME} starts {state}",
                   f"delete the folder {kernel.kernel_spec.resource_dir} and run "
                   f'"{sys.executable}" -m ipykernel install --sys-prefix')


def torch_pair() -> Finding:
    """torch and torchvision are versions of one pair, and load."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    torch, vision = metadata.version("torch"), metadata.version("torchvision")
    needs = map(Requirement, metadata.requires("torchvision") or ())
    needed = next((need.specifier for need in needs if need.name == "torch"), SpecifierSet())
    wrong = ""
    try:
        import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        nms = "torchvision::nms" in str(error)  # what a torchvision for another torch lacks
        wrong = "do not match" if nms else f"do not load ({_first_line(error)})"
    if not needed.contains(torch, prereleases=True):
        wrong = f"do not match: torch{needed} is needed"
    return Finding("torch", not wrong,
                   f"torch {torch} and torchvision {vision} {wrong or 'match and load'}",
                   f'run {_PIP} --force-reinstall "torch{needed}" '
                   f'"torchvision=={vision.partition("+")[0]}"')


def data() -> Finding:
    """Every bundled data file is the one that the manifest names."""
    from tlcourse.data import bundled

    damaged, number = [], len(bundled.manifest())
    for name in bundled.manifest():
        try:
            bundled.verify(name)
        except bundled.DataError as error:
            damaged.append(str(error))
    state = f"{len(damaged)} of {number} files are missing or damaged"
    return Finding("data", not damaged,
                   state if damaged else f"all {number} files are there and whole",
                   "; ".join(damaged))


def device() -> Finding:
    """For information only: the course runs on the CPU."""
    import torch

    found = "a GPU" if torch.cuda.is_available() or torch.backends.mps.is_available() else "no GPU"
    return Finding("device", True, f"{found} was found, and none is needed; "
                                   f"torch uses {torch.get_num_threads()} CPU threads")


CHECKS = python, packages, workspace, disk, memory, kernel, torch_pair, data, device


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
