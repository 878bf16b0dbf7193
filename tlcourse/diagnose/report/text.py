"""How a report reads: its answers, its advice and its text."""

import textwrap

import numpy as np

from tlcourse.diagnose.causes import NO_COMMON, REPAIRS, SPOIL_ALIGNMENT, Cause
from tlcourse.diagnose.report.results import Results
from tlcourse.diagnose.scoring import SCORES, in_words
from tlcourse.diagnose.strategies import UNLABELLED
from tlcourse.stats import Gap
from tlcourse.utils.messages import counted, listed

SHOWN = 0.1
"""Evidence from which on a cause is worth an advice."""


def points(gap: Gap) -> str:
    """A gap in points, with its interval.

    Examples
    --------
    >>> points(Gap(0.123, 0.041, 0.205, 5)), points(Gap(-0.0001, -0.02, 0.0001, 5))
    ('+12.3 (+4.1 to +20.5)', '+0.0 (-2.0 to +0.01)')
    """
    return f"{100 * gap.estimate:+z.1f} ({_end(gap.low)} to {_end(gap.high)})"


def _end(share: float) -> str:
    """The end of an interval in points, so exact that it is 0 only where it is."""
    digits = next((digits for digits in (1, 2) if round(100 * share, digits)), 3)
    return f"{100 * share:+z.{1 if share == 0 else digits}f}"


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
                        f"{points(gap[best])} points. Take scratch, which is simpler, or measure "
                        "again with more labels.",
    }[results.overall]]
    if results.overall == "positive" and (lost := results.lost_classes(best)):
        said.append(f"If {listed(list(lost))} must not be missed, do not: {best} recognises "
                    f"{_recalls(lost)}.")
    free = [s for s in reversed(UNLABELLED) if verdict.get(s) == "positive" and s != best]
    if free:
        said.append(f"Without a single target label, {free[0]} is {points(gap[free[0]])} points "
                    "above scratch.")
    if bad := [s for s in verdict if verdict[s] == "negative" and s != best]:
        said.append(f"Avoid {', '.join(bad)}: worse than no transfer.")
    if "negative" in verdict.values():
        if strongest := _strongest(results):
            said.append(f"Strongest cause: {strongest.name}; {_repair(strongest, results)}.")
        elif _only_alignment_hurts(results):
            lost = 100 * (gap["source_only"].estimate - gap["aligned"].estimate)
            said.append(f"It is the alignment that hurts: source_only scores {lost:.1f} points "
                        "more.")
    return " ".join(said)


def _recalls(lost: dict[str, tuple[float, float]]) -> str:
    """How much less often classes are recognised than by training from scratch."""
    (name, (before, after)), *others = lost.items()
    said = f"{name} in {after:.0%} of the cases, where scratch does in {before:.0%}"
    return f"{said}, and so for {listed(list(dict(others)))}" if others else said


def _strongest(results: Results) -> Cause | None:
    """The cause with the most evidence, of those that can explain what hurts."""
    of_all = not _only_alignment_hurts(results)
    return next((cause for cause in results.causes if cause.evidence >= SHOWN
                 and (of_all or cause.name in SPOIL_ALIGNMENT)), None)


def _repair(cause: Cause, results: Results) -> str:
    """What repairs a cause, as far as it can be followed and was not found to hurt."""
    if cause.name == "label-space mismatch" and results.not_applicable:
        return NO_COMMON
    if cause.name == "domain distance" and results.verdict.get("aligned") == "positive":
        return f"{REPAIRS[cause.name]}, or use aligned"
    if cause.name == "frozen too deep" and results.verdict.get("fine_tune") == "negative":
        return "tuning everything hurts too, so leave this source"
    return REPAIRS[cause.name]


def _only_alignment_hurts(results: Results) -> bool:
    hurt = [s for s, word in results.verdict.items() if word == "negative"]
    gap = results.gap
    return (hurt == ["aligned"] and "source_only" in gap
            and gap["aligned"].estimate < gap["source_only"].estimate)


def text(results: Results) -> str:
    """The report in lines of at most 88 characters."""
    def wrap(sentence, indent="  "):
        return textwrap.wrap(sentence, 88, initial_indent=indent, subsequent_indent=indent)

    name = in_words(results.score_name)
    wide = max(len(name), 7) + 1
    lines = [title(results, "->"), "",
             f"  {'':18}{name:>{wide}}   {'gap to scratch in points':26}verdict"]
    lines += [f"  {textwrap.shorten(s, 18, placeholder='…'):18}{mean:>{wide}}   {between:26}{word}"
              .rstrip() for s, mean, between, word in rows_of_table(results)]
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
    return [(s, percent(row["score"]), points(gap[s]) if s in gap else "", row["verdict"])
            for s, row in results.table.iterrows()]


def answers(results: Results) -> dict[str, str]:
    """What a reader wants to know first: question -> answer."""
    best, gap = results.advised, results.gap
    if best is None:
        return {"Does transfer help?": "Nothing was measured.", "What to do?": results.advice,
                **_omitted(results)}
    found, cause = gap[best], _strongest(results)
    return {
        "Does transfer help?": headline(results),
        "How sure is that?": f"Over {counted(found.n, 'repetition')} with other labels and test "
                             f"samples, the difference lies between {_end(found.low)} and "
                             f"{_end(found.high)} points: a 95 % interval, {compared(results)}.",
        **({"What does it take to beat?": f"Always answering {results.baseline.answer} scores "
            f"{percent(results.baseline.score)}, scratch {percent(_mean(results, 'scratch'))} and "
            f"{best} {percent(_mean(results, best))}: {in_words(results.score_name)}, "
            f"{SCORES[results.score_name]}."} if results.baseline else {}),
        "What speaks against it?": f"{cause.name}, evidence {cause.evidence:.2f} of 1: "
                                   f"{cause.meaning}." if cause else "No cause stands out.",
        "What to do?": results.advice,
        **_omitted(results),
    }


def headline(results: Results) -> str:
    """The verdict in one sentence, with all that would make it misleading if it were left out."""
    best, gap = results.advised, results.gap
    size = f"{100 * abs(gap[best].estimate):.1f} points"
    than = "training from scratch"
    said = {"positive": f"Yes: {best} scores {size} more than {than}",
            "negative": f"No: even {best} scores {size} less than {than}",
            "inconclusive": f"Undecided: {best} scores {size} "
                            f"{'more' if gap[best].estimate > 0 else 'less'} than {than}, "
                            "which may be chance"}[results.overall]
    if results.overall == "positive":
        if lost := results.lost_classes(best):
            said += f", but recognises {_recalls(lost)}"
        if results.baseline and results.baseline.score >= _mean(results, best):
            said += (f", but always answering {results.baseline.answer} scores "
                     f"{percent(results.baseline.score)}, and {best} "
                     f"{percent(_mean(results, best))}")
    hurt = [s for s, word in results.verdict.items() if word == "negative" and s != best]
    if hurt and results.overall != "negative":
        said += f"; {', '.join(hurt)} hurt{'s' if len(hurt) == 1 else ''}"
    return f"{said}."


def _mean(results: Results, strategy: str) -> float:
    return results.table.loc[strategy, "score"]


def _omitted(results: Results) -> dict[str, str]:
    return {"What was left out?": f"{'; '.join(results.left_out)}."} if results.left_out else {}


def compared(results: Results) -> str:
    """How many strategies the intervals are corrected for."""
    asked = len(results.strategies) - len(results.not_applicable)
    return f"widened for {asked} strateg{'y that was' if asked == 1 else 'ies that were'} tried"


def title(results: Results, arrow: str) -> str:
    """Which pair, at how many labels, and the verdict."""
    return (f"{results.source} {arrow} {results.target}, "
            f"{counted(results.labels_per_class, 'label')} a class: "
            f"{results.overall if results.advised else 'not measured'}")


def percent(share: float) -> str:
    """A share in per cent, or nothing where it was not measured."""
    return "" if np.isnan(share) else f"{share:.1%}"


def small_print(results: Results) -> dict[str, list[str]]:
    """What must not go unsaid: heading -> sentences without their full stop."""
    steps, more = (results.settings.get(name) for name in ("steps", "source_steps"))
    how = [f"the score is {in_words(results.score_name)}, {SCORES[results.score_name]}, on target "
           "samples that no network has seen; each seed draws labels, initial weights, batches "
           "and a test part of its own",
           "intervals are 95 % paired t intervals with Holm's correction over the strategies",
           "scratch, frozen and fine_tune use the same labels, source_only and aligned use none, "
           "aligned sees the target's other inputs; no label is kept back for validation",
           f"each makes {steps} steps on the target, source_only none; the {more} steps on the "
           "source come on top"]
    parts = {"Not applicable": [f"{s}: {why}" for s, why in results.not_applicable.items()],
             "Notices": results.notices, "Left out": results.left_out, "How it was measured": how}
    return {title: sentences for title, sentences in parts.items() if sentences}
