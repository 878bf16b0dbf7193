"""How a strategy is scored on a test part: four scores, and which of them is fair to a class."""

from collections.abc import Sequence

import numpy as np
from sklearn import metrics

SCORES = {
    "accuracy": "the share of right answers",
    "balanced_accuracy": "the mean over the classes of the share of each that is recognised",
    "macro_f1": "the mean over the classes of F1, which weighs missed samples against false ones",
    "auc": "the chance that a sample of a class looks more like it than one of another class does",
}
"""The scores, and what each is."""
UNEVEN = 4
"""Classes are unbalanced when the most frequent is so many times as frequent as the rarest."""


def in_words(name: str) -> str:
    """The name of a score, as people write it."""
    return {"macro_f1": "macro F1", "auc": "AUC"}.get(name, name.replace("_", " "))


def fair_score(y: np.ndarray) -> str:
    """Accuracy, or balanced accuracy where it would reward whoever ignores the rare classes.

    Parameters
    ----------
    y : int array (N,), the target's labels
    """
    counts = np.bincount(y)
    counts = counts[counts > 0]
    even = 1 / len(counts)
    above_chance = (counts.max() / counts.sum() - even) / (1 - even)
    return "balanced_accuracy" if (above_chance > 0.25 or counts.max() >= UNEVEN * counts.min()) \
        else "accuracy"


def scores(probabilities: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """All scores of a network's answers, over the classes that occur among the labels.

    Parameters
    ----------
    probabilities : float array (n, K)
    y : int array (n,)

    Returns
    -------
    dict of name -> share from 0 to 1
        "auc" is 0.5 where there is one class only.
    """
    answers, present = probabilities.argmax(1), np.unique(y)
    recall = metrics.recall_score(y, answers, labels=present, average=None, zero_division=0)
    auc = [metrics.roc_auc_score(y == k, probabilities[:, k]) for k in present
           if len(present) > 1]
    return {
        "accuracy": float(metrics.accuracy_score(y, answers)),
        "balanced_accuracy": float(np.mean(recall)),
        "macro_f1": float(metrics.f1_score(y, answers, labels=present, average="macro",
                                           zero_division=0)),
        "auc": float(np.mean(auc)) if auc else 0.5,
    }


def always(answer: int, y: np.ndarray, classes: int) -> dict[str, float]:
    """The scores of whoever gives one answer to every sample."""
    return scores(np.tile(np.eye(classes)[answer], (len(y), 1)), y)


def worth_of_a_sample(name: str, counts: Sequence[int], folds: int) -> float:
    """By how much one test sample can change a score, about: no gap is known any finer.

    Parameters
    ----------
    name : str
        Of the score.
    counts : sequence of int
        Samples of each class in the whole target.
    folds : int
        Parts of the target, of which one is tested on.
    """
    counts = np.asarray(counts)
    counts = counts[counts > 0]
    if name == "accuracy":
        return float(1 / (counts.sum() // folds))
    return float(1 / (len(counts) * max(counts.min() // folds, 1)))
