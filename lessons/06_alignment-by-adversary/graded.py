"""Further checks of lesson 06."""


def _words(prompt, variant):
    """The loss stands in the lesson, and not in what is handed out."""
    return prompt.replace("the loss\nis the `discriminator_loss` from above.", "the loss is "
                          "`binary_cross_entropy_with_logits`, with 1 for source and 0 for target.")


def _two_at_a_time(answer, seed):
    """Two layers of other strengths in one network, on feature maps."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64).requires_grad_()
            for _ in range(2))
    (answer.apply(a, 0.5) + 2 * answer.apply(b, 3.0)).sum().backward()
    for x, right, which in ((a, -0.5, "first"), (b, -6.0, "second")):
        if not torch.allclose(x.grad, torch.full_like(x, right)):
            return (f"with two layers of different strengths in one network, the {which} one "
                    "reverses with another strength than its own.")


def _other_shapes(answer, seed):
    """A vector, one number, and a tensor of three dimensions."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    for shape in ((5,), (1,), (2, 2, 3)):
        w = torch.randn(shape, generator=generator, dtype=torch.float64)
        got = answer(lambda v: (v**3).sum(), w.clone(), 0.1)
        if not torch.allclose(got.to(w), 3 * w**2 + 0.1**2, rtol=1e-5, atol=1e-7):
            return f"for w of the shape {shape} the slopes of the sum of w³ are wrong."


def _any_number(answer, seed):
    """On domains that a child could tell apart, it may become as sure as it likes."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    torch.manual_seed(seed)
    disc, is_source = answer(3).train(), (torch.arange(64) % 2).float()[:, None]
    x = torch.randn(64, 3) + 6 * (is_source - 0.5)
    optimiser = torch.optim.Adam(disc.parameters(), lr=0.02)
    for _ in range(200):
        optimiser.zero_grad()
        binary_cross_entropy_with_logits(disc(x), is_source).backward()
        optimiser.step()
    loss = binary_cross_entropy_with_logits(disc.eval()(x), is_source).item()
    if loss > 0.05:
        return (f"between two domains that lie far apart its loss stays at {loss:.2f}: what keeps "
                "it from being surer?")


PROPERTIES = {"6.2": (_two_at_a_time,), "6.3": (_other_shapes,), "6.4": (_any_number,)}
WORDS = {"6.4": _words}
ASKED = {"6.2": ("grad_reverse", "_Reverse"), "6.4": ("discriminator",)}
