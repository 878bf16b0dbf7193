"""tlcourse: a course on transfer learning that measures what it claims.

The names that every lesson uses are handed on from here, and loaded when first used, so that
``import tlcourse`` itself is quick.
"""

import lazy_loader

from tlcourse import _moved

__version__ = "0.1.0"
_moved.install()

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["plots"], {
    "data": ["load"],
    "notebook.check": ["check", "judge"],
    "notebook.claim": ["claim"],
    "notebook.figure": ["figure"],
    "notebook.hint": ["hint"],
    "notebook.quiz": ["quiz"],
    "notebook.review": ["review"],
    "notebook.solution": ["solution"],
})
