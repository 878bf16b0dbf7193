"""Set the course up beside this file, once, and start it.

    python course.py lab        open JupyterLab on the first lesson (`lab 01`: on another one)
    python course.py test       run all tests; what follows goes to pytest
    python course.py bench      measure the ratios that the course states
    python course.py doctor     check this computer and say how to repair what is amiss
    python course.py run 00     run a lesson without a browser, write it as notebook and page

Any other word goes to the `tlcourse` command. The first call installs into the folder .venv; when
it was interrupted, the next one goes on. pip's variables (PIP_NO_INDEX, PIP_FIND_LINKS, ...) work.
"""
# This file parses on every Python 3, so that an old one can say that it is too old.

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

OLDEST, NEWEST = (3, 11), (3, 13)
HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
STAMP, LOG = os.path.join(VENV, "installed.txt"), os.path.join(VENV, "pip.log")
EXTRAS = {"test": "[test]", "bench": "[test]", "build": "[test]"}
OFFLINE = ("NewConnectionError", "NameResolutionError", "ConnectTimeout", "ReadTimeout",
           "ProxyError", "Max retries exceeded", "Network is unreachable", "ConnectionError")
FULL = ("No space left on device", "[Errno 28]", "[WinError 112]")


class Problem(Exception):
    """One sentence for the learner: what is wrong and what to do."""


def main(words):
    check_python(sys.version_info)
    word, rest = (words[0], words[1:]) if words else ("--help", [])
    extra = EXTRAS.get(word, "")
    if word in ("-h", "--help"):
        print(__doc__.partition("\n\n")[2])
        if not is_installed(extra):
            return 0
    elif not is_installed(extra):
        install(extra)
        if word == "lab" and subprocess.call([PYTHON, "-m", "tlcourse", "doctor"]):
            raise Problem("the doctor found what is said above; repair it and run this again.")
    if word == "test":
        return start(["-m", "pytest"] + rest, HERE)
    if word == "bench":
        return start([os.path.join("tests", "bench.py")] + rest, HERE)
    return start(["-m", "tlcourse", word] + rest, os.curdir)


def check_python(version):
    if OLDEST <= version[:2] <= NEWEST:
        return
    name = "Python %d.%d" % version[:2]
    raise Problem("%s is too %s for the course: install Python %d.%d (%d.%d or later does) and run "
                  "this file with it." % ((name, "old" if version[:2] < OLDEST else "new")
                                          + NEWEST + OLDEST))


def stamp(extra):
    """What an installation was made from; where the folder was moved, it no longer holds."""
    parts = [HERE.encode("utf-8", "replace"), repr(sys.version_info[:2]).encode()]
    for name in ("pyproject.toml", "constraints.txt"):
        with open(os.path.join(HERE, name), "rb") as file:
            parts.append(file.read())
    return hashlib.sha256(b"\0".join(parts)).hexdigest() + " tlcourse" + extra


def is_installed(extra):
    if not (os.path.exists(PYTHON) and os.path.exists(STAMP)):
        return False
    with open(STAMP) as file:
        return file.read() in (stamp(extra), stamp("[test]"))  # with [test], all is there


def install(extra):
    starts = "import sys, pip; sys.exit(not %r <= sys.version_info[:2] <= %r)" % (OLDEST, NEWEST)
    if not os.path.exists(PYTHON) or subprocess.call([PYTHON, "-c", starts]):
        check_disk()
        print("Making .venv; a first installation takes some minutes ...", flush=True)
        if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV]):
            raise Problem("Python could not make %s for the reason above; if it names ensurepip, "
                          "install the system's package python3-venv." % VENV)
    for old in (STAMP, LOG):
        if os.path.exists(old):
            os.remove(old)
    failed = subprocess.call([PYTHON, "-m", "pip", "install", "--disable-pip-version-check",
                              "--log", LOG, "-c", "constraints.txt", "-e", "." + extra], cwd=HERE)
    if failed:
        raise Problem(why_pip_failed())
    with open(STAMP, "w") as file:
        file.write(stamp(extra))


def needed_gb():
    indexes = os.environ.get("PIP_INDEX_URL", "") + os.environ.get("PIP_EXTRA_INDEX_URL", "")
    return 9 if sys.platform == "linux" and "/cpu" not in indexes else 3  # CUDA comes with Linux's


def check_disk():
    free = shutil.disk_usage(HERE).free / 1e9
    if free < needed_gb():
        raise Problem("%.1f GB are free at %s and the installation needs %d: delete or move large "
                      "files, then run this again." % (free, HERE, needed_gb()))


def why_pip_failed():
    log = ""
    if os.path.exists(LOG):
        with open(LOG, encoding="utf-8", errors="replace") as file:
            log = file.read()
    if any(sign in log for sign in FULL) or shutil.disk_usage(HERE).free < 1e8:
        return ("the disk is full at %s or in the temporary folder %s: free some GB there, or name "
                "a roomier folder in TMPDIR, then run this again; it goes on where it stopped."
                % (HERE, tempfile.gettempdir()))
    if any(sign in log for sign in OFFLINE):
        return ("the network does not answer: connect this computer, or name a folder of wheels "
                "(PIP_NO_INDEX=1 PIP_FIND_LINKS=folder), then run this again; it goes on where it "
                "stopped.")
    return "pip failed, for the reason above; all that it did is in %s." % LOG


def start(arguments, folder):
    command = [PYTHON] + arguments
    sys.stdout.flush()
    os.chdir(folder)
    if os.name != "nt":
        os.execv(PYTHON, command)  # from here on Ctrl-C and the exit code are the program's own
    import signal

    signal.signal(signal.SIGINT, lambda *_: None)  # JupyterLab asks before it stops: let it
    return subprocess.call(command)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit("course.py: %s" % problem)
    except KeyboardInterrupt:
        print("\ncourse.py: stopped; the next call goes on from here.", file=sys.stderr)
        sys.exit(130)
