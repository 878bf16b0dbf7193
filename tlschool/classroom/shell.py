"""IPython as it runs a learner's cells: what steers the screen, or installs, is left out."""

import re

from IPython.core.interactiveshell import InteractiveShell

_LEFT_OUT = {
    "autosave", "conda", "config", "connect_info", "gui", "load", "mamba", "matplotlib",
    "micromamba", "notebook", "page", "pdef", "pdoc", "pfile", "pinfo", "pinfo2", "pip",
    "psearch", "psource", "qtconsole", "store", "uv",
}
"""Magics that no answer depends on, and that fail without a screen, a disk or a network."""
_MAY_FAIL = {"load_ext", "reload_ext", "unload_ext", "reset_defaults"}
_INSTALLS = re.compile(
    r"\s*(sudo\s+)?(\S*python[\d.]*\s+-m\s+)?(pip3?|conda|mamba|uv|apt(-get)?)\s")


class Shell(InteractiveShell):
    """Runs cells as Jupyter would, and passes over the lines that only Jupyter can run."""

    def enable_gui(self, gui=None):
        """There is no screen, so pictures are drawn into memory."""

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        """Run a line such as ``%time f()``; those for the screen do nothing."""
        if magic_name == "pylab":
            return self._pylab(line)
        if magic_name in _LEFT_OUT or self.find_line_magic(magic_name) is None:
            return _not_here(f"%{magic_name}")
        try:
            return super().run_line_magic(magic_name, line, _stack_depth + 1)
        except Exception:
            if magic_name not in _MAY_FAIL:
                raise
            return _not_here(f"%{magic_name} {line}")

    def _pylab(self, line):
        """``%pylab`` for its names: ``np``, ``plt`` and those of ``pylab``, without a window."""
        if "--no-import-all" not in line:
            exec("from pylab import *", self.user_ns)
        exec("import numpy\nimport numpy as np\nimport matplotlib\n"
             "from matplotlib import pylab, pyplot, pyplot as plt", self.user_ns)

    def run_cell_magic(self, magic_name, line, cell):
        """Run a cell such as ``%%time``; one of a magic that is not there does nothing."""
        if self.find_cell_magic(magic_name) is None:
            return _not_here(f"%%{magic_name}")
        return super().run_cell_magic(magic_name, line, cell)

    def system(self, cmd):
        """Run a line such as ``!ls``; nothing can be installed."""
        if _INSTALLS.match(cmd):
            return _not_here(f"!{cmd}")
        return self.system_piped(cmd)

    def getoutput(self, cmd, split=True, depth=0):
        """Run what stands behind ``x = !ls``; nothing can be installed."""
        if _INSTALLS.match(cmd):
            _not_here(f"!{cmd}")
            return []
        return super().getoutput(cmd, split, depth + 1)


def _not_here(what):
    print(f"{what} is passed over while this is graded")
