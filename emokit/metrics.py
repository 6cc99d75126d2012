"""The scores of predictions, each with a 95 % interval over whole speakers or dialogues.

Every score here is a function of sums over utterances, so a resample of clusters is a weighted sum of the clusters' own sums:
thousands of resamples cost one matrix product, and no utterance is ever counted apart from its speaker.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy
import pandas

from emokit.labels import LABELS, NUM_LABELS, TARGETS
from emokit.predictions import PROBABILITIES, Predictions

# Better when higher; of the other two, negative log-likelihood and calibration error, lower is better.
SCORES = ("accuracy", "uar", "weighted_f1", "macro_f1")
INTERVALS = (*SCORES, "nll", "ece")
NUM_RESAMPLES = 2000
NUM_BINS = 15  # of confidence, for the expected calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599)
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Sums:
    """What the scores are made of, once per cluster (or per resample).

    confusion: (clusters, classes, classes), rows are the truth
    nll: (clusters,) summed negative log-likelihood in nats
    bins: (clusters, bins, 2) summed confidence and summed correctness of the utterances in each bin of confidence
    """

    confusion: numpy.ndarray
    nll: numpy.ndarray
    bins: numpy.ndarray

    def resampled(self, weights: numpy.ndarray) -> "Sums":
        """Sums of resamples; weights (resamples, clusters) say how often each cluster was drawn."""
        return Sums(
            numpy.tensordot(weights, self.confusion, axes=1),
            weights @ self.nll,
            numpy.tensordot(weights, self.bins, axes=1),
        )


def score(predictions: Predictions, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """Everything that `metrics.json` says of one split, its baselines apart."""
    sums, cluster_names = cluster_sums(predictions)
    whole = sums.resampled(numpy.ones((1, len(cluster_names))))
    values = {name: float(value[0]) for name, value in scores(whole).items()}
    confusion = whole.confusion[0].astype(int)
    weights = bootstrap_weights(len(cluster_names), num_resamples, seed)
    resampled = scores(sums.resampled(weights))
    return {
        "n": len(predictions.table),
        "num_clusters": len(cluster_names),
        "cluster": cluster_noun(predictions.table["dialogue"].notna()),
        **values,
        "confusion": confusion.tolist(),
        "per_class": per_class(confusion),
        "per_corpus": per_corpus(predictions),
        "interval": {name: _bounds(resampled[name]) for name in INTERVALS},
    }


def cluster_noun(in_dialogue: pandas.Series) -> str:
    """What is resampled as a whole; a group is a dialogue of one corpus or a speaker of another."""
    return "dialogue" if in_dialogue.all() else "group" if in_dialogue.any() else "speaker"


def majority_baseline(train_labels: pandas.Series, truth: Predictions) -> dict[str, Any]:
    """Scores of always saying the label that is most frequent in training (the first of them in a tie)."""
    counts = train_labels.value_counts()
    majority = max(LABELS, key=lambda label: counts.get(label, 0))
    return baseline_scores(truth, numpy.full(len(truth.table), TARGETS[majority]))


def baseline_scores(truth: Predictions, guesses: numpy.ndarray) -> dict[str, Any]:
    """The four scores of a baseline's class numbers (utterances,) with intervals, and the confusion matrix."""
    table = truth.table.assign(**dict(zip(PROBABILITIES, numpy.eye(NUM_LABELS)[guesses].T, strict=True)))
    sums, clusters = cluster_sums(replace(truth, table=table))
    resampled = class_scores(sums.resampled(bootstrap_weights(len(clusters), NUM_RESAMPLES, seed=0)).confusion)
    return {
        **plain_scores(truth.targets, guesses),
        "interval": {name: _bounds(resampled[name]) for name in SCORES},
        "confusion": confusion_matrix(truth.targets, guesses).tolist(),
    }


def _bounds(resampled: numpy.ndarray) -> list[float]:
    """The 2.5 % and 97.5 % quantiles of a score's resamples."""
    return [float(bound) for bound in numpy.quantile(resampled, [0.025, 0.975])]


def plain_scores(targets: numpy.ndarray, guesses: numpy.ndarray) -> dict[str, float]:
    """The four scores of class numbers (utterances,) against the truth (utterances,), without intervals."""
    confusion = confusion_matrix(targets, guesses)[None]
    return {name: float(value[0]) for name, value in class_scores(confusion).items()}


def confusion_matrix(targets: numpy.ndarray, guesses: numpy.ndarray) -> numpy.ndarray:
    """(classes, classes) counts; rows are the truth."""
    counts = numpy.bincount(targets * NUM_LABELS + guesses, minlength=NUM_LABELS**2)
    return counts.reshape(NUM_LABELS, NUM_LABELS)


def cluster_sums(predictions: Predictions) -> tuple[Sums, numpy.ndarray]:
    """The sums of each cluster, and the clusters' names in the same order."""
    names, cluster = numpy.unique(predictions.clusters, return_inverse=True)
    probabilities, targets = predictions.probabilities, predictions.targets
    guesses, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    confusion = numpy.zeros((len(names), NUM_LABELS, NUM_LABELS))
    numpy.add.at(confusion, (cluster, targets, guesses), 1)
    truth = numpy.clip(probabilities[numpy.arange(len(targets)), targets], SMALLEST_PROBABILITY, None)
    nll = numpy.bincount(cluster, weights=-numpy.log(truth), minlength=len(names))
    # A confidence of k/15 belongs to the bin below it, as in the paper's half-open intervals ((k-1)/15, k/15]; rounding undoes
    # what float32 adds to it.
    which = numpy.clip(numpy.ceil(numpy.round(confidence * NUM_BINS, 5)).astype(int) - 1, 0, NUM_BINS - 1)
    bins = numpy.zeros((len(names), NUM_BINS, 2))
    numpy.add.at(bins[:, :, 0], (cluster, which), confidence)
    numpy.add.at(bins[:, :, 1], (cluster, which), guesses == targets)
    return Sums(confusion, nll, bins), names


def bootstrap_weights(num_clusters: int, num_resamples: int, seed: int) -> numpy.ndarray:
    """(resamples, clusters) how often each cluster is drawn when as many are drawn as there are, with replacement."""
    even = numpy.full(num_clusters, 1 / num_clusters)
    return numpy.random.default_rng(seed).multinomial(num_clusters, even, size=num_resamples).astype(numpy.float64)


def scores(sums: Sums) -> dict[str, numpy.ndarray]:
    """All scores, each (resamples,)."""
    total = sums.confusion.sum(axis=(1, 2))
    gaps = numpy.abs(sums.bins[:, :, 0] - sums.bins[:, :, 1]).sum(axis=1)
    return {**class_scores(sums.confusion), "nll": sums.nll / total, "ece": gaps / total}


def class_scores(confusion: numpy.ndarray) -> dict[str, numpy.ndarray]:
    """The four scores of confusion matrices (resamples, classes, classes), each (resamples,)."""
    hits = numpy.diagonal(confusion, axis1=1, axis2=2)
    support, guessed = confusion.sum(axis=2), confusion.sum(axis=1)
    return {name: count_score(name, hits, support, guessed) for name in SCORES}


def count_score(name: str, hits: numpy.ndarray, support: numpy.ndarray, guessed: numpy.ndarray) -> numpy.ndarray:
    """One of the four scores from counts per class, each (…, classes): how often right, in the truth, and guessed.

    UAR is over the classes that occur in the truth. The F1 scores follow scikit-learn: macro is over the classes that occur
    in the truth or among the guesses, weighted is over the classes by their support, and a class never hit counts zero.
    """
    if name == "accuracy":
        found = hits.sum(axis=-1) / support.sum(axis=-1)
    elif name == "uar":
        found = (hits / numpy.maximum(support, 1)).sum(axis=-1) / (support > 0).sum(axis=-1)
    else:
        either = support + guessed
        f1 = 2 * hits / numpy.maximum(either, 1)
        if name == "weighted_f1":
            found = (f1 * support).sum(axis=-1) / support.sum(axis=-1)
        else:
            found = f1.sum(axis=-1) / (either > 0).sum(axis=-1)
    return numpy.asarray(found)


def per_class(confusion: numpy.ndarray) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each label; a ratio over nothing is zero."""
    hits, support, guessed = numpy.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return {
        label: {
            "precision": float(hits[i] / guessed[i]) if guessed[i] else 0.0,
            "recall": float(hits[i] / support[i]) if support[i] else 0.0,
            "f1": float(2 * hits[i] / (support[i] + guessed[i])) if support[i] + guessed[i] else 0.0,
            "support": int(support[i]),
        }
        for i, label in enumerate(LABELS)
    }


def per_corpus(predictions: Predictions) -> dict[str, dict[str, float]]:
    """The four scores and the number of utterances of each corpus."""
    return _per_group(predictions, predictions.table["corpus"])


def per_gender(predictions: Predictions, genders: pandas.Series) -> dict[str, dict[str, float]]:
    """The same of the utterances of speakers of each sex, where it is known.

    Args:
        predictions: of any utterances.
        genders: utterance id -> `female` or `male`, missing where it is not known.
    """
    return _per_group(predictions, predictions.table["utterance_id"].map(genders))


def _per_group(predictions: Predictions, groups: pandas.Series) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    guesses, targets = predictions.probabilities.argmax(axis=1), predictions.targets
    for group in sorted(groups.dropna().unique()):
        rows = (groups == group).fillna(False).to_numpy(bool)
        found[str(group)] = {"n": int(rows.sum()), **plain_scores(targets[rows], guesses[rows])}
    return found
