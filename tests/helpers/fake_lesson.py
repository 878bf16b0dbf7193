"""A lesson of a few cells that keeps the contract, for the tests of those who read lessons."""

import sys

import nbformat

from tlcourse.data import bundled
from tlcourse.notebook import lessons, places
from tlschool.authoring import source

ALT = "A line that rises from one to three over three steps."

LESSON = '''---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
tlcourse:
  id: "90"
  title: A small lesson
  minutes: {teaching: 5, exercises: 7}
  objectives: [measure a gap, explain an interval]
  needs: []
  terms: [gap]
  data: [dots]
  sources: [a book]
---

# 90 · A small lesson

```{code-cell} ipython3
from tlcourse import check, claim, figure, judge, quiz
better, worse = [0.80, 0.81, 0.82, 0.83, 0.84], [0.70, 0.71, 0.70, 0.71, 0.70]
```

```{code-cell} ipython3
:tags: [hide-input]
from matplotlib.figure import Figure

picture = Figure()
picture.subplots().plot([1, 2, 3])
figure(picture, "A line that rises from one to three over three steps.")
```

The line rises.

## Two claims

```{code-cell} ipython3
:tags: [claim]
claim("more is better", better, worse, at_least=0.05)
```

```{code-cell} ipython3
:tags: [claim, slide]
claim("it stays so", better, worse, at_least=0.02)
```

**Exercise 90.1 (predict, 2 min).** How many?

```{code-cell} ipython3
:tags: [exercise]
count = ...
count = check("90.1", count)
```

```{code-cell} ipython3
:tags: [solution]
count = 7
count = check("90.1", count)
```

```{code-cell} ipython3
len("a week.")
```

```{code-cell} ipython3
judge("90.1", count)
```

**Exercise 90.2 (write, 2 min).** A bug hunt: what does `double` forget?

```{code-cell} ipython3
:tags: [exercise]
def double(x):
    ...

double = check("90.2", double)
```

```{code-cell} ipython3
:tags: [solution]
def double(x):
    return 2 * x

double = check("90.2", double)
```

## Quiz

```{code-cell} ipython3
quiz("90.1")
```

```{code-cell} ipython3
quiz("90.2")
```

```{code-cell} ipython3
quiz("90.3")
```

## What to remember

- One.
- Two.
- Three.

## Next

Another lesson.
'''

CHECKS = '''
from tlcourse.notebook.ladder import exists, is_function, is_number

def _double():
    def double(x):
        return 2 * x
    return double

def _value(answer, seed):
    if answer(seed + 3) == seed + 3:
        return "what comes back is what went in."
    if answer(seed + 3) != 2 * (seed + 3):
        return "what comes back is not twice what went in."

def _seven(answer, seed):
    if answer != 7:
        return f"count again: {'fewer' if answer > 7 else 'more'} than that."

EXERCISES = {
    "90.1": (lambda: 7, [exists(), is_number(0, 99), _seven]),
    "90.2": (_double, [exists(), is_function("x"), _value]),
}
'''

TEXTS = '''
[exercise."90.1"]
title = "How many?"
kind = "predict"
minutes = 2
hints = ["Count.", "Count twice.", "Days of a week."]

[exercise."90.2"]
title = "Twice (bug hunt)"
kind = "write"
minutes = 2
hints = ["Add.", "x + x", "return 2 * x"]

[[quiz]]
id = "90.1"
text = "Is 1 < 2?"
right = "b"

[[quiz.options]]
text = "No & never"
why = "It is smaller."

[[quiz.options]]
text = "Yes"
why = "So it is."
'''

GLOSSARY = "| English | 中文 | meaning |\n|---|---|---|\n| Gap | 差距 | A difference. |\n"
GUIDE = "# Guide\n\n<!-- lessons -->\n\n<!-- /lessons -->\n\nMore.\n"
README = "# Course\n\n<!-- lessons -->\n\n<!-- /lessons -->\n\nMore.\n"


def lay_out(root, monkeypatch):
    """A course of this one lesson under `root`, where the school will look for it."""
    for name, text in {"lessons/90_small/lesson.md": LESSON,
                       "lessons/90_small/checks.py": CHECKS,
                       "lessons/90_small/texts.toml": TEXTS,
                       "lessons/90_small/guide.md": "*Point.* [This](../glossary.md).\n",
                       "lessons/glossary.md": GLOSSARY, "lessons/instructor-guide.md": GUIDE,
                       "lessons/common-errors.md": "# Errors\n", "README.md": README}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(places, "ROOT", root)
    monkeypatch.setattr(lessons, "__path__", [str(root / "lessons")])
    for name in [name for name in sys.modules if name.startswith(f"{lessons.__name__}.90_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(bundled, "manifest", lambda: {"dots": {}})
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(root / "workspace"))


def pretend_to_run(notebook, *, folder, timeout, progress):
    """In place of the runner: what a run would leave in the cells."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        if "claim" in cell.metadata.get("tags", []):
            words = cell.source.split('"')[1]
            text = f"{words}: holds: at least 5 points over 5 seeds\n"
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
        if "figure(picture" in cell.source:
            page = f'<img alt="{ALT}" src="data:image/png;base64,/tmp/AAAA">'
            cell.outputs = [nbformat.v4.new_output("display_data", data={"text/html": page})]
    return [0.26] * len(code)


def built(name="learner"):
    """An edition of the lesson as a build leaves it."""
    notebook = source.edition(source.read_source("90"), name)
    seconds = pretend_to_run(notebook, folder=None, timeout=0, progress=False)
    for cell in notebook.cells:
        cell.metadata["tlcourse"] = {"seconds": 0.3} if cell.cell_type == "code" else {}
    notebook.metadata["tlcourse"]["seconds"] = round(sum(seconds), 1)
    return notebook
