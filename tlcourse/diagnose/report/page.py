"""A report as HTML: the answers first, then the pictures, the tables and how it was measured."""

import base64
import io
from pathlib import Path

import jinja2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from tlcourse.diagnose.report.figures import pictures
from tlcourse.diagnose.report.results import Results
from tlcourse.diagnose.report.text import answers, rows_of_table, small_print, title
from tlcourse.diagnose.scoring import in_words

TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent),
                               autoescape=True, undefined=jinja2.StrictUndefined)


def fragment(results: Results) -> str:
    """The results as a piece of HTML, without pictures."""
    return TEMPLATES.get_template("fragment.html").render(_words(results), figures={})


def page(results: Results) -> str:
    """A whole HTML page, the pictures and the changes for each class included."""
    changes = 100 * results.per_class
    rows = [[name, *("" if np.isnan(value) else f"{value:.0f}%" if s == "scratch" else
                     f"{value:+z.0f}" for s, value in row.items())]
            for name, row in changes.iterrows()]
    return TEMPLATES.get_template("page.html").render(
        _words(results), figures={f.alt_text: _png(f) for f in pictures(results)},
        per_class=(["class", *changes], rows))


def _words(results: Results) -> dict:
    """What the template shows."""
    return {"title": title(results, "→"), "overall": results.overall, "answers": answers(results),
            "strategies": rows_of_table(results), "score": in_words(results.score_name),
            "causes": [[c.name, f"{c.evidence:.2f}", c.meaning] for c in results.causes],
            "small_print": small_print(results)}


def _png(figure: Figure) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=144)
    plt.close(figure)
    return base64.b64encode(picture.getvalue()).decode()
