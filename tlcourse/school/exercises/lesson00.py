"""Exercises and quiz of lesson 00, Start here."""

from tlcourse.school.exercises import Exercise, Option, Question, exists, is_function, one_of

_ORDER = {
    "a": "the network trained on print is put above scratch here. Think of what it has seen of "
    "handwriting: nothing.",
    "c": "this says ten labels spoil the network that knows print. They move it, but towards "
    "handwriting or away from it?",
    "d": "this says that knowing print makes a worse start than random weights. Which strokes do "
    "a printed and a written 7 share?",
}


def _classify():
    def classify(model, x):
        return model.head(model.features(x)).argmax(dim=1)

    return classify


def _toy(seed):
    """A network and a batch on which the wrong axis and a skipped head show."""
    import torch

    from tlcourse.models import small_cnn

    generator = torch.Generator().manual_seed(seed)
    return small_cnn(4, width=2, seed=seed).eval(), torch.rand(6, 1, 16, 16, generator=generator)


def _classes(answer, seed):
    import torch

    model, x = _toy(seed)
    got = answer(model, x)
    if got is None or got is ...:
        return "it returns nothing yet: fill both gaps."
    if not isinstance(got, torch.Tensor):
        return f"it should return a tensor of class numbers, and returned {type(got).__name__}."
    if got.shape != (6,):
        if got.shape == (4,):
            return ("6 pictures went in and 4 numbers came out, one for each class: the largest "
                    "was taken along the wrong axis.")
        if got.shape == (6, 4):
            return "these are the logits, one row a picture: which column of each row is largest?"
        return f"6 pictures went in, so 6 class numbers should come out, not {tuple(got.shape)}."
    if got.is_floating_point():
        return "these are values of logits, not class numbers: the place of the largest is wanted."
    if torch.equal(got, model.features(x).argmax(1)):
        return "these are the places of the largest features: the head has not been asked."
    if not torch.equal(got, model(x).argmax(1)):
        return "the shape is right, but some classes differ from those of the network itself."


def _fine_tune():
    from copy import deepcopy

    from tlcourse.training import fit

    def fine_tune(model, few, steps):
        tuned = deepcopy(model)
        fit(tuned, few, steps=steps, seed=0)
        return tuned

    return fine_tune


def _state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _leaves_original(answer, seed):
    import torch

    from tlcourse.data import Domain
    from tlcourse.models import small_cnn

    few = Domain("toy", _toy(seed)[1], [0, 1, 2, 3, 0, 1])
    model = small_cnn(4, width=2, seed=seed)
    before = _state(model)
    tuned = answer(model, few, 3)
    if not isinstance(tuned, torch.nn.Module):
        return f"it should return a network, and returned {type(tuned).__name__}."
    moved = [n for n, t in model.state_dict().items() if not torch.equal(t, before[n])]
    if tuned is model:
        if moved:
            return (f"the given network and the returned one are the same object: {len(moved)} "
                    "tensors of the original moved. Which line makes a second network?")
        return "what comes back is the given network, untrained: where did the tuned one go?"
    if moved:
        return (f"there are two networks now, but {len(moved)} tensors of the original moved "
                "all the same: do the two share their weights?")
    start = _state(tuned)
    if all(torch.equal(start[n], before[n]) for n in before):
        return "the original is safe, but the returned network equals it: it was not trained."
    expected = _state(_fine_tune()(model, few, 3))
    if any(not torch.allclose(start[n], expected[n]) for n in before):
        return ("the returned network was trained, but not from the given weights for the given "
                "number of steps.")


EXERCISES = [
    Exercise(
        id="0.1",
        title="Which order?",
        kind="predict",
        minutes=2,
        reference=lambda: "b",
        checks=[exists(), one_of("b", _ORDER)],
        hints=(
            "Two questions in one: is ten labels more than none, and is print better than nothing?",
            "The network as is has never seen handwriting; scratch has seen one of each digit.",
            "Zero handwritten digits lose to ten, and ten on top of print beat ten alone.",
        ),
        praise="never having seen handwriting costs more than having seen only ten digits, and "
        "print is a good start all the same.",
    ),
    Exercise(
        id="0.2",
        title="From features to a class",
        kind="complete",
        minutes=4,
        reference=_classify,
        checks=[exists(), is_function("model", "x"), _classes],
        hints=(
            "The cell above the exercise goes from x to z to y; the class is one step further.",
            "y has one row a picture and one column a class; argmax needs to know along which.",
            "y = model.head(z), and then the place of the largest logit: y.argmax(dim=1).",
        ),
        praise="backbone, head, and the largest logit of each row.",
    ),
    Exercise(
        id="0.3",
        title="The same number twice (bug hunt)",
        kind="write",
        minutes=6,
        reference=_fine_tune,
        checks=[exists(), is_function("model", "few", "steps"), _leaves_original],
        hints=(
            "How many networks are there after `tuned = model`?",
            "`tuned = model` gives the same network a second name; fit then changes both names' "
            "network. A new object with its own tensors is needed.",
            "`copy.deepcopy(model)` makes one, and the lesson has imported it.",
        ),
        praise="the original is bit for bit what it was, and the copy was trained.",
    ),
]

QUIZ = [
    Question(
        id="0.1",
        text="In this lesson, what differs between the source and the target?",
        options=[
            Option("The task: the labels mean different things.",
                   "A 7 is a 7 in both: same label set, same rule. Lesson 02 changes the task."),
            Option("The domain: the same labels, but pictures that look different.",
                   "Right. Print and handwriting fill the same space of 16 × 16 grey values, "
                   "but different pictures are frequent in them."),
            Option("Both the domain and the task.",
                   "The domains differ, but the task is shared; that is why the head could be "
                   "kept."),
            Option("Neither: digits are digits.",
                   "Then the network as is would have read handwriting as well as print. It "
                   "failed on most of it."),
        ],
        right="b",
    ),
    Question(
        id="0.2",
        text="Why do the two methods of a claim share their seeds?",
        options=[
            Option("So that both reach the same accuracy.",
                   "They share the draw of labels and the split, not the outcome; the gap "
                   "between them is what we measure."),
            Option("To save time: each run is computed once for both.",
                   "Nothing is saved, both methods are trained for every seed."),
            Option("So that the luck of a draw hits both and cancels in the difference.",
                   "Right. Ten easy digits help both methods; subtracting run by run takes that "
                   "out, and the interval becomes narrower."),
            Option("Because a good seed makes a good result.",
                   "That would be choosing the luckiest run. All five count, whatever they show."),
        ],
        right="c",
    ),
    Question(
        id="0.3",
        text="A colleague used a source model as is and scored below training from scratch with "
        "the same ten labels. What follows?",
        options=[
            Option("Transfer learning does not work between these domains.",
                   "The lesson saw exactly this, and the same weights tuned on ten labels won "
                   "clearly."),
            Option("This way of using the source hurts here; another may still help.",
                   "Right. Negative transfer belongs to a source, a target and a strategy "
                   "together; change one and measure again."),
            Option("The source model was trained too briefly.",
                   "It was practically perfect on its own domain; more of the same training "
                   "brings no handwriting."),
            Option("The test set is too small.",
                   "It held almost 900 pictures, and the gap kept its sign over five seeds."),
        ],
        right="b",
    ),
]
