"""The solutions edition runs to its end, and every rounded number in a lesson's prose is true."""

import nbformat
import pytest

from tlcourse.school import places, runner

PROSE = {
    "00": """
assert accuracy(source_model, printed) > 0.98, "practically perfect"
assert accuracy(source_model, test) < 0.5, "gets most handwriting wrong"
assert ((runs["as is"] < runs["scratch"]) & (runs["scratch"] < runs["tuned"])).all(), "all five"
assert 0.55 < runs["scratch"].mean() < 0.68, "roughly six right answers in ten"
assert runs["tuned"].mean() > 0.7, "more than seven"
assert 880 < len(test) < 900, "almost 900 pictures"
""",
    "02": """
assert ours.float().mean() > 0.9 and other.float().mean() < 0.8, "the accuracy is just lower"
at = runs.groupby(["target", "source"])[STAGES].mean()
assert at.loc["uci_digits", "print"].idxmax() == "stage3", "just before the last stage"
assert at.loc["fashion", "print"].idxmax() in ("stage1", "stage2"), "the first stage"
assert (at.loc["uci_digits", "print"] >= at.loc["uci_digits", "random"] - 0.005).all()
assert abs(at.loc["fashion", "print"]["embed"] - at.loc["fashion", "random"]["embed"]) < 0.04
assert 0.87 < close["stage3"].mean() < 0.93, "comes close to 91 %"
drop = {name: (emoji[f"{name}, google"] - emoji[f"{name}, twitter"]).mean() for name in views}
assert min(drop.values()) > 0.1, "both lose a lot"
""",
    "01": """
assert min(history.loss) < 0.1 * history.loss[0], "falls far below where it began"
assert 100 / len(parts.validation) > 1, "a single one is worth more than a point"
assert len(history.step) > 6, "the best of several"
gain = network[100].mean() - network[10].mean()
assert gain > network[800].mean() - network[100].mean(), "more than from 100 to 800"
assert gaps["10 labels"].low < 0.01, "with few labels, little or nothing is decided"
assert all(gaps[f"{n} labels"].low > 0 for n in (100, 200, 400, 800)), "from 100 labels on"
assert (cost["minutes of labelling"][50] < 10) and cost["accuracy"][50] > 0.8, "ten minutes"
assert abs(shifted.mean() - network[200].mean()) < 0.03, "as much as the next hundred labels"
assert (splits["shuffled"] > splits["in blocks"]).all(), "higher in every run"
assert splits["shuffled"].std() < splits["in blocks"].std(), "less variably"
assert 0 <= leak.estimate < 0.02, "a point or so"
assert network[800].mean() - network[400].mean() < 0.02, "another hour buys a point or so"
""",
    "03": """
from tlcourse.stats import paired_gap
sizes = sorted(set(runs["labels"]))
gaps = {name: {(s, n): paired_gap(table[s][n], table["scratch"][n])
               for s in record["choice"]["rates"] if s != "scratch" for n in sizes}
        for name, table in {"digits": scores, "clothes": clothes}.items()}
mean = {name: table.mean() for name, table in {"digits": scores, "clothes": clothes}.items()}
assert accuracy(start, printed) > 0.98, "all began near 100 %"
assert abs(live["frozen"].mean() - live["scratch"].mean()) < 0.05, "about where scratch does"
assert len(runs) == 420 and len(scores) == 5, "420 networks, five seeds"
assert all(mean["digits"]["full"][n] > mean["digits"]["scratch"][n] for n in sizes)
assert 0.005 < gaps["digits"]["full", 400].estimate < 0.015 and gaps["digits"]["full", 400].low > 0
assert all(mean[t]["frozen"][n] < mean[t]["full"][n] for t in mean for n in sizes)
assert gaps["digits"]["frozen", 20].estimate > 0 > gaps["digits"]["frozen", 50].estimate, "crosses"
assert all(0.07 < gaps["digits"]["full", n].estimate < 0.11 for n in (10, 20)), "some nine points"
assert abs(gaps["digits"]["frozen", 20].estimate) < 0.04, "next to scratch at twenty"
assert all(gap.low <= 0 for gap in gaps["clothes"].values()), "nothing above the line, decided"
assert all(g.low <= 0 <= g.high for (s, n), g in gaps["clothes"].items() if s == "full"), "no harm"
assert gaps["digits"]["l2_sp", 5].low > gaps["digits"]["full", 5].high, "far ahead at five labels"
tuned = [s for s in record["choice"]["rates"] if s not in ("scratch", "frozen")]
assert all(gaps["digits"][s, n].low > 0 for s in tuned for n in (10, 20)), "every one but frozen"
assert all(gaps["digits"][s, 50].low < 0 for s in tuned), "nothing is decided at 50"
assert gaps["digits"]["lp_ft", 400].high < 0, "a little below scratch"
assert all(mean["clothes"]["l2_sp"][n] < mean["clothes"]["frozen"][n] for n in (10, 20)), "further"
assert 0.75 < kept.loc["full", 100] < 0.85, "about 80 %"
assert all(0.92 < kept.loc[s, 100] < 0.98 for s in ("l2_sp", "frozen")), "about 95 %"
assert 0.4 < kept.loc["full", 5] < 0.65, "forgot the others"
assert histories[0].loss[-1] > 0.5 > 2 * histories[1].loss[-1], "collapses with one more stage"
assert l2_sp(held, start) < l2_sp(free, start) / 10, "much nearer"
assert 35 < groups[-1]["lr"] / groups[0]["lr"] < 45, "forty times more slowly"
""",
}


def test_every_lesson_has_its_numbers_checked():
    assert sorted(PROSE) == places.lesson_ids()


@pytest.mark.parametrize("lesson", PROSE)
def test_the_numbers_in_the_prose_are_those_of_a_fresh_run(lesson, tmp_path):
    notebook = nbformat.read(places.solution(lesson), as_version=4)
    said = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    notebook.cells.append(nbformat.v4.new_code_cell(PROSE[lesson]))
    runner.execute(notebook, folder=tmp_path)
    printed = [output.text for cell in notebook.cells for output in cell.get("outputs", [])
               if output.output_type == "stream" and output.name == "stdout"]
    assert sum(" passed: " in text for text in printed) == said.count("**Exercise ")
