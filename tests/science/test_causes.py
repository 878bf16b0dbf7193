"""Each cause that is made on purpose is the one that the evidence names first."""

import dataclasses
from functools import cache

import numpy as np
import pytest
import torch
from torch.nn.functional import pad

from tlcourse.data import load
from tlcourse.data.framing import resize
from tlcourse.diagnose.causes import explain
from tlcourse.diagnose.matching import pair
from tlcourse.diagnose.measure import black_box_shift, measure
from tlcourse.diagnose.reframing import as_in, frame_filled
from tlcourse.diagnose.strategies import default_model, pretrain


def halves():
    """Every other handwritten digit as source, the rest as target: nothing lies between them."""
    digits = dataclasses.replace(load("uci_digits"), ordered=False)
    return digits.subset(slice(0, None, 2)), digits.subset(slice(1, None, 2))


def nothing(source, target):
    return source, target


def shuffled(source, target):
    rows = torch.from_numpy(np.random.default_rng(0).permutation(len(source)))
    return dataclasses.replace(source, y=source.y[rows]), target


def renamed(source, target):
    return dataclasses.replace(source, y=(source.y + 3) % 10), target


def zero_to_four(source, target):
    return source, target.subset(target.y < 5)


def rare(source, target):
    drawn = torch.from_numpy(np.random.default_rng(0).random(len(target))) < 0.1
    return source, target.subset((target.y < 5) | drawn)


def small_in_its_frame(source, target):
    return dataclasses.replace(source, X=pad(resize(source.X, 8), [4] * 4)), target


def dark_on_light(source, target):
    return dataclasses.replace(source, X=1 - source.X), target


def print_of_fonts(source, target):
    return load("printed_digits"), target


@cache
def evidence(knob):
    both = pair(*knob(*halves()))
    make = default_model(both)
    draw = both.draw(0, folds=5, labels_per_class=10)
    found = measure(draw, make, pretrain(draw, make))
    return explain([found], {}, [])


@pytest.mark.parametrize(("knob", "name", "least"), [
    (shuffled, "source hard to learn", 0.9),
    (renamed, "conflict", 0.8),
    (zero_to_four, "label-space mismatch", 0.4),
    (rare, "label shift", 0.2),
    (small_in_its_frame, "framing mismatch", 0.2),
    (dark_on_light, "framing mismatch", 0.3),
    (print_of_fonts, "domain distance", 0.4),
])
def test_the_cause_that_was_made_is_named_first(knob, name, least):
    first = evidence(knob)[0]
    assert first.name == name and first.evidence > least


def test_without_a_cause_there_is_no_evidence():
    assert all(cause.evidence < 0.1 for cause in evidence(nothing))


def test_a_label_shift_is_estimated_without_target_labels_and_flagged_where_inputs_differ():
    shift = {c.name: c for c in evidence(rare)}["label shift"]
    assert "36%" <= shift.meaning.split("differ by ")[1][:3] <= "46%", "0.41 by construction"
    flagged = {c.name: c for c in evidence(print_of_fonts)}["label shift"]
    assert "says otherwise" in flagged.meaning and flagged.evidence < 0.05


def test_frozen_too_deep_is_what_tuning_everything_gains():
    (cause,) = explain([], {"frozen": 0.6, "fine_tune": 0.75}, [])
    assert cause.name == "frozen too deep" and cause.evidence == pytest.approx(0.15)
    (cause,) = explain([], {"frozen": 0.9, "fine_tune": 0.75}, [])
    assert cause.evidence == 0


def test_frames_are_measured_and_changed_on_dark_and_on_light_grounds():
    square = torch.zeros(5, 1, 16, 16)
    square[:, :, 4:12, 4:12] = 1
    for X in (square, 1 - square, square.expand(-1, 3, -1, -1)):
        assert frame_filled(X) == 0.5
        whole = torch.zeros_like(X) + X[0, 0, 8, 8]
        whole[..., 0, :] = whole[..., 0] = X[0, 0, 0, 0]  # a border, so that there is a ground
        back = as_in(X, X, whole)["the source's framing"]
        assert frame_filled(back) > 0.9 and back.shape == X.shape
    assert "the source's framing" not in as_in(square, square, square)
    assert torch.equal(as_in(square, square, 1 - square)["light and dark exchanged"], 1 - square)


def test_the_black_box_estimate_is_exact_where_its_assumption_holds():
    right = torch.tensor([[0.8, 0.3], [0.2, 0.7]])  # share of each answer, a column a class
    frequencies = torch.tensor([0.25, 0.75])
    n = 100_000

    def answers(y):
        first = torch.rand(len(y), generator=torch.Generator().manual_seed(0)) < right[0][y]
        return torch.nn.functional.one_hot((~first).long(), 2).float()

    y_s = torch.arange(n) % 2
    y_t = (torch.arange(n) % 4 != 0).long()
    found = black_box_shift(answers(y_s), y_s, answers(y_t), torch.tensor([1, 1]))
    assert found.tolist() == pytest.approx(frequencies.tolist(), abs=0.01)
    counted = float(answers(y_t)[:, 0].mean())
    assert abs(counted - 0.25) > 0.1, "counting the answers would be wrong"
