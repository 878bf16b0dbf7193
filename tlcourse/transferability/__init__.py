"""Which source suits a target? Scores without training, and what it costs to believe them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "scores": ["cka", "cosine_similarity", "h_score", "leep", "logme", "mmd_permutation_test",
               "nce", "proxy_a_distance"],
    "ranking": ["agreement", "points_lost", "weighted_tau"],
})
