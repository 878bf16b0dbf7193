"""Each room hands on its names, and names of modules from before the rooms still lead there."""

import importlib

import pytest

from tlcourse import _moved
from tlcourse.utils.files import ROOT

ROOMS = sorted(path.parent.name for path in (ROOT / "tlcourse").glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_what_it_hands_on(room):
    module = importlib.import_module(f"tlcourse.{room}")
    assert module.__doc__
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        assert name.isupper() or value.__name__.rpartition(".")[2] == name


def test_a_name_is_the_same_object_wherever_it_is_taken_from():
    from tlcourse import align, finetune
    from tlcourse.distances.discrepancy import mmd2
    from tlcourse.finetune import groups

    assert align.mmd2 is mmd2 and finetune.stages is groups.stages


@pytest.mark.parametrize(("old", "new"), _moved.MOVED.items())
def test_the_old_name_of_a_module_is_the_module(old, new):
    assert importlib.import_module(old) is importlib.import_module(new)


def test_the_imports_of_notebooks_from_before_still_work():
    from tlcourse.files import ROOT as old_root
    from tlcourse.framing import resize
    from tlcourse.report import Report
    from tlcourse.school import progress
    from tlcourse.school.classroom import visible
    from tlcourse.verdicts import decided, holm

    from tlcourse import architectures, ranking_plots, transfer_plots
    from tlcourse.align import adapt

    assert old_root == ROOT and callable(progress.show) and callable(architectures.build)
    assert ranking_plots.share_table and transfer_plots.where_it_pays
    assert all(map(callable, (adapt, resize, Report, visible, decided, holm)))
