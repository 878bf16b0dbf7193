"""Which two hand-ins share code that hardly anybody else has: a hint where to look, no verdict.

Code is compared as its syntax tree, so names, comments and the layout do not count. Neither does
what the release or the solution contains, nor what many share.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from sklearn.feature_extraction.text import CountVectorizer

from tlcourse.notebook import places
from tlschool.authoring.source import load
from tlschool.classroom.clean import without_magics
from tlschool.classroom.grade import Graded

LEAST, SHARE, MANY = 60, 0.5, 0.2
"""Steps of the syntax tree that a pair shares at least, and the share of the shorter one that they
are; steps that more than this share of the hand-ins (and more than three) have do not count."""
_LENGTH = 8


def similar(graded: Sequence[Graded], lesson: str) -> list[tuple[str, str, str]]:
    """Pairs of students, and the share of the shorter one's unusual code that both have.

    Parameters
    ----------
    graded : sequence of Graded
    lesson : str
        Its id; the code of its solution does not count.

    Returns
    -------
    list of (student, other student, share)
        Those that share most first.
    """
    handed = [one for one in graded if one.outcome.code]
    if len(handed) < 2:
        return []
    common = set(_steps(_code(load(places.solution(lesson)).cells)))
    for one in {id(one.notebook): one for one in handed}.values():
        common |= set(_steps(cell.source for cell in one.notebook.cells if _is_locked(cell)))
    counted = CountVectorizer(analyzer=lambda one: set(_steps(_answers(one))) - common,
                              max_df=max(3, int(MANY * len(handed))))
    try:
        found = counted.fit_transform(handed)
    except ValueError:  # nobody has a step of one's own
        return []
    both, pairs = (found @ found.T).toarray(), []
    for i, j in combinations(range(len(handed)), 2):
        share = both[i, j] / max(1, min(both[i, i], both[j, j]))
        if both[i, j] >= LEAST and share >= SHARE:
            pairs.append((share, both[i, j], handed[i].student, handed[j].student))
    pairs.sort(key=lambda pair: (-pair[0], -pair[1], *pair[2:]))
    return [(one, other, f"{share:.0%}") for share, _, one, other in pairs]


def _is_locked(cell):
    return cell.metadata.get("nbgrader", {}).get("locked", False)


def _code(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def _answers(one: Graded) -> Iterator[str]:
    """The cells of the learner's own, each exercise's in one piece or several."""
    locked = {cell.id for cell in one.notebook.cells if _is_locked(cell)}
    return (source for id, source in one.outcome.code if id not in locked)


def _steps(sources: Iterable[str]) -> Iterator[str]:
    """Every few nodes in a row of the syntax trees, without the names that the code gives."""
    for source in sources:
        try:
            tree = ast.parse(without_magics(source))
            words = [*_in_order(tree)]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for place in range(len(words) - _LENGTH + 1):
            yield " ".join(words[place : place + _LENGTH])


def _in_order(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.expr_context):
        yield _word(node)
        for child in ast.iter_child_nodes(node):
            yield from _in_order(child)


def _word(node: ast.AST) -> str:
    """A node without the learner's names; attributes and values stay, texts are all alike."""
    kind = type(node).__name__
    if isinstance(node, ast.Attribute):
        return f"{kind}.{node.attr}"
    if isinstance(node, ast.Constant):
        return f"{kind}.{node.value!r}" if not isinstance(node.value, str) else kind
    return kind
