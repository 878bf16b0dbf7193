"""Does a way of transferring help or hurt? Paired intervals, corrected for asking several times."""

from collections.abc import Mapping, Sequence

from tlcourse.stats import Gap, paired_gap

ALPHA = 0.05
"""How often a report in which nothing has an effect may hold any verdict but inconclusive."""


def decided(gap: Gap) -> str:
    """The verdict of an interval: "positive", "negative", or "inconclusive" when it holds 0."""
    if gap.low > 0:
        return "positive"
    return "negative" if gap.high < 0 else "inconclusive"


def holm(
    scores: Mapping[str, Sequence[float | None]], baseline: Sequence[float | None],
    *, finest: float = 0.0,
) -> dict[str, Gap]:
    """Paired gaps to a baseline, with intervals as wide as Holm's correction makes them.

    With m comparisons, the clearest one is tested at the level 1 - 0.05/m, the next one at
    1 - 0.05/(m - 1), and so on until one is not decided; all that are left keep its level. So the
    chance that any of m comparisons without effect is called decided stays at 5 %, and an interval
    excludes 0 exactly when its comparison is decided.

    Parameters
    ----------
    scores : dict of name -> scores, one a seed
        None where a seed was not measured; an interval needs two pairs.
    baseline : scores of the same seeds
    finest : float
        What one test sample is worth. No half-width is below it: a few seeds that all differ by
        one sample agree by chance.

    Returns
    -------
    dict of name -> Gap
        In the order of `scores`. With fewer than two pairs the interval is all that two shares
        of right answers can differ by, -1 to 1; with none there is no gap.

    References
    ----------
    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 1979.
    """
    pairs = {name: [(a, b) for a, b in zip(values, baseline, strict=True)
                    if a is not None and b is not None] for name, values in scores.items()}
    gaps = {name: Gap(sum(a - b for a, b in found) / len(found), -1.0, 1.0, len(found))
            for name, found in pairs.items() if found}
    waiting = [name for name, gap in gaps.items() if gap.n >= 2]
    m = len(scores)  # one that could not be measured counts too
    while waiting:
        now = {name: _at_least(paired_gap(*zip(*pairs[name], strict=True), level=1 - ALPHA / m),
                               finest) for name in waiting}
        clearest = max(waiting, key=lambda name: abs(now[name].estimate) / _half(now[name]))
        if decided(now[clearest]) == "inconclusive":
            return gaps | now
        gaps[clearest] = now[clearest]
        waiting.remove(clearest)
        m -= 1
    return gaps


def _at_least(gap: Gap, half: float) -> Gap:
    if _half(gap) >= half:
        return gap
    return gap._replace(low=gap.estimate - half, high=gap.estimate + half)


def _half(gap: Gap) -> float:
    return (gap.high - gap.low) / 2
