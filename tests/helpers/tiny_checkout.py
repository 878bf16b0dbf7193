"""A checkout with the true launcher, which installs for real and has next to nothing to install."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import uv

from tlcourse.utils.files import ROOT

UV = {"PATH": os.pathsep.join([str(Path(uv.find_uv_bin()).parent), os.environ["PATH"]])}
"""Makes `uv` a program of this computer."""

SOURCE = (ROOT / "course.py").read_text(encoding="utf-8")

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = '''
"""Builds the tiny course without any package; it waits while there is a file named slow."""
import os, pathlib, time, zipfile

HERE = pathlib.Path(__file__).parent

def build_editable(folder, config_settings=None, metadata_directory=None):
    while (HERE / "slow").exists():
        (HERE / "begun").touch()
        time.sleep(0.05)
    needs = (HERE / "needs").read_text() if (HERE / "needs").exists() else ""
    info = "tlcourse-1.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder, "tlcourse-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("tlcourse.pth", str(HERE))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tlcourse\\nVersion: 1\\n"
                       "Provides-Extra: test\\nProvides-Extra: classroom\\n" + needs)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: tiny\\n"
                       "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "tlcourse-1-py3-none-any.whl"
'''
PROGRAM = '''
"""Says how it was called, and ends as the word `exit` or a file named sick asks it to."""
import json, os, pathlib, sys
print(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:], os.getcwd()]), flush=True)
sick = sys.argv[1:] == ["doctor"] and pathlib.Path(__file__).with_name("sick").exists()
sys.exit(int(sys.argv[2]) if sys.argv[1:2] == ["exit"] else int(sick))
'''


class Tiny:
    """A checkout with the true launcher and next to nothing to install."""

    def __init__(self, folder):
        self.folder = folder
        self.stamp, self.log = folder / ".venv" / "installed.txt", folder / ".venv" / "install.log"
        for name, text in {
            "course.py": SOURCE, "pyproject.toml": PYPROJECT, "constraints.txt": "",
            "backend.py": BACKEND, "tlschool/__init__.py": "", "tlschool/__main__.py": PROGRAM,
            "tests/run.py": PROGRAM, "tests/bench.py": PROGRAM,
        }.items():
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(text, encoding="utf-8")

    def needs(self, line):
        """What it needs from now on, as a line of a package's metadata; it is not installed yet."""
        self.stamp.unlink(missing_ok=True)
        (self.folder / "needs").write_text(f"Requires-Dist: {line}\n", encoding="utf-8")

    def call(self, *words, cwd=None, begin=subprocess.run, **environment):
        apart = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1"}
        inherited = {key: value for key, value in os.environ.items() if key[:4] != "PIP_"}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        return begin([sys.executable, self.folder / "course.py", *words], cwd=cwd or self.folder,
                     env=inherited | apart | environment, **streams)

    def said(self, *words, **options):
        """What the started programs printed; the launcher's call must succeed."""
        ended = self.call(*words, **options)
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('["')]


def wheel(folder, name="faraway", version="1"):
    """A package with nothing in it, to be found in the folder."""
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        info = f"{name}-{version}.dist-info/"
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(info + "METADATA", about)
        archive.writestr(info + "WHEEL",
                         "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(info + "RECORD", "")
