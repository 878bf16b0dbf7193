"""Faults of a notebook: each makes one in a good lesson, and returns what must be said of it."""

import nbformat


def cell(notebook, id):
    return next(cell for cell in notebook.cells if cell.id == id)


def out_of_order(nb):
    cell(nb, "90-two-claims-2").execution_count = 99
    return "cell 90-two-claims-2: execution count 99"


def never_run(nb):
    cell(nb, "90-two-claims-2").execution_count = None
    return "cell 90-two-claims-2: execution count None"


def error_output(nb):
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="x", traceback=[])
    cell(nb, "90-quiz-2").outputs = [error]
    return "cell 90-quiz-2: it stopped with an error"


def no_alternative_text(nb):
    picture = cell(nb, "90-a-small-lesson-3")
    picture.outputs[0].data["text/html"] = '<img src="data:image/png;base64,AAAA">'
    return "cell 90-a-small-lesson-3: alternative text '' is under 20"


def picture_without_words(nb):
    output = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"})
    cell(nb, "90-quiz-2").outputs = [output]
    return "cell 90-quiz-2: a picture without words"


def markdown_picture_without_words(nb):
    nb.cells[0].source += "\n\n![dots](dots.png)"
    return "cell 90-a-small-lesson-1: alternative text 'dots' is under 20"


def figure_without_interpretation(nb):
    cell(nb, "90-two-claims-1").source = "## Two claims"
    return "cell 90-a-small-lesson-3: no sentence after the figure"


def slow_cell(nb):
    cell(nb, "90-two-claims-2").metadata["tlcourse"]["seconds"] = 20.1
    return "cell 90-two-claims-2: it took 20.1 s, over 20 s"


def slow_lesson(nb):
    nb.metadata["tlcourse"]["seconds"] = 121
    return "the lesson took 121 s, over 120 s"


def never_measured(nb):
    del nb.metadata["tlcourse"]["seconds"]
    return "the measured seconds are missing"


def path_in_output(nb):
    text = "saved to /home/ada/runs\n"
    cell(nb, "90-quiz-2").outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    return "cell 90-quiz-2: an absolute path, /home/"


def path_in_source(nb):
    cell(nb, "90-quiz-2").source = 'quiz(r"C:\\runs")'
    return "cell 90-quiz-2: an absolute path, C:\\"


def duplicate_id(nb):
    nb.cells[1].id = nb.cells[0].id
    return "cell 90-a-small-lesson-1: 2 cells have this id"


def id_with_a_space(nb):
    nb.cells[1].id = "a cell"
    return "cell a cell: letters, digits"


def unknown_tag(nb):
    nb.cells[1].metadata["tags"] = ["fast"]
    return "cell 90-a-small-lesson-2: the tag 'fast' is not one of"


def compared_without_claim(nb):
    nb.cells[1].metadata["tags"] = ["nbval-check-output"]
    return "cell 90-a-small-lesson-2: the tag 'nbval-check-output' is not one of"


def unknown_term(nb):
    nb.metadata["tlcourse"]["terms"] = ["Gap", "gulf"]
    return "front matter: 'gulf' under terms is not known"


def unknown_need(nb):
    nb.metadata["tlcourse"]["needs"] = ["77"]
    return "front matter: '77' under needs is not known"


def unknown_data(nb):
    nb.metadata["tlcourse"]["data"] = ["moons"]
    return "front matter: 'moons' under data is not known"


def no_terms(nb):
    del nb.metadata["tlcourse"]["terms"]
    return "front matter: terms is missing"


def no_sources(nb):
    nb.metadata["tlcourse"]["sources"] = []
    return "front matter: sources is missing"


def no_minutes(nb):
    nb.metadata["tlcourse"]["minutes"] = {"teaching": 5}
    return "front matter: minutes are whole numbers"


def prediction_judged_before_it_is_measured(nb):
    nb.cells.remove(next(cell for cell in nb.cells if cell.source == 'len("a week.")'))
    return 'exercise 90.1 is a prediction: judge("90.1", ...) follows once, after it is measured'


def too_few_minutes(nb):
    nb.metadata["tlcourse"]["minutes"]["exercises"] = 6
    return "front matter: exercises takes 7 min, and 6 are stated"


def more_to_read_than_time(nb):
    cell(nb, "90-two-claims-1").source += 1200 * " word"
    return "front matter: teaching takes 8 min, and 5 are stated"


def optional_section_without_minutes(nb):
    cell(nb, "90-quiz-1").source = "## Optional: more\n\n" + 400 * " word"
    return "front matter: optional takes 2 min, and 0 are stated"


def minutes_for_no_optional_section(nb):
    nb.metadata["tlcourse"]["optional"] = 9
    return "front matter: minutes for optional sections, and there is none"


def optional_section_inside_a_cell(nb):
    cell(nb, "90-two-claims-1").source += "\n\n## Optional: more"
    return "cell 90-two-claims-1: an optional section begins with a cell of its own"


def name_of_an_optional_section(nb):
    cell(nb, "90-two-claims-1").source = "## Optional: two claims"
    nb.cells.insert(4, nbformat.v4.new_code_cell("extra = 3"))
    cell(nb, "90-quiz-2").source += "\nextra"
    return "cell 90-quiz-2: it uses extra of an optional section"


def one_objective(nb):
    nb.metadata["tlcourse"]["objectives"] = ["measure a gap"]
    return "front matter: a lesson has 2 to 4 objectives, got 1"


def objective_without_verb(nb):
    nb.metadata["tlcourse"]["objectives"] = ["measure a gap", "the idea of an interval"]
    return "front matter: objective 'the idea of an interval' does not begin with a verb"


def missing_claim(nb):
    nb.cells.remove(cell(nb, "90-two-claims-3"))
    return "a lesson makes 2 to 4 claims, this one makes 1"


def claim_without_tag(nb):
    cell(nb, "90-two-claims-2").metadata["tags"] = []
    return "cell 90-two-claims-2: the tag claim and a call of claim(...) go together"


def claim_cell_that_prints_digits(nb):
    cell(nb, "90-two-claims-2").outputs[0].text += "0.8123\n"
    return "cell 90-two-claims-2: a claim's cell prints claims and nothing else: '0.8123'"


def long_cell(nb):
    cell(nb, "90-quiz-2").source = 'quiz("90.1")\n' * 26
    return "cell 90-quiz-2: 26 lines of code where 25 are the most"


def long_cells(nb):
    for one in nb.cells:
        if one.cell_type == "code":
            one.source += "\nx = 1" * 6
    return "the median code cell has"


def answer_from_elsewhere(nb):
    cell(nb, "90-ex-90-1").source = 'count = check("90.1", count)'
    return 'cell 90-ex-90-1: an exercise defines x and ends with x = check("id", x)'


def something_after_the_check(nb):
    cell(nb, "90-ex-90-1").source += "\nprint(count)"
    return 'cell 90-ex-90-1: an exercise defines x and ends with x = check("id", x)'


def exercises_in_disorder(nb):
    cell(nb, "90-ex-90-1").source = 'a = 1\na = check("90.3", a)'
    return "a lesson has 2 to 4 exercises, 90.1, 90.2, ... in order, got ['90.3', '90.2']"


def exercise_unannounced(nb):
    cell(nb, "90-two-claims-4").source = "Guess."
    return 'cell 90-ex-90-1: the text before it does not say "Exercise 90.1 ("'


def check_without_tag(nb):
    cell(nb, "90-ex-90-1").metadata["tags"] = []
    return "cell 90-ex-90-1: it calls check(...) and lacks the tag exercise"


def solution_given_away(nb):
    cell(nb, "90-ex-90-1").metadata["tags"] = ["solution"]
    return "cell 90-ex-90-1: the tag solution belongs to the other edition"


def no_bug_hunt(nb):
    text = cell(nb, "90-two-claims-7")
    text.source = text.source.replace("A bug hunt: what", "What")
    return "no exercise of this lesson is a bug hunt"


def two_questions(nb):
    nb.cells.remove(cell(nb, "90-quiz-4"))
    return "a lesson ends with three quiz cells, this one has 2"


def quiz_before_the_exercises(nb):
    nb.cells.insert(2, nb.cells.pop(nb.cells.index(cell(nb, "90-quiz-2"))))
    return "the quiz comes after the last exercise"


def two_lines_to_remember(nb):
    last = nb.cells[-1]
    last.source = last.source.replace("- Two.\n", "")
    return 'after the quiz come a heading "What to remember" with three bullet lines'


def nothing_next(nb):
    nb.cells[-1].source = nb.cells[-1].source.replace("## Next", "")
    return 'and a heading "Next"'


FAULTS = [
    out_of_order, never_run, error_output, no_alternative_text, picture_without_words,
    markdown_picture_without_words, figure_without_interpretation, slow_cell, slow_lesson,
    never_measured, path_in_output, path_in_source, duplicate_id, id_with_a_space, unknown_tag,
    compared_without_claim, unknown_term, unknown_need, unknown_data, no_terms, no_sources,
    no_minutes, prediction_judged_before_it_is_measured, too_few_minutes, more_to_read_than_time,
    optional_section_without_minutes,
    minutes_for_no_optional_section, optional_section_inside_a_cell, name_of_an_optional_section,
    one_objective, objective_without_verb, missing_claim, claim_without_tag,
    claim_cell_that_prints_digits, long_cell, long_cells, answer_from_elsewhere,
    something_after_the_check, exercises_in_disorder, exercise_unannounced, check_without_tag,
    solution_given_away, no_bug_hunt, two_questions, quiz_before_the_exercises,
    two_lines_to_remember, nothing_next,
]
