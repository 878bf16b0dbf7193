"""The jobs of a diagnosis: run on all cores, kept on disk, resumed where they stopped.

A job trains and scores one strategy for one seed, or measures the causes of one seed. Its result is
known by the data, the settings and the course's own code. The network that was trained on the
source is kept too: the job "start" trains it, and all others but those of scratch begin with it.
"""

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib
import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from tqdm.auto import tqdm

from tlcourse.data.domain import LOOKS
from tlcourse.diagnose import strategies
from tlcourse.diagnose.measure import Measurement, measure
from tlcourse.diagnose.pair import Draw, Pair
from tlcourse.diagnose.scoring import scores
from tlcourse.diagnose.strategies import AT_ONCE, SOURCE_STEPS, STEPS, Maker
from tlcourse.distances.similarity import cka
from tlcourse.models.network import Network
from tlcourse.models.weights import to_bytes
from tlcourse.training import fit, predict
from tlcourse.utils import cache, parallel

MOST_EXPENSIVE = "aligned"
"""The strategy that costs as much as all others together."""
COST = {"start": SOURCE_STEPS, "source_only": 10, "frozen": 20, "aligned": 5 * STEPS,
        "causes": STEPS}
"""Steps that a job is taken to cost before the first of its kind was timed; others, STEPS."""
TURN = {"start": 0, "scratch": 0, MOST_EXPENSIVE: 2}
"""Jobs that need no network from the source come first, the most expensive last; others, 1."""


LEAST_LIKELY = 1e-3


@dataclass(frozen=True)
class Result:
    """What a strategy reached with one seed.

    Parameters
    ----------
    scores : dict of name -> float
        As `tlcourse.diagnose.scoring.scores` gives them for the test part.
    recall : list of float or None
        One for each class of the target; None for a class that the test part lacks.
    cka : float, optional
        Similarity of the features before and after fine-tuning; None where it was not measured.
    log_likelihood : float, optional
        Mean over the test part of the logarithm of the probability that the right class got, at
        least that of `LEAST_LIKELY`: one sure mistake shall not outweigh all other samples.
    """

    scores: dict[str, float]
    recall: list[float | None]
    cka: float | None = None
    log_likelihood: float | None = None


class Jobs:
    """All jobs of one diagnosis: where their results are kept, and how what is missing is run.

    Parameters
    ----------
    both : Pair
    draws : dict
        Arguments of `Pair.draw`, beside the seed. With ``one_source`` all seeds begin with one
        network, which is kept for other labels of the target too.
    model : function (num_classes, seed) -> Network, optional
        None: that of `default_model`.
    began : float
        When the diagnosis began, in seconds of `time.monotonic`.
    budget : float, optional
        Seconds from then on in which jobs may run.
    one_process : bool
        Run all in this process: slower, and where the data is large it spares a copy of PyTorch
        and of the data for each core.
    """

    def __init__(self, both: Pair, draws: dict, model: Maker | None, began: float,
                 budget: float | None, *, one_process: bool = False):
        # Tables are done before a process has started.
        alone = one_process or both.target_X.ndim == 2
        self.workers = 1 if alone else parallel.workers(elsewhere=1)
        self.both, self.draws, self.make = both, draws, model or strategies.default_model(both)
        self.folder = cache.place("diagnose", *_known_by(both, draws, model))
        self.one_start = None
        if draws.get("one_source"):
            apart = ~np.isin(both.source_group, both.target_group)
            self.one_start = cache.place(
                "sources", json.dumps(both.classes), both.source_X[apart], both.source_y[apart],
                *(cache.parts_of(model(2, 0)) if model else ())) / "start"
        self.deadline = began + (math.inf if budget is None else budget)
        self.step = 0.0 if budget is None else _seconds_per_step(both, draws, self.make)
        self.seconds = {}  # the longest job of each kind

    def kept(self, kind: str, seeds: Iterable[int]) -> dict[int, Result | Measurement]:
        """The finished results of a kind of job, by seed; a Measurement each for "causes"."""
        found = {seed: cache.read(self._path(kind, seed)) for seed in seeds}
        read = {seed: json.loads(content) for seed, content in found.items() if content}
        made = Measurement if kind == "causes" else Result
        return {seed: made(**numbers) for seed, numbers in read.items()}

    def run(self, kinds: Sequence[str], seeds: Sequence[int], progress: bool) -> list[str]:
        """Run what is not kept yet, seed after seed, and say what was left out."""
        missing = [(kind, seed) for seed in seeds for kind in kinds if not self.kept(kind, [seed])]
        needed = sorted({seed for kind, seed in missing if kind != "scratch"})
        starts = list({path: ("start", seed) for seed in reversed(needed)
                       if not (path := self._path("start", seed)).is_file()}.values())[::-1]
        batches = [seeds[i : i + self.workers] for i in range(0, len(seeds), self.workers)]
        # Where time is short, many seeds of the cheaper strategies decide more than a few of all.
        rounds = [[(kind, seed) for kind, seed in starts + missing
                   if seed in batch and TURN.get(kind, 1) == turn]
                  for turns in ((0, 1), (2,)) for batch in batches for turn in turns]
        bar = tqdm(total=len(missing), desc="jobs", disable=not (progress and missing))
        why = "the budget of seconds had no room for them"
        try:
            with bar, _large_pages(), joblib.Parallel(
                    self.workers, return_as="generator_unordered",
                    pre_dispatch=self.workers) as pool:
                for jobs in rounds:
                    for kind, looks, seconds in pool(self._in_time(jobs)):
                        LOOKS.extend(look for look in map(tuple, looks) if look not in LOOKS)
                        self.seconds[kind] = max(seconds, self.seconds.get(kind, 0))
                        bar.update(kind != "start")
        except KeyboardInterrupt:
            why = "it was interrupted; the same call goes on from here"
        left = {kind: len(seeds) - len(self.kept(kind, seeds)) for kind in kinds}
        words = [f"{kind} ({n} of {len(seeds)} seeds)" for kind, n in left.items() if n]
        return [f"{', '.join(words)}: {why}"] if words else []

    def _in_time(self, jobs: list[tuple[str, int]]) -> Iterator:
        """Calls of `_run` for the jobs that can begin and are likely to end before the deadline."""
        for kind, seed in jobs:
            seconds = self.seconds.get(kind, COST.get(kind, STEPS) * self.step)
            if ((TURN.get(kind) == 0 or self._path("start", seed).is_file())
                    and time.monotonic() + 1.2 * seconds < self.deadline):
                yield joblib.delayed(_run)(self.both, self.draws, self.make, kind, seed,
                                           self._path(kind, seed), self._path("start", seed))

    def _path(self, kind: str, seed: int) -> Path:
        one_for_all = kind == "start" and self.one_start
        return self.one_start if one_for_all else self.folder / f"{kind}_{seed}"


def _run(both: Pair, draws: dict, make: Maker, kind: str, seed: int, path: Path,
         start_path: Path) -> tuple[str, list, float]:
    """Run one job with one thread and keep its result; return its kind, looks and seconds."""
    began, before = time.monotonic(), len(LOOKS)
    with parallel.one_thread():
        draw = both.draw(seed, **draws)
        start = None if kind == "scratch" else _start(draw, make, start_path)
        if kind != "start":
            result = (measure(draw, make, start) if kind == "causes"
                      else _score(draw, make, kind, start))
            cache.write(path, json.dumps(asdict(result)).encode())
    return kind, LOOKS[before:], time.monotonic() - began


def _start(draw: Draw, make: Maker, path: Path) -> Network:
    """The network from the source: read where it is kept, else trained and kept."""
    content = cache.read(path)
    if content is None:
        content = to_bytes(strategies.pretrain(draw, make))
        cache.write(path, content)
    network = make(len(draw.source.classes), draw.seed)
    network.load_state_dict(safetensors.torch.load(content))
    return network.eval()


def _score(draw: Draw, make: Maker, strategy: str, start: Network | None) -> Result:
    """Train one strategy and test it."""
    trained = strategies.TRAIN[strategy](draw, make, start)
    test = draw.own_test if strategy == "scratch" else draw.test
    logits = predict(trained, test.X, batch_size=AT_ONCE)
    right = logits.argmax(1) == test.y
    recall = [float(right[test.y == k].double().mean()) if (test.y == k).any() else None
              for k in range(draw.targets)]
    similarity = _cka(start, trained, test.X) if strategy == "fine_tune" else None
    shares = logits.double().softmax(1)
    likely = shares[torch.arange(len(test)), test.y].clamp(min=LEAST_LIKELY).log().mean()
    return Result(scores(shares.numpy(), test.y.numpy()), recall, similarity, float(likely))


@contextmanager
def _large_pages() -> Iterator[None]:
    """Workers that start within get large blocks of memory in large pages, where Linux has them.

    With small ones, images of 64 pixels spent a third of the time of a job on fresh memory.
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
def _cka(before: Network, after: Network, X: Tensor) -> float | None:
    """CKA of the features of two networks; None where one gives the same to all samples."""
    z = [torch.cat([model.features(x) for x in X.split(AT_ONCE)]) for model in (before, after)]
    return cka(*z) if all(len(part.unique(dim=0)) > 1 for part in z) else None


def _seconds_per_step(both: Pair, draws: dict, make: Maker) -> float:
    draw = both.draw(0, **draws)
    network, batch = make(draw.targets, 0), draw.own_few.subset(slice(32))
    fit(network, batch, steps=2, seed=0)  # the first steps of a process are slow
    began = time.monotonic()
    fit(network, batch, steps=5, seed=0)
    return (time.monotonic() - began) / 5


def _known_by(both: Pair, draws: dict, model: Maker | None) -> Iterator[str | np.ndarray | Tensor]:
    """What all results of a diagnosis depend on, beside strategy and seed."""
    yield json.dumps([draws, both.classes, both.targets, both.common, both.ordered])
    yield from (both.source_X, both.source_y, both.target_X, both.target_y, both.source_id,
                both.target_id, both.source_group, both.target_group)
    if model is not None:
        yield from cache.parts_of(model(2, 0))
