"""Figures: each says in words what it shows, and says it right."""

import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from tlcourse import plots
from tlcourse.data import Domain
from tlcourse.stats import Gap
from tlcourse.training import History


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def runs():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"method": m, "labels": n, "seed": s, "accuracy": 0.5 + 0.1 * i + 0.2 * (n > 10) + e}
        for i, m in enumerate("ab")
        for n in (10, 100)
        for s, e in enumerate(rng.normal(0, 0.02, 5))
    )


def test_the_learning_curve_draws_means_and_bands_of_each_series():
    figure = plots.learning_curve(runs(), by="method")
    axes = figure.axes[0]
    assert axes.get_legend_handles_labels()[1] == ["a", "b"]
    assert axes.lines[0].get_ydata() == pytest.approx([0.5, 0.7], abs=0.03)
    assert len(axes.collections) == 2, "a band for each series"
    first, second = axes.lines
    assert first.get_marker() != second.get_marker()
    assert first.get_linestyle() != second.get_linestyle()
    assert re.search(r"a from (49|50|51)% at 10 to \d\d% at 100; b from", figure.alt_text)


def test_intervals_are_drawn_in_points():
    gaps = {"x": Gap(0.05, 0.01, 0.09, 5), "y": Gap(-0.02, -0.04, 0.0, 5)}
    figure = plots.intervals(gaps, xlabel="gap")
    assert "x 5.0 (1.0 to 9.0)" in figure.alt_text and "y -2.0 (-4.0 to 0.0)" in figure.alt_text


def test_gaps_to_a_baseline_are_paired_and_undecided_ones_are_hollow():
    frame = runs()
    first = frame.loc[frame["method"] == "a", "accuracy"].to_numpy()
    gaps = [0.1] * 5 + [0.1, -0.1, 0.1, -0.1, 0.05]
    frame.loc[frame["method"] == "b", "accuracy"] = first + gaps
    figure = plots.gaps_to(frame, "a", by="method")
    assert "b +10 at 10, +1 (undecided) at 100" in figure.alt_text
    points = [line for line in figure.axes[0].lines if line.get_marker() == plots.MARKERS[1]]
    hollow = [line.get_markerfacecolor() == "white" for line in points if len(line.get_xdata())]
    assert hollow == [False, True]


def test_the_confusion_matrix_names_its_most_frequent_mistake():
    figure = plots.confusion([[9, 1, 0], [0, 8, 2], [5, 0, 5]], ["cat", "dog", "owl"])
    assert "22 right" in figure.alt_text and "owl taken for cat, 5 times" in figure.alt_text
    perfect = plots.confusion([[9, 0], [0, 8]], ["cat", "dog"])
    assert perfect.alt_text == "Confusion matrix of 17 samples, 17 right."


def test_samples_paired_scores_history_and_features_describe_themselves():
    domain = Domain("toy", torch.rand(6, 1, 4, 4), [0, 1, 2, 0, 1, 2])
    assert "toy (0, 1, 2)" in plots.sample_grid(domain, columns=3).alt_text
    scores = pd.DataFrame({"as is": [0.1, 0.2], "tuned": [0.7, 0.9]})
    assert "as is 15%, tuned 80%" in plots.paired_scores(scores, ["as is", "tuned"]).alt_text
    history = History([10, 20], [1.0, 0.5], [0.6, 0.8], best_step=20)
    assert "80.0%, at step 20" in plots.training_history(history).alt_text
    with pytest.raises(ValueError, match="no validation accuracy"):
        plots.training_history(History([10], [1.0]))
    z = {"s": torch.rand(9, 5), "t": torch.rand(6, 5) + 3}
    y = {name: torch.arange(len(f)) % 3 for name, f in z.items()}
    figure = plots.feature_map(z, y)
    assert "9 samples of s and 6 samples of t" in figure.alt_text
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim(), "one projection for both"
