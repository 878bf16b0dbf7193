"""An output of its own, as text and as a page, wherever a lesson runs."""

from IPython import get_ipython
from IPython.display import display


def show(text: str, page: str | None = None) -> None:
    """One output of its own in a notebook; printed text in plain Python."""
    if get_ipython() is None:
        print(text)
    else:
        display({"text/plain": text, **({"text/html": page} if page else {})}, raw=True)
