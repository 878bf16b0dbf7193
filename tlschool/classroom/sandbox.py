"""Where a submission runs: in bubblewrap where that works, and in any case in a process apart.

Inside bubblewrap there are Python, the installed packages and the course, all read-only, an empty
/tmp, no network, and no other process. Submissions, grades and homes are not there. Nothing stands
between an answer and its check: they share one process, see `pristine`.
"""

import os
import shutil
import site
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import tlcourse
from tlcourse.utils.files import ROOT

_PROBE = """
import pathlib, socket, sys
assert not pathlib.Path(sys.argv[1]).exists(), "files outside can be read"
with open("/proc/net/dev") as file:
    cards = [line.split(":")[0].strip() for line in file if ":" in line]
assert cards in (["lo"], []), "there is a network"
assert not pathlib.Path("/proc", sys.argv[2]).exists(), "other processes can be seen"
import tlcourse.utils.files
print("works")
"""
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store",
           "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
           "/etc/localtime")
_SETTINGS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
             "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
             "PYTHONUTF8": "1"}
ROOM = 500_000_000
"""Bytes of files in /tmp, and again in /dev/shm, where bubblewrap knows how to limit them."""
_HANDED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONPATH")


@cache
def why_not() -> str | None:
    """Try bubblewrap: None when it works, or why submissions run without it."""
    if sys.platform != "linux":
        return "bubblewrap exists on Linux only"
    if (bwrap := shutil.which("bwrap")) is None:
        return "bubblewrap is not installed: install your system's package `bubblewrap`"
    with tempfile.TemporaryDirectory() as folder:
        command = [*walls(), sys.executable, "-c", _PROBE, folder, str(os.getpid())]
        try:
            done = subprocess.run(command, env=environment("/tmp"), capture_output=True, text=True,
                                  timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{bwrap} does not work here: {error}"
    if done.returncode or done.stdout != "works\n":
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        return f"{bwrap} does not work here: {last}"
    return None


def walls() -> list[str]:
    """bubblewrap's command with everything but the command that it is to run.

    To be started in a session of its own, which is not left: so a signal reaches all inside.
    """
    shown = [*_SYSTEM, sys.base_prefix, sys.prefix, str(Path(sys.executable).resolve().parent),
             *site.getsitepackages(), *(path for path in sys.path if path.endswith("-packages")),
             str(Path(tlcourse.__file__).parent), str(Path(__file__).parents[1]),
             str(ROOT / "data"), *map(str, lesson_files())]
    size = ["--size", str(ROOM)] if knows_sizes() else []
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL",
             "--proc", "/proc", "--dev", "/dev", *size, "--tmpfs", "/dev/shm",
             "--remount-ro", "/dev", *size, "--tmpfs", "/tmp"]
    for path in dict.fromkeys(shown):
        if path not in ("/", ""):
            words += ["--ro-bind-try", path, path]
    return [*words, "--remount-ro", "/", "--chdir", "/tmp"]


def knows_sizes() -> bool:
    """Whether the bubblewrap here can limit the files that a submission writes."""
    return _knows_sizes(shutil.which("bwrap"))


@cache
def _knows_sizes(bwrap: str | None) -> bool:
    try:
        asked = subprocess.run([bwrap or "bwrap", "--help"], capture_output=True, text=True,
                               timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "--size" in asked.stdout + asked.stderr


def lesson_files():
    """What the checks read of the lessons: not their solutions, and not the proofs."""
    return [path for name in ("checks.py", "graded.py", "texts.toml")
            for path in (ROOT / "lessons").glob(f"*/{name}")]


def environment(home: str, course: Path | None = None) -> dict[str, str]:
    """The variables of a submission's process: nothing of the grader's own but the search paths.

    With `course`, a copy of the course, Python finds that one first.
    """
    kept = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    if course is not None:
        kept["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(course), kept.get("PYTHONPATH")]))
    names = ("HOME", "TMPDIR", "USERPROFILE", "TEMP", "IPYTHONDIR", "MPLCONFIGDIR",
             "TLCOURSE_WORKSPACE", "TLCOURSE_CACHE")
    return kept | _SETTINGS | dict.fromkeys(names, home)
