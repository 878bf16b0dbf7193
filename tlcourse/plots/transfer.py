"""The figures of lesson 08: what hurts and what repairs, evidence, and where transfer pays."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from tlcourse.plots import drawing as draw
from tlcourse.stats import Gap, decided, holm

STATES = {"hurt": ("o", draw.COLOURS[1], -0.14), "repaired": ("s", draw.COLOURS[0], 0.14)}


def hurt_and_repaired(causes: pd.DataFrame) -> Figure:
    """Gap to scratch with one thing wrong, and after its repair, a row for each cause.

    Hollow markers are undecided; the correction is Holm's over all causes.

    Parameters
    ----------
    causes : DataFrame
        One row a run: ``name``, ``seed``, and the accuracies ``scratch``, ``hurt``, ``repaired``.
    """
    figure, axes = plt.subplots(figsize=(7.4, 4.6), layout="constrained")
    words, gaps = [], gaps_of_causes(causes)
    names = list(gaps["hurt"])
    for row, name in enumerate(names):
        said = []
        for state, (marker, colour, shift) in STATES.items():
            gap = gaps[state][name]
            draw.interval(axes, gap, row + shift, fmt=marker, markersize=7, color=colour,
                          capsize=3)
            said.append(f"{100 * gap.estimate:+z.0f}{draw.undecided(gap)}")
        words.append(f"{name} {', repaired '.join(said)}")
    draw.rows(axes, names, "gap to scratch in points")
    draw.bare(axes, "x")
    for state, (marker, colour, _) in STATES.items():
        axes.plot([], [], marker, color=colour, label=state)
    draw.key(figure, axes, hollow=any(draw.undecided(gap) for state in gaps.values()
                                      for gap in state.values()))
    figure.alt_text = f"Gap to scratch in points, hurt and repaired: {'; '.join(words)}."
    return figure


def gaps_of_causes(causes: pd.DataFrame) -> dict[str, dict[str, Gap]]:
    """The gaps to scratch: state ("hurt", "repaired") -> cause -> Gap."""
    runs = causes.pivot(index="seed", columns="name")[["scratch", *STATES]]
    nothing = [0.0] * len(runs)
    return {state: holm({name: list(runs[state, name] - runs["scratch", name])
                         for name in causes["name"].unique()}, nothing) for state in STATES}


def evidence_table(causes: pd.DataFrame) -> Figure:
    """Mean evidence for each cause (a column) where one thing was made wrong (a row).

    Rows and causes are paired one to one, such that the evidence of all pairs has the largest sum.
    The causes stand in the order of their rows, which puts the pairs near the diagonal; a cause
    without a row comes last.

    Parameters
    ----------
    causes : DataFrame
        One row a run: ``name``, and ``evidence``, a dict of cause -> number from 0 to 1.
    """
    evidence = pd.DataFrame(list(causes["evidence"]))
    found = evidence.groupby(causes["name"].to_numpy(), sort=False).mean().fillna(0)
    _, paired = linear_sum_assignment(found, maximize=True)  # causes in the order of their rows
    found = found[found.columns[paired].union(found.columns, sort=False)]
    figure, axes = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    words = found.map(lambda number: f"{number:.2f}" if number >= 0.05 else "").to_numpy()
    draw.table(axes, found, words, dark=0.6, bold=found.eq(found.max(axis=1), axis=0), cmap="Greys")
    axes.set_xticks(range(found.shape[1]), [c.replace(" ", "\n", 1) for c in found], fontsize=9)
    axes.set(xlabel="evidence for", ylabel="made wrong")
    axes.set_title("0 is no sign, 1 as strong as can be; empty: below 0.05; "
                   "bold: the strongest of its row", fontsize=9)
    said = "; ".join(f"{name}: {row.idxmax()} {row.max():.2f}" for name, row in found.iterrows())
    figure.alt_text = f"Where one thing was made wrong, the strongest evidence is: {said}."
    return figure


def where_it_pays(record: Mapping) -> Figure:
    """Gap to scratch for sources (down) and labels a class (across), a panel for each strategy.

    Only decided cells are coloured, with the gap in points; the correction is Holm's over all
    strategies of a source and number of labels. A dot is an undecided cell, and a cell with n/a
    cannot be, for want of a common class.

    Parameters
    ----------
    record : dict
        ``labels a class``, ``scratch`` and ``runs``, as ``data/runs/negative.py`` writes them.
    """
    labels, gaps = record["labels a class"], gaps_on_the_map(record)
    sources = list(dict.fromkeys(source for source, _, _ in gaps))
    figure, panels = plt.subplots(2, 2, figsize=(8.6, 5.8), sharex=True, sharey=True,
                                  layout="constrained")
    words, norm = [], TwoSlopeNorm(0, -40, 40)
    for axes, strategy in zip(panels.flat, _strategies(record), strict=True):
        table = np.full((len(sources), len(labels)), np.nan)
        for i, j in np.ndindex(table.shape):
            gap = gaps.get((sources[i], strategy, labels[j]))
            if gap is None or decided(gap) == "inconclusive":
                axes.text(j, i, "•" if gap else "n/a", ha="center", va="center", color="#555555",
                          fontsize=9 if gap else 8)
                continue
            table[i, j] = 100 * gap.estimate
            axes.text(j, i, f"{table[i, j]:+z.0f}", ha="center", va="center",
                      color="white" if abs(table[i, j]) > 25 else "black")
            words.append(f"{draw.name(strategy)} from {draw.name(sources[i])} at {labels[j]}: "
                         f"{table[i, j]:+z.0f}")
        image = axes.imshow(table, cmap="PuOr", norm=norm, aspect="auto")
        axes.set_xticks(range(len(labels)), labels)
        axes.set_yticks(range(len(sources)), [draw.name(source) for source in sources])
        axes.set(title=draw.name(strategy), xlabel="labels a class")
        axes.label_outer()
    figure.suptitle("• undecided      n/a: source and target share no class", fontsize=10)
    figure.colorbar(image, ax=panels, extend="min", label="gap to scratch in points")
    figure.alt_text = ("Decided gaps to scratch in points, the rest is undecided: "
                       f"{'; '.join(words)}.")
    return figure


def gaps_on_the_map(record: Mapping) -> dict[tuple[str, str, int], Gap]:
    """The gap of each cell that was measured: (source, strategy, labels a class) -> Gap."""
    scratch = {run["seed"]: run["accuracy"] for run in record["scratch"]}
    gaps = {}
    runs = pd.DataFrame(record["runs"])
    for source, part in runs.groupby("source_name", sort=False):
        for i, n in enumerate(record["labels a class"]):
            scores = {s: [row[i] for row in part[s]] for s in _strategies(record)
                      if part[s].iloc[0][i] is not None}
            found = holm(scores, [scratch[seed][i] for seed in part["seed"]])
            gaps |= {(source, strategy, n): gap for strategy, gap in found.items()}
    return gaps


def _strategies(record: Mapping) -> list[str]:
    return [name for name in record["runs"][0] if name not in ("source_name", "seed")]
