"""References and checks of lesson 08, Negative transfer."""

from functools import cache

from tlcourse.notebook.ladder import exists, is_function

WORDS = ("positive", "negative", "inconclusive")


def _verdict():
    from tlcourse.stats import paired_gap

    def verdict(transfer, scratch):
        gap = paired_gap(transfer, scratch)
        if gap.low > 0:
            return "positive"
        return "negative" if gap.high < 0 else "inconclusive"

    return verdict


def _three_words(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    base = rng.uniform(0.4, 0.9, 5)  # seeds differ much more than the two methods do
    clear, noise = 0.03 + rng.uniform(0, 0.004, 5), np.array([0.1, -0.06, 0.05, -0.05, 0.02])
    lucky = np.array([0.2, 0.01, 0.01, 0.01, 0.01])
    gaps = {"better": clear, "worse": -clear, "noise": noise, "minus noise": -noise,
            "lucky": lucky, "unlucky": -lucky}
    said = {name: answer(list(base + gap), list(base)) for name, gap in gaps.items()}
    odd = [word for word in said.values() if not isinstance(word, str) or word not in WORDS]
    if odd:
        shown = repr(odd[0]) if isinstance(odd[0], str) else f"of type {type(odd[0]).__name__}"
        return f"one of the words {', '.join(WORDS)} is needed, and one verdict is {shown}."
    if said["better"] == "negative" and said["worse"] == "positive":
        return "the signs are crossed: a transfer that is better in every run is called negative."
    if set(said.values()) == {"inconclusive"}:
        return ("transfer is better by 3 points in each of five runs, and still nothing is "
                "decided: are the runs compared in pairs?")
    for name in ("noise", "minus noise", "lucky", "unlucky"):
        if said[name] != "inconclusive":
            points = ", ".join(f"{100 * gap:+.0f}" for gap in gaps[name])
            return (f"five gaps of {points} points are called {said[name]}: where does their "
                    "interval begin and end?")
    for name, right in (("better", "positive"), ("worse", "negative")):
        if said[name] != right:
            return f"a transfer that is {name} in all five runs by 3 points is called {said[name]}."


def _frequencies():
    import numpy as np

    def frequencies(table, answers):
        q = np.clip(np.linalg.solve(table, answers), 0, None)
        return q / q.sum()

    return frequencies


def _estimates(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    table = 0.7 * np.eye(4) + 0.3 * rng.dirichlet(np.ones(4), 4).T
    q = rng.permutation([0.5, 0.3, 0.15, 0.05])
    got = answer(table, table @ q)
    if got is None or not np.issubdtype(np.asarray(got).dtype, np.number):
        return "a gap is left: q must become an array of numbers, one per class."
    got = np.asarray(got, dtype=float)
    if got.shape != (4,):
        return f"four classes need four frequencies, and this has the shape {got.shape}."
    wrong = {
        "these are the answers as they were counted; the mistakes are still in them.": table @ q,
        "this multiplies by the table: it adds the mistakes a second time.": table @ (table @ q),
        "this corrects each class by its own right answers only: where do the wrong ones go?":
            table @ q / table.diagonal(),
        "this solves with the table turned over: which index is the answer, which the class?":
            np.linalg.solve(table.T, table @ q),
    }
    for message, values in wrong.items():
        values = np.clip(values, 0, None)
        if np.allclose(got, values / values.sum(), atol=1e-6):
            return message
    if not np.allclose(got, q, atol=1e-6):
        return (f"the answers were made from frequencies {q}, and this finds {got.round(2)}: "
                "table @ q should give the answers back.")
    answers = table @ np.array([0.6, 0.4, 0, 0]) + [0, 0, 0.05, -0.05]  # chance in few samples
    got = np.asarray(answer(table, answers))
    if abs(got.sum() - 1) > 1e-6 or got.min() < 0:
        return ("with few samples a frequency comes out below 0, or the sum is not 1: keep the "
                "two lines that follow the solution.")


def _agreement():
    import torch
    from torch.nn.functional import cross_entropy

    def agreement(model, source, target):
        weights = list(model.backbone.parameters())
        g_s, g_t = (torch.cat([g.flatten() for g in torch.autograd.grad(
            cross_entropy(model(part.X), part.y), weights)]) for part in (source, target))
        return torch.cosine_similarity(g_s, g_t, dim=0).item()

    return agreement


def _two_batches(seed):
    import torch

    from tlcourse.data import Domain
    from tlcourse.models import small_cnn

    generator = torch.Generator().manual_seed(seed)
    parts = [Domain(name, torch.rand(12, 1, 16, 16, generator=generator),
                    torch.arange(12) % 3, ("a", "b", "c")) for name in ("source", "target")]
    return small_cnn(3, width=2, seed=seed).train(), *parts


def _gradients_of(model, part, layers):
    import torch
    from torch.nn.functional import cross_entropy

    weights = list(layers.parameters())
    found = torch.autograd.grad(cross_entropy(model(part.X), part.y), weights)
    return torch.cat([g.flatten() for g in found])


def _cosine(answer, seed):
    import torch

    model, source, target = _two_batches(seed)
    got = answer(model, source, target)
    if got is None or got is ...:
        return "it returns nothing yet."
    left = sum(w.grad is not None for w in model.parameters())
    model, source, target = _two_batches(seed)
    g_s, g_t = (_gradients_of(model, part, model.backbone) for part in (source, target))
    near = {
        "the cosine is 1.00 on two batches drawn by lot, which have nothing to agree on.":
            torch.tensor(1.0),
        "the second gradient still holds the first: what does backward() do with a gradient that "
        "is there already?": torch.cosine_similarity(g_s, g_s + g_t, dim=0),
        "this is the cosine over the whole network; the head answers for the labels, the backbone "
        "is what is transferred.": torch.cosine_similarity(
            *(_gradients_of(model, part, model) for part in (source, target)), dim=0),
        "this is the product of the gradients without their lengths: divide, or use "
        "cosine_similarity.": g_s @ g_t,
    }
    right = torch.cosine_similarity(g_s, g_t, dim=0)
    if abs(float(got) - float(right)) > 1e-3:
        for message, value in near.items():
            if abs(float(got) - float(value)) < 1e-3:
                return message
        if not -1 <= float(got) <= 1:
            return f"a cosine is a number from -1 to 1, and this is {float(got):.3g}."
        return (f"the cosine of the two gradients of the backbone is {right:.3f}, this is {got:.3f}"
                ": each gradient is one long vector, of the model as it was handed over.")
    if left:
        return (f"the cosine is right, but {left} parameters of the model keep a gradient, which "
                "the next step of an optimiser would use.")


_SICK = "ABCDE"


@cache
def _patients():
    import json

    from tlcourse.utils.files import ROOT

    path = ROOT / "data" / "runs" / "patients.json"
    return json.loads(path.read_text(encoding="utf-8"))["patients"]


def _chart():
    return {name: found["causes"][0]["name"]
            for name, found in _patients().items() if name in _SICK}


def _every_patient(answer, seed):
    if not isinstance(answer, dict) or not set(_SICK) <= answer.keys():
        return "a dictionary with an entry for each of A to E is needed."
    open_ones = [name for name in _SICK if answer[name] is ... or answer[name] is None]
    if open_ones:
        return f"no entry yet for {', '.join(open_ones)}."
    for name in _SICK:
        if not isinstance(answer[name], str):
            return f"the entry of {name} should be the name of a cause alone, as a string."
        known = {cause["name"] for cause in _patients()[name]["causes"]}
        if answer[name] not in known:
            return f"{name} has no cause called {answer[name]!r}: {', '.join(sorted(known))}."


def _by_evidence(answer, seed):
    for name in _SICK:
        found = {c["name"]: c["evidence"] for c in _patients()[name]["causes"]}
        cause = answer[name]
        if cause != max(found, key=found.get) and name == "E" and cause == "label shift":
            return ("patient E: that number is an estimate, which assumes that a class looks alike "
                    "in both domains, and the same line says that this is not so; counted from the "
                    f"labels, the evidence is {found[cause]:.2f}.")
        if cause != max(found, key=found.get):
            return (f"patient {name}: the evidence for {cause} is {found[cause]:.2f}; another "
                    "cause has more.")


EXERCISES = {
    "8.1": (_verdict, [exists(), is_function("transfer", "scratch"), _three_words]),
    "8.2": (_frequencies, [exists(), is_function("table", "answers"), _estimates]),
    "8.3": (_agreement, [exists(), is_function("model", "source", "target"), _cosine]),
    "8.4": (_chart, [exists(), _every_patient, _by_evidence]),
}
