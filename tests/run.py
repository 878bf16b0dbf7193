"""Run all tests: two workers with whole files each, then by itself what measures time.

    python tests/run.py             everything
    python tests/run.py ARGUMENT    hand the arguments to pytest, in one process

How long each test took is kept in ``build/tests.xml`` and ``build/alone.xml``, as JUnit writes it.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """The first exit status that is not 0."""
    if arguments:
        return pytest(*arguments)
    # A core for each worker: one thread, and sweeps that start no processes of their own.
    together = pytest(*WORKERS, "-m", "not alone", "--junitxml=build/tests.xml",
                      OMP_NUM_THREADS="1", LOKY_MAX_CPU_COUNT="1")
    if together == 2:  # interrupted
        return together
    alone = pytest("-m", "alone", "--junitxml=build/alone.xml")
    return together or alone


def pytest(*arguments: str, **environment: str) -> int:
    """Call pytest with some more variables in its environment."""
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=ROOT,
                           env=os.environ | environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
