"""What the project needs is said in several files, which agree."""

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

import tlcourse
from tlcourse.utils.files import ROOT
from tlschool.cli import doctor

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PINS = [
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
NAMED_OTHERWISE = {  # on conda-forge: as on PyPI
    "jupyter_client": "jupyter-client", "matplotlib-base": "matplotlib",
    "nbconvert-core": "nbconvert", "pytorch": "torch",
}
ONLY_CONDA = {"python", "pip"}
UNSEEN = {"ipykernel", "ipywidgets"}  # kernels are started by name; tqdm.auto draws with widgets


def parsed(lines):
    return {canonicalize_name(need.name): need for need in map(Requirement, lines)}


def imported(*paths):
    """Distributions that the files import, whatever the place of the import."""
    modules = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(node.module)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
                modules |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    own = {path.stem for folder in ("tests", "lessons", "data")
           for path in (ROOT / folder).rglob("*.py")} | {"tlcourse", "tlschool"}
    known = importlib.metadata.packages_distributions()
    tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - own
    return {canonicalize_name(known.get(top, [top])[0]) for top in tops}


BASE, TEST = parsed(PROJECT["dependencies"]), parsed(PROJECT["optional-dependencies"]["test"])
TEST |= parsed(PROJECT["optional-dependencies"]["classroom"])  # which the tests need too


def test_every_line_for_conda_is_one_that_conda_can_read():
    for line in CONDA["dependencies"]:
        MatchSpec(line, strict=True)


def test_conda_takes_its_packages_from_conda_forge_alone():
    assert CONDA["name"] == "tlcourse"
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]


def test_conda_installs_what_pip_installs():
    specs = [MatchSpec(line, strict=True) for line in CONDA["dependencies"]]
    conda = {
        NAMED_OTHERWISE.get(spec.name.normalized, spec.name.normalized):
            SpecifierSet(str(spec.version or ""))
        for spec in specs if spec.name.normalized not in ONLY_CONDA
    }
    assert conda == {name: need.specifier for name, need in BASE.items()}


def test_a_line_that_conda_cannot_read_would_be_noticed():
    with pytest.raises(Exception, match="version"):
        MatchSpec("numpy >=2,<", strict=True)


def test_all_agree_on_the_versions_of_python():
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    course = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course)
    assert (course.OLDEST, course.NEWEST) == (doctor.OLDEST, doctor.NEWEST)

    (_, low), (_, high) = course.OLDEST, course.NEWEST
    assert PROJECT["requires-python"] == f">=3.{low},<3.{high + 1}"
    assert f"python {PROJECT['requires-python']}" in CONDA["dependencies"]
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py3{low}"


def test_the_packages_import_what_the_base_installs():
    package = {path for name in ("tlcourse", "tlschool") for path in (ROOT / name).rglob("*.py")}
    making = {*(ROOT / "tlschool" / "authoring").glob("*.py"),
              ROOT / "tlschool" / "classroom" / "gradebook.py"}
    assert making < package
    assert imported(*package - making) - set(BASE) == set()
    assert imported(*making) - set(BASE) - set(TEST) == set()
    assert set(BASE) - imported(*package) - UNSEEN == set()


def test_the_lessons_import_what_the_base_installs():
    files = {*(ROOT / "lessons").rglob("*.py")}
    assert imported(*files) - set(BASE) == set()


def test_the_tests_import_what_the_extra_test_installs():
    files = [*(ROOT / "tests").rglob("*.py"), ROOT / "conftest.py", ROOT / "data" / "recipe.py"]
    assert imported(*files) - set(BASE) - set(TEST) == set()


def test_every_extra_is_used():
    used = imported(*(path for folder in ("tlcourse", "tlschool", "data", "tests")
                      for path in (ROOT / folder).rglob("*.py")))
    for name, lines in PROJECT["optional-dependencies"].items():
        assert used & parsed(lines).keys() or name == "cluster", name  # which joblib imports


def test_constraints_are_plain_pins_in_order():
    names = [re.fullmatch(r"([a-z0-9-]+)==[0-9][0-9a-z.]*", line)[1] for line in PINS]
    assert names == sorted(set(names))


def test_every_package_that_an_installation_brings_is_pinned():
    pinned, waiting, seen = parsed(PINS), [*BASE.values(), *TEST.values()], set()
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if (name, *need.extras) in seen or name == "triton" or name.startswith(("cuda", "nvidia")):
            continue
        seen.add((name, *need.extras))
        for line in importlib.metadata.requires(name) or ():
            further = Requirement(line)
            if further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in (need.extras or [""])
            ):
                waiting.append(further)
    assert {name for name, *_ in seen} - {"tlcourse"} - set(pinned) == set()


def test_the_pins_satisfy_what_the_project_asks_for():
    pinned = {name: next(iter(need.specifier)).version for name, need in parsed(PINS).items()}
    for name, need in (BASE | TEST).items():
        assert name == "tlcourse" or need.specifier.contains(pinned[name])


def test_the_citation_is_complete_and_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == PROJECT["version"] == tlcourse.__version__


def test_ruff_finds_nothing():
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", str(ROOT)]
    ended = subprocess.run(ruff, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
