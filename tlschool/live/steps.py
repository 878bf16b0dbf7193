"""A built lesson as numbered steps: what leads to each, what is typed, and its minute mark.

Typed are short steps, unless they draw, load or claim; all others are given. What is special about
a step, and what an audience reads of it, is written in the lesson, as metadata of its code cell:

live
    "type" or "next", where the rule would have it otherwise.
prompt
    Whole sentences in one line that say what to type. A step that is given needs none.
lead, told
    On its slide: the sentence above the code, and the sentences under the output.
slide_lines
    How many lines of a long printed text stand on its slide.
"""

import ast
import re
from dataclasses import dataclass, replace
from itertools import groupby

from nbformat import NotebookNode

from tlcourse.notebook import places
from tlschool.authoring import box
from tlschool.authoring.names import names
from tlschool.authoring.source import checked, load, tags, tree

MOST = 200
"""Characters of a step that is typed without being asked for."""
GIVEN = {"figure", "load", "claim", "interact", "read_text"}
"""Calls that nobody learns anything from typing."""
WORDS, LINES = 110, 6
"""What a presenter says, and types with explanations, in a minute; only their ratio counts."""
LONG, WIDE = 6, 100
"""Lines, and characters of a line, of an output that tell somebody whether hers is the same."""


@dataclass(frozen=True)
class Step:
    """One code cell of a lesson, with what leads to it.

    Attributes
    ----------
    number : int
        From 1.
    section : str
        Slug of its heading: the name of the checkpoint before it.
    text, after : str
        What the lesson says before the code, from the section's heading on, and what it says
        after it, when a new section follows.
    code, given : str
        The whole snippet, and what of it the participant's cell holds already.
    mark : int
        Minutes from the beginning of the lesson.
    cell, solution : NotebookNode
        As built; the solution of an exercise, otherwise None.
    """

    number: int
    section: str
    text: str
    cell: NotebookNode
    solution: NotebookNode | None = None
    after: str = ""
    mark: int = 0

    @property
    def code(self) -> str:
        """The whole snippet."""
        return self.cell.source

    @property
    def imports(self) -> str:
        """The imports at the top of the code."""
        lines = self.code.splitlines()
        return "\n".join(line for node in tree(self.code).body
                         if isinstance(node, ast.Import | ast.ImportFrom)
                         for line in lines[node.lineno - 1 : node.end_lineno])

    @property
    def is_typed(self) -> bool:
        """Whether somebody types it; otherwise it is given, to be run."""
        if ({"exercise", "hide-input"} & set(tags(self.cell)) or self.code.startswith("quiz(")
                or "".join(self.code.split()) == "".join(self.imports.split())):
            return False
        if "live" in self.cell.metadata:
            return self.cell.metadata["live"] == "type"
        return not self.calls & GIVEN and len(self.code) - len(self.imports) <= MOST

    @property
    def given(self) -> str:
        """What the participant's cell holds already: all of it, or the imports."""
        return self.imports if self.is_typed else self.code

    @property
    def calls(self) -> set[str]:
        """The last names of all that the code calls."""
        return {ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(tree(self.code))
                if isinstance(node, ast.Call)}

    @property
    def prompt(self) -> str:
        """What to type, or what the code does that is given, in whole sentences."""
        return self.cell.metadata.get("prompt") or f"Run this cell: {self._does()}."

    def _does(self) -> str:
        """What a cell that is given does, for its prompt."""
        made = [f"`{name}`" for name in sorted(names(self.code)[0] - names(self.imports)[0])]
        if found := re.search(r"\bclaim\(\s*\"(.+?)\"", self.code):
            return f"it tests the claim “{found[1]}”"
        for call, what in {"quiz": "it asks a question about this lesson",
                           "interact": "it draws a control that you can move",
                           "figure": "it draws a figure"}.items():
            if call in self.calls:
                return what
        if self.cell.outputs or not made:
            return "read what it shows" if self.cell.outputs else "it brings what we need"
        return f"it makes {', '.join(made[:-1])}{' and ' * (len(made) > 1)}{made[-1]}"

    @property
    def seen(self) -> str:
        """The first lines of what the code prints or shows, or of the text of its figure."""
        texts = [output.get("text") or output.get("data", {}).get("text/plain", "")
                 for output in self.cell.outputs]
        lines = [line for text in texts for line in text.rstrip().splitlines()]
        short = [line if len(line) <= WIDE else f"{line[:WIDE]} …" for line in lines[:LONG]]
        return "\n".join([*short, "…"] if len(lines) > LONG else short)

    @property
    def task(self) -> str:
        """What an exercise asks; nothing for other steps."""
        return self.text[self.text.index("**Exercise "):] if self.solution else ""

    @property
    def minutes(self) -> int:
        """The minutes that an exercise states, otherwise 0."""
        found = re.match(r"\*\*Exercise [\d.]+ \(.*?(\d+) min\)", self.task)
        return int(found[1]) if found else 0

    @property
    def formulas(self) -> list[str]:
        """The formulas that stand alone in the text, and the sentence that explains the last."""
        found = re.findall(r"\$\$.+?\$\$", self.text, re.DOTALL)
        explained = re.match(r"\s*([a-z].*?[.?!]\)?)(?=\s+[A-Z*`(]|\n\s*\n|\s*$)",
                             self.text.rpartition("$$")[2], re.DOTALL)
        return [*found, " ".join(explained[1].split())] if found and explained else found


@dataclass(frozen=True)
class Lesson:
    """A lesson as its steps, with the minutes of its front matter."""

    about: dict
    steps: list[Step]
    closing: str

    @property
    def minutes(self) -> int:
        """Teaching and exercises together."""
        return sum(self.about["minutes"].values())

    def step(self, number: int) -> Step:
        """One of the steps.

        Raises
        ------
        LookupError
            A number that none of them has.
        """
        if number == len(self.steps) + 1:
            raise LookupError(f"step {len(self.steps)} was the last one of lesson "
                              f"{self.about['id']}")
        if not 1 <= number <= len(self.steps):
            raise LookupError(f"lesson {self.about['id']} has steps 1 to {len(self.steps)}, "
                              f"and no step {number}")
        return self.steps[number - 1]

    def sections(self) -> list[tuple[str, str, int, int]]:
        """Slug, heading, first minute and last minute of each section that has steps."""
        first = [next(group) for _, group in groupby(self.steps, key=lambda step: step.section)]
        marks = [step.mark for step in first[1:]] + [self.minutes]
        return [(step.section, headings(step.text)[-1].lstrip("# "), step.mark, end)
                for step, end in zip(first, marks, strict=True)]


def read(id: str) -> Lesson:
    """Both editions of a built lesson as numbered steps with their minute marks.

    Optional sections are no part of it, and neither are the box on top and the links at the end.
    """
    solved = load(places.solution(id))
    starters = {checked(cell): cell for cell in load(places.notebook(id)).cells}
    steps, text, section = [], "", ""
    for cell in box.required(solved.cells):
        if cell.cell_type == "markdown":
            text = f"{text}\n\n{box.without(cell.source)}".strip()
            if found := headings(text):
                section = re.fullmatch(r"\d+-(.+)-\d+", cell.id)[1]
                before, text = text.split(found[0], 1)
                text = found[0] + text
                steps[-1:] = [replace(step, after=before.strip()) for step in steps[-1:]]
            continue
        starter = starters[checked(cell)] if "solution" in tags(cell) else None
        steps.append(Step(len(steps) + 1, section, text, starter or cell, starter and cell))
        text = ""
    about, closing = solved.metadata["tlcourse"], text
    marks = _marks(steps, closing, **about["minutes"])
    steps = [replace(step, mark=mark) for step, mark in zip(steps, marks, strict=True)]
    return Lesson(about, steps, closing)


def headings(text: str) -> list[str]:
    """The heading lines of a Markdown text."""
    return re.findall(r"^#+ .+$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)


def clock(minutes: int) -> str:
    """Minutes as hours and minutes.

    Examples
    --------
    >>> clock(75)
    '1:15'
    """
    return f"{minutes // 60}:{minutes % 60:02}"


def _marks(steps: list[Step], closing: str, *, teaching: int, exercises: int) -> list[int]:
    """The minute at which each step begins.

    Exercises take the minutes that they state, the quiz what is left of theirs. The teaching is
    dealt out by words to say and lines to type, and all of it adds up to the front matter.
    """
    fixed = [float(step.minutes) for step in steps]
    quiz = [step.code.startswith("quiz(") for step in steps]
    last = quiz if any(quiz) else [step is steps[-1] for step in steps]
    fixed = [minutes + (exercises - sum(fixed)) * here / sum(last)
             for minutes, here in zip(fixed, last, strict=True)]
    weight = [_effort(step) for step in steps]
    per_weight = teaching / (sum(weight) + len(closing.split()) / WORDS or 1)
    ends = [sum(fixed[:n]) + per_weight * sum(weight[:n]) for n in range(len(steps))]
    return [round(end) for end in ends]


def _effort(step: Step) -> float:
    said = step.text.partition("**Exercise ")[0] + " " + step.after
    typed = len(step.code.splitlines()) - len(step.given.splitlines())
    return (len(said.split()) / WORDS + typed / LINES
            + step.cell.metadata.get("tlcourse", {}).get("seconds", 0) / 60)
