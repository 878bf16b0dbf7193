"""What a lesson showed when it was built, as text and pictures that need not be run again."""

import html
import re
from collections.abc import Sequence

import nbformat
from nbformat import NotebookNode

_PICTURE = re.compile(r'<img alt="([^"]*)"[^>]*src="data:image/png;base64,([^"]+)"')
_HEADING = re.compile(r"^(?=#+ )", re.MULTILINE)


def shown(cells: Sequence[NotebookNode]) -> NotebookNode:
    """One Markdown cell with the texts, the code, and what the code put out when it was built.

    Parameters
    ----------
    cells : sequence of cells
        With outputs. Of the first one only what stands from its last heading on.
    """
    parts, pictures = [], {}
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source if number else _HEADING.split(cell.source)[-1])
        else:
            parts.append(f"```python\n{cell.source}\n```")
            for output in cell.get("outputs", ()):
                parts.append(_said(output, pictures))
    text = "\n\n".join(part.strip() for part in parts if part.strip())
    made = nbformat.v4.new_markdown_cell(text)
    if pictures:
        made["attachments"] = pictures
    return made


def _said(output, pictures):
    data = output.get("data", {})
    if found := _PICTURE.search(data.get("text/html", "")):
        name = f"picture{len(pictures) + 1}.png"
        pictures[name] = {"image/png": found[2]}
        alt = html.unescape(found[1]).replace("[", "(").replace("]", ")")
        return f"![{alt}](attachment:{name})"
    text = output.get("text") or data.get("text/plain", "")
    return f"```\n{text.rstrip()}\n```" if text else ""
