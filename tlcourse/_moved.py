"""Old names of modules, for one version: notebooks that were handed out before still import them.

Until 0.1 the modules lay side by side in ``tlcourse`` and the platform in ``tlcourse.school``.
"""

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

MOVED = {
    "tlcourse.adversary": "tlcourse.align.adversarial",
    "tlcourse.architectures": "tlcourse.models.architectures",
    "tlcourse.causes": "tlcourse.diagnose.causes",
    "tlcourse.discrepancy": "tlcourse.distances.discrepancy",
    "tlcourse.distillation": "tlcourse.finetune.distillation",
    "tlcourse.domain": "tlcourse.data.domain",
    "tlcourse.domain_distance": "tlcourse.distances.domain_distance",
    "tlcourse.files": "tlcourse.utils.files",
    "tlcourse.folders": "tlcourse.data.folders",
    "tlcourse.framing": "tlcourse.data.framing",
    "tlcourse.freezing": "tlcourse.finetune.freezing",
    "tlcourse.heads": "tlcourse.finetune.heads",
    "tlcourse.pictures": "tlcourse.plots.samples",
    "tlcourse.ranking": "tlcourse.transferability.ranking",
    "tlcourse.ranking_plots": "tlcourse.plots.ranking",
    "tlcourse.report": "tlcourse.diagnose.report.report",
    "tlcourse.selection": "tlcourse.align.model_selection",
    "tlcourse.similarity": "tlcourse.distances.similarity",
    "tlcourse.stages": "tlcourse.finetune.groups",
    "tlcourse.tables": "tlcourse.data.tables",
    "tlcourse.training_free": "tlcourse.align.training_free",
    "tlcourse.transfer_plots": "tlcourse.plots.transfer",
    "tlcourse.verdicts": "tlcourse.stats",
    "tlcourse.weights": "tlcourse.models.weights",
    "tlcourse.school": "tlcourse.notebook",
    "tlcourse.school.check": "tlcourse.notebook.check",
    "tlcourse.school.classroom": "tlschool.classroom",
    "tlcourse.school.live_magic": "tlschool.live.magic",
    "tlcourse.school.progress": "tlcourse.notebook.progress",
    "tlcourse.school.review": "tlcourse.notebook.review",
}


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
