"""Old names of modules, for one version: notebooks that were handed out before still import them.

Before, the modules lay side by side in ``tlcourse``, and the platform in ``tlcourse.school``.
"""

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

SAME_NAME = {
    "utils": ("files", "arrays", "provenance"),
    "data": ("domain", "folders", "framing", "tables"),
    "models": ("architectures", "weights"),
    "finetune": ("distillation", "freezing", "heads"),
    "distances": ("discrepancy", "domain_distance", "similarity"),
    "align": ("training_free",),
    "transferability": ("ranking",),
    "diagnose": ("causes", "matching", "reframing", "strategies"),
}
"""Modules that moved into a room and kept their name."""
MOVED = {f"tlcourse.{name}": f"tlcourse.{room}.{name}"
         for room, names in SAME_NAME.items() for name in names} | {
    "tlcourse.adversary": "tlcourse.align.adversarial",
    "tlcourse.pairing": "tlcourse.diagnose.pair",
    "tlcourse.pictures": "tlcourse.plots.samples",
    "tlcourse.ranking_plots": "tlcourse.plots.ranking",
    "tlcourse.report": "tlcourse.diagnose.report.report",
    "tlcourse.selection": "tlcourse.align.model_selection",
    "tlcourse.stages": "tlcourse.finetune.groups",
    "tlcourse.transfer_plots": "tlcourse.plots.transfer",
    "tlcourse.verdicts": "tlcourse.stats",
    "tlcourse.words": "tlcourse.utils.messages",
    "tlcourse.school": "tlcourse.notebook",
    "tlcourse.school.check": "tlcourse.notebook.check",
    "tlcourse.school.classroom": "tlschool.classroom",
    "tlcourse.school.live_magic": "tlschool.live.magic",
    "tlcourse.school.progress": "tlcourse.notebook.progress",
}
"""What lessons, assignments, live notebooks and people's own scripts of before import."""


class _Moved(MetaPathFinder, Loader):
    """Finds a module under its old name, and hands out the one that has the new name."""

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name in MOVED else None

    def create_module(self, spec):
        return None  # the usual empty one, which the next step replaces

    def exec_module(self, module):
        sys.modules[module.__name__] = import_module(MOVED[module.__name__])


def install() -> None:
    """Let Python look here first."""
    sys.meta_path.insert(0, _Moved())
