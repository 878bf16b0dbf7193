"""Figures of scores and rankings, and of what fits where, with their ``alt_text``."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from tlcourse.plots import drawing as draw
from tlcourse.stats import Gap


def score_panels(
    runs: pd.DataFrame, score: str, outcome: str, letters: Mapping[str, str]
) -> Figure:
    """Measured accuracy against a score, a panel for each target and a letter for each source.

    Parameters
    ----------
    runs : DataFrame
        Columns ``target``, ``source``, `score` and `outcome`; means over the seeds are drawn.
    letters : dict of source -> one letter
        Capitals have a colour of their own.
    """
    means = runs.groupby(["target", "source"], sort=False)[[score, outcome]].mean().dropna()
    targets = list(dict.fromkeys(means.index.get_level_values("target")))
    across = min(2, len(targets))  # wide panels: letters of like sources must not cover each other
    down = -(-len(targets) // across)
    figure, panels = plt.subplots(down, across, figsize=(4.4 * across, 3 * down), squeeze=False,
                                  layout="constrained")
    words = []
    for place in panels.flat[len(targets):]:
        place.set_visible(False)
    for place, target in zip(panels.flat, targets, strict=False):
        scores = means.loc[target]
        for source, row in scores.iterrows():
            letter = letters[source]
            place.plot(row[score], row[outcome], marker=f"${letter}$", markersize=8,
                       markeredgewidth=0.4, color=draw.COLOURS[0 if letter.isupper() else 1],
                       linestyle="")
        place.set(title=target.replace("_", " "), xlabel=score.replace("_", " "))
        place.xaxis.set_major_locator(MaxNLocator(5))
        place.margins(0.12)
        place.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        draw.bare(place, "both")
        words.append(f"{target}: highest score {scores[score].idxmax()}, highest accuracy "
                     f"{scores[outcome].idxmax()}")
    for place in panels[:, 0]:
        place.set_ylabel(f"accuracy, {outcome.replace('_', ' ')}")
    figure.alt_text = (f"Accuracy of {outcome} against {score}, one letter for each source. "
                       f"{'; '.join(words)}.")
    return figure


def interval_rows(panels: Mapping[str, Mapping[str, Mapping[str, Gap]]], *, xlabel: str) -> Figure:
    """Estimates with intervals: a row for each score, a marker for each target.

    Parameters
    ----------
    panels : dict of title -> score -> target -> Gap
        Drawn side by side on one scale, the scores of the first panel from top to bottom.
    """
    names = list(next(iter(panels.values())))
    figure, places = plt.subplots(1, len(panels), figsize=(4.4 * len(panels), 0.5 * len(names) + 1),
                                  sharex=True, sharey=True, squeeze=False, layout="constrained")
    words = []
    for place, (title, gaps) in zip(places[0], panels.items(), strict=True):
        for i, name in enumerate(names):
            place.axhspan(i - 0.5, i + 0.5, color="#f2f2f2" if i % 2 else "white", zorder=0)
            for j, (target, gap) in enumerate(gaps[name].items()):
                draw.interval(place, gap, i + 0.17 * (j - (len(gaps[name]) - 1) / 2), scale=1,
                              hollow=False, fmt=draw.MARKERS[j], color=draw.COLOURS[j],
                              markersize=5, linewidth=1.2,
                              label=target.replace("_", " ") if i == 0 else None)
            words.append(f"{title}, {name}: " + ", ".join(
                f"{target} {gap.estimate:.2g}" for target, gap in gaps[name].items()))
        draw.rows(place, names, xlabel)
        place.set_title(title)
        place.xaxis.set_major_locator(MaxNLocator(6))
        place.spines[["top", "right", "left"]].set_visible(False)
        place.tick_params(left=False)
    figure.legend(*places[0, 0].get_legend_handles_labels(), frameon=False,
                  loc="outside upper center", ncols=len(draw.MARKERS))
    figure.alt_text = f"{xlabel}, estimate with 95 % interval. {'; '.join(words)}."
    return figure


def share_table(shares: pd.DataFrame, *, xlabel: str, ylabel: str) -> Figure:
    """Shares in [0, 1] as a table of shaded cells, in per cent.

    Parameters
    ----------
    shares : DataFrame
        A row and a column for each name.
    """
    figure, axes = plt.subplots(figsize=(0.62 * shares.shape[1] + 2.2, 0.42 * len(shares) + 1.3),
                                layout="constrained")
    words = shares.map(lambda share: "<1" if 0 < share < 0.005 else f"{100 * share:.0f}")
    draw.table(axes, shares, words.to_numpy(), dark=0.7, fontsize=9)
    plt.setp(axes.get_xticklabels(), rotation=35, ha="right")
    axes.set(title="per cent", xlabel=xlabel, ylabel=ylabel)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    words = [f"{name}: " + ", ".join(f"{column} {share:.0%}" for column, share in
                                     row.nlargest(3).items() if share >= 0.005)
             for name, row in shares.iterrows()]
    figure.alt_text = (f"Table in per cent; rows: {ylabel}; columns: {xlabel}. Largest in each "
                       f"row: {'; '.join(words)}.")
    return figure
