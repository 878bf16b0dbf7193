"""A record says how it was made."""

import json
import platform

import numpy
import pytest
import timm

from tlcourse.utils.files import ROOT
from tlcourse.utils.provenance import provenance


def test_it_names_the_command_and_the_versions_that_are_installed():
    made = provenance("python data/runs/lite0.py", "timm")
    assert made["command"] == "python data/runs/lite0.py"
    assert made["python"] == platform.python_version()
    assert made["versions"]["timm"] == timm.__version__
    assert made["versions"]["numpy"] == numpy.__version__


@pytest.mark.parametrize("path", sorted((ROOT / "data" / "runs").glob("*.json")),
                         ids=lambda path: path.stem)
def test_every_record_of_the_course_begins_with_it(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    assert list(provenance("")) == list(record)[:4]
    script = record["command"].removeprefix("python ")
    assert (ROOT / script).is_file() and (ROOT / script).stem == path.stem
