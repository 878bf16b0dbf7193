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
    "01": """
assert min(history.loss) < 0.03 * history.loss[0], "falls to a hundredth"
assert 100 / len(parts.validation) > 1, "a single one is worth more than a point"
assert len(history.step) > 6, "the best of a dozen"
assert scores["accuracy"] > score + 0.03, "logistic regression is beaten"
gain = network[100].mean() - network[10].mean()
assert gain > network[800].mean() - network[100].mean(), "more than from 100 to 800"
assert gaps["10 labels"].low < 0 < gaps["10 labels"].high, "with 10 labels, nothing is decided"
assert (cost["minutes of labelling"][50] < 10) and cost["accuracy"][50] > 0.8, "ten minutes"
assert abs(shifted.mean() - network[200].mean()) < 0.03, "as much as the next hundred labels"
assert (splits["shuffled"] > splits["in blocks"]).all(), "higher in every run"
assert splits["shuffled"].std() < splits["in blocks"].std(), "less variably"
assert leak.estimate < 0.015 and leak.low < 0.005, "a point at most, hardly excludes zero"
""",
}


def test_every_lesson_has_its_numbers_checked():
    assert list(PROSE) == places.lesson_ids()


@pytest.mark.parametrize("lesson", PROSE)
def test_the_numbers_in_the_prose_are_those_of_a_fresh_run(lesson, tmp_path):
    notebook = nbformat.read(places.solution(lesson), as_version=4)
    said = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    notebook.cells.append(nbformat.v4.new_code_cell(PROSE[lesson]))
    runner.execute(notebook, folder=tmp_path)
    printed = [output.text for cell in notebook.cells for output in cell.get("outputs", [])
               if output.output_type == "stream" and output.name == "stdout"]
    assert sum(" passed: " in text for text in printed) == said.count("**Exercise ")
