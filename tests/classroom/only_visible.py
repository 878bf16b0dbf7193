"""A wrong answer to each exercise that its visible check accepts."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, interpolate

from tlcourse.finetune import stages
from tlcourse.training import fit

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def without_squeezed_batch(model, x):
    return model(x).squeeze().argmax(dim=-1)


def always_three_steps(model, few, steps):
    from copy import deepcopy

    tuned = deepcopy(model)
    fit(tuned, few, steps=3, seed=0)
    return tuned


def four_classes(confusion):
    return np.array([confusion[k, k] / confusion[k].sum() for k in range(4)])


def small_numbers(n):
    return np.arange(0, n, 2).astype(np.uint8), np.arange(1, n, 2).astype(np.uint8)


def first_look_left_out(on_validation, on_test):
    best, at = 0, None
    for look in range(1, len(on_validation)):
        if on_validation[look] > best:
            best, at = on_validation[look], look
    return on_test[at]


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


def stay_in_eval(layer, inputs):
    layer.eval()


def five_stages(model, lr, decay):
    return [{"params": list(part.parameters()), "lr": lr * decay ** (4 - i)}
            for i, (_, part) in enumerate(stages(model))]


def paired_by_place(model, reference):
    pairs = zip(model.parameters(), reference.parameters(), strict=False)
    return sum((a - b.detach()).square().sum() for a, b in pairs if a.shape == b.shape)


def one_memory_for_all(model, memory={}):  # noqa: B006, the fault itself
    memory.clear()
    memory.update({name: w.detach().clone() for name, w in model.named_parameters()})
    return memory


def all_but_the_head(source, target):
    own = target.state_dict()
    fits = {name: w for name, w in source.state_dict().items()
            if name in own and not name.startswith("head")}
    target.load_state_dict(fits, strict=False)
    return list(fits)


def means_of_classes(theta, y):
    classes, y = np.unique(y, return_inverse=True)
    given_y = np.stack([theta[y == k].mean(0) for k in range(len(classes))])
    given_z = given_y / np.maximum(given_y.sum(0), 1e-12)
    return float(np.log((given_z[y] * theta).sum(1)).mean())


def loud_among_few(z):
    return z * np.where(np.arange(z.shape[1]) == 0, 4, 1)


def moved_by_its_largest(x):
    return x + x.abs().max()


def through_a_root(x, y, s):
    def mean_kernel(a, b):
        distances = (a[:, None] - b[None]).square().sum(2).sqrt()
        return torch.exp(-(distances**2) / (2 * s**2)).mean()

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


class OneStrengthForAll(torch.autograd.Function):
    strength = 1.0

    @staticmethod
    def forward(ctx, x, lam):
        OneStrengthForAll.strength = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -OneStrengthForAll.strength * gradient, None


def of_a_table(loss, w, h=1e-5):
    result = torch.zeros_like(w)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            step = torch.zeros_like(w)
            step[i, j] = h
            result[i, j] = (loss(w + step) - loss(w - step)) / (2 * h)
    return result


def clipped(features):
    return nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, 1), nn.Hardtanh(-2, 2))


def as_if_the_runs_were_many(transfer, scratch):
    gaps = np.array(transfer) - np.array(scratch)
    half = 1.96 * gaps.std(ddof=1) / len(gaps) ** 0.5
    return ("positive" if gaps.mean() > half else
            "negative" if gaps.mean() < -half else "inconclusive")


def in_fifty_steps(table, answers):
    q = answers
    for _ in range(50):
        q = q + answers - table @ q
    q = np.clip(q, 0, None)
    return q / q.sum()


def on_top_of_what_was_there(model, source, target):
    found = []
    for part in (source, target):
        cross_entropy(model(part.X), part.y).backward()
        found.append(torch.cat([w.grad.flatten() for w in model.backbone.parameters()]))
        model.zero_grad()
    return torch.cosine_similarity(*found, dim=0).item()


ONLY_VISIBLE = {
    "0.1": "d", "0.2": without_squeezed_batch, "0.3": always_three_steps,
    "1.1": 0.5, "1.2": four_classes, "1.3": small_numbers, "1.4": first_look_left_out,
    "2.1": "a", "2.2": scaled_by_its_maximum, "2.3": only_known_layers,
    "3.1": "a", "3.2": five_stages, "3.3": paired_by_place, "3.4": one_memory_for_all,
    "4.1": all_but_the_head, "4.2": means_of_classes, "4.3": "a", "4.4": loud_among_few,
    "5.1": "a", "5.2": moved_by_its_largest, "5.3": 1.0, "5.4": through_a_root,
    "6.1": "a", "6.2": OneStrengthForAll, "6.3": of_a_table, "6.4": clipped,
    "8.1": as_if_the_runs_were_many, "8.2": in_fifty_steps, "8.3": on_top_of_what_was_there,
    "8.4": dict.fromkeys("ABCDEF", ("domain distance", 0.5)),
}
