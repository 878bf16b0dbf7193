"""Run all tests: two workers with whole files each, then by itself what measures time.

    python tests/run.py             everything
    python tests/run.py ARGUMENT    hand the arguments to pytest, in one process

How long each test took is kept in ``build/tests.xml`` and ``build/alone.xml``, as JUnit writes it.
What failed in either is listed once more at the end.
"""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
KEPT = [ROOT / "build" / "tests.xml", ROOT / "build" / "alone.xml"]
WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """The first exit status that is not 0."""
    if arguments:
        return pytest(*arguments)
    for old in KEPT:
        old.unlink(missing_ok=True)
    # A core for each worker: one thread, and sweeps that start no processes of their own.
    together = pytest(*WORKERS, "-m", "not alone", f"--junitxml={KEPT[0]}",
                      OMP_NUM_THREADS="1", LOKY_MAX_CPU_COUNT="1")
    if together == 2:  # interrupted
        return together
    alone = pytest("-m", "alone", f"--junitxml={KEPT[1]}")
    for path in filter(Path.exists, KEPT):
        for name in failed(path):
            print(f"failed: {name}", flush=True)
    return together or alone


def failed(path: Path) -> list[str]:
    """Tests with a failure or an error in a JUnit file, and how the first line tells it."""
    found = ((case, what) for case in ElementTree.parse(path).iter("testcase")
             for what in case if what.tag in ("failure", "error"))
    return [f"{case.get('classname')} {case.get('name')}: {what.get('message', '')[:200]!r}"
            for case, what in found]


def pytest(*arguments: str, **environment: str) -> int:
    """Call pytest with some more variables in its environment."""
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=ROOT,
                           env=os.environ | environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
