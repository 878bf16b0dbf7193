"""How a verdict, a shift of labels and a conflict of gradients arise, with ``alt_text``."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tlcourse.plots import drawing as draw
from tlcourse.stats import decided, paired_gap


def verdicts(seeds: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the gaps of single seeds, their mean with its interval, and the verdict, row by row.

    Parameters
    ----------
    seeds : dict of name -> sequence of float
        A gap for each seed, in points.
    """
    figure, axes = plt.subplots(figsize=(7.2, 0.75 * len(seeds) + 1.1), layout="constrained")
    said = []
    for row, (title, points) in enumerate(seeds.items()):
        gap = paired_gap(points, [0] * len(points))
        axes.plot(points, [row - 0.18] * len(points), "|", markersize=13, markeredgewidth=2,
                  color="#666666", label="gap of one seed" if row == 0 else None)
        draw.interval(axes, gap, row + 0.16, scale=1, capsize=4, markersize=9, linewidth=2,
                      **draw.series(0))
        axes.annotate(decided(gap), (1.01, row), xycoords=("axes fraction", "data"), va="center",
                      fontsize=12, annotation_clip=False)
        said.append(f"{title}: mean {gap.estimate:.1f}, interval {gap.low:.1f} to {gap.high:.1f}, "
                    f"{decided(gap)}")
    axes.plot([], [], **draw.series(0), linewidth=2, label="mean and 95 % interval")
    draw.rows(axes, list(seeds), "gap to scratch in points")
    reach = max(15, *map(abs, axes.get_xlim()))  # the same for most, so that a move is seen as one
    axes.set_xlim(-reach, reach)
    draw.bare(axes, "x")
    draw.key(figure, axes, hollow=any("inconclusive" in each for each in said))
    figure.alt_text = f"Gaps of single seeds, and what they decide. {'; '.join(said)}."
    return figure


def label_shift(table: np.ndarray, q: np.ndarray) -> Figure:
    """Draw how class frequencies become frequencies of answers: mu = C q.

    Parameters
    ----------
    table : array (K, K)
        C, the share of answer i (row) among the samples of class k (column).
    q : array (K,)
        The frequency of each class.
    """
    table, q = np.asarray(table), np.asarray(q)
    right, classes = np.diag(table) * q, np.arange(len(q))
    wrong = table @ q - right
    figure, (left, middle, last) = plt.subplots(1, 3, figsize=(9.6, 3.2), layout="constrained")
    left.bar(classes, q, color=draw.COLOURS[0])
    left.set(title="q: how often a class occurs", xlabel="class")
    shares = pd.DataFrame(table, classes, classes)
    words = np.where(table >= 0.005, np.char.mod("%.0f", 100 * table), "")
    draw.table(middle, shares, words, dark=0.6, fontsize=7)
    middle.set(title="C: what it is taken for, in %", xlabel="class", ylabel="answer")
    last.bar(classes, right, color=draw.COLOURS[0], label="rightly")
    last.bar(classes, wrong, bottom=right, color=draw.COLOURS[1], hatch="//", edgecolor="white",
             label="by mistake")
    last.plot(classes, q, "_", color="black", markersize=14, markeredgewidth=2, label="q")
    last.set(title="μ = C q: how often it is answered", xlabel="answer")
    last.legend(frameon=False, fontsize=9)
    top = 1.15 * max(q.max(), (table @ q).max())
    for axes in (left, last):
        axes.set(xticks=classes, ylim=(0, top))
        axes.yaxis.set_major_formatter(draw.PERCENT)
        draw.bare(axes)
    said = ", ".join(f"{k}: {a:.0%} and {b:.0%}" for k, a, b in zip(classes, q, table @ q,
                                                                    strict=True))
    figure.alt_text = f"How often each class occurs, and how often it is answered. {said}."
    return figure


def steps(cosines: Mapping[str, float]) -> Figure:
    """Draw the steps that target and source want, and whether the source's serves the target.

    Parameters
    ----------
    cosines : dict of title -> float
        The cosine of the two gradients; both are drawn with length 1.
    """
    figure, panels = plt.subplots(1, len(cosines), figsize=(3 * len(cosines), 2.6), squeeze=False,
                                  layout="constrained")
    said = []
    for axes, (title, cosine) in zip(panels[0], cosines.items(), strict=True):
        source = np.array([cosine, np.sqrt(max(1 - cosine**2, 0))])
        axes.axvspan(0, 2, color=draw.COLOURS[5], alpha=0.25, linewidth=0)
        for end, number, line in (((1, 0), 0, "-"), (source, 1, "--"), (source + (1, 0), 6, ":")):
            axes.annotate("", end, (0, 0), arrowprops=draw.ARROW | {"color": draw.COLOURS[number],
                                                                "linestyle": line})
        axes.plot([source[0]] * 2, [0, source[1]], color="#666666", linewidth=1)
        axes.plot([0, source[0]], [0, 0], color=draw.COLOURS[1], linewidth=5, alpha=0.7)
        axes.set(xlim=(-1.1, 2), ylim=(-0.15, 1.1), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"{draw.name(title)}\ncosine {cosine:+.2f}", fontsize=11)
        said.append(f"{title}, cosine {cosine:+.2f}: together {1 + cosine:.2f} towards the target")
    for number, line, label in ((0, "-", "step for the target"), (1, "--", "step for the source"),
                                (6, ":", "both together")):
        panels[0, 0].plot([], [], line, color=draw.COLOURS[number], linewidth=2, label=label)
    panels[0, 0].fill_between([], [], color=draw.COLOURS[5], alpha=0.25,
                              label="steps that help the target")
    panels[0, 0].plot([], [], color=draw.COLOURS[1], linewidth=5, alpha=0.7,
                      label="what the source's adds")
    draw.key(figure, panels[0, 0], hollow=False)
    figure.alt_text = ("Two arrows from one point, the steps for target and source, and their sum. "
                       f"{'; '.join(said)}; the target alone gives 1.")
    return figure
