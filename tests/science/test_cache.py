"""What is kept is known by all that it depends on, and read only where it is whole."""

import shutil
from pathlib import Path

import pytest
import torch
from networks import noise
from torch import nn
from torch.nn import functional

import tlcourse
from tlcourse.data import Domain
from tlcourse.diagnose import jobs
from tlcourse.diagnose.jobs import Jobs, Result
from tlcourse.diagnose.matching import pair
from tlcourse.features import features
from tlcourse.models import small_cnn
from tlcourse.sweep import sweep
from tlcourse.utils import cache
from tlcourse.utils.files import cache_folder

pytestmark = pytest.mark.usefixtures("own_cache")

PACKAGE = Path(tlcourse.__file__).parent
ROOMS = sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")})
DISPLAY = {"notebook", "plots"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package's source files, somewhere else."""
    skip = shutil.ignore_patterns("__pycache__", "_course")
    return shutil.copytree(PACKAGE, tmp_path_factory.mktemp("copy") / "tlcourse", ignore=skip)


def changed_fingerprints(copy, room):
    """The fingerprint with one byte changed in each file of a room, or of the file itself."""
    place = copy / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        raw = path.read_bytes()
        path.write_bytes(bytes([raw[0] ^ 1, *raw[1:]]) if raw else b"#")
        found = cache.fingerprint(copy)
        path.write_bytes(raw)
        yield found


def test_the_rooms_are_found_and_the_code_that_runs_is_theirs():
    assert cache.fingerprint(PACKAGE) == cache.SCIENCE
    assert {"data", "models", "align", "diagnose", "utils", "sweep.py", *DISPLAY} <= set(ROOMS)


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in {*DISPLAY, "_course"}])
def test_a_changed_byte_in_any_file_of_a_room_is_another_fingerprint(copy, room):
    found, before = list(changed_fingerprints(copy, room)), cache.fingerprint(copy)
    assert len({*found, before}) == len(found) + 1 > 1


@pytest.mark.parametrize("room", sorted(DISPLAY))
def test_what_only_shows_results_may_change(copy, room):
    """tests/test_house.py sees that no science imports these rooms."""
    assert set(changed_fingerprints(copy, room)) == {cache.fingerprint(copy)}


def test_a_file_that_moved_is_another_fingerprint(copy):
    before, old = cache.fingerprint(copy), copy / "align" / "loop.py"
    new = old.rename(copy / "align" / "moved.py")
    found = cache.fingerprint(copy)
    new.rename(old)
    assert found != before == cache.fingerprint(copy)


def measured(seed):
    return {"seeds": seed}


def in_a_sweep():
    sweep(measured, {}, seeds=[0], workers=1, progress=False)


def in_features():
    features(small_cnn(width=4, seed=0), noise())


def in_a_diagnosis(*kinds):
    table = torch.eye(3, 4).repeat(8, 1) + torch.arange(24)[:, None] / 100
    both = pair(*(Domain(name, table, torch.arange(24) % 3) for name in "st"))
    work = Jobs(both, {"folds": 5, "labels_per_class": 1}, None, began=0.0, budget=None)
    assert work.run(kinds or ["scratch"], range(1), progress=False) == []
    return work


def kept(depth):
    return {path.relative_to(cache_folder()).parts[:depth] for path in cache_folder().rglob("*")
            if path.is_file()}


@pytest.mark.parametrize("call", [in_a_sweep, in_features, in_a_diagnosis])
def test_results_of_changed_code_are_never_read(copy, call, monkeypatch):
    call()
    (before,) = kept(depth=2)
    call()
    assert kept(depth=2) == {before}
    monkeypatch.setattr(cache, "SCIENCE", next(changed_fingerprints(copy, "align")))
    call()
    assert len(kept(depth=2)) == 2


@pytest.mark.parametrize("damage", [
    lambda raw: raw[:-1], lambda raw: raw + b" ", lambda raw: b"", lambda raw: b"\0" * 200,
    lambda raw: raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:],
    lambda raw: raw.partition(b"\n")[2],
], ids=["cut short", "longer", "empty", "zeros", "one bit", "as an older version wrote it"])
def test_a_damaged_file_is_none(tmp_path, damage):
    path = tmp_path / "folder" / "kept"
    assert cache.read(path) is None
    cache.write(path, b'{"score": 1}')
    assert cache.read(path) == b'{"score": 1}'
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read(path) is None


def test_an_empty_result_is_a_result(tmp_path):
    cache.write(tmp_path / "kept", b"")
    assert cache.read(tmp_path / "kept") == b""


def test_an_array_counts_with_its_shape_type_and_layout():
    X = torch.arange(24.0).reshape(2, 3, 2, 2)
    others = [X.reshape(2, 3, 4), X.double(), X.to(memory_format=torch.channels_last), X + 1e-3,
              X.view(torch.int32), X.numpy(), X.to(torch.bfloat16)]
    assert len({cache.place("x", part) for part in (X, *others)}) == len(others) + 1
    assert cache.place("x", X) == cache.place("x", X.clone())


def _with(**attributes):
    module = nn.Module()
    vars(module).update(attributes)
    return module


def _scale(x, by=2.0):
    return x * by


def _scale_more(x, by=3.0):
    return x * by


class _Constant(nn.Module):
    size = 1

    @staticmethod
    def forward(x):
        return x


class _OtherConstant(nn.Module):
    size = 2

    @staticmethod
    def forward(x):
        return x


class _OtherMethod(nn.Module):
    size = 1

    @staticmethod
    def forward(x):
        return -x


@pytest.mark.parametrize(("one", "other"), [
    (_with(a=1), _with(a=2)), (_with(a=torch.zeros(2000)), _with(a=torch.ones(2000))),
    (_with(act=functional.relu), _with(act=functional.silu)),
    (_with(act=torch.tanh), _with(act=torch.sin)), (_with(act=_scale), _with(act=_scale_more)),
    (nn.Sequential(_with(a=1), _with()), nn.Sequential(_with(), _with(a=1))),
], ids=["a number", "a tensor", "a function", "a builtin", "a default", "which module has it"])
def test_what_a_module_holds_counts(one, other):
    assert cache.place("x", *cache.parts_of(one)) != cache.place("x", *cache.parts_of(other))


def test_what_a_class_holds_counts():
    described = {cache.described(cls) for cls in (_Constant, _OtherConstant, _OtherMethod)}
    assert len(described) == 3


# --- the jobs of a diagnosis ---

def test_a_damaged_network_from_the_source_is_trained_again():
    folder = in_a_diagnosis("source_only").folder
    start, old = ((folder / name).read_bytes() for name in ("start_0", "source_only_0"))
    (folder / "start_0").write_bytes(start[:-9] + bytes([start[-9] ^ 1]) + start[-8:])
    (folder / "source_only_0").unlink()
    in_a_diagnosis("source_only")
    assert (folder / "start_0").read_bytes() == start
    assert (folder / "source_only_0").read_bytes() == old


def test_a_damaged_result_is_measured_again():
    folder = in_a_diagnosis("scratch").folder
    old = (folder / "scratch_0").read_bytes()
    (folder / "scratch_0").write_bytes(old[:-4])
    in_a_diagnosis("scratch")
    assert (folder / "scratch_0").read_bytes() == old


def test_a_similarity_of_zero_and_one_that_was_not_measured_are_kept_apart(monkeypatch):
    for cka in (0.0, None):
        result = Result(1 / 3, [0.1, None, 1.0], cka)
        monkeypatch.setattr(jobs, "_score", lambda *args, result=result: result)
        work = in_a_diagnosis("scratch")
        assert work.kept("scratch", range(2)) == {0: result}
        (work.folder / "scratch_0").unlink()
