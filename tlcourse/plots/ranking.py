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
        Capitals have a colour of their own. A legend gives the source of each letter.
    """
    means = runs.groupby(["target", "source"], sort=False)[[score, outcome]].mean().dropna()
    targets = list(dict.fromkeys(means.index.get_level_values("target")))
    across = min(2, len(targets))  # wide panels: letters of like sources must not cover each other
    down = -(-len(targets) // across)
    figure, panels = plt.subplots(down, across, figsize=(4.4 * across, 3 * down + 0.6),
                                  squeeze=False, layout="constrained")
    words = []
    for place in panels.flat[len(targets):]:
        place.set_visible(False)
    for place, target in zip(panels.flat, targets, strict=False):
        scores = means.loc[target]
        for source, row in scores.iterrows():
            letter = letters[source]
            place.plot(row[score], row[outcome], **_look(letter))
        place.set(title=draw.name(target), xlabel=draw.name(score))
        place.xaxis.set_major_locator(MaxNLocator(5))
        place.margins(0.12)
        place.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        draw.bare(place, "both")
        words.append(f"{draw.name(target)}: highest score {draw.name(scores[score].idxmax())}, "
                     f"highest accuracy {draw.name(scores[outcome].idxmax())}")
    for place in panels[:, 0]:
        place.set_ylabel(f"accuracy, {draw.name(outcome)}")
    for source, letter in letters.items():
        panels[0, 0].plot([], [], label=draw.name(source), **_look(letter))
    figure.legend(loc="outside upper center", ncols=6, frameon=False, handletextpad=0)
    figure.alt_text = (f"Accuracy of {draw.name(outcome)} against {draw.name(score)}, one letter "
                       f"for each source. {'; '.join(words)}.")
    return figure


def _look(letter: str) -> dict:
    """How a source's letter is drawn."""
    return {"marker": f"${letter}$", "markersize": 8, "markeredgewidth": 0.4, "linestyle": "",
            "color": draw.COLOURS[0 if letter.isupper() else 1]}


def interval_rows(panels: Mapping[str, Mapping[str, Mapping[str, Gap]]], *, xlabel: str) -> Figure:
    """Estimates with intervals: a row for each score, in a panel for each target.

    Parameters
    ----------
    panels : dict of title -> score -> target -> Gap
        A line of panels for each title, all on one scale, the scores of the first title from top to
        bottom.
    """
    first = next(iter(panels.values()))
    names, targets = list(first), list(next(iter(first.values())))
    figure, places = plt.subplots(
        len(panels), len(targets), squeeze=False, sharex=True, sharey=True, layout="constrained",
        figsize=(1.9 * len(targets) + 1.4, (0.27 * len(names) + 0.7) * len(panels)))
    words = []
    for i, (line, (title, gaps)) in enumerate(zip(places, panels.items(), strict=True)):
        for place, target in zip(line, targets, strict=True):
            for row, score in enumerate(names):
                if target in gaps[score]:
                    draw.interval(place, gaps[score][target], row, scale=1, hollow=False,
                                  linewidth=1.5, markersize=5, **draw.series(i))
            draw.rows(place, names, "")
            place.set_title(draw.name(target) if i == 0 else None)
            place.xaxis.set_major_locator(MaxNLocator(4))
            draw.bare(place, "both")
        line[0].set_ylabel(draw.name(title))
        words += [f"{draw.name(title)}, {score}: " + ", ".join(
            f"{draw.name(target)} {gap.estimate:.2g}" for target, gap in gaps[score].items())
            for score in names]
    figure.supxlabel(xlabel, fontsize=10)
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
    axes.set(title="in per cent", xlabel=xlabel, ylabel=ylabel)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    words = [f"{name}: " + ", ".join(f"{column} {share:.0%}" for column, share in
                                     row.nlargest(3).items() if share >= 0.005)
             for name, row in shares.iterrows()]
    figure.alt_text = (f"Table in per cent; rows: {ylabel}; columns: {xlabel}. Largest in each "
                       f"row: {'; '.join(words)}.")
    return figure
