"""Fine-tuning: which part of a network learns, how fast, in which order, and from whom."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "freezing": ["freeze", "is_frozen", "unfreeze"],
    "heads": ["replace_head"],
    "groups": ["param_groups", "stages"],
    "distillation": ["distillation_loss"],
    "phases": ["l2_sp", "linear_probe_then_fine_tune", "unfreeze_gradually"],
})
