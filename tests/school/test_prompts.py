"""A prompt says enough to type a cell: what it asks, what it makes, and what that calls."""

import ast
import re

import pytest
from nbformat.v4 import new_code_cell

from tlcourse.notebook import places
from tlschool.authoring.source import tree
from tlschool.live import prompts, steps

LESSONS = list(places.notebooks())


def step(code, text="", tags=()):
    return steps.Step(2, "part", text, new_code_cell(code, metadata={"tags": list(tags)}))


def typed(id):
    """The steps of a lesson whose code somebody types."""
    return [each for each in steps.read(id).steps if each.given != each.code]


@pytest.mark.parametrize("id", LESSONS)
def test_every_prompt_is_one_line(id):
    for each in steps.read(id).steps:
        said = prompts.prompt(each)
        assert re.search(r"\w", said) and "\n" not in said and said.count("`") % 2 == 0, said
        assert len(said) < 400 and said.endswith("."), said


@pytest.mark.parametrize("id", LESSONS)
def test_a_prompt_names_all_that_its_cell_defines_draws_and_compares(id):
    for each in typed(id):
        said = prompts.prompt(each)
        for node in tree(each.code).body:
            if isinstance(node, ast.FunctionDef):
                assert f"`{node.name}(" in said, said
            if isinstance(node, ast.Assign):
                names = {part.id for part in ast.walk(node.targets[0])
                         if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
                assert all(f"`{name}" in said for name in names - {"_"}), said
        for call in ast.walk(tree(each.code)):
            called = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
            if called == "claim":
                sides = [ast.get_source_segment(each.code, side) for side in call.args[1:3]]
                assert all(" ".join(side.split()) in said for side in sides), said
            if called.startswith("plots.") and not each.code.startswith("def "):
                assert f"`{called}`" in said, said


@pytest.mark.parametrize(("code", "said"), [
    ("runs = sweep(one_run, {}, seeds=range(5))\nruns.round(2)",
     "Define `runs` (`sweep`); show `runs.round`."),
    ("x, y = ten.X, head(z)\nprint(f'{x.mean():.1f}')",
     "Define `x = ten.X`, `y` (`head`); print `x.mean`."),
    ("def one(seed, *, lr=1):\n    fit(net(seed), lr)\n    return accuracy(net)",
     "Define `one(seed, *, lr=1)` (`fit`, `net`, `accuracy`)."),
    ("@interact(n=(0, 4))\ndef knob(n=1):\n    print(n)", "Define `knob(n=1)` (`interact`)."),
    ("scores['LEEP'] = {n: leep(t, y) for n, t in theta.items()}\nround(a.b + c[0], 2)",
     'Define `scores["LEEP"]` (`leep`); show `a.b`, `c`.'),
    ("for layer in norms:\n    layer.reset()\nwith torch.no_grad():\n    net(x)",
     "Call `layer.reset`, `net`."),
    ("fit(model, ten);", "Call `fit`."),
    ("first, *others = 1, 2, 3", "Define `first`, `*others = (1, 2, 3)`."),
    ("k = LogisticRegression(C=1).fit(x, y)", "Define `k` (`LogisticRegression().fit`)."),
    ("picture = plots.learning_curve(runs)\nfigure(picture, 'words')",
     "Define `picture` (`plots.learning_curve`); draw `picture`."),
    ('both = join(runs)\nclaim("one beats the other", both["a"],\n      both["b"], at_least=0.05)',
     'Claim: one beats the other, `both["a"]` above `both["b"]` by at least 0.05, after you define '
     "`both` (`join`)."),
    ('quiz("0.1")', "A question about this lesson."),
    ("import numpy as np", "Run this cell; it is typed already."),
    ("%matplotlib widget", "."),
])
def test_what_a_cell_does_in_words(code, said):
    assert prompts.prompt(step(code)) == said


@pytest.mark.parametrize(("text", "led"), [
    ("Each line is a seed. All go up.", ""),
    ("Each line is a seed. Was that luck?", "Was that luck?"),
    ("Each line is a seed. In code:", "In code:"),
    ("Now measure. `fit` trains the network it is given.", "`fit` trains the network it is given."),
    ("The marker `o` is hollow.", ""),
    ("## Part\n\nA trick is cheaper. It moves.", "A trick is cheaper."),
])
def test_what_only_looks_back_leads_nobody(text, led):
    assert prompts.lead(step("fit(model, ten)", text)) == led


def test_a_sentence_that_ends_in_a_colon_goes_on_small():
    assert prompts.prompt(step("figure(plots.gaps(runs))", "As a picture:")) == (
        "As a picture: draw `plots.gaps`.")
    hidden = step("figure(plots.gaps(runs))", "As a picture:", tags=["hide-input"])
    assert prompts.prompt(hidden) == "As a picture: run this cell; it is typed already."
