"""The usual errors are said in words, with what was got; others are passed on as they are.

Each is raised by real code, so a version that words it in another way falls here.
"""

import copy
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn
from torch.nn import functional as F
from traitlets.config import Config

from tlcourse.notebook import errors

TABLE, WEIGHT = torch.ones(3, 4), torch.ones(3, requires_grad=True)
ARRAY, NOTHING = np.ones((3, 4)), None


def two(x, y):
    return x


def twice_backward():
    loss = (2 * WEIGHT).exp().sum()
    loss.backward()
    loss.backward()


def used_before():
    y = x + 1  # noqa: F821, the error itself
    x = y
    return x


def changed_in_place():
    y = WEIGHT.exp()
    total = y.sum()
    y.add_(1)
    total.backward()


def weight_changed():
    global WEIGHT
    WEIGHT += 1


def unpacked():
    a, b = [1, 2, 3]
    return a, b


def none_unpacked():
    a, b = NOTHING
    return a, b


def too_few():
    a, b = [1]
    return a, b


class Negative(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -ctx


class Product(Negative):
    @staticmethod
    def backward(ctx, gradient):
        return ctx * gradient


class Entry(Negative):
    @staticmethod
    def backward(ctx, gradient):
        return ctx["lam"] * gradient


def said(code) -> str:
    with pytest.raises(Exception) as raised:  # noqa: PT011, each case has its own
        code()
    return errors.in_words(raised.value)


LABELS = torch.zeros(4).long()
CASES = {
    "matmul": (lambda: TABLE @ torch.ones(5, 6), "the 4 columns on the left", "the 5 rows"),
    "linear": (lambda: nn.Linear(5, 2)(TABLE), "takes 5 numbers a sample got 4"),
    "vector": (lambda: TABLE @ torch.ones(3), "3 x 4 table", "needs one of 4"),
    "dot": (lambda: torch.ones(3) @ torch.ones(4), "these are 3 and 4"),
    "bmm": (lambda: torch.ones(2, 3, 4) @ torch.ones(2, 3, 4), "they are 4 and 3"),
    "numpy matmul": (lambda: ARRAY @ ARRAY, "they are 4 and 3"),
    "numpy dot": (lambda: ARRAY.dot(ARRAY), "the shapes are (3,4) and (3,4)"),
    "broadcast": (lambda: TABLE + torch.ones(6), "along dimension 1 the one has 4", "other 6"),
    "numpy broadcast": (lambda: ARRAY + np.ones(3), "the shapes (3,4) and (3,) do not fit"),
    "view": (lambda: torch.ones(10).view(3, 4), "10 numbers cannot be laid out as 3, 4"),
    "reshape": (lambda: np.ones(10).reshape(3, 4), "10 numbers cannot be laid out as 3,4"),
    "view of a transpose": (lambda: TABLE.T.view(12), "take `.reshape`"),
    "expand": (lambda: TABLE.expand(3, 5), "dimension 1 has 4 entries and cannot become 5"),
    "cat": (lambda: torch.cat([TABLE, torch.ones(3, 5)]), "4 meets 5"),
    "stack": (lambda: torch.stack([TABLE, TABLE.T]), "these have [3, 4] and [4, 3]"),
    "channels": (lambda: nn.Conv2d(1, 1, 3)(torch.ones(1, 3, 9, 9)), "takes 1 channels and got 3"),
    "interpolate": (lambda: F.interpolate(torch.ones(5, 8, 8), (64, 64)),
                    "those that came are 8, those wanted 64, 64"),
    "interpolation": (lambda: F.interpolate(torch.ones(1, 1, 8, 8), 64, mode="bilinaer"),
                      "there is no such mode of interpolation"),
    "batch of one": (lambda: nn.BatchNorm1d(3)(torch.ones(1, 3)), "a batch of one sample"),
    "mask": (lambda: torch.ones(3)[torch.ones(4) > 0], "a mask of shape 4"),
    "loss sizes": (lambda: F.cross_entropy(torch.ones(5, 3), LABELS), "logits of 5 samples",
                   "labels of 4"),
    "loss labels float": (lambda: F.cross_entropy(torch.ones(4, 3), LABELS.float()), "`.long()`"),
    "loss labels beyond": (lambda: F.cross_entropy(torch.ones(4, 3), LABELS + 3), "a label 3"),
    "loss shapes": (lambda: F.binary_cross_entropy_with_logits(torch.ones(4, 1), torch.ones(4)),
                    "[4, 1]", "they should be the same"),
    "logits long": (lambda: F.cross_entropy(torch.ones(4, 3).long(), LABELS), "`.float()`"),
    "mean of long": (lambda: LABELS.mean(), "`.float()`"),
    "double and float": (lambda: nn.Linear(4, 1)(TABLE.double()), "Double and Float"),
    "conv double": (lambda: nn.Conv2d(1, 1, 3)(torch.ones(1, 1, 9, 9).double()), "is double"),
    "array in torch": (lambda: F.relu(ARRAY), "a Tensor is needed here", "got numpy.ndarray"),
    "float as index": (lambda: [1][0.5], "is a whole number"),
    "float as numpy index": (lambda: ARRAY[0.5], "is a whole number"),
    "float as torch index": (lambda: TABLE[0.5], "is a whole number"),
    "float as length": (lambda: range(3 / 2), "`n // 2`"),
    "size as length": (lambda: range(TABLE.size()), "it got torch.Size"),
    "layer not made": (lambda: nn.Sequential(nn.ReLU), "ReLU is none: a class makes one"),
    "layers in a list": (lambda: nn.Sequential([nn.ReLU()]), "with commas"),
    "slice": (lambda: [1][: 1 / 2], "`n // 2`"),
    "no gradient": (lambda: TABLE.sum().backward(), "nothing to differentiate"),
    "backward twice": (twice_backward, "twice through one computation"),
    "backward of many": (lambda: (2 * WEIGHT).backward(), "its sum or mean first"),
    "numpy of a weight": (lambda: WEIGHT.numpy(), "`.detach()` first"),
    "array of a weight": (lambda: np.asarray(WEIGHT), "`.detach()` first"),
    "weight in place": (weight_changed, "with torch.no_grad()"),
    "changed in place": (changed_in_place, "in place after its use"),
    "unused": (lambda: torch.autograd.grad((2 * WEIGHT).sum(), torch.ones(2, requires_grad=True)),
               "does not depend"),
    "deepcopy": (lambda: copy.deepcopy(2 * WEIGHT), "`.detach().clone()`"),
    "None has no attribute": (lambda: NOTHING.shape, "no `return`"),
    "None has no entry": (lambda: NOTHING[0], "no `return`"),
    "None in a sum": (lambda: TABLE + NOTHING, "no `return`"),
    "None unpacked": (none_unpacked, "no `return`"),
    "function in a sum": (lambda: ARRAY.diagonal / 2, "call it, with ( )"),
    "function with entries": (lambda: two[0], "call it, with ( )"),
    "list in a sum": (lambda: [1] / [2], "an array or a tensor of them first"),
    "text in a sum": (lambda: "a" + 1, "with int"),
    "number with entries": (lambda: (3)[0], "a single int has no entries"),
    "scalar tensor with entries": (lambda: torch.tensor(3.0)[0], "no entries"),
    "method gone through": (lambda: list(TABLE.tolist), "goes through a function itself"),
    "minus before a list": (lambda: -[1], "`-` cannot stand before something of type list"),
    "ctx as a number": (lambda: Negative.apply(WEIGHT).sum().backward(), "ctx itself is no value"),
    "ctx in a product": (lambda: Product.apply(WEIGHT).sum().backward(), "ctx itself is no value"),
    "ctx as a dictionary": (lambda: Entry.apply(WEIGHT).sum().backward(), "ctx itself is no value"),
    "range of a tensor": (lambda: range(TABLE), "one number is needed"),
    "number called": (lambda: (3.0)(2), "of type float, which is not a function"),
    "number gone through": (lambda: list(5), "this is one thing"),
    "several as one": (lambda: TABLE.item(), "one number is needed"),
    "array as truth": (lambda: bool(ARRAY > 0), "`.all()`"),
    "tensor as truth": (lambda: bool(TABLE > 0), "`.all()`"),
    "too many values": (unpacked, "more values on the right"),
    "too few values": (too_few, "2 names on the left and only 1"),
    "argument missing": (lambda: two(1), "`two` was called without 'y'"),
    "too many arguments": (lambda: two(1, 2, 3), "`two` was called with 3 arguments, and takes 2"),
    "dim in numpy": (lambda: ARRAY.sum(dim=1), "`dim` is PyTorch's word"),
    "unknown option": (lambda: two(1, z=3), "no argument called `z`"),
    "unknown option of torch": (lambda: TABLE.sum(axs=0), "does not take (axs=int"),
    "axis in Python's sum": (lambda: sum(ARRAY, axis=1), "own `sum` has no argument", "x.sum()"),
    "place of what is not there": (lambda: [1, 2].index(3), "3 is not in the list"),
    "set of an array": (lambda: {ARRAY}, "of type numpy.ndarray", "{ } makes sets"),
    "name": (lambda: unknown, "the name `unknown` is not known here"),  # noqa: F821
    "local name": (used_before, "`x` is used in this function before"),
    "letter without quotes": (lambda: b, 'it stands in quotes, "b"'),  # noqa: F821, the same
    "bracket left open": (lambda: compile("x = (1", "", "exec"), "a bracket `(` is opened"),
    "no colon": (lambda: compile("def f(x)\n  x", "", "exec"), "a colon is missing"),
    "no indent": (lambda: compile("def f(x):\nx", "", "exec"), "belong to function definition"),
    "odd indent": (lambda: compile("x = 1\n  y = 2", "", "exec"), "further left or further right"),
    "quote left open": (lambda: compile("x = 'a", "", "exec"), "a quote and not closed"),
    "one equals sign": (lambda: compile("if x = 1: pass", "", "exec"), "`==` asks whether"),
    "two numbers": (lambda: compile("x = 1 2", "", "exec"), "cannot read this line"),
    "module": (lambda: nn.ReLu(), "`torch.nn` has nothing called `ReLu`"),
    "attribute": (lambda: ARRAY.diag(), "ndarray", "no `.diag`"),
    "attribute of a list": (lambda: [1].argmax(), "a list has no `.argmax`"),
    "key": (lambda: {"a": 1}["b"], "there is no entry 'b'"),
    "end of a list": (lambda: [1, 2][5], "from 0 to its length - 1"),
    "end of an array": (lambda: ARRAY[5], "no entry 5 along dimension 0, which has 3"),
    "end of a tensor": (lambda: TABLE[5], "no entry 5 along dimension 0, which has 3"),
    "axis": (lambda: ARRAY.sum(axis=2), "no axis 2: of 2 dimensions"),
    "dimension": (lambda: TABLE.sum(dim=2), "no dimension 2"),
    "indices": (lambda: ARRAY[0, 1, 2], "more indices than"),
    "not square": (lambda: np.linalg.inv(ARRAY), "a square table"),
    "division": (lambda: 1 / 0, "divides by 0"),
    "state of another shape": (lambda: nn.Linear(2, 2).load_state_dict(
        {"weight": TABLE, "bias": torch.ones(2)}), "`weight` has another shape"),
    "state of a part": (lambda: nn.Linear(2, 2).load_state_dict({}), "`strict=False`"),
    "gap in a sum": (lambda: ... + 1, "a gap, `...`, is still open"),
    "gap in torch": (lambda: F.relu(...), "a gap, `...`, is still open"),
    "gap in numpy": (lambda: np.log(...), "a gap, `...`, is still open"),
    "gap with an attribute": (lambda: (...).sum(), "a gap, `...`, is still open"),
}


@pytest.mark.parametrize(("code", "words"), [(code, words) for code, *words in CASES.values()],
                         ids=list(CASES))
def test_a_usual_error_is_said_in_words_with_what_was_got(code, words):
    message = said(code)
    assert message is not None
    assert all(part in message for part in words), message


@pytest.mark.parametrize("code", [code for code, *_ in CASES.values()], ids=list(CASES))
def test_the_words_are_short_and_the_error_s_own_stand_behind_them(code):
    message = said(code)
    assert "\n" not in message and len(message) <= 300, message
    assert re.search(r" \((\w*Error): .+\)\.$", message), message


@pytest.mark.parametrize(("error", "words"), [
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied (1x7 and 9x2)"), "the 7 columns"),
    (RuntimeError("expected scalar type Long but found Float"), "`.long()`"),
    (RuntimeError("expected scalar type Float but found Double"), "Float and Double"),
    (RuntimeError("Boolean value of Tensor with more than one element is ambiguous"), "`.all()`"),
    (UnboundLocalError("local variable 'x' referenced before assignment"), "`x` is used"),
    (UnboundLocalError("cannot access local variable 'x' where it is not associated with a value"),
     "`x` is used"),
    (ValueError("only one element tensors can be converted to Python scalars"), "holds several"),
    (TypeError("only length-1 arrays can be converted to Python scalars"), "holds several"),
    (TypeError("f() takes from 1 to 2 positional arguments but 4 were given"), "from 1 to 2"),
    (TypeError("f() takes at most 2 arguments (4 given)"), "at most 2"),
])
def test_the_words_of_other_versions_are_known_too(error, words):
    assert words in errors.in_words(error)


@pytest.mark.parametrize("error", [
    ValueError("a sentence of the course's own that says all there is to say."),
    RuntimeError("something that no version has said before"), StopIteration(), KeyboardInterrupt(),
    IndexError("only that way (`...`) does ellipsis (`...`) work"),
])
def test_an_error_that_is_not_a_usual_one_is_left_as_it_is(error):
    assert errors.in_words(error) is None


def test_the_shapes_of_an_error_about_shapes_are_those_of_its_line():
    def add(x):
        small, number = torch.ones(3), np.float64(7)
        return x + small * number

    with pytest.raises(RuntimeError) as raised:
        add(TABLE)
    frame, source = raised.traceback[-1].frame.raw, "return x + small * number + ARRAY"
    assert errors.shapes(raised.value, frame, source) == (
        " There `x` is (3, 4), `small` is (3,), `ARRAY` is (3, 4).")
    assert errors.shapes(raised.value, frame, "return number") == ""
    assert errors.shapes(ZeroDivisionError("division by zero"), frame, source) == ""


CHECK = '\nguess = check("1.1", guess)'


@pytest.fixture
def cell(capsys):
    """Runs a cell as IPython does, and returns what stands below it, without the red box."""
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.showtraceback = shell.showsyntaxerror = lambda *args, **kwargs: None
    shell.user_ns["check"] = lambda id, answer: answer
    shell.events.register("post_run_cell", errors._before_the_check)

    def run(code):
        shell.run_cell(code)
        return " ".join(capsys.readouterr().out.split())

    return run


@pytest.mark.parametrize(("code", "words"), [
    ("guess = b" + CHECK, "in line 1: nothing here is called `b`"),
    ("guess = [0.1" + CHECK, "in line 1: a bracket `[` is opened"),
    ("def f():\n    return gues\nguess = f()" + CHECK, "in line 2: the name `gues` is not known"),
    ('guess = check("1.1", gess)', "in line 1: the name `gess` is not known"),
])
def test_a_cell_that_stops_before_its_check_is_told_why_and_where(cell, code, words):
    assert cell(code).startswith(f"1.1 is not checked yet: the cell stopped {words}")


@pytest.mark.parametrize("code", [
    "guess = 0.1" + CHECK, "guess = 0.1" + CHECK + "\nnothing", "nothing", "raise OSError" + CHECK,
    "raise KeyboardInterrupt" + CHECK,
])
def test_a_cell_that_reached_its_check_or_has_none_is_told_nothing(cell, code):
    assert cell(code) == ""


def test_a_notebook_that_imports_the_checks_is_told_from_then_on(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    code = ("from IPython.testing.globalipapp import start_ipython\nshell = start_ipython()\n"
            "shell.run_cell('from tlcourse import check')\n"
            "shell.run_cell('a = b\\ncheck(\"1.1\", a)')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "1.1 is not checked yet: the cell stopped in line 1" in done.stdout


def test_an_error_that_cannot_be_printed_is_said_all_the_same():
    class Unprintable(Exception):
        def __str__(self):
            raise RuntimeError

    assert "Unprintable" in errors.said(Unprintable())
    assert errors.in_words(Unprintable()) is None


def test_every_pattern_has_its_words_and_all_its_groups_are_there():
    for pattern, words in errors._usual():
        wanted = {int(number) for number in re.findall(r"\{(\d)\}", words)}
        assert len(wanted) <= pattern.groups and wanted == set(range(len(wanted))), words
