"""A report as HTML: the answers first, then the pictures, the tables and how it was measured."""

import base64
import html
import io
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from tlcourse.diagnose.report.figures import pictures
from tlcourse.diagnose.report.text import answers, points, score, small_print, title

if TYPE_CHECKING:
    from tlcourse.diagnose.report.report import Report

STYLE = """
body{font:16px/1.45 sans-serif;color:#1a1a1a;background:#fff;max-width:58em;margin:2em auto;
padding:0 1em}
h3{font-size:1.5em;margin:.5em 0}
.answers{border-left:.5em solid;padding:.2em 1em;margin:1em 0}
.positive{border-color:#0072B2}.negative{border-color:#D55E00}.inconclusive{border-color:#777}
.answers p{margin:0 0 .5em 0}.answers p:first-child span{font-size:1.25em}
.pictures{display:flex;flex-wrap:wrap}.pictures img{flex:1 1 20em;min-width:0;max-width:100%}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:1em 0}
th,td{padding:.3em .7em;vertical-align:top;border-bottom:1px solid #bbb}
@media(max-width:40em){th,td{padding:.3em .3em;font-size:.85em}}
@media print{body{font-size:10pt;margin:0;max-width:none}tr,.answers,.pictures{break-inside:avoid}}
"""


def fragment(report: "Report", pictured: str = "") -> str:
    """The report as a piece of HTML, with pictures after the answers if there are any."""
    gap = report.gap
    table = report.table[["score", "gap", "verdict"]].astype(object).reset_index()
    table["gap"] = [points(gap[s]) if s in gap else "" for s in table["strategy"]]
    table["score"] = [score(value) for value in table["score"]]
    said = "".join(f"<p><b>{html.escape(question)}</b><br><span>{html.escape(answer)}</span></p>"
                   for question, answer in answers(report).items())
    parts = [f"<h3>{html.escape(title(report, '→'))}</h3>",
             f'<div class="answers {report.overall}">{said}</div>', pictured,
             _table(table.rename(columns={"gap": "gap to scratch in points"}))]
    if report.causes:
        parts.append(_table(pd.DataFrame(report.causes,
                                         columns=["cause", "evidence", "what it means"])))
    for heading, sentences in small_print(report).items():
        items = "".join(f"<li>{html.escape(s)}.</li>" for s in sentences)
        parts.append(f"<p><b>{heading}</b></p><ul>{items}</ul>")
    return "\n".join(parts)


def page(report: "Report") -> str:
    """A whole HTML page, the pictures and the changes for each class included."""
    pictured = "".join(map(_image, pictures(report)))
    changes = 100 * report.per_class
    changes = pd.DataFrame({s: [score(value, ".0f" if s == "scratch" else "+z.0f")
                                for value in changes[s]] for s in changes}, index=changes.index)
    return "\n".join([
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        '<meta name="color-scheme" content="light">',
        f"<title>{html.escape(title(report, '→'))}</title><style>{STYLE}</style></head><body>",
        fragment(report, f'<div class="pictures">{pictured}</div>'),
        "<p><b>Right answers of scratch for each class in percent, and by how many points each "
        "strategy changes them</b></p>",
        _table(changes.reset_index()), "</body></html>\n"])


def _table(table: pd.DataFrame) -> str:
    with pd.option_context("display.max_colwidth", None):
        drawn = table.to_html(index=False, border=0, float_format="{:.2f}".format)
    for cell in ("th", "td"):  # in the cells themselves: a notebook has a style of its own
        drawn = drawn.replace(f"<{cell}>", f'<{cell} style="text-align:left">')
    return f'<div class="wide">{drawn}</div>'


def _image(figure: Figure) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=144)
    plt.close(figure)
    data = base64.b64encode(picture.getvalue()).decode()
    return f'<img alt="{html.escape(figure.alt_text)}" src="data:image/png;base64,{data}">'
