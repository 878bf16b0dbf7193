"""Further checks of lesson 08."""


def _other_runs(answer, seed):
    """Few and many runs: small gaps that are sure, and large ones of one sign that are not."""
    import numpy as np

    base = np.random.default_rng(seed).uniform(0.4, 0.8, 10)
    for gaps, right in (
        ([0.006, 0.004, 0.005, 0.005, 0.006], "positive"),
        ([-0.004, -0.006, -0.005, -0.005, -0.006, -0.004, -0.005], "negative"),
        ([0.01, 0.02, 0.01, 0.19, 0.02], "inconclusive"),
        ([-0.01, -0.03, -0.05], "inconclusive"),
        ([0.09, -0.01, 0.06, 0.02, 0.08, -0.02, 0.07, 0.01, 0.05, 0.03], "positive"),
    ):
        scratch = base[: len(gaps)]
        said = answer(list(scratch + gaps), list(scratch))
        if said != right:
            points = ", ".join(f"{100 * gap:+g}" for gap in gaps)
            return f"by its interval, a gap of {points} points is {right}, and this says {said!r}."


def _often_confused(answer, seed):
    """Two classes, and seven, of which each is often taken for the next one."""
    import numpy as np

    rng = np.random.default_rng(seed)
    for classes in (2, 7):
        table = 0.55 * np.eye(classes) + 0.45 * np.roll(np.eye(classes), 1, axis=0)
        q = rng.dirichlet(np.ones(classes))
        got = np.asarray(answer(table, table @ q), dtype=float)
        if got.shape != (classes,):
            return f"{classes} classes need {classes} frequencies."
        if not np.allclose(got, q, atol=1e-6):
            return (f"with {classes} classes, each often taken for the next one, it finds "
                    f"{got.round(3)}, and {q.round(3)} is right.")


def _used_before(answer, seed):
    """Batches of two sizes, and a model in which an earlier step has left its gradient."""
    import torch
    from torch import nn
    from torch.nn.functional import cosine_similarity, cross_entropy

    from tlcourse.data import Domain
    from tlcourse.models import Network

    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Network(nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.Tanh()), nn.Linear(6, 3))
    parts = [Domain(name, torch.rand(n, 1, 4, 4, generator=generator), torch.arange(n) % 3)
             for name, n in (("source", 12), ("target", 5))]
    weights = list(model.backbone.parameters())
    g_s, g_t = (torch.cat([g.flatten() for g in torch.autograd.grad(
        cross_entropy(model(part.X), part.y), weights)]) for part in parts)
    for w in model.parameters():
        w.grad = torch.ones_like(w)
    got, right = float(answer(model, *parts)), float(cosine_similarity(g_s, g_t, dim=0))
    if abs(got - right) > 1e-3:
        return (f"in a model that still has the gradient of an earlier step, it is {got:.3f} where "
                f"{right:.3f} is right.")


PROPERTIES = {"8.1": (_other_runs,), "8.2": (_often_confused,), "8.3": (_used_before,)}
SHOWN = ("8.2",)
BY_VALUE = ("8.1", "8.2")
ASKED = {"8.2": ("black_box_shift",)}
