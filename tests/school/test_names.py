"""The names of a piece of code are the same on every Python that the course runs on."""

import pytest

from tlschool.authoring.names import names


@pytest.mark.parametrize("code", [
    "found = [look(x, y=y) for x in here for y in x]",
    "found = {x for x in here if look(x)}",
    "found = {x: [look(y) for y in x] for x in here}",
    "found = tuple(look(x) for x in here)",
])
def test_the_variables_of_a_comprehension_are_its_own(code):
    bound, used = names(code)
    assert bound == {"found"}
    assert used - {"tuple"} == {"look", "here"}


def test_functions_and_classes_use_what_is_global_in_them():
    assert names("def fit(model):\n    def step(x):\n        return model(x) - rate\n"
                 "    return [step(x) for x in data]") == ({"fit"}, {"rate", "data"})
    assert names("class Net(nn.Module):\n    size = width") == ({"Net"}, {"nn", "width"})


def test_a_loop_a_with_and_an_import_bind():
    assert names("for k in rows:\n    total += k")[0] == {"k", "total"}
    assert names("import a.b, c as d\nfrom e import f")[0] == {"a", "d", "f"}
    assert names("with open(path) as file:\n    (one, *rest), other.part = file")[0] == {
        "file", "one", "rest"}


@pytest.mark.parametrize("code", ["%matplotlib inline", "!ls", "a\0b", "x = ("])
def test_what_is_not_python_has_no_names(code):
    assert names(code) == (set(), set())
