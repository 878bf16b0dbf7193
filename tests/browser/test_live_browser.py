"""The room in a real browser: fall behind, catch up, go on; and slides that ask nobody."""

from datetime import datetime
from urllib.parse import urlsplit

from test_browser import _answer, _open, _says, chromium, lab  # noqa: F401, fixtures

from tlcourse.notebook import places
from tlcourse.notebook.figure import DPI
from tlcourse.utils.files import ROOT
from tlschool.live import checkpoints, slides, steps
from tlschool.live import notebooks as live

SOURCE = """id => window.jupyterapp.shell.currentWidget.content.widgets
    .find(cell => cell.model.id === id).model.sharedModel.source"""
OUTPUT = """id => JSON.stringify(window.jupyterapp.shell.currentWidget.content.widgets
    .find(cell => cell.model.id === id).model.toJSON().outputs)"""
LABELS = """points => {
    // The height in pixels of each figure's labels of so many points.
    const heights = [];
    for (Reveal.slide(0); ; Reveal.next()) {
        for (const img of Reveal.getCurrentSlide().querySelectorAll('img')) {
            const share = Math.min(img.offsetHeight / img.naturalHeight,
                                   img.offsetWidth / img.naturalWidth);
            heights.push(share * points);
        }
        if (Reveal.isLastSlide()) return heights;
    }
}"""
LAST_ROW = 20  # pixels of 720 that are read from there
FILLED = f"([id, text]) => ({SOURCE})(id) === text"
TOO_FULL = """() => {
    // From the last row: no line of code is broken or small.
    const isReadable = slide => [...slide.querySelectorAll('pre:not(aside pre)')].every(pre => {
        const {fontSize, lineHeight} = getComputedStyle(pre);
        const lines = pre.textContent.trimEnd().split('\\n').length;
        return parseFloat(fontSize) >= 18
            && Math.abs(pre.offsetHeight / parseFloat(lineHeight) - lines) < 0.5;
    });
    Reveal.configure({fragments: false});
    const tooFull = [];
    for (let number = 1; ; number++) {
        const fits = [...Reveal.getCurrentSlide().querySelectorAll('*')].every(part => {
            const {right, bottom} = part.getBoundingClientRect();
            return right <= innerWidth + 1 && bottom <= innerHeight + 1;
        });
        if (!fits || !isReadable(Reveal.getCurrentSlide())) tooFull.push(number);
        if (Reveal.isLastSlide()) return tooFull;
        Reveal.next();
    }
}"""


def _run(page, cell, text, words):
    """Type into a cell, run it, and wait until it says something."""
    _answer(page, cell, text)
    _says(page, words)


def _picture(page, name):
    pictures = ROOT / "workspace" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / name)


def test_a_participant_falls_behind_catches_up_and_goes_on(chromium, lab, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path / "workspace"))
    live.write("00")
    lesson = steps.read("00")
    checkpoints.make(lesson)  # as `live 00` does
    words = [step for step in lesson.steps if step.section == "the-words"]
    count, first = len(lesson.steps), words[0].number
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    _open(page, lab.replace("00_start-here.ipynb", "live/00_participant.ipynb"))

    start = page.evaluate(SOURCE, "00-live")
    _run(page, "00-live", start, f"Lesson 00, {count} steps")
    opening = lesson.step(1)  # typed along with the room
    _run(page, opening.cell.id, opening.code, "Domain(printed_digits")

    # Half an hour of chatting later the room is at "The words": `ten` and the network are missing.
    _run(page, words[0].cell.id, words[0].code, "name 'ten' is not defined")
    _run(page, words[0].cell.id, "%live checkpoint", f"Go on with step {first}")
    page.wait_for_function(FILLED, arg=[words[0].cell.id, words[0].given], timeout=30_000)

    _run(page, words[0].cell.id, "%live next", f"Step {first} of {count} is in this cell: run it")
    page.wait_for_function(FILLED, arg=[words[0].cell.id, words[0].code], timeout=30_000)
    _run(page, words[0].cell.id, words[0].code, "torch.Size([10, 64])")
    _picture(page, "live-caught-up.png")

    # And goes on: the exercise lends its reference, the step after it works with it.
    _run(page, words[1].cell.id, words[1].code, "0.2 not yet")
    _run(page, words[2].cell.id, "%live next", f"Step {first + 2} of {count} is in this cell")
    _run(page, words[2].cell.id, words[2].code, "tensor(")
    assert '"error"' not in page.evaluate(OUTPUT, words[2].cell.id)
    hosts = {urlsplit(url).hostname for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}, "everything comes from this machine"


def test_slides_open_and_turn_without_a_request(chromium, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, offline=True)
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    for id in places.notebooks():
        path = slides.write(id)
        asked.clear()
        page.goto(path.as_uri())
        page.wait_for_function("() => window.Reveal?.isReady()")
        assert page.evaluate(TOO_FULL) == [], f"slides of {id} with more than there is room for"
        labels = page.evaluate(LABELS, 10 / 72 * DPI)  # 10 points: those of Matplotlib
        assert labels and min(labels) >= LAST_ROW, f"{id}: {labels}"
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert failed == []
    page.evaluate("Reveal.slide(0)")
    seen = set()
    while not page.evaluate("Reveal.isLastSlide()"):
        seen.add(page.evaluate("JSON.stringify(Reveal.getIndices())"))
        page.keyboard.press("ArrowRight")  # what a presenter's remote control sends
    assert len(seen) + 1 == page.evaluate("Reveal.getTotalSlides()") > 5
    page.evaluate("Reveal.slide(1)")
    assert page.locator("section.present h2").first.bounding_box()["height"] > 10
    _picture(page, "slides.png")
    with page.expect_popup() as opened:  # the speaker's view: notes with their minute marks
        page.keyboard.press("s")
    opened.value.get_by_text("step 1", exact=False).first.wait_for(timeout=30_000)
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data", "about", "blob"}


def test_a_countdown_starts_and_stops_by_click_and_by_key(chromium, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, offline=True)
    page.clock.install(time=datetime(2026, 1, 1))
    page.goto(slides.write("00").as_uri())
    page.wait_for_function("() => window.Reveal?.isReady()")
    while not page.locator("section.present .countdown").count():
        page.keyboard.press("ArrowRight")
    timer, here = page.locator("section.present .countdown"), page.evaluate("Reveal.getIndices()")
    left = steps.read("00").step(5).minutes

    page.clock.pause_at(datetime(2026, 1, 1, 1))

    def after(seconds):
        page.clock.run_for(int(1000 * seconds))
        return timer.text_content()

    assert timer.text_content() == f"{left}:00" == after(5), "it waits to be started"
    timer.click()
    assert after(10.5) == f"{left - 1}:50"
    page.keyboard.press("t")
    assert after(30) == f"{left - 1}:50", "stopped"
    page.keyboard.press("t")
    assert after(50) == f"{left - 1}:00"
    assert after(60 * left) == "0:00" and "over" in timer.get_attribute("class")
    assert page.evaluate("Reveal.getIndices()") == here, "the key turns no page"
    size = timer.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert size >= 2 * LAST_ROW
