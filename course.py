"""Set the course up beside this file, once, and start it.

    python course.py lab        open JupyterLab on the first lesson; `lab 01` on another one
    python course.py test       run all tests; what follows goes to pytest
    python course.py bench      measure the ratios that the course states
    python course.py doctor     check this computer and say how to repair what is amiss
    python course.py run 00     run a lesson without a browser, into a notebook and a page

Any other word goes to the `tlcourse` command. The first call installs into .venv; after an
interruption the next one goes on. pip's variables (PIP_NO_INDEX, PIP_FIND_LINKS, ...) work.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
HERE = Path(os.path.abspath(__file__)).parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP, LOG = VENV / "installed.txt", VENV / "pip.log"
EXTRAS = {"test": "[test]", "bench": "[test]", "build": "[test]", "classroom": "[classroom]"}
PROGRAMS = {"test": ["-m", "pytest"], "bench": [HERE / "tests" / "bench.py"]}
DISK_FULL = ("No space left on device", "[Errno 28]", "[WinError 112]")
UNREACHED = ("Retry(total=0", "Max retries exceeded", "Read timed out", "IncompleteRead")


def main(words):
    check_python(sys.version_info)
    word, rest = (words[0], words[1:]) if words else ("--help", [])
    extra = "" if "--dry-run" in rest else EXTRAS.get(word, "")  # learners grade offline
    ready = PYTHON.exists() and read(STAMP) in map(stamp, (extra, extra or "[classroom]", "[test]"))
    if word in ("-h", "--help"):
        print(__doc__, flush=True)
        if not ready:
            return 0
    elif not ready:
        install(extra)
        if word == "lab" and subprocess.call([PYTHON, "-m", "tlschool", "doctor"]):
            sys.exit("course.py: installed; repair what is named above, then call again.")
    os.chdir(HERE if word in PROGRAMS else os.curdir)
    program = [PYTHON] + PROGRAMS.get(word, ["-m", "tlschool", word]) + rest
    if os.name != "nt":
        os.execv(PYTHON, program)  # from here on Ctrl-C and the exit code are the program's own
    signal.signal(signal.SIGINT, lambda *_: None)  # JupyterLab asks before it stops: let it
    return subprocess.call(program)


def check_python(version):  # this file parses on every Python 3, so that an old one says so
    if not OLDEST <= version[:2] <= NEWEST:
        told = version[:2] + ("new" if version[:2] > NEWEST else "old",) + NEWEST + OLDEST
        sys.exit("course.py: Python %d.%d is too %s: install Python %d.%d, or any from %d.%d up to "
                 "it, and call this file with that." % told)


def read(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def stamp(extra):
    """What is installed, known by all that it depends on; a moved folder is not installed."""
    files = read(HERE / "pyproject.toml") + read(HERE / "constraints.txt")
    known_by = repr((str(HERE), sys.version_info[:2], files)).encode()
    return "tlcourse%s %s" % (extra, hashlib.sha256(known_by).hexdigest())


def install(extra):
    if not venv_works():
        check_disk()
        print("Installing into %s; the first time takes some minutes." % VENV, flush=True)
        if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV]):
            sys.exit("course.py: Python could not make %s; if it names ensurepip above, install "
                     "the system's package python3-venv, then call again." % VENV)
    for old in (STAMP, LOG):
        old.unlink(missing_ok=True)
    if subprocess.call([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--log", LOG,
                        "-c", "constraints.txt", "-e", "." + extra], cwd=HERE):
        sys.exit("course.py: %s, then call again; it goes on from here." % why_pip_failed())
    STAMP.write_text(stamp(extra))


def venv_works():
    test = "import sys, pip; sys.exit(not %r <= sys.version_info[:2] <= %r)" % (OLDEST, NEWEST)
    try:
        return subprocess.call([PYTHON, "-c", test], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def check_disk():
    sources = " ".join(value for name, value in os.environ.items() if name.startswith("PIP_"))
    needed = 9 if sys.platform == "linux" and "cpu" not in sources else 3  # GB; 9 with CUDA
    free = shutil.disk_usage(HERE).free / 1e9
    if free < needed:
        sys.exit("course.py: %s has %.1f GB free and %d are needed: delete or move large files, "
                 "then call again." % (HERE, free, needed))


def why_pip_failed():
    log = read(LOG)
    if any(sign in log for sign in DISK_FULL) or shutil.disk_usage(HERE).free < 1e8:
        return ("the disk of %s or of the temporary files is full: free some GB there, or set "
                "TMPDIR to a roomier folder" % HERE)
    if any(sign in log for sign in UNREACHED):
        return ("the packages cannot be fetched: connect this computer to the network, or set "
                "PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder of wheels")
    return "pip failed for the reason above, and %s tells all: remove the reason" % LOG


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.stderr.write("\ncourse.py: stopped; the next call goes on from here.\n")
        sys.exit(130)
