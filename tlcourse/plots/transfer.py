"""The figures of lesson 08: what hurts and what repairs, evidence, and where transfer pays."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from tlcourse.plots.scores import COLOURS
from tlcourse.stats import Gap, decided, holm

STATES = {"hurt": ("o", COLOURS[1], -0.14), "repaired": ("s", COLOURS[0], 0.14)}
STRATEGIES = ("source_only", "frozen", "fine_tune", "aligned")
COLUMNS = ("domain distance", "source label noise", "frozen too deep", "framing mismatch",
           "label-space mismatch", "label shift", "conflict")


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
        for column, (marker, colour, shift) in STATES.items():
            gap = gaps[column][name]
            hollow = "white" if decided(gap) == "inconclusive" else None
            axes.errorbar(100 * gap.estimate, row + shift, xerr=50 * (gap.high - gap.low),
                          fmt=marker, markersize=7, color=colour, markerfacecolor=hollow,
                          capsize=3, label=column if row == 0 else None)
        hurt, repaired = (_points(gaps[column][name]) for column in STATES)
        words.append(f"{name} {hurt}, repaired {repaired}")
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.5, -0.5), xlabel="gap to scratch in points")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    figure.alt_text = f"Gap to scratch in points, hurt and repaired: {'; '.join(words)}."
    return figure


def gaps_of_causes(causes: pd.DataFrame) -> dict[str, dict[str, Gap]]:
    """The gaps to scratch: state ("hurt", "repaired") -> cause -> Gap."""
    runs = causes.pivot(index="seed", columns="name")[["scratch", *STATES]]
    nothing = [0.0] * len(runs)
    return {state: holm({name: list(runs[state, name] - runs["scratch", name])
                         for name in causes["name"].unique()}, nothing) for state in STATES}


def _points(gap: Gap) -> str:
    mark = " (undecided)" if decided(gap) == "inconclusive" else ""
    return f"{100 * gap.estimate:+z.0f}{mark}"


def evidence_table(causes: pd.DataFrame) -> Figure:
    """Mean evidence for each cause (across) where one thing was made wrong (down).

    Parameters
    ----------
    causes : DataFrame
        One row a run: ``name``, and ``evidence``, a dict of cause -> number from 0 to 1.
    """
    found = pd.DataFrame(list(causes["evidence"])).groupby(causes["name"].to_numpy(),
                                                           sort=False).mean()[list(COLUMNS)]
    figure, axes = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    axes.imshow(found.fillna(0), cmap="Greys", vmin=0, vmax=1, aspect="auto")
    for (i, j), number in np.ndenumerate(found.to_numpy()):
        if number >= 0.05:
            strongest = number == np.nanmax(found.to_numpy()[i])
            axes.text(j, i, f"{number:.2f}", ha="center", va="center",
                      color="white" if number > 0.6 else "black",
                      fontweight="bold" if strongest else None)
    axes.set_xticks(range(found.shape[1]), [c.replace(" ", "\n", 1) for c in found], fontsize=9)
    axes.set_yticks(range(len(found)), found.index)
    axes.set(xlabel="evidence for", ylabel="made wrong")
    words = "; ".join(f"{name}: {row.idxmax()} {row.max():.2f}" for name, row in found.iterrows())
    figure.alt_text = f"Where one thing was made wrong, the strongest evidence is: {words}."
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
    for axes, strategy in zip(panels.flat, STRATEGIES, strict=True):
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
            words.append(f"{strategy} from {sources[i]} at {labels[j]}: {table[i, j]:+z.0f}")
        image = axes.imshow(table, cmap="PuOr", norm=norm, aspect="auto")
        axes.set_xticks(range(len(labels)), labels)
        axes.set_yticks(range(len(sources)), [s.replace("_", " ") for s in sources])
        axes.set(title=strategy, xlabel="labels a class")
        axes.label_outer()
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
            scores = {s: [row[i] for row in part[s]] for s in STRATEGIES
                      if part[s].iloc[0][i] is not None}
            found = holm(scores, [scratch[seed][i] for seed in part["seed"]])
            gaps |= {(source, strategy, n): gap for strategy, gap in found.items()}
    return gaps
