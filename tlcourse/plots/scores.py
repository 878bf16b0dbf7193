"""The figures of the course, each with a description in words for those who cannot see it.

Every function returns a matplotlib figure whose attribute ``alt_text`` says what it shows, in
numbers. Series differ in marker and line style as well as in colour.
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
        words.append(f"{label} from {gaps[0].estimate:.0%} at {n[0]} to "
                     f"{gaps[-1].estimate:.0%} at {n[-1]}".strip())
    ticks = sorted(runs[x].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(draw.PERCENT)
    axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
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
    figure, axes = _axes(height=0.9 + 0.45 * len(gaps))
    for i, gap in enumerate(gaps.values()):
        draw.interval(axes, gap, i, capsize=4, markersize=8, **draw.series(0))
    draw.rows(axes, list(gaps), xlabel)
    axes.grid(axis="both", alpha=0.3)
    words = "; ".join(f"{label} {100 * g.estimate:.1f} ({100 * g.low:.1f} to {100 * g.high:.1f})"
                      for label, g in gaps.items())
    figure.alt_text = f"{xlabel}, estimate and 95 % interval: {words}."
    return figure


def gaps_to(
    runs: pd.DataFrame, baseline: str, *, by: str = "strategy", x: str = "labels",
    y: str = "accuracy",
) -> Figure:
    """Paired gaps of several methods to one of them, against the number of labels.

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
    figure, axes = _axes(width=7.2)
    scores = runs.pivot(index="seed", columns=[by, x], values=y)
    sizes = sorted(runs[x].unique())
    methods = [m for m in runs[by].unique() if m != baseline]
    words = []
    for i, method in enumerate(methods):
        gaps = [paired_gap(scores[method][n], scores[baseline][n]) for n in sizes]
        style = draw.series(i + 1)  # the first is the baseline's
        axes.plot([], [], label=method, linestyle="", **style)
        for place, gap in enumerate(gaps):
            draw.interval(axes, gap, place + 0.12 * (i - (len(methods) - 1) / 2), upright=True,
                          capsize=2, **style)
        words.append(f"{method} " + ", ".join(
            f"{100 * g.estimate:+z.0f}{draw.undecided(g)} at {n}"
            for n, g in zip(sizes, gaps, strict=True)))
    axes.axhline(0, color="black", linewidth=1)
    axes.set_xticks(range(len(sizes)), [str(n) for n in sizes])
    axes.set(xlabel=x, ylabel=f"{y} minus {baseline}, in points")
    axes.legend(frameon=False)
    figure.alt_text = f"Gap to {baseline} in points with 95 % intervals: {'; '.join(words)}."
    return figure


def paired_scores(runs: pd.DataFrame, columns: Sequence[str], *, low: float = 0.0) -> Figure:
    """Scores of several methods side by side: a thin line for each seed, a bar for the mean.

    Parameters
    ----------
    runs : DataFrame
        One row a seed.
    columns : sequence of str
        Columns with scores in [0, 1], in the order in which they are drawn.
    low : float
        Where the vertical axis begins.
    """
    figure, axes = _axes(height=3.6)
    for i, (_, row) in enumerate(runs.iterrows()):
        axes.plot(range(len(columns)), row[list(columns)].astype(float), color="#999999",
                  marker=draw.MARKERS[i % len(draw.MARKERS)], markersize=5, linewidth=1,
                  label="one seed each" if i == 0 else None)
    means = runs[list(columns)].mean()
    for i, mean in enumerate(means):
        axes.plot([i - 0.18, i + 0.18], [mean, mean], color="black", linewidth=4,
                  solid_capstyle="butt", label="mean" if i == 0 else None)
        axes.annotate(f"{mean:.0%}", (i + 0.21, mean), va="center", fontsize=12,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8})
    axes.set_xticks(range(len(columns)), columns, fontsize=11)
    axes.set(xlim=(-0.4, len(columns) - 0.5), ylim=(low, 1), ylabel="accuracy on the test set")
    axes.yaxis.set_major_formatter(draw.PERCENT)
    axes.legend(frameon=False)
    words = ", ".join(f"{name} {mean:.0%}" for name, mean in means.items())
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
            draw.curve(place, stages, [mean_interval(part[stage]) for stage in stages], i, label)
            best = max(stages, key=lambda stage, part=part: part[stage].mean())
            words.append(f"{title}, {label}: best after {best}, {part[best].mean():.0%}")
        place.set(title=str(title).replace("_", " "), xlabel="cut after")
        draw.bare(place)
    axes[0, 0].set_ylabel("accuracy of a linear probe")
    axes[0, 0].yaxis.set_major_formatter(draw.PERCENT)
    axes[0, 0].legend(title=by, frameon=False)
    figure.alt_text = f"Probe accuracy by depth of the cut: {'; '.join(words)}."
    return figure
