"""Proofs of lesson 06: what each wrong answer is told."""

import numpy as np
import torch
from torch import nn

from tlcourse.notebook.proof import Proof


def layer(back, *, for_lam=lambda lam: (None,), forth=lambda x, lam: x.view_as(x)):
    """A layer with another backward or forward pass."""

    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, lam):
            ctx.lam = lam
            return forth(x, lam)

        @staticmethod
        def backward(ctx, gradient):
            return back(ctx.lam, gradient), *for_lam(ctx.lam)

    return Reverse


def differences(combine):
    """A solution of 6.3 that combines the losses ahead, here and behind in another way."""

    def slope(loss, w, h=1e-5):
        result = torch.zeros_like(w)
        for i in range(w.numel()):
            step = torch.zeros_like(w)
            step.view(-1)[i] = h
            result.view(-1)[i] = combine(loss(w + step), loss(w), loss(w - step), h)
        return result

    return slope


def all_at_once(loss, w, h=1e-5):
    return torch.full_like(w, float((loss(w + h) - loss(w - h)) / (2 * h)))


def one_number(loss, w, h=1e-5):
    return (loss(w + h) - loss(w - h)) / (2 * h)


def by_autograd(loss, w, h=1e-5):
    v = w.clone().requires_grad_()
    return torch.autograd.grad(loss(v), v)[0]


def moves_w(loss, w, h=1e-5):
    result = differences(lambda ahead, here, behind, h: (ahead - behind) / (2 * h))(loss, w, h)
    w += h
    return result


def forgets_to_return(loss, w, h=1e-5):
    moves_w(loss, w.clone(), h)


def returns_in_the_loop(loss, w, h=1e-5):
    result = torch.zeros_like(w)
    for i in range(w.numel()):
        step = torch.zeros_like(w)
        step.view(-1)[i] = h
        result.view(-1)[i] = (loss(w + step) - loss(w - step)) / (2 * h)
        return result


def one_step_for_all(loss, w, h=1e-5):
    result, step = torch.zeros_like(w), torch.zeros_like(w)
    for i in range(w.numel()):
        step.view(-1)[i] = h
        result.view(-1)[i] = (loss(w + step) - loss(w - step)) / (2 * h)
    return result


def row_by_row(loss, w, h=1e-5):
    result = torch.zeros_like(w)
    for i in range(len(w)):
        step = torch.zeros_like(w)
        step[i] = h
        result[i] = (loss(w + step) - loss(w - step)) / (2 * h)
    return result


def entries_as_rows(loss, w, h=1e-5):
    result = torch.zeros_like(w)
    for i in range(w.numel()):
        result[i] = loss(w + h) - loss(w - h)
    return result


def rows_counted(loss, w, h=1e-5):
    result = torch.zeros_like(w)
    for i in range(len(w)):
        step = torch.zeros_like(w)
        step.view(-1)[i] = h
        result.view(-1)[i] = (loss(w + step) - loss(w - step)) / (2 * h)
    return result


def others_left_behind(loss, w, h=1e-5):
    result, moved = torch.zeros_like(w), w.clone()
    for i in range(w.numel()):
        moved.view(-1)[i] += h
        ahead = loss(moved)
        moved.view(-1)[i] -= 2 * h
        result.view(-1)[i] = (ahead - loss(moved)) / (2 * h)
    return result


def a_step_of_its_own(loss, w, h=1e-5):
    return differences(lambda ahead, here, behind, h: (ahead - behind) / (2 * h))(loss, w, 0.1)


def one_gradient(loss, w, h=1e-5):
    w.requires_grad_()
    loss(w).backward()


def as_a_list(loss, w, h=1e-5):
    return [float(loss(w + h) - loss(w - h))]


def through_its_size(loss, w, h=1e-5):
    return [loss(w) for _ in range(w.size())]


def undefined(lam, gradient):
    return -ctx.lam * gradient  # noqa: F821, the error itself


class KeepsNothing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.lam * gradient, None


class LamWithoutCtx(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -lam * gradient, None  # noqa: F821, the error itself


class CtxForLam(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx * gradient, None


class AModule(nn.Module):
    def forward(self, x, lam):
        return x


def layers_that_do_not_meet(features):
    return nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(16, 1))


def applied_at_once(features):
    return nn.Linear(features, 1)(features)


def in_a_list(features):
    return nn.Sequential([nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, 1)])


def ending(*last, hidden=True):
    def make_discriminator(features):
        first = [nn.Linear(features, 32), nn.ReLU()] if hidden else []
        return nn.Sequential(*first, nn.Linear(32 if hidden else features, 1), *last)

    return make_discriminator


def two_outputs(features):
    return nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(dim=1))


def for_sixty_four(features):
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))


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


class Saved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.save_for_backward(torch.as_tensor(lam, dtype=x.dtype))
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.neg() * ctx.saved_tensors[0], None


def slope_in_place(loss, w, h=1e-5):
    moved, found = w.detach().clone(), []
    flat = moved.view(-1)
    for i in range(flat.numel()):
        old = flat[i].item()
        flat[i] = old + h
        ahead = loss(moved)
        flat[i] = old - h
        found.append(float(ahead - loss(moved)) / (2 * h))
        flat[i] = old
    return torch.tensor(found, dtype=w.dtype).reshape(w.shape)


def slope_by_index(loss, w, h=1e-5):
    found = torch.empty_like(w)
    for place in np.ndindex(*w.shape):
        ahead, behind = w.clone(), w.clone()
        ahead[place] += h
        behind[place] -= h
        found[place] = (loss(ahead) - loss(behind)) / (2 * h)
    return found


def deep(features):
    return nn.Sequential(nn.Linear(features, 16), nn.Tanh(), nn.Linear(16, 16), nn.LeakyReLU(),
                         nn.Linear(16, 1))


class Discriminator(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.hidden, self.out = nn.Linear(features, 64), nn.Linear(64, 1)

    def forward(self, z):
        return self.out(self.hidden(z).relu())


PROOFS = [
    Proof("6.1", wrong=[
        ("a", "pull at the same rope"),
        ("c", "still gets a gradient"),
        ("d", "nothing has to blow up"),
        ("B.", "choose one of 'a', 'b', 'c', 'd'"),
        (..., "no answer yet"),
    ], only_visible=["a"]),
    Proof("6.2", given=lambda: {"torch": torch}, wrong=[
        (layer(lambda lam, g: g), "nothing is reversed yet"),
        (layer(lambda lam, g: -g), "at full strength"),
        (layer(lambda lam, g: lam * g), "f would help D"),
        (layer(lambda lam, g: -g / lam), "lam divides"),
        (layer(lambda lam, g: 0 * g), "comes back as 0"),
        (layer(lambda lam, g: None), "no gradient at all"),
        (layer(lambda lam, g: -lam * torch.sign(g)), "no multiple of what came in"),
        (layer(lambda lam, g: -2 * lam * g), "times."),
        (layer(lambda lam, g: ...), "a gap is left in backward"),
        (layer(lambda lam, g: -lam * g, for_lam=lambda lam: ()), "returns two values"),
        (layer(lambda lam, g: -lam * g, for_lam=lambda lam: (0,)), "gets no gradient"),
        (layer(lambda lam, g: -lam * g.mean()), "no mean or sum"),
        (layer(lambda lam, g: -lam), "is no tensor"),
        (layer(lambda lam, g: g, forth=lambda x, lam: -lam * x), "forward pass has changed x"),
        (lambda x, lam: -lam * x, "and this is of type function"),
        (AModule, "inherits from Module"),
        (KeepsNothing, "ctx has no `lam`"),
        (layer(undefined), "the name `ctx` is not known here"),
        (LamWithoutCtx, "backward does not know `lam`"),
        (CtxForLam, "ctx itself is no value"),
        (layer(lambda lam, g: -lam * g.item()), "one number is needed here"),
        (layer(lambda lam, g: g.mul_(-lam)), "was changed in place"),
        (layer(lambda lam, g: -lam * g).apply, "hand over the class itself"),
    ], alike=[
        (layer(lambda lam, g: -lam**2 * g), "times."),
        (layer(lambda lam, g: g - lam), "no multiple of what came in"),
        (layer(lambda lam, g: -lam * g, for_lam=lambda lam: (-lam,)), "gets no gradient"),
    ], only_visible=[OneStrengthForAll], right=[Saved]),
    Proof("6.3", given=lambda: {"torch": torch}, wrong=[
        (differences(lambda ahead, here, behind, h: (ahead - here) / h), "to one side only"),
        (differences(lambda ahead, here, behind, h: (here - behind) / h), "looks back only"),
        (differences(lambda ahead, here, behind, h: (ahead - behind) / h), "it is 2 h, not h"),
        (differences(lambda ahead, here, behind, h: ahead - behind), "divide by the 2 h"),
        (differences(lambda ahead, here, behind, h: (ahead - behind) / 2 * h), "in brackets"),
        (differences(lambda ahead, here, behind, h: (behind - ahead) / (2 * h)),
         "the sign is turned round"),
        (all_at_once, "moved at once"),
        (one_number, "one slope for each entry"),
        (by_autograd, "the derivative itself"),
        (moves_w, "w is not what it was"),
        (forgets_to_return, "returns nothing yet"),
        (differences(lambda ahead, here, behind, h: here), "entry 0 of 6"),
        (returns_in_the_loop, "inside of the loop?"),
        (one_step_for_all, "each slope holds those of the entries before it"),
        (others_left_behind, "for the square of the sum of w, entry 1"),
        (rows_counted, "the first 2 of 6 entries are right"),
        (row_by_row, "the sum of a row"),
        (entries_as_rows, "there is no entry 2 along dimension 0"),
        (one_gradient, "w has a gradient now"),
        (as_a_list, "and this is list"),
        (through_its_size, "it got torch.Size"),
        (lambda loss, w, h: torch.autograd.grad(loss(w), w)[0], "this asks autograd for"),
        (lambda loss, w, h: ..., "has no body yet"),
    ], alike=[(a_step_of_its_own, "entry 0 of 6")],
       only_visible=[of_a_table], right=[slope_in_place, slope_by_index]),
    Proof("6.4", given=lambda: {"nn": nn}, wrong=[
        (ending(nn.Softmax(dim=1)), "of every sample"),
        (ending(nn.Sigmoid()), "it gives probabilities"),
        (ending(nn.ReLU()), "never says a number below 0"),
        (ending(hidden=False), "one straight cut is all"),
        (ending(nn.LogSigmoid()), "never says a number above 0"),
        (ending(nn.Tanh()), "never goes beyond -1 and 1"),
        (two_outputs, "one number for each"),
        (for_sixty_four, "asked for 5 features it takes 64"),
        (lambda features: nn.Linear, "a module is needed"),
        (layers_that_do_not_meet, "takes 16 numbers a sample got 32"),
        (applied_at_once, "a Tensor is needed here"),
        (in_a_list, "with commas"),
        (lambda features: nn.Sequential(nn.Linear(features, 1), nn.ReLU), "a layer is needed here"),
        (lambda features: (nn.Linear(features, 1), nn.ReLU()), "nn.Sequential makes one"),
        (lambda features: nn.ReLu(), "capitals too"),
        (lambda features: print(features), "is the `return` missing?"),
        (lambda features: nn.Linear(features, 1).requires_grad_(False), "requires_grad is off"),
        (nn.Linear(64, 1), "Hand over the function by its name"),
    ], alike=[
        (ending(nn.Softplus()), "never says a number below 0"),
        (ending(nn.Flatten(0)), "one number for each"),
        (ending(nn.Softmax(dim=0)), "it gives probabilities"),
    ], only_visible=[clipped], right=[deep, Discriminator]),
]
