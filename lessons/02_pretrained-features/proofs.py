"""Proofs of lesson 02: what each wrong answer is told."""

from copy import deepcopy

import torch
from torch import nn
from torch.nn.functional import interpolate

from tlcourse.notebook.proof import Proof

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def preparing(scale=16, channels=3, size=64, turned=False, mean=MEAN, std=STD):
    """The recipe with one thing different."""

    def prepare(flat):
        x = torch.tensor(flat, dtype=torch.float32).view(-1, 1, 8, 8) / scale
        x = x.mT if turned else x
        x = interpolate(x.repeat(1, channels, 1, 1), (size, size), mode="bilinear")
        return (x - mean) / std

    return prepare


def channels_last(flat):
    return preparing()(flat).movedim(1, 3)


def gradients_only(module):
    module.requires_grad_(False)
    return module


def mode_only(module):
    return module.eval()


def both_once(module):
    module.requires_grad_(False)
    return module.eval()


def without_momentum(module):
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.momentum = 0.0
    return module


def returns_nothing(module):
    both_once(module)


def overridden(module):
    """Not as sturdy as a hook, but all that the exercise asks for."""
    module.requires_grad_(False).eval()
    module.train = lambda mode=True: module
    return module


def hook_returns_the_module(module):
    """`module.eval()` returns the module, and a hook's result takes the place of the inputs."""
    module.requires_grad_(False)
    for part in module.modules():
        part.register_forward_pre_hook(lambda part, inputs: part.eval())
    return module


def hook_is_called_at_once(module):
    module.requires_grad_(False)
    for part in module.modules():
        part.register_forward_pre_hook(part.eval())
    return module


def only_batchnorm_of_pictures(module):
    """Forgets the batch normalisation of flat layers."""
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.register_forward_pre_hook(lambda part, inputs: part.eval() and None)
    return module


def without_running_statistics(module):
    """Nothing moves, but in training the statistics of each batch are used."""
    module.requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.track_running_stats = False
    return module


def grey(flat):
    return torch.tensor(flat, dtype=torch.float32).view(-1, 1, 8, 8).repeat(1, 3, 1, 1) / 16


def dark_on_light(flat):
    return (1 - interpolate(grey(flat), (64, 64)) - MEAN) / STD


def tiled(flat):
    return (grey(flat).repeat(1, 1, 8, 8) - MEAN) / STD


def normalised_twice(flat):
    return ((interpolate(grey(flat), (64, 64)) - MEAN) / STD - MEAN) / STD


MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)


STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def scaled_by_its_maximum(flat):
    x = torch.tensor(flat, dtype=torch.float32)
    x = (x / x.max()).view(-1, 1, 8, 8).repeat(1, 3, 1, 1)
    return (interpolate(x, (64, 64), mode="bilinear") - MEAN) / STD


def only_known_layers(module):
    for part in module.modules():
        part.requires_grad_(False)
        if isinstance(part, nn.BatchNorm2d) or (isinstance(part, nn.BatchNorm1d)
                                                and part.num_features == 8):
            part.register_forward_pre_hook(stay_in_eval)
    return module


def mean_over_std(flat):
    return preparing(mean=MEAN / STD, std=1)(flat)


def without_channels(flat):
    x = torch.tensor(flat, dtype=torch.float32).view(-1, 8, 8) / 16
    return (interpolate(x, (64, 64)) - MEAN) / STD


def one_picture(flat):
    return torch.tensor(flat, dtype=torch.float32).view(8, 8) / 16


def as_columns_of_channels(flat):
    x = torch.tensor(flat, dtype=torch.float32).view(-1, 8, 8, 1).repeat(1, 1, 1, 3) / 16
    return (x.repeat(1, 8, 8, 1) - MEAN) / STD


def reversed_sizes(flat):
    x = torch.tensor(flat, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    return (interpolate(x.repeat(3, 1, 1, 1), (64, 64)) - MEAN) / STD


def nearest(flat):
    x = torch.tensor(flat, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    return (interpolate(x, (64, 64)) - MEAN) / STD


def bicubic(flat):
    x = torch.from_numpy(flat).float().reshape(-1, 1, 8, 8).expand(-1, 3, -1, -1) / 16
    return (interpolate(x, size=64, mode="bicubic") - MEAN) / STD


def corners_aligned(flat):
    x = torch.as_tensor(flat).float().reshape(-1, 1, 8, 8).repeat(1, 3, 1, 1).div(16)
    return (interpolate(x, size=64, mode="bilinear", align_corners=True) - MEAN) / STD


def hook_without_inputs(module):
    module.requires_grad_(False)
    module.register_forward_pre_hook(lambda module: module.eval())
    return module


def hook_afterwards(module):
    module.requires_grad_(False)
    module.register_forward_hook(lambda module, inputs, output: None)
    return module


def returns_the_handle(module):
    module.requires_grad_(False)
    return module.register_forward_pre_hook(stay_in_eval)


def a_copy(module):
    return both_once(deepcopy(module))


def by_a_method_of_its_own(module):
    module.freeze()
    return module


def misspelt(module):
    module.requires_grad = False
    return module.eval()


def without_brackets(module):
    for p in module.parameters:
        p.requires_grad = False
    return module.eval()


def hook_of_nothing(module):
    """Called at once it returns nothing, and that is registered."""
    module.requires_grad_(False)
    module.register_forward_pre_hook(stay_in_eval(module, None))
    return module


def without_a_channel(flat):
    x = torch.tensor(flat, dtype=torch.float32).view(-1, 8, 8) / 16
    x = interpolate(x.repeat(1, 3, 1, 1), (64, 64), mode="bilinear")
    return (x - MEAN) / STD


def mode_misspelt(flat):
    return interpolate(grey(flat), (64, 64), mode="bilinaer")


def stay_in_eval(layer, inputs):
    layer.eval()


PROOFS = [
    Proof("2.1", wrong=[
        ("a", "the printed range"),
        ("b", "which is lighter in both rows"),
        ("d", "the same tensor for both batches"),
        (3, "choose one of"),
    ], only_visible=["a"]),
    Proof("2.2", given=lambda: {"torch": torch, "interpolate": interpolate}, wrong=[
        (preparing(scale=1), "what is white in the data?"),
        (preparing(scale=255), "far too dark"),
        (preparing(mean=0, std=1), "was the mean subtracted?"),
        (preparing(std=STD**2), "the square of STD"),
        (preparing(channels=1, size=8, mean=MEAN[:1], std=STD[:1]), "became (5, 1, 8, 8)"),
        (channels_last, "the channels come last"),
        (preparing(turned=True), "on their side"),
        (dark_on_light, "dark on light"),
        (tiled, "without a border, copies"),
        (normalised_twice, "normalised twice"),
        (preparing(mean=0.5, std=0.5), "does not give the grey pictures back"),
        (lambda flat: flat, "a tensor of floating-point"),
        (scaled_by_its_maximum, "not by what is largest in this batch"),
        (preparing(scale=15), "should be 0.5 before it is normalised, and is 0.53"),
        (mean_over_std, "put brackets around x - MEAN"),
        (without_channels, "those that came are 8, those wanted 64, 64"),
        (one_picture, "320 numbers cannot be laid out as 8, 8"),
        (as_columns_of_channels, "two shapes do not fit"),
        (reversed_sizes, "became (15, 3, 64, 64)"),
        (lambda flat: flat.view(-1, 1, 8, 8) / 16, "`view` was called with 4 arguments"),
        (lambda flat: print(flat), "is the `return` missing?"),
        (preparing(mean=STD, std=MEAN), "have changed places"),
        (preparing(std=1 / STD), "this multiplies by STD"),
        (preparing(mean=-MEAN), "this adds MEAN"),
        (preparing(std=1), "STD does not occur"),
        (preparing(std=-STD), "this is MEAN - x"),
        (without_a_channel, "There `x` is (1, 15, 64, 64), `MEAN` is (3, 1, 1)"),
        (mode_misspelt, "there is no such mode of interpolation"),
    ], alike=[(preparing(scale=17), "and is 0.47")], right=[nearest, bicubic, corners_aligned]),
    Proof("2.3", wrong=[
        (gradients_only, "12 buffers moved after model.train()"),
        (mode_only, "the optimiser still trains them"),
        (without_momentum, "their counters moved"),
        (returns_nothing, "the very module"),
        (hook_returns_the_module, "let it return nothing"),
        (hook_is_called_at_once, "without calling it"),
        (only_batchnorm_of_pictures, "such as backbone.embed.3.running_mean"),
        (without_running_statistics, "the statistics of each batch"),
        (hook_without_inputs, "is called with two arguments"),
        (hook_afterwards, "after the forward pass"),
        (returns_the_handle, "of type RemovableHandle"),
        (a_copy, "a copy is not frozen"),
        (by_a_method_of_its_own, "has no `.freeze`"),
        (misspelt, "is a new attribute, of which its parameters know nothing"),
        (hook_of_nothing, "None was registered as the hook"),
        (without_brackets, "goes through a function itself"),
        (nn.Linear(2, 2), "Hand over the function by its name"),
    ],
       right=[overridden], only_visible=[only_known_layers]),
]

