"""How far apart are two domains, how alike two networks?"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "discrepancy": ["coral", "mmd2"],
    "domain_distance": ["mmd_permutation_test", "proxy_a_distance"],
    "similarity": ["cka", "cosine_similarity"],
})
