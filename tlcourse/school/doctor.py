"""Is this computer ready for the course? One line a check, and for each problem its repair."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from packaging.requirements import Requirement

from tlcourse.files import IS_CHECKOUT, ROOT
from tlcourse.school import places

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
        except Exception as error:
            yield Finding(
                check.__name__.replace("_", " "), False,
                f"could not be checked ({type(error).__name__}: {_first_line(error)})",
                "repair the other problems first, then run tlcourse doctor again",
            )


def python() -> Finding:
    """The version of Python is one that the packages exist for."""
    low, high = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "Python", OLDEST <= sys.version_info[:2] <= NEWEST, f"{found} at {sys.executable}",
        f"install Python {high} (anything from {low} to {high}) and set the course up with it",
    )


def packages() -> Finding:
    """Every package that tlcourse requires is installed, in a version that it accepts."""
    try:
        required = [Requirement(line) for line in metadata.requires("tlcourse") or ()]
    except metadata.PackageNotFoundError:
        again = f'-e "{ROOT}"' if IS_CHECKOUT else "the wheel of the course"
        return Finding("packages", False, "tlcourse is not installed", f"run {_PIP} {again}")
    required = [r for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong, wanted = [], []
    for need in required:
        found = _version(need.name)
        if found and need.specifier.contains(found, prereleases=True):
            continue
        wrong.append(
            f"{need.name} is {found}, needed {need.specifier}" if found
            else f"{need.name} is missing"
        )
        wanted.append(f'"{need.name}{need.specifier}"')
    return Finding(
        "packages", not wrong, "; ".join(wrong) or f"all {len(required)} installed",
        f"run {_PIP} {' '.join(wanted)}",
    )


def workspace() -> Finding:
    """The folder of the learner's files can be written."""
    home = places.workspace()
    try:
        with tempfile.TemporaryFile(dir=_existing(home)):
            return Finding("workspace", True, f"{home} can be written")
    except OSError as error:
        return Finding(
            "workspace", False, f"{home} cannot be written ({error.strerror or error})",
            "allow yourself to write there, or set TLCOURSE_WORKSPACE to a folder of your own",
        )


def disk() -> Finding:
    """There is room for the learner's files."""
    free = shutil.disk_usage(_existing(places.workspace())).free / 1e9
    return Finding(
        "disk", free >= DISK_GB, f"{free:.1f} GB free",
        f"free some disk space until {DISK_GB} GB is left: delete or move large files",
    )


def memory() -> Finding:
    """There is memory for a lesson."""
    import psutil

    free = psutil.virtual_memory().available / 1e9
    return Finding(
        "memory", free >= MEMORY_GB, f"{free:.1f} GB available",
        f"close other programs until {MEMORY_GB} GB is available",
    )


def kernel() -> Finding:
    """The entry that Jupyter and editors look up starts this Python; `tlcourse lab` needs none."""
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager

    spec = KernelSpecManager().get_kernel_spec(NATIVE_KERNEL_NAME)
    command = spec.argv[0]
    ours = Path(sys.executable)
    # Jupyter puts the running Python in the place of these names.
    if command in ("python", "python3", f"python3.{sys.version_info.minor}"):
        command = sys.executable
    command = shutil.which(command) or command
    if not os.path.exists(command):
        state = f"starts {command}, which does not exist"
    elif not os.path.samefile(Path(command).parent, ours.parent):
        state = f"starts another Python, {command}"
    else:
        return Finding("kernel", True, f"{NATIVE_KERNEL_NAME} starts this Python")
    return Finding(
        "kernel", False, f"{NATIVE_KERNEL_NAME} {state}",
        f'delete the folder {spec.resource_dir} and run "{ours}" -m ipykernel install --sys-prefix',
    )


def torch_pair() -> Finding:
    """torch and torchvision are versions of one pair, and load."""
    torch, vision = _version("torch"), _version("torchvision")
    named = f"torch {torch} and torchvision {vision}"
    needed = [Requirement(line) for line in metadata.requires("torchvision") or ()]
    needed = next((r.specifier for r in needed if r.name == "torch"), "")
    pair = f'"torch{needed}" "torchvision=={(vision or "").partition("+")[0]}"'
    reinstall = f"run {_PIP} --force-reinstall {pair}"
    if needed and not needed.contains(torch or "0", prereleases=True):
        return Finding(
            "torch", False, f"{named} do not match: this torchvision needs torch{needed}", reinstall
        )
    try:
        import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        unmatched = "torchvision::nms" in str(error)
        return Finding(
            "torch", False,
            f"{named} " + ("do not match" if unmatched else f"do not load ({_first_line(error)})"),
            reinstall,
        )
    return Finding("torch", True, f"{named} match and load")


def data() -> Finding:
    """Every bundled data file is the one that the manifest names."""
    from tlcourse import data

    damaged = []
    for name in data.manifest():
        try:
            data.verify(name)
        except data.DataError as error:
            damaged.append(str(error))
    if damaged:
        return Finding("data", False, f"{len(damaged)} damaged", "; ".join(damaged))
    return Finding("data", True, f"all {len(data.manifest())} files have their checksums")


def device() -> Finding:
    """For information only: the course runs on the CPU."""
    import torch

    if torch.cuda.is_available():
        found = f"GPU {torch.cuda.get_device_name()}"
    elif torch.backends.mps.is_available():
        found = "Apple GPU"
    else:
        found = "no GPU, and none is needed"
    return Finding("device", True, f"{found}; torch uses {torch.get_num_threads()} CPU threads")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python, packages, workspace, disk, memory, kernel, torch_pair, data, device,
)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
