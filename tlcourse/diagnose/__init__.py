"""Does transfer help or hurt, how sure is that, and why?"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "choice": ["Choice", "choose"],
    "run": ["diagnose"],
    "saved": ["load_model", "predict", "train"],
    "report.report": ["Report"],
})
