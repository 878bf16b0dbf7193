"""The style of all figures: names, colours, bare axes, estimates with intervals, shaded cells.

Series differ in marker and line style as well as in colour. Scores are drawn in per cent, gaps in
points. A figure is dark on opaque white paper, which is as readable on a dark page.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter

from tlcourse.stats import Gap, decided

# Okabe and Ito's colours: told apart by people with any kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
ARROW = {"arrowstyle": "-|>", "linewidth": 2, "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}
PERCENT = FuncFormatter(lambda share, position: f"{100 * share:g}%")  # 95%, and 97.5% where needed

NAMES = {
    "printed_digits": "print", "printed_letters": "letters", "uci_digits": "handwriting",
    "mnist_5k": "MNIST", "fashion": "clothes", "emoji_google": "Google", "emoji_twitter": "Twitter",
    "google": "Google", "twitter": "Twitter", "lite0": "ImageNet", "lp_ft": "LP-FT",
    "l2_sp": "L2-SP", "source_only": "as is",
    "fine_tune": "fine-tuned", "stage1": "stage 1", "stage2": "stage 2", "stage3": "stage 3",
    "embed": "embedding",
}
"""What the text calls that which the code calls otherwise."""


def name(internal: object) -> str:
    """The name that a reader knows: of `NAMES`, or with spaces for underscores.

    Examples
    --------
    >>> name("uci_digits"), name("my_photos")
    ('handwriting', 'my photos')
    """
    return NAMES.get(str(internal), str(internal).replace("_", " "))


def series(number: int) -> dict[str, str]:
    """Colour and marker of a series."""
    return {"color": COLOURS[number], "marker": MARKERS[number]}


def bare(axes: Axes, grid: str = "y") -> None:
    """Take away the upper and the right edge, and draw pale lines across this axis."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, alpha=0.3)
    axes.set_axisbelow(True)


def literal(text: str) -> str:
    r"""A text that is drawn as it is: matplotlib would read what stands between dollars as maths.

    Examples
    --------
    >>> print(literal("price_$ to $"))
    price_\$ to \$
    """
    return text.replace("$", r"\$")


def undecided(gap: Gap) -> str:
    """The words that a description adds to an interval that holds 0."""
    return " (undecided)" if decided(gap) == "inconclusive" else ""


def key(figure: Figure, axes: Axes, *, hollow: bool, title: str | None = None) -> None:
    """Draw above all panels what the labels of these axes say, and what a hollow marker means."""
    if hollow:
        axes.plot([], [], "o", color="black", markerfacecolor="white",
                  label="undecided: holds 0")
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False,
                      title=title)


def interval(
    axes: Axes, gap: Gap, place: float, *, upright: bool = False, scale: float = 100,
    hollow: bool = True, **style,
) -> None:
    """Draw an estimate with its interval, its marker hollow where the interval holds 0.

    Parameters
    ----------
    place : float
        Where it stands on the axis that has no scale: the vertical one, or the horizontal one for
        an `upright` interval.
    scale : float
        100 draws fractions in points.
    hollow : bool
        False for numbers that are not judged by whether they differ from 0.
    **style
        Of matplotlib's `errorbar`.
    """
    estimate, low, high = (scale * value for value in gap[:3])
    reach = {"yerr" if upright else "xerr": [[estimate - low], [high - estimate]]}
    x, y = (place, estimate) if upright else (estimate, place)
    axes.errorbar(x, y, **reach, **style,
                  markerfacecolor="white" if hollow and undecided(gap) else None)


def rows(axes: Axes, names: Sequence[str], xlabel: str) -> None:
    """Name a row for each, from top to bottom, and draw a line at zero."""
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.5, -0.5), xlabel=xlabel)


def curve(axes: Axes, x: Sequence, gaps: Sequence[Gap], number: int, label: object) -> None:
    """Draw means as a line and their intervals as a band, in the style of the series' number."""
    axes.plot(x, [g.estimate for g in gaps], label=name(label), linestyle=LINES[number],
              **series(number))
    axes.fill_between(x, [g.low for g in gaps], [g.high for g in gaps], color=COLOURS[number],
                      alpha=0.15, linewidth=0)


def table(
    axes: Axes, shares: pd.DataFrame, words: np.ndarray, *, dark: float,
    bold: pd.DataFrame | None = None, cmap: str = "Blues", fontsize: float | None = None,
) -> AxesImage:
    """Draw shares in [0, 1] as shaded cells, with words that are white where a cell is `dark`."""
    for (i, j), word in np.ndenumerate(words):
        axes.text(j, i, word, ha="center", va="center", fontsize=fontsize,
                  color="white" if shares.iloc[i, j] > dark else "black",
                  fontweight="bold" if bold is not None and bold.iloc[i, j] else None)
    axes.set_xticks(range(shares.shape[1]), shares.columns)
    axes.set_yticks(range(len(shares)), shares.index)
    return axes.imshow(shares, cmap=cmap, vmin=0, vmax=1, aspect="auto")
