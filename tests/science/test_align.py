"""Training with alignment: what weight 0 leaves, what each method moves, and what is refused."""

import copy

import pytest
import torch
from networks import blobs
from torch import nn

from tlcourse.align import METHODS, adapt, adapt_batchnorm, loop
from tlcourse.data import Domain
from tlcourse.models import Network, small_cnn
from tlcourse.training import accuracy, batches, fit, predict

WEIGHTED = ["mmd", "coral", "partial", "dann", "cdan", "entropy", "information_maximisation", "mcc",
            "pseudo_label", "consistency"]


@pytest.fixture(scope="module")
def source():
    return blobs(90, brightness=0.6, seed=0)


@pytest.fixture(scope="module")
def target_x():
    return 1 - blobs(60, brightness=0.4, seed=1).X


def network(seed: int = 0) -> Network:
    return small_cnn(3, width=4, seed=seed)


def run(source, target_x, method, *, model=None, steps=6, seed=3, **options):
    model, history = adapt(model or network(), source, target_x, method=method, steps=steps,
                           seed=seed, batch_size=16, **options)
    return model, history


def equal(a: nn.Module, b: nn.Module, *, part: str = "state_dict") -> bool:
    a, b = ({"state_dict": m.state_dict, "parameters": lambda m=m: dict(m.named_parameters()),
             "buffers": lambda m=m: dict(m.named_buffers())}[part]() for m in (a, b))
    return a.keys() == b.keys() and all(torch.equal(t, b[name]) for name, t in a.items())


def test_method_none_is_fit_to_the_last_bit(source, target_x):
    plain = network()
    fit(plain, source, steps=6, seed=3, batch_size=16, lr=1e-3)
    assert equal(run(source, target_x, "none")[0], plain)


@pytest.mark.parametrize("batchnorm", ["joint", "separate"])
@pytest.mark.parametrize("method", WEIGHTED)
def test_weight_0_is_source_only_to_the_last_bit(source, target_x, method, batchnorm):
    found, history = run(source, target_x, method, weight=0, batchnorm=batchnorm)
    assert equal(found, run(source, target_x, "none")[0]) and history.distance == []


@pytest.mark.parametrize("method", ["mmd", "cdan"])
def test_weight_0_is_source_only_with_dropout_too(source, target_x, method):
    model = network()
    model.backbone.append(nn.Dropout(0.5))
    found = [run(source, target_x, m, model=model, weight=0)[0] for m in ("none", method)]
    assert equal(*found)


@pytest.mark.parametrize("batchnorm", ["joint", "separate"])
@pytest.mark.parametrize("method", WEIGHTED)
def test_the_weight_moves_the_encoder_and_how_far_depends_on_it(
    source, target_x, method, batchnorm
):
    """Against the control, which sees the same pictures: seen elsewhere, 0, 1 and 1000 are one."""
    unsure = {"threshold": 0.0} if method in ("pseudo_label", "consistency") else {}
    control, small, large = (
        run(source, target_x, m, weight=weight, batchnorm=batchnorm,
            **(unsure if m == method else {}))[0].backbone
        for m, weight in (("control", 1), (method, 1), (method, 1000)))
    assert not equal(control, small, part="parameters")
    assert not equal(small, large, part="parameters")


def test_of_the_wrong_sign_the_domains_are_driven_apart(source, target_x):
    last = {weight: run(source, target_x, "mmd", weight=weight, steps=40)[1].distance[-1]
            for weight in (1, -1)}
    assert last[1] < 0.5 * last[-1]


@pytest.mark.parametrize("method", [m for m in METHODS if m != "adabn"])
def test_no_method_touches_the_model_it_is_given_or_the_global_random_state(
    source, target_x, method
):
    model = network()
    before, state = copy.deepcopy(model), torch.get_rng_state()
    found, _ = run(source, target_x, method, model=model, steps=2)
    assert equal(model, before) and not equal(found, before)
    assert torch.equal(state, torch.get_rng_state()) and not found.training


@pytest.mark.parametrize("method", ["mmd", "dann", "cdan", "partial"])
def test_a_run_repeats_with_its_seed_and_not_with_another(source, target_x, method):
    found = []
    for seed, noise in ((3, 0), (3, 1), (4, 1)):
        torch.manual_seed(noise)
        found.append(run(source, target_x, method, seed=seed)[0])
    assert equal(found[0], found[1]) and not equal(found[0], found[2])


def test_more_target_samples_or_another_adversary_leave_the_source_batches_as_they_are(
    source, target_x, monkeypatch
):
    drawn = []

    def noted(n, *args):
        for rows in batches(n, *args):
            drawn.append((n, rows.tolist()))
            yield rows

    monkeypatch.setattr(loop, "batches", noted)
    streams = []
    for method, target in (("none", target_x), ("cdan", target_x), ("control", target_x[:20])):
        drawn.clear()
        run(source, target, method, steps=4)
        streams.append([rows for n, rows in drawn if n == len(source)])
    assert streams[0] == streams[1] == streams[2] and len(streams[0]) == 4


def test_the_control_moves_only_through_batch_normalisation(source, target_x):
    none, control = (run(source, target_x, m)[0] for m in ("none", "control"))
    assert not equal(none, control, part="parameters")
    plain = Network(nn.Sequential(nn.Flatten(), nn.Linear(256, 8), nn.ReLU()), nn.Linear(8, 3))
    none, control = (run(source, target_x, m, model=plain)[0] for m in ("none", "control"))
    assert all(torch.allclose(a, b, atol=1e-6)
               for a, b in zip(none.parameters(), control.parameters(), strict=True))


def test_joint_statistics_are_of_the_mixture_and_separate_ones_fit_neither_domain():
    """Two domains at -2 and 2 with variance 1: the mixture has variance 5."""
    model = Network(nn.Sequential(nn.BatchNorm1d(1)), nn.Linear(1, 2))
    x = torch.randn(400, 1, generator=torch.Generator().manual_seed(0))
    source = Domain("left", x - 2, torch.arange(400) % 2)
    variance = {batchnorm: float(run(source, x + 2, "control", model=model, steps=100,
                                     batchnorm=batchnorm)[0].backbone[0].running_var)
                for batchnorm in ("joint", "separate")}
    assert variance["joint"] == pytest.approx(5, abs=0.5)
    assert variance["separate"] == pytest.approx(1, abs=0.3)


def test_adabn_keeps_every_parameter_and_renews_every_statistic(source, target_x):
    none, adabn = (run(source, target_x, m)[0] for m in ("none", "adabn"))
    assert equal(none, adabn, part="parameters") and not adabn.training
    moved = {name for name, b in adabn.named_buffers()
             if not torch.equal(b, dict(none.named_buffers())[name])}
    statistics = {name for name, _ in adabn.named_buffers()
                  if name.endswith(("running_mean", "running_var"))}
    assert statistics <= moved and len(statistics) == 8
    assert all(m.momentum == 0.1 for m in adabn.modules() if hasattr(m, "momentum"))


def test_adabn_without_batch_normalisation_is_refused(source, target_x):
    plain = Network(nn.Sequential(nn.Flatten(), nn.Linear(256, 8)), nn.Linear(8, 3))
    with pytest.raises(ValueError, match="Network has no batch normalisation"):
        run(source, target_x, "adabn", model=plain)
    with pytest.raises(ValueError, match="Sequential has no batch normalisation"):
        adapt_batchnorm(plain.backbone, target_x)


def test_the_history_says_what_happened(source, target_x):
    steps = {m: run(source, target_x, m, steps=25, every=10)[1]
             for m in ("none", "control", "mmd", "coral", "dann", "cdan")}
    for method, history in steps.items():
        assert history.step == [10, 20, 25] and len(history.source_loss) == 3
        assert history.source_loss[-1] < history.source_loss[0]
        assert len(history.distance) == 3 * (method in ("mmd", "coral", "dann", "cdan"))
        assert len(history.discriminator_accuracy) == 3 * (method in ("dann", "cdan"))
    assert all(0 <= a <= 1 for a in steps["dann"].discriminator_accuracy)
    assert steps["mmd"].distance[-1] < steps["mmd"].distance[0]


@pytest.mark.parametrize("method", ["none", "dann"])
def test_watching_changes_nothing(source, target_x, method):
    seen = []

    def watch(step, model):
        seen.append((step, accuracy(model, source)))

    watched, _ = run(source, target_x, method, every=2, watch=watch)
    assert equal(watched, run(source, target_x, method)[0])
    assert [step for step, _ in seen] == [2, 4, 6]


def test_an_interrupt_keeps_what_was_reached(source, target_x):
    def stop(step, model):
        if step == 4:
            raise KeyboardInterrupt

    found, history = run(source, target_x, "mmd", steps=50, every=2, watch=stop)
    assert history.interrupted and history.step == [2, 4] and not found.training
    assert not equal(found, network())


def test_both_forms_of_the_adversary_train_and_differ(source, target_x):
    found = [run(source, target_x, "dann", sign=sign)[0]
             for sign in ("reversal", "non_saturating")]
    assert not equal(*found)


def test_partial_alignment_finds_out_which_class_is_missing_and_gives_less_of_it(source):
    """The same pictures without the third class: MMD fills it all the same."""
    two = blobs(120, brightness=0.4, seed=5)
    two = two.subset(two.y < 2)
    share = {}
    for method in ("mmd", "partial"):
        models = [run(source, two.X, method, model=network(s), steps=60, seed=s, lr=5e-3)[0]
                  for s in range(3)]
        share[method] = [predict(m, two.X).softmax(1)[:, 2].mean().item() for m in models]
    pairs = zip(share["partial"], share["mmd"], strict=True)
    assert all(partial < 0.8 * mmd for partial, mmd in pairs) and max(share["mmd"]) > 0.05


def test_a_class_of_weight_0_is_not_learnt(source, target_x):
    model, _ = run(source, target_x, "partial", steps=60, class_weights=torch.tensor([1.0, 1, 0]))
    answers = predict(model, source.X).argmax(1)
    assert (answers == source.y)[source.y < 2].all() and (answers == 2).sum() < 10


def test_class_weights_that_are_given_are_kept(source, target_x):
    found = [run(source, target_x, "partial", class_weights=torch.tensor(w))[0]
             for w in ([1.0, 1, 0], [10.0, 10, 0], [0.0, 1, 1])]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in
               zip(found[0].parameters(), found[1].parameters(), strict=True))
    assert not equal(found[0], found[2])


@pytest.mark.parametrize(("options", "message"), [
    ({"method": "mdd"}, "method is one of none, control, mmd.*got 'mdd'"),
    ({"batchnorm": "both"}, "batchnorm is one of joint, separate, got 'both'"),
    ({"method": "dann", "sign": "wrong"}, "sign is one of reversal, non_saturating, got 'wrong'"),
    ({"weight": float("nan")}, "must be finite"),
    ({"steps": 0}, "steps is a whole number of at least 1, got 0"),
    ({"every": 0}, "every is a whole number of at least 1, got 0"),
    ({"method": "partial", "class_weights": torch.ones(4)}, "one for each of the 3 classes"),
    ({"method": "partial", "class_weights": torch.tensor([1.0, -1, 0])}, "0 or more"),
])
def test_wrong_settings_are_refused_in_words(source, target_x, options, message):
    with pytest.raises(ValueError, match=message):
        run(source, target_x, **{"method": "mmd", **options})


def test_wrong_inputs_are_refused_in_words(source, target_x):
    with pytest.raises(ValueError, match=r"shape \(1, 16, 16\), got \(60, 1, 8, 8\)"):
        run(source, target_x[..., :8, :8], "mmd")
    with pytest.raises(ValueError, match=r"at least 2 samples .* got \(1, 1, 16, 16\)"):
        run(source, target_x[:1], "mmd")
    for raw in ((255 * target_x).byte(), 255 * target_x, target_x.double(), -target_x):
        with pytest.raises(ValueError, match=r"images in \[0, 1\].*; divide bytes by 255"):
            run(source, raw, "mmd")
    with pytest.raises(TypeError, match="inputs alone, got Domain; of a Domain give its X"):
        run(source, source, "mmd")
    with pytest.raises(TypeError, match="needs a Domain, got Tensor"):
        run(source.X, target_x, "mmd")
    with pytest.raises(ValueError, match="2 of 60 target samples hold NaN"):
        run(source, target_x.clone().index_fill(0, torch.tensor([3, 5]), torch.nan), "mmd")
    with pytest.raises(ValueError, match="needs a Network.*got Sequential; .*as_network"):
        run(source, target_x, "mmd", model=nn.Sequential(nn.Flatten(), nn.Linear(256, 3)))
    with pytest.raises(ValueError, match="labels up to 2, but the model has 2 outputs"):
        run(source, target_x, "mmd", model=small_cnn(2, width=4, seed=0))


@pytest.mark.parametrize("method", ["none", "coral"])
def test_a_loss_that_explodes_ends_the_training_in_words(source, target_x, method):
    model = network()
    model.head.weight.data[0] = torch.inf
    with pytest.raises(ValueError, match="lower the learning rate"):
        run(source, target_x, method, model=model)
