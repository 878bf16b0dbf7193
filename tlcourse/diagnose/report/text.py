"""How a report reads: its answers, its advice and its text."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from tlcourse.stats import Gap
from tlcourse.utils.messages import counted

if TYPE_CHECKING:
    from tlcourse.diagnose.causes import Cause
    from tlcourse.diagnose.report.report import Report

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
OF_ALIGNMENT = ("label shift", "label-space mismatch")
"""Causes that spoil an alignment even where the source is good."""
SHOWN = 0.1
"""Evidence from which on a cause is worth an advice."""


def points(gap: Gap) -> str:
    """A gap in points, with its interval.

    Examples
    --------
    >>> points(Gap(0.123, 0.041, 0.205, 5)), points(Gap(-0.0001, -0.02, 0.0199, 5))
    ('+12.3 (+4.1 to +20.5)', '+0.0 (-2.0 to +2.0)')
    """
    return f"{100 * gap.estimate:+z.1f} ({100 * gap.low:+z.1f} to {100 * gap.high:+z.1f})"


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
    if "negative" in verdict.values():
        if strongest := _strongest(report):
            said.append(f"Strongest cause: {strongest.name}; {REPAIRS[strongest.name]}.")
        elif _only_alignment_hurts(report):
            lost = 100 * (gap["source_only"].estimate - gap["aligned"].estimate)
            said.append(f"It is the alignment that hurts: source_only scores {lost:.1f} points "
                        "more.")
    return " ".join(said)


def _strongest(report: "Report") -> "Cause | None":
    """The cause with the most evidence, of those that can explain what hurts."""
    of_all = not _only_alignment_hurts(report)
    return next((cause for cause in report.causes if cause.evidence >= SHOWN
                 and (of_all or cause.name in OF_ALIGNMENT)), None)


def _only_alignment_hurts(report: "Report") -> bool:
    hurt = [s for s, word in report.verdict.items() if word == "negative"]
    gap = report.gap
    return (hurt == ["aligned"] and "source_only" in gap
            and gap["aligned"].estimate < gap["source_only"].estimate)


def text(report: "Report") -> str:
    """The report in lines of at most 88 characters."""
    def wrap(sentence, indent="  "):
        return textwrap.wrap(sentence, 88, initial_indent=indent, subsequent_indent=indent)

    lines = [title(report, "->"), "",
             f"  {'':12}{'score':>7}   {'gap to scratch in points':26}verdict"]
    gap = report.gap
    for s, row in report.table.iterrows():
        between = points(gap[s]) if s in gap else ""
        lines.append(f"  {s:12}{score(row['score']):>7}   {between:26}{row['verdict']}".rstrip())
    lines += ["", *wrap(report.advice, ""), "", "Causes, evidence from 0 to 1:"]
    for cause in report.causes:
        first, *rest = wrap(cause.meaning, " " * 31)
        lines += [f"  {cause.name:22}{cause.evidence:5.2f}  {first.lstrip()}", *rest]
    for heading, sentences in small_print(report).items():
        lines += ["", f"{heading}:", *(line for s in sentences for line in wrap(f"{s}."))]
    return "\n".join(lines)


def answers(report: "Report") -> dict[str, str]:
    """What a reader wants to know first: question -> answer."""
    best, gap = report.advised, report.gap
    if best is None:
        return {"Does transfer help?": "Nothing was measured.", "What to do?": report.advice,
                **_omitted(report)}
    found, cause = gap[best], _strongest(report)
    by = f"{100 * abs(found.estimate):.1f} points against scratch"
    helps = {"positive": f"Yes: {best} gains {by}", "negative": f"No: even {best} loses {by}",
             "inconclusive": f"Undecided: {best} {'gains' if found.estimate > 0 else 'loses'} {by}"}
    hurt = [s for s, word in report.verdict.items() if word == "negative" and s != best]
    also = f"; {', '.join(hurt)} hurt{'s' if len(hurt) == 1 else ''}" \
        if hurt and report.overall != "negative" else ""
    return {
        "Does transfer help?": f"{helps[report.overall]}{also}.",
        "How sure is that?": f"95 % interval of {best} {100 * found.low:+z.1f} to "
                             f"{100 * found.high:+z.1f} points over "
                             f"{counted(found.n, 'paired seed')}, {compared(report)}.",
        "What speaks against it?": f"{cause.name}, evidence {cause.evidence:.2f} of 1: "
                                   f"{cause.meaning}." if cause else "No cause stands out.",
        "What to do?": report.advice,
        **_omitted(report),
    }


def _omitted(report: "Report") -> dict[str, str]:
    return {"What was left out?": f"{'; '.join(report.left_out)}."} if report.left_out else {}


def compared(report: "Report") -> str:
    """How many strategies the intervals are corrected for."""
    asked = len(report.strategies) - len(report.not_applicable)
    return f"Holm's correction over {asked} strateg{'y' if asked == 1 else 'ies'}"


def title(report: "Report", arrow: str) -> str:
    """Which pair, at how many labels, and the verdict."""
    return (f"{report.source} {arrow} {report.target}, "
            f"{counted(report.labels_per_class, 'label')} a class: "
            f"{report.overall if report.advised else 'not measured'}")


def score(value: float, form: str = ".3f") -> str:
    """A number, or nothing where it was not measured."""
    return "" if np.isnan(value) else format(value, form)


def small_print(report: "Report") -> dict[str, list[str]]:
    """What must not go unsaid: heading -> sentences without their full stop."""
    steps, more = (report.settings.get(name) for name in ("steps", "source_steps"))
    how = ["the score is the share of right answers on target samples that no network has seen; "
           "each seed draws labels, initial weights, batches and a test part of its own",
           f"intervals are 95 % paired t intervals with {compared(report)}",
           "scratch, frozen and fine_tune use the same labels, source_only and aligned use none, "
           "aligned sees the target's other inputs; no label is kept back for validation",
           f"each makes {steps} steps on the target, source_only none; the {more} steps on the "
           "source come on top"]
    parts = {"Not applicable": [f"{s}: {why}" for s, why in report.not_applicable.items()],
             "Notices": report.notices, "Left out": report.left_out, "How it was measured": how}
    return {title: sentences for title, sentences in parts.items() if sentences}
