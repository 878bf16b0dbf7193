"""Training with and without alignment gives what it gave before methods were objects.

``before_methods.json`` holds what `adapt` and `fit` gave then: settings, histories, sums of the
weights and a hash of their bytes. On the same processor with the same PyTorch and number of
threads (statistics of AdaBN are taken on all of them) nothing may differ; others round otherwise,
and training makes more of it.
"""

import hashlib
import json
import platform
from pathlib import Path

import pytest
import torch

from tlcourse.align import adapt
from tlcourse.data import load
from tlcourse.finetune import param_groups
from tlcourse.models import small_cnn
from tlcourse.training import fit, random_shift

BEFORE = json.loads(Path(__file__).with_name("before_methods.json").read_text(encoding="utf-8"))


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor()


SAME_MACHINE = {
    "torch": torch.__version__, "cpu": processor(),
    "capability": torch.backends.cpu.get_cpu_capability()}.items() <= BEFORE.items()


@pytest.fixture(autouse=True)
def threads_of_before():
    before = torch.get_num_threads()
    torch.set_num_threads(BEFORE["threads"])
    yield
    torch.set_num_threads(before)


def sha256(model) -> str:
    tensors = model.state_dict().values()
    return hashlib.sha256(b"".join(t.contiguous().numpy().tobytes() for t in tensors)).hexdigest()


@pytest.mark.parametrize("name", BEFORE["adapt"])
def test_adapt_gives_the_weights_and_histories_of_before(name):
    """Elsewhere: without vector instructions, sums of weights moved by .018 and losses by 5e-4."""
    before = BEFORE["adapt"][name]
    settings = dict(before["settings"])
    if "class_weights" in settings:
        settings["class_weights"] = torch.tensor(settings["class_weights"])
    model, history = adapt(
        small_cnn(10, width=4, seed=3), load("printed_digits").take(200, seed=0),
        load("uci_digits").subset(slice(0, 150)).X, steps=30, seed=5, every=10, batch_size=32,
        **settings)
    sums = {key: float(value.double().sum()) for key, value in model.state_dict().items()}
    found = {"source_loss": history.source_loss, "distance": history.distance,
             "discriminator_accuracy": history.discriminator_accuracy}
    if SAME_MACHINE:
        assert found == {key: before[key] for key in found}
        assert sums == before["weights"] and sha256(model) == before["sha256"]
    assert sums == pytest.approx(before["weights"], abs=0.1)
    for key, values in found.items():
        assert values == pytest.approx(before[key], rel=5e-3, abs=1e-4), key


@pytest.mark.parametrize("name", BEFORE["fit"])
def test_fit_gives_the_weights_and_history_of_before(name):
    """Elsewhere: without vector instructions, losses moved by 1e-4 of their size."""
    before, model = BEFORE["fit"][name], small_cnn(10, width=4, seed=3)
    parts = load("uci_digits").split(seed=1, validation=0.1)
    options = {
        "validation": parts.validation, "augment": random_shift,
        "penalty": lambda m: 0.01 * sum(p.square().sum() for p in m.parameters()),
        "groups": param_groups(model, 3e-3, 0.5, weight_decay=0.01), "patience": 1}
    history = fit(model, parts.train.take(100, seed=0), steps=60, seed=5, every=10,
                  **{option: options[option] for option in before["settings"]})
    if SAME_MACHINE:
        assert history.loss == before["loss"] and history.accuracy == before["accuracy"]
        assert history.best_step == before["best_step"] and sha256(model) == before["sha256"]
    assert history.step == before["step"]
    assert history.loss == pytest.approx(before["loss"], rel=1e-3)
    assert history.accuracy == pytest.approx(before["accuracy"], abs=0.03)
