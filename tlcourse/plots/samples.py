"""Figures of samples and mistakes, with their ``alt_text``, for `tlcourse.plots`."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tlcourse.data.domain import Domain
from tlcourse.plots import drawing as draw


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Confusion matrix: true class down, predicted class across, counts in the cells.

    The colour is the share of the row, so that a rare class is seen as well as a common one.
    """
    matrix = np.asarray(matrix)
    share = pd.DataFrame(matrix / np.maximum(matrix.sum(1, keepdims=True), 1), classes, classes)
    figure, axes = plt.subplots(figsize=(5.2, 4.6), layout="constrained")
    image = draw.table(axes, share, np.where(matrix, matrix.astype(str), ""), dark=0.5, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", aspect="equal")
    axes.set_title("number of samples; none where a cell is empty", fontsize=10)
    figure.colorbar(image, label="share of the true class", format=PercentFormatter(1))
    wrong = matrix * (1 - np.eye(len(matrix), dtype=int))
    i, j = np.unravel_index(wrong.argmax(), wrong.shape)
    worst = (f"; the most frequent mistake is {classes[i]} taken for {classes[j]}, {wrong[i, j]} "
             "times" if wrong.any() else "")
    figure.alt_text = (f"Confusion matrix of {matrix.sum()} samples, {np.trace(matrix)} right"
                       f"{worst}.")
    return figure


def sample_grid(*domains: Domain, columns: int = 10) -> Figure:
    """One row of pictures for each domain: the first sample of each of its first classes."""
    figure, axes = plt.subplots(len(domains), columns, squeeze=False, layout="constrained",
                                figsize=(0.75 * columns + 1.4, 0.95 * len(domains)))
    for line, domain in zip(axes, domains, strict=True):
        for k, place in enumerate(line):
            place.set(xticks=[], yticks=[], frame_on=False)
            rows = torch.nonzero(domain.y == k)
            if len(rows):
                picture = domain.X[rows[0, 0]].permute(1, 2, 0).squeeze(-1).numpy()
                place.imshow(picture, cmap="gray", vmin=0, vmax=1)
                kind = domain.classes[k].replace(" & ", "\n& ")
                place.set_xlabel(draw.literal(kind), fontsize=8, labelpad=2)
        line[0].set_ylabel(draw.literal(draw.name(domain.name)).replace(" ", "\n"), rotation=0,
                           ha="right", va="center")
    names = " and ".join(f"{draw.name(d.name)} ({', '.join(d.classes[:columns])})" for d in domains)
    figure.alt_text = f"One picture of each class, a row for each domain: {names}."
    return figure
