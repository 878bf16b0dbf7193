"""The speeds that the course states, measured: ``python course.py bench``.

Each ratio compares two ways of doing the same work, in turn, several times; the median of the
paired ratios is what counts, for it holds when the computer's speed drifts. A limit is in seconds
on one thread, the fastest of several. Exit code 1 when one is missed.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch.nn.functional import interpolate

from tlcourse import transferability
from tlcourse.align import mmd2
from tlcourse.data import load
from tlcourse.features import features
from tlcourse.models import pretrained, small_cnn
from tlcourse.sweep import sweep
from tlcourse.training import accuracy, fit

SEEDS = range(6)


@dataclass(frozen=True)
class Ratio:
    """How many times as long `slow` takes as `fast`, and the least that is claimed."""

    name: str
    slow: Callable[[], object]
    fast: Callable[[], object]
    floor: float
    repeats: int = 3

    def measure(self) -> bool:
        self.slow(), self.fast()  # warm: imports, worker processes, caches of the system
        ratios = []
        for _ in range(self.repeats):
            ratios.append(_seconds(self.slow) / _seconds(self.fast))
        middle = statistics.median(ratios)
        ok = middle >= self.floor
        print(f"{self.name}: {middle:.2f} times (from {min(ratios):.2f} to {max(ratios):.2f}), "
              f"at least {self.floor} claimed: {'ok' if ok else 'MISSED'}", flush=True)
        return ok


@dataclass(frozen=True)
class Limit:
    """The most seconds that `work` may take on one thread."""

    name: str
    work: Callable[[], object]
    seconds: float
    repeats: int = 3

    def measure(self) -> bool:
        with threadpool_limits(1):
            self.work()
            fastest = min(_seconds(self.work) for _ in range(self.repeats))
        ok = fastest <= self.seconds
        print(f"{self.name}: {fastest:.2f} s, at most {self.seconds} s claimed: "
              f"{'ok' if ok else 'MISSED'}", flush=True)
        return ok


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def train(labels, seed):
    parts = load("uci_digits").split(seed=seed)
    model = small_cnn(10, seed=seed)
    fit(model, parts.train.take(labels, seed=seed), steps=200, seed=seed)
    return {"accuracy": accuracy(model, parts.test.open("bench"))}


def plain_loop():
    """As one would write it: one run after the other in one process."""
    return [train(labels, seed) for labels in (100, 400) for seed in SEEDS]


def swept():
    with tempfile.TemporaryDirectory() as empty:
        os.environ["TLCOURSE_CACHE"] = empty
        return sweep(train, {"labels": [100, 400]}, seeds=SEEDS, progress=False)


def lite0():
    network = pretrained("efficientnet_lite0")
    pictures = load("emoji_google").subset(slice(0, 500))
    large = interpolate(pictures.X, (96, 96), mode="bilinear")
    return network, pictures, replace(pictures, X=large)


@torch.no_grad()
def bare_forward():
    """What a loop without the course would do: timm's own forward pass, batch by batch."""
    body = NETWORK.backbone.body
    return torch.cat([body((x * 255 - 127) / 128) for x in LARGE.X.split(128)])


def extracted():
    with tempfile.TemporaryDirectory() as empty:
        os.environ["TLCOURSE_CACHE"] = empty
        return features(NETWORK, LARGE)


def first_call():
    """As a lesson calls it: the pictures as they are, and the size that they are brought to."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ["TLCOURSE_CACHE"] = empty
        return features(NETWORK, PICTURES, size=96)


def second_call():
    os.environ["TLCOURSE_CACHE"] = KEPT
    return features(NETWORK, PICTURES, size=96)


def table():
    """Features and labels of 10,000 samples with 512 features, answers of 1,000 source classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=10_000)
    features = rng.normal(size=(10_000, 512)) + rng.normal(size=(10, 512))[y]
    return features, rng.dirichlet(np.ones(1000), size=10_000), y


def plain_gram():
    """All inner products of 128 + 128 samples with 512 features, forward and backward."""
    for _ in range(50):
        z = torch.cat([Z_S, Z_T])
        torch.autograd.grad((z @ z.T).square().sum(), [Z_S, Z_T])


def five_kernels():
    for _ in range(50):
        torch.autograd.grad(mmd2(Z_S, Z_T), [Z_S, Z_T])


Z_S, Z_T = (torch.randn(128, 512, requires_grad=True) for _ in range(2))
KEPT = tempfile.mkdtemp()
NETWORK, PICTURES, LARGE = lite0()
RATIOS = [
    Ratio("plain loop over sweep, 12 trainings", plain_loop, swept, floor=1.3),
    Ratio("bare forward pass over feature extraction", bare_forward, extracted, floor=0.9),
    Ratio("features over the second call for the same", first_call, second_call, floor=50),
    # At most 1.4 times one Gram matrix: 1 / 1.4 = .714.
    Ratio("one Gram matrix over mmd2", plain_gram, five_kernels, floor=0.714, repeats=9),
]

F, THETA, Y = table()
LIMITS = [
    Limit("LogME, 10,000 x 512", lambda: transferability.logme(F, Y), seconds=2),
    Limit("H-score, 10,000 x 512", lambda: transferability.h_score(F, Y), seconds=0.5),
    Limit("CKA, 10,000 x 512 twice", lambda: transferability.cka(F, F[::-1]), seconds=0.5),
    Limit("proxy A-distance, 5,000 + 5,000 x 512",
          lambda: transferability.proxy_a_distance(F[::2], F[1::2]), seconds=0.5),
    Limit("LEEP, 10,000 x 1,000", lambda: transferability.leep(THETA, Y), seconds=0.5),
    Limit("NCE, 10,000", lambda: transferability.nce(THETA.argmax(1), Y), seconds=0.5),
]

if __name__ == "__main__":
    torch.set_num_threads(1)
    kept = [speed.measure() for speed in [*RATIOS, *LIMITS]]
    shutil.rmtree(KEPT)
    sys.exit(0 if all(kept) else 1)
