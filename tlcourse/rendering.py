"""How a report reads: as advice, as text, as HTML and as a picture."""

import base64
import html
import io
import textwrap
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tlcourse.stats import Gap

if TYPE_CHECKING:
    from tlcourse.report import Report

REPAIRS = {
    "source label noise": "check the labels of the source, or choose another source",
    "label-space mismatch": "train on the classes that both have, or align partially",
    "label shift": "weigh the source's classes by their frequencies in the target",
    "framing mismatch": "prepare both domains in the same way",
    "domain distance": "choose a nearer source, or align the features",
    "conflict": "compare what the classes mean, give the target a head of its own, or drop the "
                "source",
    "frozen too deep": "freeze fewer layers",
}
SHOWN = 0.1
"""Evidence from which on a cause is worth an advice."""
STYLE = ("body{font-family:sans-serif;max-width:60em;margin:2em auto}"
         "td,th{padding:.2em .8em;text-align:right}img{max-width:100%}")


def points(gap: Gap) -> str:
    """A gap in points: +12.3 (+4.1 to +20.5)."""
    return f"{100 * gap.estimate:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


def advice(report: "Report") -> str:
    """What to do, in a few sentences."""
    best, gap, verdict = report.advised, report.gap, report.verdict
    if best is None:
        return "Nothing could be measured: give more time, or strategies that apply."
    said = [{
        "positive": f"Use {best}: {points(gap[best])} points above training from scratch with the "
                    "same labels.",
        "negative": f"Train from scratch: even the best way, {best}, ends below it, by "
                    f"{points(gap[best])} points.",
        "inconclusive": f"Undecided: the best way, {best}, differs from training from scratch by "
                        f"{points(gap[best])} points. Add seeds or labels, or take scratch, which "
                        "is simpler.",
    }[report.overall]]
    free = [s for s in ("aligned", "source_only") if verdict.get(s) == "positive" and s != best]
    if free:
        said.append(f"Without a single target label, {free[0]} is {points(gap[free[0]])} points "
                    "above scratch.")
    if bad := [s for s in verdict if verdict[s] == "negative" and s != best]:
        said.append(f"Avoid {', '.join(bad)}: worse than no transfer.")
    strongest = report.causes[0] if report.causes else None
    if strongest and strongest.evidence >= SHOWN and "negative" in verdict.values():
        said.append(f"Strongest cause: {strongest.name}; {REPAIRS[strongest.name]}.")
    return " ".join(said)


def text(report: "Report") -> str:
    """The report in lines of at most 88 characters."""
    def wrap(sentence, indent="  "):
        return textwrap.wrap(sentence, 88, initial_indent=indent, subsequent_indent=indent)

    lines = [_title(report, "->"), "",
             f"  {'':12}{'score':>7}   {'gap to scratch in points':26}verdict"]
    gap = report.gap
    for s, row in report.table.iterrows():
        between = points(gap[s]) if s in gap else ""
        lines.append(f"  {s:12}{_score(row['score']):>7}   {between:26}{row['verdict']}".rstrip())
    lines += ["", *wrap(report.advice, ""), "", "Causes, evidence from 0 to 1:"]
    for cause in report.causes:
        first, *rest = wrap(cause.meaning, " " * 31)
        lines += [f"  {cause.name:22}{cause.evidence:5.2f}  {first.lstrip()}", *rest]
    for title, sentences in _small_print(report).items():
        lines += ["", f"{title}:", *(line for s in sentences for line in wrap(f"{s}."))]
    return "\n".join(lines)


def fragment(report: "Report") -> str:
    """The report as a piece of HTML."""
    gap = report.gap
    table = report.table[["score", "gap", "verdict"]].astype(object)
    table["gap"] = [points(gap[s]) if s in gap else "" for s in table.index]
    table["score"] = [_score(score) for score in table["score"]]
    causes = pd.DataFrame(report.causes, columns=["cause", "evidence", "what it means"])
    parts = [f"<h3>{html.escape(_title(report, '→'))}</h3>",
             table.rename(columns={"gap": "gap to scratch in points"}).to_html(),
             f"<p>{html.escape(report.advice)}</p>"]
    with pd.option_context("display.max_colwidth", None):
        parts.append(causes.to_html(index=False, float_format="{:.2f}".format))
    for title, sentences in _small_print(report).items():
        items = "".join(f"<li>{html.escape(s)}.</li>" for s in sentences)
        parts.append(f"<p><b>{title}</b></p><ul>{items}</ul>")
    return "\n".join(parts)


def page(report: "Report") -> str:
    """A whole HTML page, the picture included."""
    picture, figure = io.BytesIO(), plot(report)
    figure.savefig(picture, format="png", dpi=110)
    plt.close(figure)
    data = base64.b64encode(picture.getvalue()).decode()
    return "\n".join([
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{html.escape(_title(report, '→'))}</title><style>{STYLE}</style></head><body>",
        fragment(report),
        f'<img alt="{html.escape(figure.alt_text)}" src="data:image/png;base64,{data}">',
        "</body></html>\n"])


def plot(report: "Report") -> Figure:
    """The gaps with their intervals, hollow where undecided, and the evidence for each cause."""
    gap, verdict = report.gap, report.verdict
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.4), layout="constrained")
    for i, s in enumerate(report.strategies):
        if s in gap:
            half = 50 * (gap[s].high - gap[s].low)
            hollow = "white" if verdict[s] == "inconclusive" else None
            left.errorbar(100 * gap[s].estimate, i, xerr=half, capsize=4, fmt="o", markersize=8,
                          color="#0072B2", markerfacecolor=hollow)
    left.axvline(0, color="black", linewidth=1)
    rows = range(len(report.strategies))
    left.set_yticks(rows, [f"{s}\n{verdict[s]}" for s in report.strategies])
    left.set(ylim=(len(rows) - 0.5, -0.5), xlabel="gap to scratch in points",
             title="Does transfer help?")
    for i, cause in enumerate(report.causes):
        right.barh(i, cause.evidence, color="#D55E00", hatch="//", edgecolor="white")
        right.text(cause.evidence + 0.02, i, f"{cause.evidence:.2f}", va="center")
    rows = range(len(report.causes))
    right.set_yticks(rows, [cause.name for cause in report.causes])
    right.set(ylim=(max(len(rows), 1) - 0.5, -0.5), xlim=(0, 1.15), xlabel="evidence",
              title="What speaks against it?")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.3)
    gaps = "; ".join(f"{s} {points(gap[s])}, {verdict[s]}" for s in report.strategies if s in gap)
    causes = ", ".join(f"{cause.name} {cause.evidence:.2f}" for cause in report.causes)
    figure.alt_text = (f"Diagnosis of {report.source} to {report.target}. Gap to scratch in "
                       f"points: {gaps or 'none measured'}. Evidence for causes: "
                       f"{causes or 'none measured'}.")
    return figure


def _title(report: "Report", arrow: str) -> str:
    return (f"{report.source} {arrow} {report.target}, {report.labels_per_class} labels a class: "
            f"{report.overall}")


def _score(score: float) -> str:
    return "" if np.isnan(score) else f"{score:.3f}"


def _small_print(report: "Report") -> dict[str, list[str]]:
    asked = len(report.strategies) - len(report.not_applicable)
    steps, more = (report.settings.get(name) for name in ("steps", "source_steps"))
    how = ["the score is the share of right answers on target samples that no network has seen; "
           "each seed draws labels, initial weights, batches and a test part of its own",
           f"intervals are paired t intervals with Holm's correction over {asked} strategies",
           "scratch, frozen and fine_tune use the same labels, source_only and aligned use none, "
           "aligned sees the target's other inputs; no label is kept back for validation",
           f"each makes {steps} steps on the target, source_only none; the {more} steps on the "
           "source come on top"]
    parts = {"Not applicable": [f"{s}: {why}" for s, why in report.not_applicable.items()],
             "Notices": report.notices, "Left out": report.left_out, "How it was measured": how}
    return {title: sentences for title, sentences in parts.items() if sentences}
