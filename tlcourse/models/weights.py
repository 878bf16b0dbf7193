"""Weights in files: safetensors, never a pickle, and refused where they do not fit."""

from pathlib import Path

import safetensors.torch
from torch import Tensor, nn

from tlcourse.utils.files import write_atomically


def to_bytes(model: nn.Module) -> bytes:
    """All parameters and buffers as the content of a safetensors file."""
    return safetensors.torch.save({k: v.contiguous() for k, v in model.state_dict().items()})


def save_weights(model: nn.Module, path: str | Path) -> None:
    """Write all parameters and buffers as safetensors (no pickle)."""
    write_atomically(path, to_bytes(model))


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Read safetensors into a model of the same shape.

    Raises
    ------
    ValueError
        A checkpoint that does not fit: names the layer and both shapes. The model is unchanged.
    """
    try:
        state = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is no complete safetensors file ({error})") from None
    fit_state(model, state, str(path))
    return model


def fit_state(model: nn.Module, state: dict[str, Tensor], origin: str) -> None:
    """Load tensors into a model, or raise `ValueError` and name `origin` and the first layer."""
    own = model.state_dict()
    for key in dict.fromkeys([*own, *state]):
        here = tuple(own[key].shape) if key in own else "missing"
        there = tuple(state[key].shape) if key in state else "missing"
        if here != there:
            raise ValueError(f"{origin} does not fit this model: {key} is {there} in the file and "
                             f"{here} in the model; load it into the model it was saved from, then "
                             "replace its head")
    model.load_state_dict(state)
