"""The results of a diagnosis as pictures: does transfer help, and what speaks against it?"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tlcourse.diagnose.report.results import Results
from tlcourse.diagnose.report.text import answers, compared, points
from tlcourse.plots import drawing


def plot(results: Results) -> Figure:
    """The gaps with their intervals, hollow where undecided, and the evidence for each cause."""
    figure, both = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained")
    words = [draw(axes, results) for axes, draw in zip(both, (_gaps, _causes), strict=True)]
    title, answer = f"{results.source} → {results.target}", next(iter(answers(results).values()))
    figure.suptitle(f"{title}: {answer[0].lower()}{answer[1:]}", wrap=True)
    figure.alt_text = f"Diagnosis of {title}. {' '.join(words)}"
    return figure


def pictures(results: Results) -> list[Figure]:
    """The two halves of `plot`, for a page that may be narrow."""
    figures = []
    for draw in (_gaps, _causes):
        figure, axes = plt.subplots(figsize=(4.8, 3.5), layout="constrained")
        figure.alt_text = draw(axes, results)
        figures.append(figure)
    return figures


def _gaps(axes: Axes, results: Results) -> str:
    """Draw the gaps, and return them in words."""
    gap, said = results.gap, []
    for i, (s, word) in enumerate(results.words.items()):
        said.append(f"{s} {word}")
        if s in gap:
            said[-1] = f"{s} {points(gap[s])}, {word}"
            drawing.interval(axes, gap[s], i, color=drawing.COLOURS[0], fmt="o", markersize=8,
                             linewidth=2, capsize=5)
            axes.annotate(f"{100 * gap[s].estimate:+z.1f}", (100 * gap[s].estimate, i),
                          xytext=(0, 7), textcoords="offset points", ha="center")
    drawing.rows(axes, [f"{s}\n{word}" for s, word in results.words.items()],
                 f"points: hurts < 0 < helps\n95 % intervals, {compared(results)}")
    axes.set(ylim=(len(results.strategies) - 0.5, -0.6), title="Does transfer help?")
    drawing.bare(axes, "x")
    return f"Gap to scratch in points: {'; '.join(said)}."


def _causes(axes: Axes, results: Results) -> str:
    """Draw the evidence for each cause, and return it in words."""
    names = [cause.name for cause in results.causes]
    for i, cause in enumerate(results.causes):
        axes.barh(i, cause.evidence, color=drawing.COLOURS[1], hatch="//", edgecolor="white")
        axes.text(cause.evidence + 0.02, i, f"{cause.evidence:.2f}", va="center")
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(max(len(names), 1) - 0.5, -0.5), xlim=(0, 1.15), title="What speaks against it?",
             xlabel="evidence\n0 no sign, 1 as strong as can be")
    drawing.bare(axes, "x")
    said = ", ".join(f"{cause.name} {cause.evidence:.2f}" for cause in results.causes)
    return f"Evidence for causes: {said or 'none measured'}."
