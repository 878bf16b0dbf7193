"""References and checks of lesson 02, Features from a pretrained model."""

from tlcourse.notebook.ladder import exists, is_function, one_of

_FAULT = {
    "a": "look at the printed range: up to what value do theirs go?",
    "b": "look at the picture: which is lighter in both rows, the stroke or the ground?",
    "d": "the labels were the same tensor for both batches, only the pictures differ.",
}
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _prepare():
    import torch
    from torch.nn.functional import interpolate

    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (_MEAN, _STD))

    def prepare(flat):
        x = torch.tensor(flat, dtype=torch.float32).view(-1, 1, 8, 8) / 16
        return (interpolate(x.repeat(1, 3, 1, 1), (64, 64), mode="bilinear") - mean) / std

    return prepare


def _prepared(answer, seed):
    import numpy as np
    import torch
    from sklearn.datasets import load_digits
    from torch.nn.functional import adaptive_avg_pool2d

    flat = load_digits().data[5 * seed : 5 * seed + 5]
    got = answer(flat.copy())
    if not isinstance(got, torch.Tensor) or not got.is_floating_point():
        return ("it should return a tensor of floating-point numbers, and this is "
                + (f"of type {got.dtype}." if isinstance(got, torch.Tensor) else
                   "None: is the `return` missing?" if got is None else
                   f"of type {type(got).__name__}."))
    if got.shape == (5, 64, 64, 3):
        return "the channels come last here; torchvision wants them right after the sample."
    if got.shape != (5, 3, 64, 64):
        return f"5 rows should become (5, 3, 64, 64), and became {tuple(got.shape)}."
    std, mean = (torch.tensor(v).view(3, 1, 1) for v in (_STD, _MEAN))
    picture = got.double() * std + mean
    expected = torch.tensor(flat).view(5, 1, 8, 8) / 16
    if (message := _other_formula(got, expected)) is not None:
        return message
    if picture.max() > 1.5:
        if (picture * std + mean).max() < 1.1:
            return "it is normalised twice: the last line does it already."
        return (f"with the normalisation undone a value is {picture.max():.3g}, and 1 at the most "
                "is right: what is white in the data?")
    if got.min() > -0.1:
        return "no value is below 0: was the mean subtracted?"
    if picture.max() < 0.5:
        return "the pictures are far too dark: 16 is white in these data, not 255."
    if (message := _content(adaptive_avg_pool2d(picture, 8), expected)) is not None:
        return message
    grey = float((answer(np.full((2, 64), 8.0)).double() * std + mean).mean())
    if abs(grey - 1) < 1e-3:
        return ("a picture that is 8 everywhere, half of white, comes out white: divide by the 16 "
                "of the data, not by what is largest in this batch.")
    if abs(grey - 0.5) > 0.01:
        return (f"a picture that is 8 everywhere should be 0.5 before it is normalised, and is "
                f"{grey:.2f}: what is white in the data?")


def _other_formula(got, expected):
    """A sentence when another formula than (x - MEAN) / STD, undone, gives the pictures back."""
    import torch
    from torch.nn.functional import adaptive_avg_pool2d

    std, mean = (torch.tensor(v).view(3, 1, 1) for v in (_STD, _MEAN))
    for undo, message in (
        (lambda y: y + mean / std,
         "this subtracts MEAN / STD: put brackets around x - MEAN, and divide all of it."),
        (lambda y: y * mean + std, "MEAN and STD have changed places: subtract the mean, and "
                                   "divide by the standard deviation."),
        (lambda y: y / std + mean, "this multiplies by STD: divide by it."),
        (lambda y: y * std**2 + mean, "this divides by the square of STD, and STD is a standard "
                                      "deviation already, no variance."),
        (lambda y: y * std - mean, "this adds MEAN: subtract it."),
        (lambda y: y + mean, "the mean is subtracted, and STD does not occur: divide by it."),
        (lambda y: mean - y * std, "this is MEAN - x: it is the mean that is subtracted."),
    ):
        if (adaptive_avg_pool2d(undo(got.double()), 8) - expected).abs().mean() < 0.09:
            return message


def _content(small, expected):
    """Whether the pictures, made small again, are those that were given."""

    def far(picture):
        return (picture - expected).abs().mean() > 0.15

    if not far(small):
        return None
    if (small - small.mean(1, keepdim=True)).abs().max() > 0.01:
        return "undoing the normalisation of each channel does not give the grey pictures back."
    if not far(small.mT):
        return "the pictures lie on their side: rows and columns are exchanged."
    if not far(1 - small):
        return "the digits come out dark on light, and in the data ink is the large number."
    return ("the 64 x 64 picture, made small again, is not the digit: it should be the 8 x 8 "
            "picture enlarged, without a border, copies or other values.")


def _freeze():
    from tlcourse.finetune import freeze

    return freeze


def _frozen(answer, seed):
    import torch

    from tlcourse.data import Domain
    from tlcourse.models import small_cnn
    from tlcourse.training import fit

    generator = torch.Generator().manual_seed(seed)
    few = Domain("toy", torch.rand(8, 1, 16, 16, generator=generator), [0, 1, 2, 3] * 2)
    model = small_cnn(4, width=2, seed=seed)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    if (got := answer(model.backbone)) is not model.backbone:
        return ("it should return the very module that it was given, and this is "
                + ("None: is the `return` missing?" if got is None else
                   "another one of its kind: a copy is not frozen for whoever has the first."
                   if type(got) is type(model.backbone) else f"of type {type(got).__name__}."))
    if not any(p.requires_grad for p in model.parameters()):
        return "the head cannot be trained any more: freeze what was given and nothing else."
    if (message := _hooks(model.backbone, few.X)) is not None:
        return message
    fit(model, few, steps=3, seed=0)
    model.train()
    z = model.features(few.X)
    moved = [n for n, t in model.state_dict().items() if not torch.equal(t, before[n])]
    moved = [name for name in moved if name.startswith("backbone.")]
    buffers = [name for name, _ in model.named_buffers() if name in moved]
    if len(moved) > len(buffers) and any("requires_grad" in vars(m) for m in model.modules()):
        return ("`requires_grad = False` on a module is a new attribute, of which its parameters "
                "know nothing, and they moved: which method hands it on to them?")
    if len(moved) > len(buffers):
        return (f"{len(moved) - len(buffers)} parameters moved: the optimiser still trains them. "
                "Which setting of a parameter tells it to leave it alone?")
    if buffers and all(name.endswith("num_batches_tracked") for name in buffers):
        return "the statistics hold, but their counters moved: still in training mode inside."
    if buffers:
        return (f"the weights hold, but {len(buffers)} buffers moved after model.train(), such as "
                f"{buffers[0]}. Which method of its parts does .train() call?")
    if not torch.allclose(z, model.eval().features(few.X), atol=1e-5):
        return ("no tensor moved, but after model.train() the backbone gives other features than "
                "in evaluation: it normalises with the statistics of each batch.")


def _hooks(backbone, x):
    """What is registered as a hook must be a function that returns nothing."""
    import inspect

    from torch import nn

    if any(part._forward_hooks for part in backbone.modules()):
        return ("register_forward_hook calls its function after the forward pass, when the "
                "statistics have moved: it has to be called before.")
    for part in backbone.modules():
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, nn.Module) or not callable(hook):
                what = "a module" if isinstance(hook, nn.Module) else f"{hook!r}"
                return (f"{what} was registered as the hook: hand over the function itself, "
                        "without calling it.")
            try:
                inspect.signature(hook).bind(part, (x,))
            except TypeError:
                return (f"the hook takes {inspect.signature(hook)}, and a pre-hook is called with "
                        "two arguments, the module and its inputs.")
            if (returned := hook(part, (x,))) is not None:
                return ("what a pre-hook returns takes the place of the inputs, and this one "
                        f"returns a {type(returned).__name__}: let it return nothing.")


EXERCISES = {
    "2.1": (lambda: "c", [exists(), *one_of("c", _FAULT)]),
    "2.2": (_prepare, [exists(), is_function("flat"), _prepared]),
    "2.3": (_freeze, [exists(), is_function("module"), _frozen]),
}
