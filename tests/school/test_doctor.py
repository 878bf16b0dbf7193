"""The doctor is tried on set-ups that are broken in one place each."""

import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import namedtuple
from importlib import metadata

import psutil
import pytest

from tlcourse.data import bundled
from tlcourse.utils.files import IS_CHECKOUT, ROOT
from tlschool.cli import doctor
from tlschool.cli import main as cli


def distribution(folder, name, version, *requires):
    """An installed package as far as its metadata goes."""
    about = folder / f"{name}-{version}.dist-info" / "METADATA"
    about.parent.mkdir()
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    about.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Write distributions that are found before those of this Python."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda name, version, *requires: distribution(tmp_path, name, version, *requires)


@pytest.fixture
def one_file(tmp_path, monkeypatch):
    """A copy of the data folder with one file, which a test may damage."""
    entry = bundled.manifest()["uci_digits"]
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data" / entry["file"], tmp_path / "data")
    manifest = tmp_path / "data" / "MANIFEST.json"
    manifest.write_text(json.dumps({"uci_digits": entry}), encoding="utf-8")
    monkeypatch.setattr(bundled, "ROOT", tmp_path)
    bundled.manifest.cache_clear()
    yield tmp_path / "data" / entry["file"]
    bundled.manifest.cache_clear()


@pytest.fixture
def kernelspec(tmp_path, monkeypatch):
    """Write a python3 kernel that Jupyter finds before all others."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def write(python):
        spec = tmp_path / "kernels" / "python3" / "kernel.json"
        spec.parent.mkdir(parents=True)
        about = {"argv": [str(python), "-m", "x"], "display_name": "P", "language": "python"}
        spec.write_text(json.dumps(about), encoding="utf-8")
        return spec.parent

    return write


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0)])
def test_a_python_without_packages_is_named_with_one_that_has_them(monkeypatch, version):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", version)
        found = doctor.python()
    assert not found.ok and ".".join(map(str, version)) in found.detail
    assert "3.11 to 3.13" in found.fix


def test_packages_in_accepted_versions_are_well(installed):
    installed("tlcourse", "0.1.0", "coursepackage>=2", "absent; python_version < '3'",
              "absent; extra == 'text'")
    installed("coursepackage", "2.5")
    found = doctor.packages()
    assert found.ok and found.detail == "all 1 are installed"


def test_missing_and_old_packages_are_named_and_the_fix_installs_both(installed):
    installed("tlcourse", "0.1.0", "coursepackage>=2", "absentpackage<5")
    installed("coursepackage", "1.9")
    found = doctor.packages()
    assert not found.ok
    assert found.detail == "coursepackage is 1.9; absentpackage is missing"
    assert found.fix.endswith('-m pip install "coursepackage>=2" "absentpackage<5"')


def test_a_course_that_is_not_installed_is_a_problem(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    found = doctor.packages()
    assert not found.ok and "pip install" in found.fix


def test_torch_and_torchvision_of_two_pairs_are_told_by_their_versions(installed):
    installed("torch", "2.9.0+cpu")
    installed("torchvision", "0.23.0", "numpy", "torch==2.8.0")
    found = doctor.torch_pair()
    assert not found.ok
    assert "torch 2.9.0+cpu and torchvision 0.23.0 do not match" in found.detail
    assert '"torch==2.8.0" "torchvision==0.23.0"' in found.fix


def failing(error):
    def import_module(name):
        raise error

    return import_module


def test_torch_and_torchvision_that_fail_together_are_called_unmatched(monkeypatch):
    error = RuntimeError("operator torchvision::nms does not exist")
    monkeypatch.setattr(doctor, "import_module", failing(error))
    found = doctor.torch_pair()
    assert not found.ok and found.detail.endswith("do not match")
    assert "--force-reinstall" in found.fix and "torchvision==" in found.fix


@pytest.mark.parametrize(
    "error", [ImportError("libcudart.so"), OSError("[WinError 126] c10.dll"), RuntimeError("other")]
)
def test_a_torch_that_does_not_load_says_why(monkeypatch, error):
    monkeypatch.setattr(doctor, "import_module", failing(error))
    found = doctor.torch_pair()
    assert not found.ok and str(error) in found.detail and "pip install" in found.fix


def test_whole_data_is_well(one_file):
    assert str(doctor.data()) == "✓ ok       data: all 1 files are there and whole"


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_a_damaged_data_file_is_named_with_its_repair(one_file, damage):
    content = one_file.read_bytes()
    if damage == "missing":
        one_file.unlink()
    else:
        one_file.write_bytes(content[:1000] if damage == "truncated" else content[:-1] + b"x")
    found = doctor.data()
    assert not found.ok and one_file.name in found.fix and "repair it with" in found.fix
    assert found.detail == "1 of 1 files are missing or damaged"


def test_a_broken_manifest_is_a_problem_and_no_traceback(one_file, monkeypatch):
    (one_file.parent / "MANIFEST.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(doctor, "CHECKS", (doctor.data,))
    (found,) = doctor.examine()
    assert not found.ok and "could not be checked (JSONDecodeError" in found.detail


@pytest.mark.parametrize("python", [sys.executable, "python", "python3"])
def test_a_kernel_of_this_python_is_well(kernelspec, python):
    kernelspec(python)
    assert doctor.kernel().ok


def test_a_kernel_whose_python_is_gone_is_named_with_its_folder(kernelspec, tmp_path):
    folder = kernelspec(tmp_path / "gone" / "python")
    found = doctor.kernel()
    assert not found.ok and "which is missing" in found.detail
    assert str(folder) in found.fix and "-m ipykernel install --sys-prefix" in found.fix


def test_a_kernel_of_another_python_is_a_problem(kernelspec, tmp_path):
    other = tmp_path / "other" / "python"
    other.parent.mkdir()
    other.touch()
    kernelspec(other)
    found = doctor.kernel()
    assert not found.ok and "another Python" in found.detail


def test_without_any_entry_jupyter_falls_back_on_this_python(monkeypatch, tmp_path):
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setattr(KernelSpecManager, "_kernel_dirs_default", lambda self: [])
    assert doctor.kernel().ok


def test_a_workspace_that_can_be_written_is_not_made_by_looking(workspace):
    assert doctor.workspace().ok and not workspace.exists()


def test_a_workspace_that_cannot_be_written_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path / "file" / "workspace"))
    found = doctor.workspace()
    assert not found.ok and "TLCOURSE_WORKSPACE" in found.fix


@pytest.mark.parametrize(("free", "ok"), [(0.4e9, False), (5e9, True)])
def test_disk_and_memory_must_have_room(monkeypatch, free, ok):
    usage = namedtuple("usage", ["free", "available"])(free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: usage)
    for found in (doctor.disk(), doctor.memory()):
        assert found.ok is ok and f"{free / 1e9:.1f} GB" in found.detail


def breaks_down():
    raise RuntimeError("first line\nsecond line")


def well():
    return doctor.Finding("well", True, "as it should be")


def test_a_check_that_breaks_down_does_not_end_the_others(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CHECKS", (breaks_down, well))
    assert doctor.report() == 1
    problem, fix, fine, last = capsys.readouterr().out.splitlines()
    assert problem.startswith("✗ problem  breaks_down: ") and "first line)" in problem
    assert "to repair: " in fix
    assert fine == "✓ ok       well: as it should be"
    assert last == "Problems to repair: 1."


@pytest.mark.parametrize(
    ("package", "check"),
    [("psutil", "memory"), ("packaging", "packages"), ("packaging", "torch_pair"),
     ("jupyter_client", "kernel"), ("torch", "data"), ("torch", "device")],
)
def test_the_doctor_itself_works_without_the_packages_it_looks_for(package, check):
    code = (
        f"import sys; sys.modules[{package!r}] = None; from tlschool.cli import doctor\n"
        f"doctor.CHECKS = doctor.{check}, doctor.python; sys.exit(doctor.report())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 1 and done.stderr == ""
    assert f"problem  {check}: could not be checked (ModuleNotFoundError" in done.stdout
    assert "✓ ok       Python" in done.stdout


@pytest.mark.skipif(not IS_CHECKOUT, reason="an installed course has no pyproject.toml")
def test_the_accepted_pythons_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, newest = doctor.OLDEST, doctor.NEWEST
    assert project["requires-python"] == f">={low[0]}.{low[1]},<{newest[0]}.{newest[1] + 1}"


def test_a_console_without_ticks_gets_the_words(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(doctor, "CHECKS", (well,))
    assert cli.main(["doctor"]) == 0
    console.flush()
    assert console.buffer.getvalue().startswith(b"? ok       well")


def test_this_computer_is_examined_whole(capsys):
    code = doctor.report()
    said = capsys.readouterr().out
    assert said.count("✓ ok ") + said.count("✗ problem ") == len(doctor.CHECKS) == 9
    assert code == ("✗" in said)
    assert "✓ ok       torch: " in said and "✓ ok       data: " in said
