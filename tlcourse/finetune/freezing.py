"""Frozen: no parameter and no buffer of a part of a network changes."""

from torch import nn


def _keep_in_eval(module: nn.Module, inputs) -> None:
    module.training = False


_HOOK = "tlcourse.freeze"
# Under a name of its own, for the numbers of register_forward_pre_hook begin anew in each process:
# in a module that was pickled, the next hook could take this one's place.


def freeze(module: nn.Module) -> nn.Module:
    """Keep every parameter and every buffer as it is, whatever ``.train()`` is called later.

    ``requires_grad = False`` stops the optimiser, but not batch normalisation, which updates its
    running mean, variance and counter whenever it is called in training mode. So each part is
    also put back into evaluation mode just before it computes, by a hook. The hook goes along
    when the module is copied or pickled; dropout inside is off, too.

    Parameters
    ----------
    module : Module
        Changed in place: a whole network or a part such as ``model.backbone.stage1``.

    Returns
    -------
    Module
        The same module.
    """
    module.eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.grad = None  # an optimiser made before would still step along it
    for part in module.modules():
        part._forward_pre_hooks[_HOOK] = _keep_in_eval
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Undo `freeze`, in place: all parameters are trainable, and ``.train()`` works again."""
    for part in module.modules():
        part._forward_pre_hooks.pop(_HOOK, None)
    return module.requires_grad_(True)


def is_frozen(module: nn.Module) -> bool:
    """Whether `freeze` holds this very module; of a whole, ask each part."""
    return _HOOK in module._forward_pre_hooks
