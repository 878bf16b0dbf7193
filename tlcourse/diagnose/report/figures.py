"""A report as pictures: does transfer help, and what speaks against it?"""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tlcourse.diagnose.report.text import answers, compared, points

if TYPE_CHECKING:
    from tlcourse.diagnose.report.report import Report

BLUE, ORANGE = "#0072B2", "#D55E00"


def plot(report: "Report") -> Figure:
    """The gaps with their intervals, hollow where undecided, and the evidence for each cause."""
    figure, both = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained")
    for axes, draw in zip(both, (_gaps, _causes), strict=True):
        draw(axes, report)
    title, answer = f"{report.source} → {report.target}", next(iter(answers(report).values()))
    figure.suptitle(f"{title}: {answer[0].lower()}{answer[1:]}", wrap=True)
    figure.alt_text = f"Diagnosis of {title}. {_words_of_gaps(report)} {_words_of_causes(report)}"
    return figure


def pictures(report: "Report") -> list[Figure]:
    """The two halves of `plot`, for a page that may be narrow."""
    figures = []
    for draw, words in ((_gaps, _words_of_gaps), (_causes, _words_of_causes)):
        figure, axes = plt.subplots(figsize=(4.8, 3.5), layout="constrained")
        draw(axes, report)
        figure.alt_text = words(report)
        figures.append(figure)
    return figures


def _gaps(axes: Axes, report: "Report") -> None:
    gap, words = report.gap, report.words
    for i, s in enumerate(report.strategies):
        if s in gap:
            low, high = (100 * bound for bound in (gap[s].low, gap[s].high))
            axes.plot([low, high], [i, i], color=BLUE, linewidth=2, marker="|", markersize=10)
            hollow = "white" if words[s] == "inconclusive" else BLUE
            axes.plot(100 * gap[s].estimate, i, "o", markersize=8, color=BLUE,
                      markerfacecolor=hollow)
            axes.annotate(f"{100 * gap[s].estimate:+z.1f}", (100 * gap[s].estimate, i),
                          xytext=(0, 7), textcoords="offset points", ha="center")
    axes.axvline(0, color="black", linewidth=1)
    rows = range(len(report.strategies))
    axes.set_yticks(rows, [f"{s}\n{words[s]}" for s in report.strategies])
    axes.set(ylim=(len(rows) - 0.5, -0.6), title="Does transfer help?",
             xlabel=f"points: hurts < 0 < helps\n95 % intervals, {compared(report)}")
    _plain(axes)


def _causes(axes: Axes, report: "Report") -> None:
    for i, cause in enumerate(report.causes):
        axes.barh(i, cause.evidence, color=ORANGE, hatch="//", edgecolor="white")
        axes.text(cause.evidence + 0.02, i, f"{cause.evidence:.2f}", va="center")
    rows = range(len(report.causes))
    axes.set_yticks(rows, [cause.name for cause in report.causes])
    axes.set(ylim=(max(len(rows), 1) - 0.5, -0.5), xlim=(0, 1.15), title="What speaks against it?",
             xlabel="evidence\n0 no sign, 1 as strong as can be")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)


def _words_of_gaps(report: "Report") -> str:
    gap = report.gap
    gaps = "; ".join(f"{s} {points(gap[s])}, {word}" if s in gap else f"{s} {word}"
                     for s, word in report.words.items())
    return f"Gap to scratch in points: {gaps}."


def _words_of_causes(report: "Report") -> str:
    causes = ", ".join(f"{cause.name} {cause.evidence:.2f}" for cause in report.causes)
    return f"Evidence for causes: {causes or 'none measured'}."
