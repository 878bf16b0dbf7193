"""The figures of the course, each with a description in words for those who cannot see it.

Every function returns a matplotlib figure whose attribute ``alt_text`` says what it shows, in
numbers. The style stands in `drawing`.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from tlcourse.plots import drawing as draw
from tlcourse.stats import Gap, mean_interval, paired_gap
from tlcourse.training import History


def _axes(width: float = 6.4, height: float = 3.8) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    draw.bare(axes)
    return figure, axes


def learning_curve(
    runs: pd.DataFrame, *, x: str = "labels", y: str = "accuracy", by: str | None = None
) -> Figure:
    """Mean score against the number of labels, with 95 % intervals over the seeds as bands.

    Parameters
    ----------
    runs : DataFrame
        One row a run, as `tlcourse.sweep.sweep` returns it.
    x, y : str
        Columns: the amount of data (drawn on a logarithmic axis) and a score in [0, 1].
    by : str, optional
        Column that names the series.
    """
    figure, axes = _axes()
    words = []
    groups = [("", runs)] if by is None else runs.groupby(by, sort=False)
    for i, (label, rows) in enumerate(groups):
        intervals = {n: mean_interval(part[y]) for n, part in rows.groupby(x)}
        n, gaps = list(intervals), list(intervals.values())
        draw.curve(axes, n, gaps, i, label)
        words.append(f"{draw.name(label)} from {gaps[0].estimate:.0%} at {n[0]} to "
                     f"{gaps[-1].estimate:.0%} at {n[-1]}".strip())
    ticks = sorted(runs[x].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(draw.PERCENT)
    axes.set(xlabel=draw.name(x), ylabel=draw.name(y))
    if by is not None:
        axes.legend(frameon=False)
    figure.alt_text = f"Learning curve, mean {y} against {x} with 95 % bands: {'; '.join(words)}."
    return figure


def training_history(history: History) -> Figure:
    """Training loss, and beside it the validation accuracy with the look that was kept.

    Raises
    ------
    ValueError
        A training without a validation set.
    """
    if not history.accuracy:
        raise ValueError("this history holds no validation accuracy; train with "
                         "fit(..., validation=...)")
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3), layout="constrained")
    left.plot(history.step, history.loss, **draw.series(0), markersize=4)
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    right.plot(history.step, history.accuracy, **draw.series(1), markersize=4)
    kept = history.accuracy[history.step.index(history.best_step)]
    right.plot(history.best_step, kept, marker="*", markersize=15, color="black", linestyle="",
               label=f"kept: {kept:.1%} at step {history.best_step}")
    right.set(xlabel="step", ylabel="validation accuracy")
    right.yaxis.set_major_formatter(draw.PERCENT)
    right.legend(frameon=False, loc="lower right")
    for axes in (left, right):
        draw.bare(axes)
    figure.alt_text = (f"Training: the loss falls from {history.loss[0]:.2g} to "
                       f"{history.loss[-1]:.2g}; the validation accuracy is best, {kept:.1%}, "
                       f"at step {history.best_step}.")
    return figure


def intervals(gaps: Mapping[str, Gap], *, xlabel: str) -> Figure:
    """Estimates with their intervals, one below the other, and a line at zero.

    A hollow marker says that the interval holds zero: undecided.

    Parameters
    ----------
    gaps : dict of label -> Gap
        In the unit of scores; drawn in points (hundredths).
    """
    figure, axes = _axes(height=1.1 + 0.45 * len(gaps))
    for i, gap in enumerate(gaps.values()):
        draw.interval(axes, gap, i, capsize=4, markersize=8, **draw.series(0))
    draw.rows(axes, [draw.name(label) for label in gaps], xlabel)
    axes.grid(axis="both", alpha=0.3)
    draw.key(figure, axes, hollow=any(map(draw.undecided, gaps.values())))
    words = "; ".join(f"{draw.name(label)} {100 * g.estimate:.1f} ({100 * g.low:.1f} to "
                      f"{100 * g.high:.1f})" for label, g in gaps.items())
    figure.alt_text = f"{xlabel}, estimate and 95 % interval: {words}."
    return figure


def gaps_to(
    runs: pd.DataFrame, baseline: str, *, by: str = "strategy", x: str = "labels",
    y: str = "accuracy",
) -> Figure:
    """Paired gaps to one method against the number of labels, a panel for each other method.

    A hollow marker says that the 95 % interval holds zero: undecided.

    Parameters
    ----------
    runs : DataFrame
        One row a run, as `tlcourse.sweep.sweep` returns it, with a column ``seed``.
    baseline : str
        The value of the column `by` that the others are compared with.
    by, x, y : str
        Columns: the method, the amount of data and a score in [0, 1]; drawn in points.
    """
    scores = runs.pivot(index="seed", columns=[by, x], values=y)
    sizes = sorted(runs[x].unique())
    methods = [m for m in runs[by].unique() if m != baseline]
    across = min(3, len(methods))
    down = -(-len(methods) // across)
    figure, panels = plt.subplots(down, across, figsize=(2.8 * across, 2.2 * down + 0.4),
                                  sharex=True, sharey=True, squeeze=False, layout="constrained")
    words, found = [], []
    for i, (axes, method) in enumerate(zip(panels.flat, methods, strict=False)):
        gaps = [paired_gap(scores[method][n], scores[baseline][n]) for n in sizes]
        for place, gap in enumerate(gaps):
            draw.interval(axes, gap, place, upright=True, capsize=3, **draw.series(i + 1))
        axes.axhline(0, color="black", linewidth=1)
        axes.set_xticks(range(len(sizes)), sizes, fontsize=9)
        axes.set_title(draw.name(method))
        axes.tick_params(labelbottom=i + across >= len(methods))  # the last of each column
        draw.bare(axes)
        found += gaps
        words.append(f"{draw.name(method)} " + ", ".join(
            f"{100 * g.estimate:+z.0f}{draw.undecided(g)} at {n}"
            for n, g in zip(sizes, gaps, strict=True)))
    for axes in panels.flat[len(methods):]:
        axes.set_visible(False)
    figure.supxlabel(draw.name(x), fontsize=10)
    figure.supylabel(f"{draw.name(y)} minus {draw.name(baseline)}, in points", fontsize=10)
    draw.key(figure, panels[0, 0], hollow=any(map(draw.undecided, found)))
    figure.alt_text = (f"Gap to {draw.name(baseline)} in points with 95 % intervals: "
                       f"{'; '.join(words)}.")
    return figure


def paired_scores(
    runs: pd.DataFrame, *groups: Sequence[str], low: float = 0.0,
    ylabel: str = "accuracy on the test set",
) -> Figure:
    """Scores of several methods side by side: a thin line for each seed, a bar for the mean.

    The mean in per cent stands below each name.

    Parameters
    ----------
    runs : DataFrame
        One row a seed.
    *groups : sequences of str
        Columns with scores in [0, 1], in the order in which they are drawn. Lines join the columns
        of a group; scores on different targets, which no line should join, are groups of one.
    low : float
        Where the vertical axis begins.
    ylabel : str
        What the scores are.
    """
    figure, axes = _axes(height=3.6)
    columns = [column for group in groups for column in group]
    for i, (_, row) in enumerate(runs.iterrows()):
        for group in groups:
            axes.plot([columns.index(column) for column in group], row[list(group)].astype(float),
                      color="#999999", marker=draw.MARKERS[i % len(draw.MARKERS)], markersize=5,
                      linewidth=1, label="one seed each" if i == 0 and group is groups[0] else None)
    means = runs[columns].mean()
    for i, mean in enumerate(means):
        axes.plot([i - 0.18, i + 0.18], [mean, mean], color="black", linewidth=4,
                  solid_capstyle="butt", label="mean" if i == 0 else None)
    axes.set_xticks(range(len(columns)), [f"{draw.name(column)}\n{mean:.0%}"
                                          for column, mean in means.items()], fontsize=11)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(low, 1), ylabel=ylabel)
    axes.yaxis.set_major_formatter(draw.PERCENT)
    draw.key(figure, axes, hollow=False)
    words = ", ".join(f"{draw.name(column)} {mean:.0%}" for column, mean in means.items())
    figure.alt_text = f"Mean accuracy over {len(runs)} seeds: {words}; one line for each seed."
    return figure


def layer_curve(runs: pd.DataFrame, stages: Sequence[str], *, by: str, panel: str) -> Figure:
    """Mean score of what each depth of a network keeps, with 95 % bands, a panel for each target.

    Parameters
    ----------
    runs : DataFrame
        One row a run, with a column of scores in [0, 1] for each stage.
    stages : sequence of str
        From the input to the end of the backbone.
    by, panel : str
        Columns that name the lines and the panels.
    """
    panels = list(runs.groupby(panel, sort=False))
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 3.4), squeeze=False,
                                sharey=True, layout="constrained")
    words = []
    for place, (title, rows) in zip(axes[0], panels, strict=True):
        for i, (label, part) in enumerate(rows.groupby(by, sort=False)):
            draw.curve(place, [draw.name(stage) for stage in stages],
                       [mean_interval(part[stage]) for stage in stages], i, label)
            best = max(stages, key=lambda stage, part=part: part[stage].mean())
            words.append(f"{draw.name(title)}, {draw.name(label)}: best after {draw.name(best)}, "
                         f"{part[best].mean():.0%}")
        place.set(title=draw.name(title), xlabel="cut after")
        draw.bare(place)
    axes[0, 0].set_ylabel("accuracy of a linear probe")
    axes[0, 0].yaxis.set_major_formatter(draw.PERCENT)
    draw.key(figure, axes[0, 0], hollow=False, title=draw.name(by))
    figure.alt_text = f"Probe accuracy by depth of the cut: {'; '.join(words)}."
    return figure
