"""Set the course up beside this file, once, and start it.

    python course.py lab        open JupyterLab on the first lesson; `lab 01` on another one
    python course.py test       run all tests; what follows goes to pytest
    python course.py bench      measure the ratios that the course states
    python course.py doctor     check this computer and say how to repair what is amiss
    python course.py run 00     run a lesson without a browser, into a notebook and a page

What follows `lab` and its lesson goes to JupyterLab: `lab 01 --no-browser --port 9999`. The first
call installs into .venv; after an interruption the next one goes on. On Linux without an NVIDIA
card, `lab --cpu` installs the smaller PyTorch for CPUs, and later calls keep it. pip's settings
(PIP_NO_INDEX, PIP_FIND_LINKS, ...) work. Any other word goes to the `tlcourse` command.
"""

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
HERE = Path(os.path.abspath(__file__)).parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP, LOG, CPU = VENV / "installed.txt", VENV / "install.log", VENV / "cpu.txt"
EXTRAS = dict.fromkeys(("test", "bench", "build", "new", "refresh"), "[test]")
EXTRAS["classroom"] = "[classroom]"
PROGRAMS = {"test": [HERE / "tests" / "run.py"], "bench": [HERE / "tests" / "bench.py"]}
PIP = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
PINS = ["-c", "constraints.txt"]
CPU_INDEX = ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]
UV_NAMES = {  # what uv calls pip's settings: options, and variables of the environment
    "index-url": "--default-index", "extra-index-url": "--index", "find-links": "--find-links",
    "constraint": "--constraints", "trusted-host": "--allow-insecure-host", "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY", "timeout": "UV_HTTP_TIMEOUT", "default-timeout": "UV_HTTP_TIMEOUT",
    "no-index": "--no-index", "no-cache-dir": "--no-cache",
}
DISK_FULL = ("No space left on device", "[Errno 28]", "[WinError 112]", "(os error 112)")
UNREACHED = ("Retry(total=0", "Max retries exceeded", "Read timed out", "IncompleteRead")


def main(words):
    check_python(sys.version_info)
    cpu = sys.platform == "linux" and ("--cpu" in words or CPU.exists())
    words = [word for word in words if word != "--cpu"]
    word, rest = (words[0], words[1:]) if words else ("--help", [])
    extra = "" if "--dry-run" in rest else EXTRAS.get(word, "")  # learners grade offline
    enough = map(stamp, (extra, extra or "[classroom]", "[test]"))
    ready = PYTHON.exists() and (CPU.exists() or not cpu) and read(STAMP) in enough
    if word in ("-h", "--help") or not ready and {"-h", "--help"} & set(rest):
        print(__doc__, flush=True)
        if not ready:
            return 0
    elif not ready:
        install(extra, cpu)
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


def install(extra, cpu):
    """Install with uv or, where there is none or it fails, with pip."""
    what, remake = "Installing what is missing", cpu and not CPU.exists()
    if remake or not works(PYTHON, "-c", "import sys, pip; sys.exit(not %r <= sys.version_info[:2] "
                           "<= %r)" % (OLDEST, NEWEST)):
        what = "Downloading and installing packages, about %d GB" % (5 if check_disk(cpu) else 1)
        print("Installing into %s takes minutes: keep this window open." % VENV, flush=True)
        if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV]):
            sys.exit("course.py: Python could not make %s; if it names ensurepip above, install "
                     "the system's package python3-venv, then call again." % VENV)
    if cpu:
        CPU.touch()
    for old in (STAMP, LOG):
        old.unlink(missing_ok=True)
    wanted = PINS + ["-e", "." + extra]
    uv, (options, variables) = find_uv(), uv_settings(cpu)
    # Compiled now, as pip does it: else each start compiles where Python may not keep what it made.
    by_uv = [uv, "pip", "install", "--compile-bytecode", "--python", PYTHON] + options + wanted
    by_pip = PIP + CPU_INDEX * cpu + wanted
    done = uv and stage(what, by_uv, dict(variables, **os.environ))
    if not done and (disk_is_full() or not stage(what + ", with pip", by_pip)):
        sys.exit("course.py: %s, then call again; it goes on from here." % why_it_failed())
    STAMP.write_text(stamp(extra))


def works(*command):
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def check_disk(cpu):
    """Stop where the disk is too small; True where the packages are the large ones with CUDA."""
    sources = " ".join(os.environ[name] for name in os.environ if name[:4] in ("PIP_", "UV_T"))
    large = sys.platform == "linux" and not cpu and "cpu" not in sources
    free, needed = shutil.disk_usage(HERE).free / 1e9, 9 if large else 3
    if free < needed:
        sys.exit("course.py: %s has %.1f GB free and %d are needed: delete or move large files, "
                 "then call again." % (HERE, free, needed))
    return large


def find_uv():
    """uv of the environment or of the computer, else fetched now; None where it cannot be had."""
    own = PYTHON.with_name("uv" + PYTHON.suffix)
    for uv in (own, shutil.which("uv")):
        if uv and works(uv, "--version"):
            return uv
    fetch = ["--retries", "1", "--only-binary", "uv", "--force-reinstall", "uv"]
    return own if stage("Fetching uv, which installs faster", PIP + PINS + fetch) else None


def uv_settings(cpu):
    """Options and variables that make uv read packages from where pip's settings say."""
    told = subprocess.run(PIP[:3] + ["config", "list"], capture_output=True, text=True).stdout
    found = re.findall(r"(?m)^(global|install|:env:)\.([\w-]+)=(...+)", told)
    found.sort(key=lambda line: ("global", "install", ":env:").index(line[0]))  # the last one holds
    options, variables = [], {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_SYSTEM_CERTS": "1"}
    for name, value in {name: ast.literal_eval(text) for _, name, text in found}.items():
        known_as = UV_NAMES.get(name, "")
        if name in ("no-index", "no-cache-dir"):
            options += [known_as] * (value.lower() in ("1", "true", "yes", "on", "y", "t"))
        elif known_as.startswith("--"):
            options += [part for one in value.split() for part in (known_as, one)]
        elif known_as:
            variables[known_as] = value
    return options + ["--torch-backend", "cpu"] * cpu, variables


def stage(text, command, environment=None):
    """Run a program into the log and show the seconds that it takes; True when it succeeds."""
    begun, again = time.time(), "\r%s ... " % text if sys.stdout.isatty() else ""
    print(text, end=" ... ", flush=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, cwd=HERE, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
    try:
        while process.poll() is None:
            time.sleep(0.2)
            if again:
                print("%s%d s" % (again, time.time() - begun), end="", flush=True)
    finally:
        process.terminate()  # it runs no more, unless this program was interrupted
        process.wait()
    failed = ", did not succeed" if process.returncode else ""
    print("%s%d s%s" % (again, time.time() - begun, failed), flush=True)
    return process.returncode == 0


def disk_is_full():
    return any(sign in read(LOG) for sign in DISK_FULL) or shutil.disk_usage(HERE).free < 1e8


def why_it_failed():
    if disk_is_full():
        return ("the disk of %s, of uv's cache or of the temporary files is full: free some GB "
                "there, or set UV_CACHE_DIR and TMPDIR to roomier folders" % HERE)
    if any(sign in read(LOG) for sign in UNREACHED):
        return ("the packages cannot be fetched: connect this computer to the network, or set "
                "PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder of wheels")
    sys.stderr.write("\n".join(read(LOG).splitlines()[-12:]) + "\n")  # pip's reason
    return "pip failed for the reason above, and %s tells all: remove the reason" % LOG


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.stderr.write("\ncourse.py: stopped; the next call goes on from here.\n")
        sys.exit(130)
