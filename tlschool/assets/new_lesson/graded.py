"""Further checks of lesson @ID@."""

from .checks import _mean_gap


def _other_lengths(answer, seed):
    """Two seeds, where the visible check has three."""
    a, b = [0.9, 0.5 + 0.01 * seed], [0.2, 0.3]
    if abs(answer(a, b) - _mean_gap()(a, b)) > 1e-9:
        return "of two seeds it gives something else than their mean gap."


PROPERTIES = {"@N@.2": (_other_lengths,)}
