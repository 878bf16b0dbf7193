"""Figures with words, for those who cannot see them."""

import base64
import html
import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from tlcourse.notebook.show import show

ALT_LENGTH = 20
"""An alternative text of fewer characters describes nothing."""
DPI, COLOURS = 110, 64
WIDEST, HIGHEST = 8.6, 4.6
"""Inches: on a slide, labels of 10 points are then 20 pixels of 720 high."""


def figure(fig: Figure, alt: str | None = None) -> None:
    """Show a figure as a small picture with an alternative text, and close it.

    Parameters
    ----------
    fig : matplotlib Figure
        Those of `tlcourse.plots` bring their text as ``alt_text``.
    alt : str, optional
        What the figure shows, for those who cannot see it.

    Raises
    ------
    TypeError
        `fig` is not a Figure.
    ValueError
        There is no alternative text of at least 20 characters.
    """
    if not isinstance(fig, Figure):
        raise TypeError(f"a matplotlib Figure is needed, got {type(fig).__name__}: "
                        "for axes, hand over axes.figure")
    alt = " ".join((alt or getattr(fig, "alt_text", None) or "").split())
    if len(alt) < ALT_LENGTH:
        raise ValueError(f"a figure needs a text that says what it shows, at least {ALT_LENGTH} "
                         f"characters, got {alt!r}: pass alt=")
    width, height = fig.get_size_inches()
    fig.set_size_inches(min(width, WIDEST), min(height, HIGHEST))
    picture = base64.b64encode(_palette_png(fig)).decode()
    plt.close(fig)  # otherwise the inline backend shows it once more, as it is
    show(f"[Figure: {alt}]", f'<img alt="{html.escape(alt)}" style="max-width:100%" '
                              f'src="data:image/png;base64,{picture}">')


def _palette_png(fig: Figure) -> bytes:
    """The figure as PNG with a palette: about a third of the bytes, the text as crisp."""
    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, format="png", dpi=DPI, facecolor="white")
    picture = Image.open(full).convert("RGB")
    picture = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()
