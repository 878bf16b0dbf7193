"""A saved model answers as the trained one did, and marks what it never saw the like of."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tlcourse.data import DataError, Domain, load
from tlcourse.diagnose.saved import load_model, train


@pytest.fixture(scope="module")
def digits():
    digits = replace(load("uci_digits"), ordered=False)
    return digits.subset(slice(0, None, 2)), digits.subset(slice(1, None, 4))


def table(name, n, seed, move=0.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return Domain(name, 100 + 20 * (np.eye(3, 5)[y] * 4 + rng.normal(size=(n, 5)) + move), y,
                  ("ape", "bee", "cat"))


@pytest.mark.parametrize("strategy", ["scratch", "source_only", "frozen", "fine_tune", "aligned"])
def test_a_model_that_was_saved_answers_as_it_did(tmp_path, strategy):
    source, target, new = table("s", 120, 0), table("t", 60, 1), table("new", 90, 2)
    model = train(source, target, strategy)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.predict(new.X).equals(model.predict(new.X))
    said = again.predict(new.X)
    right = said["class"] == [new.classes[k] for k in new.y]
    assert right.mean() > 0.9 and list(said.columns) == ["class", "probability", "far"]
    assert said["far"].mean() < 0.2 and said["probability"].between(1 / 3, 1).all()
    assert again.predict(table("far", 30, 3, move=30.0).X)["far"].all()


def test_pictures_are_read_and_strange_ones_marked(tmp_path, digits):
    source, target = digits
    train(source, target, "fine_tune").save(tmp_path)
    model = load_model(tmp_path)
    rest = replace(load("uci_digits"), ordered=False).subset(slice(3, None, 4))
    said = model.predict(rest.X)
    assert (said["class"] == [rest.classes[k] for k in rest.y]).mean() > 0.9
    assert said["far"].mean() < 0.15
    for strange in (load("animals").X[:200], torch.rand(50, 1, 16, 16), 1 - rest.X[:200]):
        assert model.predict(strange)["far"].mean() > 0.8


def test_large_pictures_go_through_lite0(tmp_path):
    colours = torch.eye(3)[torch.arange(12) % 3].reshape(12, 3, 1, 1)
    noise = torch.rand(12, 3, 80, 80, generator=torch.Generator().manual_seed(0))
    domain = Domain("d", 0.7 * colours + 0.3 * noise, torch.arange(12) % 3, ("r", "g", "b"))
    train(domain, replace(domain, name="t"), "frozen").save(tmp_path)
    assert load_model(tmp_path).predict(domain.X)["class"].tolist() == ["r", "g", "b"] * 4


def test_what_does_not_fit_or_is_damaged_is_refused_in_one_sentence(tmp_path):
    model = train(table("s", 60, 0), table("t", 30, 1), "scratch")
    with pytest.raises(DataError, match=r"takes samples of shape \(5,\), got \(4,\)"):
        model.predict(torch.rand(3, 4))
    with pytest.raises(DataError, match="holds no saved model"):
        load_model(tmp_path / "nothing")
    model.save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps({**card, "classes": ["one"]}))
    with pytest.raises(DataError, match="is damaged") as said:
        load_model(tmp_path)
    assert "\n" not in str(said.value)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        load_model(tmp_path)
