"""Slides are one file that asks for nothing else, and say what the lesson says."""

import base64
import io
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import nbformat
import pytest
from PIL import Image

from tlcourse.notebook import figure as figures
from tlcourse.notebook import places
from tlschool.authoring.formulas import mathml
from tlschool.authoring.source import tags
from tlschool.live import slides, steps

LESSONS = list(places.notebooks())


class Page(HTMLParser):
    """What a page refers to, its words, and the texts of its pictures."""

    def __init__(self, text):
        super().__init__()
        self.refers, self.words, self.pictures, self.found = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        attrs = dict(attrs)
        self.refers += [attrs[key] for key in ("src", "href", "poster") if attrs.get(key)]
        if tag == "img":
            self.pictures.append(attrs.get("alt", ""))

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(params=LESSONS)
def made(request, workspace):
    path = slides.write(request.param)
    assert path == workspace / "live" / f"{request.param}_slides.html"
    return steps.read(request.param), path.read_text(encoding="utf-8")


def test_a_page_holds_all_that_it_shows(made):
    _, text = made
    page = Page(text)
    assert all(ref.startswith(("data:", "#")) for ref in page.refers), page.refers
    styles = "".join(re.findall(r"<style>.*?</style>", text, re.DOTALL))
    assert "@import" not in styles
    assert all(url.startswith("data:") for url in re.findall(r"url\(['\"]?([^)]*)", styles))
    assert len(text) < 2e6


def test_every_cell_tagged_slide_is_there_with_its_notes_and_pictures(made):
    lesson, text = made
    page = Page(text)
    shown = [step for step in lesson.steps if "slide" in tags(step.cell)]
    words = "".join("".join(page.words).split())
    assert len(shown) >= 3
    for step in shown:
        hidden = "hide-input" in tags(step.cell)
        assert ("".join(step.code.split()) in words) is not hidden
        assert f"{steps.clock(step.mark)}·step{step.number}" in words
        outputs = [output.get("data", {}).get("text/html", "") for output in step.cell.outputs]
        told = [re.search('alt="(.{30})', output)[1] for output in outputs if "<img" in output]
        assert all(alt in text for alt in told)
    assert all(len(alt) >= 20 for alt in page.pictures)
    assert page.found.count("aside") >= len(shown)


def test_a_long_printed_text_is_cut_where_the_slide_ends_and_says_so():
    printed = nbformat.v4.new_output("stream", name="stdout", text="line\n" * 60)
    assert slides._shortened(printed, 23).text.splitlines() == ["line"] * 23 + ["…"]
    assert slides._shortened(printed, 60) is slides._shortened(printed, None) is printed
    assert printed.text.count("line") == 60, "the lesson itself stays whole"


def test_what_is_told_stands_under_its_output_and_a_figure_has_a_page_of_its_own(made):
    def letters(text):
        return "".join(re.findall(r"\w", text))

    lesson, text = made
    pages = [letters(" ".join(Page(re.sub("<aside.*?</aside>", "", part, flags=re.DOTALL)).words))
             for part in text.split("<section")]
    for step in lesson.steps:
        told, code = step.cell.metadata.get("told", ""), letters(step.code)
        if told and "$" not in told and "hide-input" not in tags(step.cell):
            together = any(letters(told) in page and code in page for page in pages)
            apart = "slide-output-apart" in tags(step.cell) or "<img" in str(step.cell.outputs)
            assert together is not apart, told
            assert any(letters(told) in page for page in pages)


def test_no_figure_shares_its_slide_with_code_and_no_slide_is_left_empty(made):
    lesson, text = made
    for slide in filter(None, text.split("<section>")[1:]):
        words = re.sub("<aside.*?</aside>", "", slide, flags=re.DOTALL)
        pictures = Page(words).pictures
        assert not (pictures and ('class="highlight' in words or "<h2" in words)), words[:200]
        words = re.sub("<h2>.*?</h2>", "", words, flags=re.DOTALL)
        assert pictures or "".join(Page(words.partition("<script")[0]).words).strip()


def test_every_exercise_has_a_slide_with_its_task_and_its_minutes(made):
    lesson, text = made
    exercises = [step for step in lesson.steps if step.solution]
    shown = [slide for slide in text.split("<section>") if 'class="countdown"' in slide]
    assert len(shown) == len(exercises) >= 3
    for step, slide in zip(exercises, shown, strict=True):
        number, minutes = re.search(r"Exercise ([\d.]+) \(.*?(\d+) min", step.text).groups()
        words = " ".join(Page(slide).words)
        assert f"Exercise {number} (" in words and f"{minutes}:00" in words
        assert f'data-minutes="{minutes}"' in slide and step.minutes == int(minutes)
        assert 'class="highlight' not in slide or "```" in step.task, "no code, no solution"


@pytest.mark.parametrize(("inches", "shown"), [((12, 8), (946, 506)), ((4, 8), (440, 506)),
                                               ((6, 3), (660, 330))])
def test_a_figure_is_no_larger_than_leaves_its_labels_readable(monkeypatch, inches, shown):
    seen = []
    monkeypatch.setattr(figures, "show", lambda text, html: seen.append(html))
    figures.figure(plt.figure(figsize=inches), "An empty figure, to see how large it is.")
    picture = base64.b64decode(re.search("base64,([^\"]+)", seen[0])[1])
    assert Image.open(io.BytesIO(picture)).size == pytest.approx(shown, abs=1)


def test_no_formula_is_left_as_tex(made):
    lesson, text = made
    formulas = sum(step.text.count("$$") // 2 for step in lesson.steps
                   if "slide" in tags(step.cell))
    assert text.count('display="block"') >= formulas
    body = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"\$\$|\\(frac|sum|text|lVert)\b", body)


@pytest.mark.parametrize(("text", "drawn"), [
    ("a $x$ b", 1), ("$$ x^2 $$", 1), ("a $x +\ny$ b", 1), ("a $x\n\ny$ b", 0),
    ("`$x$`", 0), ("```\n$x$ $$y$$\n```", 0),
    ("5 $ and 6 $ more", 0), ("costs $5 today", 0), (r"\$x$", 0),
])
def test_formulas_become_mathml_and_nothing_else_does(text, drawn):
    made = mathml(text)
    assert made.count("<math") == drawn
    assert drawn or made == text
