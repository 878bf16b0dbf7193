"""Methods of alignment as objects: the same runs as by name, used again, and made by a learner."""

import copy

import pytest
import torch
from networks import blobs

from tlcourse.align import (
    CDAN,
    CORAL,
    DANN,
    MCC,
    METHODS,
    MMD,
    SHOT,
    TENT,
    AdaBN,
    Consistency,
    Control,
    Entropy,
    InformationMaximisation,
    Method,
    Partial,
    PseudoLabel,
    SourceOnly,
    adapt,
)
from tlcourse.align.methods import REGISTRY, Term
from tlcourse.models import small_cnn

SOURCE = blobs(90, brightness=0.6, seed=0)
TARGET = 1 - blobs(60, brightness=0.4, seed=1).X
KNOWN = torch.tensor([1.0, 2, 0])


def run(method, **options):
    return adapt(small_cnn(3, width=4, seed=0), SOURCE, TARGET, method=method, seed=3,
                 batch_size=16, **{"steps": 6, "every": 2, **options})


def assert_same(one, other):
    (a, history), (b, other_history) = one, other
    states = a.state_dict(), b.state_dict()
    assert all(torch.equal(t, states[1][name]) for name, t in states[0].items())
    assert history == other_history


def test_each_name_has_its_class():
    classes = {SourceOnly, Control, MMD, CORAL, Partial, AdaBN, DANN, CDAN, MCC, Entropy,
               InformationMaximisation, PseudoLabel, Consistency, SHOT, TENT}
    assert {REGISTRY[name] for name in METHODS} == classes and len(METHODS) == len(classes)


@pytest.mark.parametrize(("name", "method", "settings"), [
    ("none", SourceOnly(), {}),
    ("control", Control(), {}),
    ("mmd", MMD(weight=3.0), {"weight": 3.0}),
    ("coral", CORAL(10), {"weight": 10}),
    ("partial", Partial(), {}),
    ("partial", Partial(0.3, class_weights=KNOWN), {"weight": 0.3, "class_weights": KNOWN}),
    ("dann", DANN(weight=-1.0), {"weight": -1.0}),
    ("dann", DANN(sign="non_saturating"), {"sign": "non_saturating"}),
    ("cdan", CDAN(0.5), {"weight": 0.5}),
    ("adabn", AdaBN(), {}),
])
def test_an_object_trains_as_its_name_with_the_same_settings(name, method, settings):
    assert_same(run(method), run(name, **settings))


@pytest.mark.parametrize("method", [MMD(), Partial(), DANN(), CDAN(), AdaBN()],
                         ids=lambda method: type(method).__name__)
def test_an_object_serves_again_and_carries_nothing_from_run_to_run(method):
    before = copy.deepcopy(vars(method))
    first = run(method)
    assert vars(method) == before, "no discriminator and no shares of classes stay behind"
    adapt(small_cnn(5, width=2, seed=1), SOURCE, TARGET, method=method, steps=2, seed=4)
    assert_same(run(method), first)


def test_a_run_inside_a_run_of_the_same_object_does_not_disturb_it():
    for method in (DANN(), Partial()):
        inside = run(method, every=3, watch=lambda step, model, m=method: run(m, steps=2))
        assert_same(inside, run(method, every=3))


def test_settings_that_a_table_has_for_all_methods_go_with_each_name():
    for name in METHODS:
        run(name, weight=1.0, sign="reversal", steps=1)


@pytest.mark.parametrize(("method", "settings", "message"), [
    ("mmd", {"sign": "non_saturating"}, "method 'mmd' has no setting sign, only weight; leave it"),
    ("dann", {"class_weights": KNOWN}, "'dann' has no setting class_weights, only weight, sign"),
    ("none", {"learning_rate": 1}, "'none' has no setting learning_rate"),
    (MMD(), {"weight": 3}, r"a MMD object has its own settings, and got weight .* MMD\(weight="),
])
def test_a_setting_that_the_method_does_not_have_is_refused(method, settings, message):
    with pytest.raises(TypeError, match=message):
        run(method, **settings)


def test_a_class_is_no_method_and_the_names_are_listed():
    with pytest.raises(ValueError, match="method is one of none, control, mmd.*got <class .*MMD'"):
        run(MMD)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: MMD(weight=float("inf")), "the weight must be finite, got inf"),
    (lambda: CDAN(sign="wrong"), "sign is one of reversal, non_saturating, got 'wrong'"),
])
def test_settings_out_of_range_are_refused_before_any_run(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.fixture
def new_names():
    """Names that a test gives are forgotten after it."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.mark.usefixtures("new_names")
def test_a_new_method_is_one_class_with_its_formula():
    class MeanDistance(Method, name="means"):
        """Squared distance of the two mean features."""

        def loss(self, batch):
            distance = (batch.z_s.mean(0) - batch.z_t.mean(0)).square().sum()
            return Term(self.weight * distance, distance)

    found = run("means", steps=20)
    assert_same(found, run(MeanDistance(), steps=20))
    assert found[1].distance[-1] < run(MeanDistance(1e-6), steps=20)[1].distance[-1]
    assert_same(run("means", weight=0), run("none"))


def test_a_step_shows_the_method_features_logits_labels_and_progress():
    seen = []

    class Look(Method):
        def loss(self, batch):
            seen.append(batch)
            return Term()

    run(Look(), steps=3)
    assert [batch.progress for batch in seen] == pytest.approx([1 / 3, 2 / 3, 1])
    for batch in seen:
        assert batch.z_s.shape == batch.z_t.shape == (16, 16) and batch.y_s.shape == (16,)
        assert batch.logits_s.shape == batch.logits_t.shape == (16, 3)
