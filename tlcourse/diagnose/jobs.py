"""The trainings of a diagnosis: run on all cores, kept on disk, resumed where they stopped.

A finished training is known by the data, the settings and the course's own code. The network that
was trained on the source is kept too, for all strategies of a seed begin with it.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import torch
from joblib.parallel import BACKENDS, get_active_backend
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from tlcourse.data.domain import LOOKS
from tlcourse.diagnose.measure import measure
from tlcourse.diagnose.pair import Pair
from tlcourse.diagnose.strategies import (
    AT_ONCE,
    SOURCE_STEPS,
    STEPS,
    WAYS,
    Maker,
    default_model,
    pretrain,
)
from tlcourse.distances.similarity import cka
from tlcourse.models.weights import load_weights, save_weights
from tlcourse.training import fit, predict
from tlcourse.utils.files import cache_folder, write_atomically

DEAREST = "aligned"
"""The strategy that costs as much as all others together."""
COST = {"start": SOURCE_STEPS, "source_only": 10, "frozen": 20, "aligned": 5 * STEPS,
        "causes": STEPS}
"""Steps that a job is taken to cost before the first of its kind was timed; others, STEPS."""


class Trainings:
    """All trainings of one diagnosis: where each is kept, and how what is missing is run."""

    def __init__(self, both: Pair, draws: dict, model: Maker | None, began: float,
                 budget: float | None):
        self.both, self.draws, self.model = both, draws, model
        self.folder = cache_folder() / "diagnose" / _key(both, draws, model)
        self.deadline = None if budget is None else began + budget
        self.seconds = {}
        if budget is not None:
            self.seconds = {"step": _seconds_per_step(both, draws, model)}

    def kept(self, kind: str, seeds: Iterable[int]) -> dict[int, dict]:
        """The finished results of a kind of training, by seed."""
        found = {seed: _read(self.folder / f"{kind}_{seed}.json") for seed in seeds}
        return {seed: result for seed, result in found.items() if result is not None}

    def run(self, kinds: Sequence[str], seeds: Sequence[int], progress: bool) -> list[str]:
        """Run what is not kept yet, seed after seed, and say what was left out."""
        missing = {seed: [k for k in kinds if not self.kept(k, [seed])] for seed in seeds}
        workers = self._workers()
        batches = [list(seeds)[i : i + workers] for i in range(0, len(seeds), workers)]
        # The dear one last: with less than all, many seeds of the others decide more.
        rounds = [{seed: [k for k in missing[seed] if (k == DEAREST) == last] for seed in batch}
                  for last in (False, True) for batch in batches]
        bar = tqdm(total=sum(map(len, missing.values())), desc="trainings",
                   disable=not (progress and any(missing.values())))
        why = "the budget of seconds had no room for them"
        try:
            with bar, _large_pages(), joblib.Parallel(
                    n_jobs=workers, return_as="generator_unordered",
                    pre_dispatch=workers) as parallel:
                for jobs in rounds:
                    self._round(parallel, jobs, bar)
        except KeyboardInterrupt:
            why = "it was interrupted; the same call goes on from here"
        left = {kind: len(seeds) - len(self.kept(kind, seeds)) for kind in kinds}
        words = [f"{kind} ({n} of {len(seeds)} seeds)" for kind, n in left.items() if n]
        return [f"{', '.join(words)}: {why}"] if words else []

    def _round(self, parallel, missing: dict[int, list[str]], bar) -> None:
        """First the source's networks and scratch, which need nothing; then what starts there."""
        first, then = [], []
        for seed, kinds in missing.items():
            if set(kinds) - {"scratch"} and not self._start(seed).is_file():
                first.append(("start", seed))
            first += [(kind, seed) for kind in kinds if kind == "scratch"]
            then += [(kind, seed) for kind in kinds if kind != "scratch"]
        for jobs in (first, then):
            work = (joblib.delayed(_job)(self.both, self.draws, self.model, self.folder, *job)
                    for job in self._in_time(jobs))
            for kind, looks, seconds in parallel(work):
                LOOKS.extend(look for look in map(tuple, looks) if look not in LOOKS)
                self.seconds[kind] = max(seconds, self.seconds.get(kind, 0))
                bar.update(kind != "start")

    def _in_time(self, jobs: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        for kind, seed in jobs:
            started = kind in ("start", "scratch") or self._start(seed).is_file()
            if self.deadline is not None:
                guess = COST.get(kind, STEPS) * self.seconds["step"]
                cost = self.seconds.get(kind, guess)
                started &= time.monotonic() + 1.2 * cost < self.deadline
            if started:
                yield kind, seed

    def _start(self, seed: int) -> Path:
        return self.folder / f"start_{seed}.safetensors"

    def _workers(self) -> int:
        """A process for each core for images; tables are done before a process has started."""
        own = isinstance(get_active_backend()[0], BACKENDS["loky"])
        if self.both.target_X.ndim == 2 or not own:
            return 1
        return joblib.cpu_count(only_physical_cores=True)


def _job(both, draws, model, folder, kind: str, seed: int) -> tuple[str, list, float]:
    """Train and score one strategy for one seed with one thread, and keep the result."""
    began, before, threads = time.monotonic(), len(LOOKS), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            result = _result(both, draws, model or default_model(both), folder, kind, seed)
    finally:
        torch.set_num_threads(threads)
    if result is not None:
        write_atomically(folder / f"{kind}_{seed}.json", json.dumps(result))
    return kind, LOOKS[before:], time.monotonic() - began


def _result(both, draws, make: Maker, folder: Path, kind: str, seed: int) -> dict | None:
    draw = both.draw(seed, **draws)
    path = folder / f"start_{seed}.safetensors"
    if kind == "start":
        save_weights(pretrain(draw, make), path)
        return None
    start = None
    if kind != "scratch":
        start = load_weights(make(len(both.classes), seed), path).eval()
    if kind == "causes":
        return measure(draw, make, start)
    trained = WAYS[kind](draw, make, start)
    test = draw.own_test if kind == "scratch" else draw.test
    right = predict(trained, test.X, batch_size=AT_ONCE).argmax(1) == test.y
    recall = [float(right[test.y == k].double().mean()) if (test.y == k).any() else None
              for k in range(draw.targets)]
    result = {"score": float(right.double().mean()), "recall": recall}
    if kind == "fine_tune":
        result["cka"] = _likeness(start, trained, test.X)
    return result


@contextmanager
def _large_pages() -> Iterator[None]:
    """Workers that start within get large blocks of memory in large pages, where Linux has them.

    With small ones, images of 64 pixels spent a third of the time of a training on fresh memory.
    """
    name = "THP_MEM_ALLOC_ENABLE"  # PyTorch's, read once when a process starts
    before = os.environ.get(name)
    os.environ[name] = before or "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


@torch.no_grad()
def _likeness(before, after, X: torch.Tensor) -> float | None:
    """CKA of the features of two networks; None where one gives the same to all samples."""
    z = [torch.cat([model.features(x) for x in X.split(AT_ONCE)]) for model in (before, after)]
    return cka(*z) if all(len(part.unique(dim=0)) > 1 for part in z) else None


def _seconds_per_step(both: Pair, draws: dict, model: Maker | None) -> float:
    make, draw = model or default_model(both), both.draw(0, **draws)
    network, batch = make(draw.targets, 0), draw.own_few.subset(slice(32))
    fit(network, batch, steps=2, seed=0)  # the first steps of a process are slow
    began = time.monotonic()
    fit(network, batch, steps=5, seed=0)
    return (time.monotonic() - began) / 5


def _key(both: Pair, draws: dict, model: Maker | None) -> str:
    """What all results of a diagnosis depend on, beside strategy and seed."""
    known_by = hashlib.sha256(json.dumps([draws, both.classes, both.targets, both.common,
                                          both.ordered, torch.__version__]).encode())
    for part in (both.source_X, both.source_y, both.target_X, both.target_y, both.source_id,
                 both.target_id):
        known_by.update(f"{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        known_by.update(path.read_bytes())
    if model is not None:
        network = model(2, 0)
        known_by.update(repr(network).encode())
        for name, tensor in network.state_dict().items():
            known_by.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return known_by.hexdigest()[:32]


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or cut short by a full disk: run it again
        return None
