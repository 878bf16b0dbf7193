"""Architectures: the published numbers from the shapes alone, and copying that tells all."""

import pytest
import torch
from torch import nn

from tlcourse.models import small_cnn
from tlcourse.models.architectures import build, copy_what_fits, depth, multiply_adds, side_by_side


@pytest.fixture(scope="module")
def table():
    return side_by_side()


@pytest.mark.parametrize(("name", "year", "place", "parameters", "cost", "layers"), [
    ("AlexNet", 2012, "won", 61.1, 0.71, 8),
    ("VGG-16", 2014, "second", 138.4, 15.5, 16),
    ("GoogLeNet", 2014, "won", 6.6, 1.50, 22),
    ("ResNet-18", 2015, "won", 11.7, 1.81, 18),
    ("ResNet-50", 2015, "won", 25.6, 4.09, 50),
])
def test_the_table_holds_the_published_numbers(
    table, name, year, place, parameters, cost, layers
):
    row = table.loc[name]
    assert row["year"] == year and place in row["ILSVRC"]
    assert row["parameters (M)"] == pytest.approx(parameters, abs=0.05)
    assert row["multiply-adds (G)"] == pytest.approx(cost, abs=0.03)
    assert row["depth"] == layers


def test_cost_and_depth_of_a_network_counted_by_hand():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.long = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
            self.head = nn.Linear(4, 5)

        def forward(self, x):
            x = self.first(x)
            return self.head((x + self.long(x)).mean((2, 3)))

    assert depth(Fork()) == 3, "the longest way, not the shortcut"
    assert multiply_adds(Fork(), torch.zeros(1, 3, 8, 8)) == 64 * (27 * 4 + 4 * 4) + 4 * 5


def test_what_fits_is_copied_and_everything_else_is_told():
    source, target = small_cnn(10, width=4, seed=0), small_cnn(7, width=4, seed=1)
    del source.backbone.embed
    source.extra = nn.Linear(2, 2)
    before = {name: t.clone() for name, t in target.state_dict().items()}
    report = copy_what_fits(source, target)
    theirs, after = source.state_dict(), target.state_dict()
    for name, tensor in after.items():
        expected = theirs if name in report.copied else before
        assert torch.equal(tensor, expected[name]), name
    assert report.wrong_shape == {"head.weight": ((10, 16), (7, 16)), "head.bias": ((10,), (7,))}
    assert report.missing and all(".embed." in name for name in report.missing)
    assert report.unused == ["extra.weight", "extra.bias"]
    assert {*report.copied, *report.wrong_shape, *report.missing} == set(after)
    assert "backbone.stage1.1.running_mean" in report.copied, "buffers too"
    assert str(report).startswith(f"{len(report.copied)} tensors copied, 2 of another shape")


def test_as_many_numbers_in_another_shape_do_not_fit():
    report = copy_what_fits(nn.Linear(6, 1, bias=False), nn.Linear(1, 6, bias=False))
    assert report.wrong_shape == {"weight": ((1, 6), (6, 1))} and report.copied == []


def test_what_was_copied_is_no_alias_and_keeps_gradients_on():
    source, target = small_cnn(3, width=2, seed=0), small_cnn(3, width=2, seed=1)
    copy_what_fits(source, target)
    source.head.weight.data.zero_()
    assert target.head.weight.any() and target.head.weight.requires_grad


def test_nothing_of_alexnet_fits_into_googlenet():
    alexnet, googlenet = (build(name, device="meta") for name in ("alexnet", "googlenet"))
    report = copy_what_fits(alexnet, googlenet)
    assert report.copied == [] and report.wrong_shape == {} and len(report.unused) == 16
    shapes = {tuple(p.shape) for p in googlenet.parameters() if p.ndim == 2}
    assert shapes == {(1000, 1024)}, "one linear layer, and of another width than AlexNet's 4096"


def test_googlenet_is_built_without_its_auxiliary_classifiers_and_runs():
    model = build("googlenet", num_classes=5)
    assert not model.training
    assert not [name for name, _ in model.named_modules() if name.startswith("aux")]
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no network 'lenet'; .* alexnet, vgg16"):
        build("lenet")


def test_a_way_that_depends_on_the_input_is_refused():
    class Choosy(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(ValueError, match="Choosy cannot be traced"):
        depth(Choosy())
