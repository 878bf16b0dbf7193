"""Feature alignment: make two domains look alike inside a network, without target labels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["model_selection"], submod_attrs={
    "loop": ["METHODS", "AdaptHistory", "adapt"],
    "methods": ["CORAL", "MMD", "AdaBN", "Control", "Method", "Partial", "SourceOnly", "coral",
                "mmd2"],
    "adversarial": ["CDAN", "DANN", "cdan_map", "dann_lambda", "discriminator",
                    "domain_adversarial_loss", "grad_reverse", "non_saturating_loss"],
    "own_answers": ["MCC", "SHOT", "TENT", "Consistency", "Entropy", "InformationMaximisation",
                    "PseudoLabel", "entropy", "information_maximisation",
                    "minimum_class_confusion"],
    "training_free": ["adapt_batchnorm", "subspace_alignment"],
})
