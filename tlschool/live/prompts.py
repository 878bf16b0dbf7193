"""What leads to a step of a lesson: the sentence before its code, and what the code does."""

import ast
import builtins
import re
from collections.abc import Iterator
from itertools import groupby

from tlschool.authoring.source import tree
from tlschool.live.steps import Step, headings

FEW = 4
"""So many calls of a definition a prompt names; more would be the code itself."""
SHORT = 45
"""Characters of a value without a call that stands in the prompt as it is."""


def prompt(step: Step) -> str:
    """One line that says what a step asks and what its code does, for whoever has to type it.

    Examples
    --------
    >>> import nbformat
    >>> cell = nbformat.v4.new_code_cell("model = small_cnn(10)\\nfit(model, ten);")
    >>> prompt(Step(1, "", "What differs? The pictures.", cell))
    'What differs? Define `model` (`small_cnn`); call `fit`.'
    """
    said, code = lead(step), _from_code(step.code)
    if step.given == step.code and not step.code.startswith("quiz("):
        code = "Run this cell; it is typed already."
    if not said or code.startswith("Claim"):
        return code
    return f"{said} {code[0].lower() + code[1:] if said.endswith(':') else code}"


def lead(step: Step) -> str:
    """The sentence that leads to a step's code; "" where the text only looks back.

    It asks, ends with a colon, begins a section, or speaks of a name that the code has.
    """
    paragraphs = [part for part in re.split(r"\n\s*\n", step.text)
                  if part.strip() and not re.match(r"#|```|\$\$|[-*|>] |\d+\. ", part)]
    if not paragraphs:
        return ""
    said = sentences(paragraphs[-1].removeprefix("**Question.** "))
    if said[-1].endswith(":"):
        return said[-1]
    leading = [sentence for sentence in said if sentence.endswith("?")]
    if headings(step.text) and not _goes_on(said[0]):
        leading.append(said[0])
    called = set(_calls(tree(step.code), deep=True))
    leading += [sentence for sentence in said if called & set(re.findall(r"`(\w+)`", sentence))]
    return leading[0] if leading else ""


def formulas(step: Step) -> list[str]:
    """The formulas that stand alone in a step's text, and the sentence that explains the last."""
    found = re.findall(r"\$\$.+?\$\$", step.text, re.DOTALL)
    after = sentences(step.text.rpartition("$$")[2].strip().partition("\n\n")[0])[0]
    return [*found, after] if found and _goes_on(after) else found


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, each in one line."""
    ends = r"(?:(?<=[.?!])|(?<=[.?!]\)))\s+(?=[A-Z*`(])"
    return re.split(ends, " ".join(paragraph.split()))


def _goes_on(sentence: str) -> bool:
    """Whether it only goes on with what stands before it, as after a formula: "where x is"."""
    return sentence[:1].islower()


def _from_code(code: str) -> str:
    """What a cell does, in one line: what it claims, defines, calls, draws, prints and shows."""
    body = tree(code).body
    shown = bool(body) and isinstance(body[-1], ast.Expr) and not code.rstrip().endswith(";")
    calls = [node.value for node in body
             if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    named = {_name(call.func): call for call in calls}
    if "quiz" in named:
        return "A question about this lesson."
    said = [pair for node in body for pair in _does(node, shown and node is body[-1])]
    parts = [f"{verb} {', '.join(dict.fromkeys(what for _, what in group))}"
             for verb, group in groupby(said, key=lambda pair: pair[0])]
    if "claim" not in named:
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."
    words, high, low, *_ = named["claim"].args
    floor = ast.unparse(named["claim"].keywords[0].value)
    high, low = (" ".join(ast.get_source_segment(code, side).split()) for side in (high, low))
    first = f", after you {'; '.join(parts)}" if parts else ""
    return f"Claim: {words.value}, `{high}` above `{low}` by at least {floor}{first}."


def _does(node: ast.stmt, shown: bool) -> Iterator[tuple[str, str]]:
    """Verb and object of each thing that a statement does; `shown` for the last of a cell."""
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            arguments = f"({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else ""
            yield "define", f"`{node.name}{arguments}`{_with(node)}"
        case ast.Assign(targets=[ast.Tuple(elts=left)], value=ast.Tuple(elts=right)) if (
                len(left) == len(right)):
            for target, value in zip(left, right, strict=True):
                yield from _does(ast.Assign([target], value), shown=False)
        case ast.Assign() | ast.AugAssign():
            left = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names = [_text(each).strip("()") for each in getattr(left, "elts", [left])]
            made = _with(node.value)
            if not made and len(text := _text(node.value)) <= SHORT:
                names[-1] += f" = {text}"
            yield "define", ", ".join(f"`{name}`" for name in names if name != "_") + made
        case ast.Expr(value=ast.Call(func=ast.Name(id="claim"))):
            return
        case ast.Expr(value=ast.Call(func=ast.Name(id="figure"), args=[drawn, *_])):
            yield "draw", f"`{_name(getattr(drawn, 'func', drawn))}`"
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            yield from (("print", f"`{name}`") for name in _calls(node) or _names(node))
        case ast.Expr():
            for name in _calls(node) or _names(node):
                yield "show" if shown else "call", f"`{name}`"
        case ast.For() | ast.With() | ast.Try() | ast.If():
            for inner in node.body:
                yield from _does(inner, shown=False)


def _with(node: ast.AST) -> str:
    """The first calls of a definition, in brackets."""
    deep = isinstance(node, ast.FunctionDef | ast.ClassDef)
    found = list(dict.fromkeys(_calls(node, deep)))
    return f" ({', '.join(f'`{name}`' for name in found[:FEW])})" if found else ""


def _calls(node: ast.AST, deep: bool = False) -> list[str]:
    """The calls by their names, in order; `deep` with those inside the brackets of others.

    Python's own functions are looked through.
    """
    name = _name(node.func) if isinstance(node, ast.Call) else ""
    if not name or re.match(r"\w+", name)[0] in vars(builtins) or name.endswith(".items"):
        return [call for part in ast.iter_child_nodes(node) for call in _calls(part, deep)]
    inside = [*node.args, *(word.value for word in node.keywords)] if deep else []
    return [name, *(call for part in inside for call in _calls(part, deep))]


def _names(node: ast.AST) -> list[str]:
    """The names of the lesson's own that are read, with their attributes."""
    own = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)
           and isinstance(each.ctx, ast.Store)} | set(vars(builtins))
    name = _name(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    found = [name] if re.fullmatch(r"[\w.]+", name) else [
        name for part in ast.iter_child_nodes(node) for name in _names(part)]
    return [name for name in found if name.partition(".")[0] not in own]


def _text(node: ast.AST) -> str:
    """A piece of code as the lessons write it, with double quotation marks."""
    return ast.unparse(node).replace("'", '"')


def _name(node: ast.AST) -> str:
    """A name with its attributes, such as `LogisticRegression().fit`; "" for anything else."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            before = _name(node.value)
            return f"{before}.{node.attr}" if before else ""
        case ast.Call():
            before = _name(node.func)
            return f"{before}()" if before else ""
        case ast.Subscript():
            before = _name(node.value)
            return f"{before}[]" if before else ""
    return ""
