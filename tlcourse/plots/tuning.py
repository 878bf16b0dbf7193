"""What tuning moves, what holds it back, and what it forgets, with ``alt_text``."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from tlcourse.data.domain import Domain
from tlcourse.plots import drawing as draw


def learning_rates(rates: pd.DataFrame) -> Figure:
    """Draw a network for each row: a block for each stage, the paler the slower it learns.

    Parameters
    ----------
    rates : DataFrame
        Learning rates; a column for each stage, from the first to the head.
    """
    shares = rates.div(rates.iloc[:, -1], axis=0)
    figure, axes = plt.subplots(figsize=(7.6, 0.6 * len(rates) + 1), layout="constrained")
    words = shares.map(lambda share: f"{round(100 * share, 2):g}%")
    draw.table(axes, shares, words.to_numpy(), dark=0.6)
    axes.set_xticks(range(shares.shape[1]), [draw.name(stage) for stage in shares])
    axes.set_xticks(np.arange(0.5, shares.shape[1] - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(shares) - 1), minor=True)
    axes.grid(which="minor", color="white", linewidth=10)
    axes.set_title("learning rate, in per cent of that of the head", fontsize=10)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    said = "; ".join(f"{row}: " + ", ".join(words.loc[row]) for row in words.index)
    figure.alt_text = ("Learning rates of the stages, from the first to the head, in per cent of "
                       f"the head's. {said}.")
    return figure


def pulls(start: torch.Tensor, tuned: Mapping[str, torch.Tensor]) -> Figure:
    """Draw an arrow from each tuned weight back to where it started, a panel for each network.

    Parameters
    ----------
    start : tensor
        Some weights before tuning.
    tuned : dict of title -> tensor
        The same weights afterwards.
    """
    figure, panels = plt.subplots(1, len(tuned), figsize=(3.8 * len(tuned), 3), squeeze=False,
                                  sharey=True, layout="constrained")
    said = []
    for axes, (title, weights) in zip(panels[0], tuned.items(), strict=True):
        moved = (weights - start).detach().flatten().numpy()
        axes.axhline(0, color="black", linewidth=1.5, label="start")
        axes.plot(moved, linestyle="", **draw.series(0), label="weight after tuning")
        for i, end in enumerate(moved):
            axes.annotate("", (i, 0), (i, end), arrowprops=draw.ARROW | {"color": draw.COLOURS[1]})
        axes.plot([], [], color=draw.COLOURS[1], label="pull of L2-SP")
        axes.set(title=draw.name(title), xlabel="number of the weight", xticks=range(len(moved)))
        draw.bare(axes)
        said.append(f"{draw.name(title)} {abs(moved).mean():.3f}")
    panels[0, 0].set_ylabel("weight minus its start")
    draw.key(figure, panels[0, 0], hollow=False)
    figure.alt_text = (f"{len(moved)} weights, each with an arrow from its value after tuning to "
                       f"its start. Mean length of the arrows: {', '.join(said)}.")
    return figure


def forgotten(
    domain: Domain, before: torch.Tensor, after: torch.Tensor, *, columns: int = 9
) -> Figure:
    """Draw what was read right before and is misread after: two pictures of each common mistake.

    Parameters
    ----------
    domain : Domain
        Pictures.
    before, after : tensor (N,)
        The class that each picture was taken for.
    """
    lost = torch.nonzero((before == domain.y) & (after != domain.y)).flatten().tolist()
    mistakes = pd.Series(lost, dtype=int).groupby([before[lost].numpy(), after[lost].numpy()])
    common = mistakes.size().nlargest(columns)
    figure, axes = plt.subplots(2, columns, squeeze=False, layout="constrained",
                                figsize=(0.85 * columns + 0.4, 2.7))
    for place in axes.flat:
        place.set(xticks=[], yticks=[], frame_on=False)
    said = []
    for column, (pair, times) in zip(axes.T, common.items(), strict=False):
        for place, i in zip(column, mistakes.get_group(pair), strict=False):
            picture = domain.X[i].permute(1, 2, 0).squeeze(-1).numpy()
            place.imshow(picture, cmap="gray", vmin=0, vmax=1)
        a, b = (domain.classes[k] for k in pair)
        column[1].set_xlabel(draw.literal(f"{a} → {b}\n{times:,} times"), fontsize=9)
        said.append(f"{a} as {b} {times:,} times")
    right = int((before == domain.y).sum())
    share = f"{len(lost):,} of {right:,} pictures that were read right before are misread now"
    figure.suptitle(share, fontsize=10)
    figure.alt_text = f"{share}. Most often: {', '.join(said) or 'none'}."
    return figure
