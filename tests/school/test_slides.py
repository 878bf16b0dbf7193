"""Slides are one file that asks for nothing else, and say what the lesson says."""

import re
from html.parser import HTMLParser

import nbformat
import pytest

from tlcourse.notebook import places
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
    shown = slides._shortened(printed).text.splitlines()
    assert len(shown) == slides.LONGEST and shown[-1] == "…" and set(shown[:-1]) == {"line"}
    short = nbformat.v4.new_output("stream", name="stdout", text="line\n" * slides.LONGEST)
    assert slides._shortened(short) is short
    assert printed.text.count("line") == 60, "the lesson itself stays whole"


@pytest.mark.parametrize(("text", "leads_on", "told"), [
    ("Look at any score yourself:", "Look at any score yourself:", ""),
    ("Is it better?", "", ""),
    ("All go up. Is it better?", "", "All go up."),
    ("All go up. Then subtract:", "Then subtract:", "All go up."),
    ("Now the source. `fit` trains it. It is quick.", "`fit` trains it.", ""),
    ("All go up. " + "Up and up. " * 30, "", "All go up. " + "Up and up. " * 16 + "Up and up."),
])
def test_what_leads_on_to_the_next_slide_is_not_said_on_this_one(text, leads_on, told):
    assert slides._beginning(text, leads_on) == told


def test_a_high_picture_has_a_slide_to_itself_and_none_is_left_empty(made):
    lesson, text = made
    for slide in filter(None, text.split("<section>")[1:]):
        words = re.sub("<aside.*?</aside>", "", slide, flags=re.DOTALL)
        words = re.sub("<h2>.*?</h2>", "", words, flags=re.DOTALL)
        assert Page(words).pictures or "".join(Page(words.partition("<script")[0]).words).strip()
        if pictures := re.findall("data:image/png;base64,[^\"]{40}", words):
            output = {"data": {"text/html": pictures[0] + '"'}}
            high = slides._height(output) > slides.LINE * (slides.FITS + 1)
            assert not (high and ('class="highlight' in words or "<p>" in words)), words[:200]


def test_no_formula_is_left_as_tex(made):
    lesson, text = made
    formulas = sum(step.text.count("$$") // 2 for step in lesson.steps
                   if "slide" in tags(step.cell))
    assert text.count('display="block"') >= formulas
    body = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"\$\$|\\(frac|sum|text|lVert)\b", body)


@pytest.mark.parametrize(("text", "drawn"), [
    ("a $x$ b", 1), ("$$ x^2 $$", 1), ("`$x$`", 0), ("```\n$x$ $$y$$\n```", 0),
    ("5 $ and 6 $ more", 0), ("costs $5 today", 0), (r"\$x$", 0),
])
def test_formulas_become_mathml_and_nothing_else_does(text, drawn):
    made = slides.mathml(text)
    assert made.count("<math") == drawn
    assert drawn or made == text
