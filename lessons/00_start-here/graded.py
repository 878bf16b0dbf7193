"""Further checks of lesson 00."""


def _other_batches(answer, seed):
    """One picture, and seven; three classes where the lesson's ladder has four."""
    import torch

    from tlcourse.models import small_cnn

    model = small_cnn(3, width=2, seed=seed).eval()
    for size in (1, 7):
        x = torch.rand(size, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
        got = answer(model, x)
        if getattr(got, "shape", None) != (size,):
            return (f"a batch of {size} should give {size} class "
                    f"number{'s' * (size > 1)}, as a tensor of shape ({size},).")
        if not torch.equal(got, model(x).argmax(1)):
            return f"on a batch of {size} some classes differ from those of the network itself."


def _other_steps(answer, seed):
    """Another number of steps; and a second call knows nothing of the first."""
    from copy import deepcopy

    import torch

    from tlcourse.data import Domain
    from tlcourse.models import small_cnn
    from tlcourse.training import fit

    generator = torch.Generator().manual_seed(seed)
    few = Domain("toy", torch.rand(6, 1, 16, 16, generator=generator), [0, 1, 2, 0, 1, 2])
    for steps in (1, 5):
        model = small_cnn(3, width=2, seed=seed + steps)
        expected = deepcopy(model)
        fit(expected, few, steps=steps, seed=0)
        got, right = answer(model, few, steps).state_dict(), expected.state_dict()
        if got.keys() != right.keys() or any(not torch.allclose(got[n], right[n]) for n in right):
            return f"asked for {steps} step{'s' * (steps > 1)} of training, it does something else."


PROPERTIES = {"0.2": (_other_batches,), "0.3": (_other_steps,)}
