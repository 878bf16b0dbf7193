"""Which global names does a piece of code bind, and which does it use?"""

import ast
import symtable


def names(source: str) -> tuple[set[str], set[str]]:
    """The global names that code binds, and those that it uses, in functions too.

    What is not plain Python, such as a line magic, gives none, and neither does what is nested
    too deep for Python's parser.
    """
    try:
        code = ast.unparse(_Comprehensions().visit(ast.parse(source)))
        top = symtable.symtable(code, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep
        return set(), set()
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used, waiting = set(), [top]
    while waiting:
        table = waiting.pop()
        used |= {s.get_name() for s in table.get_symbols()
                 if s.is_referenced() and (table is top or s.is_global())}
        waiting += table.get_children()
    return bound, used


class _Comprehensions(ast.NodeTransformer):
    """Writes comprehensions as generators, whose variables are theirs alone in Python 3.12 too."""

    def visit_ListComp(self, node):
        self.generic_visit(node)
        return ast.GeneratorExp(node.elt, node.generators)

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node):
        self.generic_visit(node)
        return ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators)
