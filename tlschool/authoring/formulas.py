"""Formulas for pages that stand alone: TeX becomes MathML, which browsers draw themselves."""

import re

from nbconvert.preprocessors import Preprocessor

_FORMULA = re.compile(
    r"(```.*?```|`[^`\n]+`)"  # code, which stays
    r"|\$\$(.+?)\$\$"
    r"|(?<![\\$\w])\$([^$\s](?:(?:[^$\n]|\n(?!\s*\n))*[^$\s])?)\$(?!\w)",
    re.DOTALL,
)

# HTML needs none, and nbconvert would spell it out before each element of a formula in a heading.
_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'


def mathml(text: str) -> str:
    """A Markdown text with its TeX formulas as MathML; code stays as it is.

    Examples
    --------
    >>> mathml("`$x$` costs $5, or 6 $")
    '`$x$` costs $5, or 6 $'
    """
    from latex2mathml.converter import convert

    def formula(found: re.Match) -> str:
        code, display, inline = found.groups()
        if code:
            return code
        made = convert(display.strip(), display="block") if display else convert(inline)
        return made.replace(_NAMESPACE, "")

    return _FORMULA.sub(formula, text)


class Formulas(Preprocessor):
    """A step of an exporter of nbconvert: the formulas of a page become MathML."""

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "markdown":
            cell.source = mathml(cell.source)
        return cell, resources
