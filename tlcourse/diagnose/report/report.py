"""The report of a diagnosis: its results, and how they are told, drawn and shown."""

from matplotlib.figure import Figure

from tlcourse.diagnose.report import figures, page, text
from tlcourse.diagnose.report.results import Results


class Report(Results):
    """What `tlcourse.diagnose.diagnose` found; prints well, and shows well in a notebook.

    Its numbers and its parameters are those of
    `tlcourse.diagnose.report.results.Results`.
    """

    @property
    def advice(self) -> str:
        """What to do, in a few sentences."""
        return text.advice(self)

    def plot(self) -> Figure:
        """The gaps with their intervals, and beside them the evidence for each cause."""
        return figures.plot(self)

    def page(self) -> str:
        """The report as an HTML page, for those who have no notebook."""
        return page.page(self)

    def to_dict(self) -> dict:
        """The report as what JSON can write; what follows from the runs is there to be read."""
        return {**super().to_dict(), "advice": self.advice}

    def __str__(self) -> str:
        return text.text(self)

    def _repr_html_(self) -> str:
        return page.fragment(self)
