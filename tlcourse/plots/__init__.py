"""The figures of the lessons; each brings its text as ``alt_text``."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "drawing": ["COLOURS", "MARKERS"],
    "scores": ["gaps_to", "intervals", "layer_curve", "learning_curve", "paired_scores",
               "training_history"],
    "samples": ["confusion", "sample_grid"],
    "tuning": ["forgotten", "learning_rates", "pulls"],
    "alignment": ["batch_norm", "clouds", "kernel_table"],
    "evidence": ["label_shift", "steps", "verdicts"],
    "ranking": ["interval_rows", "score_panels", "share_table"],
    "transfer": ["evidence_table", "gaps_of_causes", "gaps_on_the_map", "hurt_and_repaired",
                 "where_it_pays"],
})
