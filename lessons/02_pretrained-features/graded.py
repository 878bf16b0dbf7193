"""Further checks of lesson 02."""


def _dim_pictures(answer, seed):
    """Pictures without any white: the scale belongs to the data, not to the batch."""
    import torch
    from sklearn.datasets import load_digits

    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    for rows in (1, 7):
        flat = load_digits().data[seed : seed + rows] / 2
        got = answer(flat.copy())
        if got.shape != (rows, 3, 64, 64):
            return f"{rows} row(s) should become ({rows}, 3, 64, 64), not {tuple(got.shape)}."
        brightness = float((got * std + mean).mean()) / float(flat.mean() / 16)
        if not 0.8 < brightness < 1.25:
            return (f"a dim batch, whose largest value is {flat.max():g}, comes out "
                    f"{brightness:.1f} times as bright as it is: 16 is white in every batch.")


def _other_modules(answer, seed):
    """A backbone of other layers, trained once more after another call of ``train()``."""
    import torch
    from torch import nn

    from tlcourse.data import Domain
    from tlcourse.models import Network
    from tlcourse.training import fit

    generator = torch.Generator().manual_seed(seed)
    layers = [nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6, momentum=None), nn.ReLU()]
    model = Network(nn.Sequential(*layers), nn.Linear(6, 2))
    few = Domain("toy", torch.rand(8, 1, 4, 4, generator=generator), [0, 1] * 4)
    before = {name: t.clone() for name, t in model.backbone.state_dict().items()}
    answer(model.backbone)
    for _ in range(2):
        model.train()
        fit(model, few, steps=2, seed=0)
        model.train()
        model(few.X)
    after = model.backbone.state_dict()
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    if moved:
        return (f"in a backbone of a flat layer and BatchNorm1d, {len(moved)} tensors moved, such "
                f"as {moved[0]}.")


PROPERTIES = {"2.2": (_dim_pictures,), "2.3": (_other_modules,)}
SHOWN = ("2.3",)
BY_VALUE = ("2.2",)
ASKED = {"2.3": ("freeze",)}
