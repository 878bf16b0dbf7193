"""How a report reads: its answers, its advice and its text."""

import textwrap

import numpy as np

from tlcourse.diagnose.causes import REPAIRS, SPOIL_ALIGNMENT, Cause
from tlcourse.diagnose.report.results import Results
from tlcourse.diagnose.strategies import UNLABELLED
from tlcourse.stats import Gap
from tlcourse.utils.messages import counted

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


def advice(results: Results) -> str:
    """What to do, in a few sentences."""
    best, gap, verdict = results.advised, results.gap, results.verdict
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
    }[results.overall]]
    free = [s for s in reversed(UNLABELLED) if verdict.get(s) == "positive" and s != best]
    if free:
        said.append(f"Without a single target label, {free[0]} is {points(gap[free[0]])} points "
                    "above scratch.")
    if bad := [s for s in verdict if verdict[s] == "negative" and s != best]:
        said.append(f"Avoid {', '.join(bad)}: worse than no transfer.")
    if "negative" in verdict.values():
        if strongest := _strongest(results):
            said.append(f"Strongest cause: {strongest.name}; {REPAIRS[strongest.name]}.")
        elif _only_alignment_hurts(results):
            lost = 100 * (gap["source_only"].estimate - gap["aligned"].estimate)
            said.append(f"It is the alignment that hurts: source_only scores {lost:.1f} points "
                        "more.")
    return " ".join(said)


def _strongest(results: Results) -> Cause | None:
    """The cause with the most evidence, of those that can explain what hurts."""
    of_all = not _only_alignment_hurts(results)
    return next((cause for cause in results.causes if cause.evidence >= SHOWN
                 and (of_all or cause.name in SPOIL_ALIGNMENT)), None)


def _only_alignment_hurts(results: Results) -> bool:
    hurt = [s for s, word in results.verdict.items() if word == "negative"]
    gap = results.gap
    return (hurt == ["aligned"] and "source_only" in gap
            and gap["aligned"].estimate < gap["source_only"].estimate)


def text(results: Results) -> str:
    """The report in lines of at most 88 characters."""
    def wrap(sentence, indent="  "):
        return textwrap.wrap(sentence, 88, initial_indent=indent, subsequent_indent=indent)

    lines = [title(results, "->"), "",
             f"  {'':12}{'score':>7}   {'gap to scratch in points':26}verdict"]
    lines += [f"  {s:12}{mean:>7}   {between:26}{word}".rstrip()
              for s, mean, between, word in rows_of_table(results)]
    lines += ["", *wrap(results.advice, ""), "", "Causes, evidence from 0 to 1:"]
    for cause in results.causes:
        first, *rest = wrap(cause.meaning, " " * 31)
        lines += [f"  {cause.name:22}{cause.evidence:5.2f}  {first.lstrip()}", *rest]
    for heading, sentences in small_print(results).items():
        lines += ["", f"{heading}:", *(line for s in sentences for line in wrap(f"{s}."))]
    return "\n".join(lines)


def rows_of_table(results: Results) -> list[tuple[str, str, str, str]]:
    """For scratch and each strategy: its name, score, gap in points and verdict, in words."""
    gap = results.gap
    return [(s, score(row["score"]), points(gap[s]) if s in gap else "", row["verdict"])
            for s, row in results.table.iterrows()]


def answers(results: Results) -> dict[str, str]:
    """What a reader wants to know first: question -> answer."""
    best, gap = results.advised, results.gap
    if best is None:
        return {"Does transfer help?": "Nothing was measured.", "What to do?": results.advice,
                **_omitted(results)}
    found, cause = gap[best], _strongest(results)
    by = f"{100 * abs(found.estimate):.1f} points against scratch"
    helps = {"positive": f"Yes: {best} gains {by}", "negative": f"No: even {best} loses {by}",
             "inconclusive": f"Undecided: {best} {'gains' if found.estimate > 0 else 'loses'} {by}"}
    hurt = [s for s, word in results.verdict.items() if word == "negative" and s != best]
    also = f"; {', '.join(hurt)} hurt{'s' if len(hurt) == 1 else ''}" \
        if hurt and results.overall != "negative" else ""
    return {
        "Does transfer help?": f"{helps[results.overall]}{also}.",
        "How sure is that?": f"95 % interval of {best} {100 * found.low:+z.1f} to "
                             f"{100 * found.high:+z.1f} points over "
                             f"{counted(found.n, 'paired seed')}, {compared(results)}.",
        "What speaks against it?": f"{cause.name}, evidence {cause.evidence:.2f} of 1: "
                                   f"{cause.meaning}." if cause else "No cause stands out.",
        "What to do?": results.advice,
        **_omitted(results),
    }


def _omitted(results: Results) -> dict[str, str]:
    return {"What was left out?": f"{'; '.join(results.left_out)}."} if results.left_out else {}


def compared(results: Results) -> str:
    """How many strategies the intervals are corrected for."""
    asked = len(results.strategies) - len(results.not_applicable)
    return f"Holm's correction over {asked} strateg{'y' if asked == 1 else 'ies'}"


def title(results: Results, arrow: str) -> str:
    """Which pair, at how many labels, and the verdict."""
    return (f"{results.source} {arrow} {results.target}, "
            f"{counted(results.labels_per_class, 'label')} a class: "
            f"{results.overall if results.advised else 'not measured'}")


def score(value: float, form: str = ".3f") -> str:
    """A number, or nothing where it was not measured."""
    return "" if np.isnan(value) else format(value, form)


def small_print(results: Results) -> dict[str, list[str]]:
    """What must not go unsaid: heading -> sentences without their full stop."""
    steps, more = (results.settings.get(name) for name in ("steps", "source_steps"))
    how = ["the score is the share of right answers on target samples that no network has seen; "
           "each seed draws labels, initial weights, batches and a test part of its own",
           f"intervals are 95 % paired t intervals with {compared(results)}",
           "scratch, frozen and fine_tune use the same labels, source_only and aligned use none, "
           "aligned sees the target's other inputs; no label is kept back for validation",
           f"each makes {steps} steps on the target, source_only none; the {more} steps on the "
           "source come on top"]
    parts = {"Not applicable": [f"{s}: {why}" for s, why in results.not_applicable.items()],
             "Notices": results.notices, "Left out": results.left_out, "How it was measured": how}
    return {title: sentences for title, sentences in parts.items() if sentences}
