"""Labelled domains: those that come with the course, and folders and tables of one's own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "domain": ["GOLDEN", "LOOKS", "DataError", "Domain", "Split", "Vault"],
    "bundled": ["COURSE_SIZE", "entry", "load", "manifest", "verify"],
    "framing": ["crop_to_content", "resize"],
    "folders": ["read_domains"],
})
