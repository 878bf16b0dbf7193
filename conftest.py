"""Every test and notebook, and each process that it starts, is off the network and away from the
learner's own files and settings.
"""

import os
import sys
import tempfile
from pathlib import Path

pytest_plugins = ["nbval_prose"]
OFFLINE = Path(__file__).parent / "tests" / "offline"
APART = (
    "TLCOURSE_WORKSPACE", "TLCOURSE_CACHE", "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
)


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="tlcourse-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    for name in APART:
        os.environ[name] = str(Path(folder.name, name.lower()))

    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(OFFLINE), *([inherited] if inherited else [])])
    sys.path.insert(0, str(OFFLINE))
    import loopback

    loopback.guard()

    import matplotlib

    matplotlib.use("Agg")  # no windows; not through MPLBACKEND, which would reach the kernels
