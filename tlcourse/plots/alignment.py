"""How batch normalisation, a kernel and a training move two domains, with ``alt_text``."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from tlcourse.plots import drawing as draw


def batch_norm(
    source: np.ndarray, target: np.ndarray, ways: Mapping[str, Sequence[tuple[float, float]]]
) -> Figure:
    """Draw what one layer of batch normalisation gets (above) and what it makes of it (below).

    Parameters
    ----------
    source, target : array (N,), (M,)
        One feature of both domains, as it enters the layer.
    ways : dict of title -> pair of (mean, variance)
        What the source is normalised with, and what the target. The means are drawn above.
    """
    figure, panels = plt.subplots(2, len(ways), figsize=(2.4 * len(ways) + 0.8, 4.2), squeeze=False,
                                  sharey="row", sharex="row", layout="constrained")
    before = np.linspace(min(map(np.min, (source, target))), max(map(np.max, (source, target))), 40)
    kinds = (("source", 0, "stepfilled", "-"), ("target", 1, "step", "--"))
    said = []
    for (above, below), (title, statistics) in zip(panels.T, ways.items(), strict=True):
        centres = []
        for values, (mean, variance), (label, number, kind, line) in zip(
                (source, target), statistics, kinds, strict=True):
            look = {"histtype": kind, "color": draw.COLOURS[number], "linewidth": 2, "alpha": 0.6,
                    "density": True}
            after = (np.asarray(values) - float(mean)) / float(variance) ** 0.5
            above.hist(np.asarray(values), before, label=label, **look)
            above.axvline(float(mean), color=draw.COLOURS[number], linestyle=line,
                          label=f"mean that the {label} is given")
            below.hist(after, np.linspace(-4, 4, 41), **look)
            centres.append(after.mean())
        apart = abs(centres[1] - centres[0])
        above.set_title(f"{draw.name(title)}\n{apart:.1f} apart afterwards", fontsize=11)
        said.append(f"{draw.name(title)} {apart:.1f}")
        for axes in (above, below):
            axes.set_yticks([])
            draw.bare(axes, "x")
    panels[0, 0].set_ylabel("before the layer")
    panels[1, 0].set_ylabel("after it")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.alt_text = ("Histograms of one feature before and after a layer of batch normalisation. "
                       f"Distance of the centres afterwards: {', '.join(said)}.")
    return figure


def kernel_table(x: Sequence[float], y: Sequence[float]) -> Figure:
    """Draw the bumps on two samples of numbers, and the kernel of all pairs, with their MMD².

    The bump is 2 to the power of minus the squared distance.

    Parameters
    ----------
    x, y : sequence of float
        Each up to about five numbers between -2 and 5.
    """
    points = np.array([*x, *y], dtype=float)
    kernel = 2.0 ** -((points[:, None] - points) ** 2)
    n, at = len(x), np.linspace(-3, 6, 300)
    hills = {name: np.mean([2.0 ** -((at - p) ** 2) for p in each], axis=0)
             for name, each in (("x", x), ("y", y))}
    parts = kernel[:n, :n].mean(), kernel[n:, n:].mean(), kernel[:n, n:].mean()
    mmd2 = parts[0] + parts[1] - 2 * parts[2]
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.2), layout="constrained",
                                         width_ratios=(3, 2))
    for number, (name, each, line) in enumerate((("x", x, "-"), ("y", y, "--"))):
        left.plot(at, hills[name], line, linewidth=2, color=draw.COLOURS[number],
                  label=f"mean of the bumps on {name}")
        left.plot(each, [0] * len(each), linestyle="", markersize=9, clip_on=False,
                  **draw.series(number))
    left.fill_between(at, *hills.values(), color="#999999", alpha=0.3, label="what differs")
    left.set(ylim=(0, 1.1), xlabel="value")
    draw.bare(left)
    draw.key(figure, left, hollow=False)
    labels = [f"{name} = {p:g}" for name, each in (("x", x), ("y", y)) for p in each]
    draw.table(right, pd.DataFrame(kernel, labels, labels), np.char.mod("%.2f", kernel), dark=0.6)
    for cut in (right.axhline, right.axvline):
        cut(n - 0.5, color=draw.COLOURS[1], linewidth=3)
    right.set_title(f"k(row, column)\nMMD² = {parts[0]:.2f} + {parts[1]:.2f} - 2 · {parts[2]:.2f} "
                    f"= {mmd2:.2f}", fontsize=11)
    figure.alt_text = (f"Bumps on x = {', '.join(f'{p:g}' for p in x)} and y = "
                       f"{', '.join(f'{p:g}' for p in y)}, and a table of the kernel of all pairs: "
                       f"mean {parts[0]:.2f} within x, {parts[1]:.2f} within y, {parts[2]:.2f} "
                       f"between them, MMD² {mmd2:.2f}.")
    return figure


def clouds(moments: Mapping[str, Mapping[str, torch.Tensor]]) -> Figure:
    """Draw the features of two or more domains, a panel for each moment of a training.

    All panels share two directions: the first principal components of all features together.

    Parameters
    ----------
    moments : dict of title -> domain name -> tensor (N, F)
    """
    pooled = torch.cat([z for domains in moments.values() for z in domains.values()]).double()
    centre = pooled.mean(0)
    directions = torch.linalg.svd(pooled - centre, full_matrices=False).Vh[:2].T
    figure, panels = plt.subplots(1, len(moments), figsize=(2.8 * len(moments), 3.2), squeeze=False,
                                  sharex=True, sharey=True, layout="constrained")
    said = []
    for axes, (title, domains) in zip(panels[0], moments.items(), strict=True):
        middles = []
        for number, (name, z) in enumerate(domains.items()):
            xy = ((z.double() - centre) @ directions).numpy()
            axes.plot(*xy.T, linestyle="", markersize=4, alpha=0.5, **draw.series(number),
                      markerfacecolor="none" if number else None, label=draw.name(name))
            middles.append(xy.mean(0))
        for number, middle in enumerate(middles):
            axes.plot(*middle, markersize=13, markeredgecolor="black", **draw.series(number))
        axes.set(title=draw.name(title), xticks=[], yticks=[])
        said.append(f"{draw.name(title)} {np.linalg.norm(middles[0] - middles[1]):.1f}")
    axes = panels[0, 0]
    axes.plot([], [], "o", color="white", markeredgecolor="black", markersize=11,
              label="middle of each")
    draw.key(figure, axes, hollow=False)
    figure.alt_text = (f"Features of {' and '.join(map(draw.name, domains))} on the same two "
                       f"directions. Distance of the two middles: {', '.join(said)}.")
    return figure
