"""A lesson of a few cells that keeps the contract, for the tests of those who read lessons."""

import importlib
import sys

import nbformat

from tlcourse.school import exercises, places, source

ALT = "A line that rises from one to three over three steps."

LESSON = '''---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
tlcourse:
  id: "90"
  title: A small lesson
  minutes: {teaching: 5, exercises: 4}
  objectives: [measure a gap, explain an interval]
  needs: []
  terms: [gap]
  data: [dots]
  sources: [a book]
---

# 90 · A small lesson

```{code-cell} ipython3
from tlcourse import check, claim, figure, quiz
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

EXERCISES = '''
from tlcourse.school.exercises import Exercise, Option, Question, exists, is_function, is_number

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

EXERCISES = [
    Exercise("90.1", "How many?", "predict", 2, lambda: 7, [exists(), is_number(0, 99), _seven],
             ("Count.", "Count twice.", "Days of a week.")),
    Exercise("90.2", "Twice (bug hunt)", "write", 2, _double,
             [exists(), is_function("x"), _value], ("Add.", "x + x", "return 2 * x")),
]
QUIZ = [
    Question("90.1", "Is 1 < 2?",
             [Option("No & never", "It is smaller."), Option("Yes", "So it is.")], "b"),
]
'''

GLOSSARY = "| English | 中文 | meaning |\n|---|---|---|\n| Gap | 差距 | A difference. |\n"
README = "# Course\n\n<!-- lessons -->\n<!-- /lessons -->\n\nMore.\n"


def lay_out(root, monkeypatch):
    """A course of this one lesson under `root`, where the school will look for it."""
    for name, text in {"lessons/90_small.md": LESSON, "lessons/glossary.md": GLOSSARY,
                       "README.md": README}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(places, "ROOT", root)
    monkeypatch.setattr("tlcourse.data.manifest", lambda: {"dots": {}})
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


def add_exercises(folder, monkeypatch):
    """The lesson's exercises, where the registry finds those of the real lessons."""
    (folder / "lesson90.py").write_text(EXERCISES, encoding="utf-8")
    monkeypatch.setattr(exercises, "__path__", [*exercises.__path__, str(folder)])
    monkeypatch.setitem(sys.modules, f"{exercises.__name__}.lesson90", None)
    del sys.modules[f"{exercises.__name__}.lesson90"]  # and monkeypatch removes it afterwards
    importlib.invalidate_caches()
