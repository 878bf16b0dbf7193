"""The results of a diagnosis as pictures: does transfer help, and what speaks against it?"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tlcourse.diagnose.report.results import Results
from tlcourse.diagnose.report.text import answers, compared, points
from tlcourse.diagnose.scoring import in_words
from tlcourse.plots import drawing

MOST_CLASSES = 12
"""Of many classes, those that change most are drawn."""


def plot(results: Results) -> Figure:
    """The gaps with their intervals, and the evidence for each cause."""
    figure, both = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained")
    words = [draw(axes, results) for axes, draw in zip(both, (_gaps, _causes), strict=True)]
    title, answer = f"{results.source} → {results.target}", next(iter(answers(results).values()))
    figure.suptitle(drawing.literal(f"{title}. {answer}"), wrap=True)
    figure.alt_text = f"Diagnosis of {title}. {' '.join(words)}"
    return figure


def pictures(results: Results) -> list[Figure]:
    """The halves of `plot` and the recall of each class, for a page that may be narrow."""
    figures = []
    for draw in (_gaps, _recalls, _causes) if results.advised else (_gaps, _causes):
        figure, axes = plt.subplots(figsize=(4.8, 3.5), layout="constrained")
        figure.alt_text = draw(axes, results)
        figures.append(figure)
    return figures


def _gaps(axes: Axes, results: Results) -> str:
    """Draw the gaps, and return them in words: triangles point up for gains, down for losses."""
    gap, said = results.gap, []
    for i, (s, word) in enumerate(results.words.items()):
        said.append(f"{s} {word}")
        if s in gap:
            said[-1] = f"{s} {points(gap[s])}, {word}"
            look = {"positive": 2, "negative": 4}.get(word, 0)  # of `drawing.MARKERS`
            color = drawing.COLOURS[{"positive": 0, "negative": 1}.get(word, 6)]
            drawing.interval(axes, gap[s], i, fmt=drawing.MARKERS[look], color=color,
                             markersize=8, linewidth=2, capsize=5)
            axes.annotate(f"{100 * gap[s].estimate:+z.1f}", (100 * gap[s].estimate, i),
                          xytext=(0, 8), textcoords="offset points", ha="center",
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    drawing.rows(axes, [f"{s}\n{word}" for s, word in results.words.items()],
                 f"{in_words(results.score_name)}, points more than scratch\n95 % intervals, "
                 f"{compared(results)}")
    for words, side, shift in (("← hurts", "right", -4), ("helps →", "left", 4)):
        axes.annotate(words, (0, -0.85), xytext=(shift, 0), textcoords="offset points", ha=side)
    axes.set(ylim=(len(results.strategies) - 0.5, -1.3), title="Does transfer help?")
    drawing.bare(axes, "x")
    return f"Gap to scratch in points: {'; '.join(said)}."


def _recalls(axes: Axes, results: Results) -> str:
    """Draw how often each class is recognised, from scratch and as advised; return it in words."""
    best = results.advised
    recall = results.per_class[["scratch", best]].dropna()
    recall[best] += recall["scratch"]
    changed = (recall[best] - recall["scratch"]).abs().sort_values(ascending=False).index
    shown = recall.loc[[name for name in recall.index if name in changed[:MOST_CLASSES]]]
    places = range(len(shown))
    axes.hlines(places, 100 * shown["scratch"], 100 * shown[best], color="black", linewidth=1)
    for number, s in ((6, "scratch"), (0, best)):
        axes.plot(100 * shown[s], places, label=s, linestyle="", markersize=8,
                  color=drawing.COLOURS[number], marker="o" if s == "scratch" else "D",
                  markerfacecolor="white" if s == "scratch" else None)
    axes.set_yticks(places, [drawing.literal(name) for name in shown.index])
    axes.set(xlim=(-4, 104), ylim=(len(shown) - 0.5, -0.5), title="Which classes are recognised?",
             xlabel="% of the samples of a class")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False)
    drawing.bare(axes, "x")
    said = ", ".join(f"{name} {row['scratch']:.0%} and {row[best]:.0%}"
                     for name, row in shown.iterrows())
    return f"Share of each class that scratch and {best} recognise: {said}."


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
