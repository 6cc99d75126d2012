"""Scores of predictions, each with a 95 % bootstrap interval over speakers or dialogues.

Every score is a function of sums over utterances, so a resample of clusters is a weighted sum of the sums per cluster: thousands
of resamples cost one matrix product. All utterances of a speaker are drawn together.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy
import pandas

from emokit.data.utterance import has_speakers
from emokit.labels import LabelSet
from emokit.predictions import Predictions

# Higher is better; for negative log-likelihood and expected calibration error, lower is better.
SCORES = ("accuracy", "uar", "weighted_f1", "macro_f1")
INTERVALS = (*SCORES, "nll", "ece")
NUM_RESAMPLES = 2000
NUM_BINS = 15  # of confidence, for the expected calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599)
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Sums:
    """The sums that all scores are computed from, per cluster or per resample.

    confusion: (clusters, classes, classes), rows are the truth
    nll: (clusters,) summed negative log-likelihood in nats
    bins: (clusters, bins, 2) summed confidence and summed correctness of the utterances in each bin of confidence
    """

    confusion: numpy.ndarray
    nll: numpy.ndarray
    bins: numpy.ndarray

    def resampled(self, weights: numpy.ndarray) -> "Sums":
        """Sums of resamples; weights (resamples, clusters) count how often each cluster was drawn."""
        return Sums(
            numpy.tensordot(weights, self.confusion, axes=1),
            weights @ self.nll,
            numpy.tensordot(weights, self.bins, axes=1),
        )


def score(predictions: Predictions, *, num_resamples: int = NUM_RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """The entry of one split in `metrics.json`, without its baselines."""
    sums, cluster_names = cluster_sums(predictions)
    total = sums.resampled(numpy.ones((1, len(cluster_names))))
    values = {name: float(value[0]) for name, value in scores(total).items()}
    confusion = total.confusion[0].astype(int)
    weights = bootstrap_weights(len(cluster_names), num_resamples, seed)
    resampled = scores(sums.resampled(weights))
    return {
        "n": len(predictions.table),
        "num_clusters": len(cluster_names),
        "cluster": cluster_noun(predictions.table),
        **values,
        "confusion": confusion.tolist(),
        "per_class": per_class(confusion, predictions.labels),
        "per_corpus": per_corpus(predictions),
        "interval": {name: _bounds(resampled[name]) for name in INTERVALS},
    }


def cluster_noun(table: pandas.DataFrame) -> str:
    """The name of the unit that is resampled as a whole; `group` where some corpora have dialogues and others only speakers.

    Args:
        table: utterances; those of data without speakers are speakers of their own, which is called by what it is.
    """
    in_dialogue = table["dialogue"].notna()
    if not in_dialogue.any() and not has_speakers(table):
        return "utterance"
    return "dialogue" if in_dialogue.all() else "group" if in_dialogue.any() else "speaker"


def majority_baseline(train_labels: pandas.Series, truth: Predictions) -> dict[str, Any]:
    """Scores of predicting the most frequent label of training for every utterance (the first one in a tie)."""
    counts = train_labels.value_counts()
    majority = max(truth.labels, key=lambda label: counts.get(label, 0))
    return baseline_scores(truth, numpy.full(len(truth.table), truth.labels.label2id[majority]))


def baseline_scores(truth: Predictions, predicted: numpy.ndarray) -> dict[str, Any]:
    """The four scores of a baseline's predicted targets (utterances,) with intervals, and its confusion matrix."""
    one_hot = numpy.eye(len(truth.labels))[predicted]
    table = truth.table.assign(**dict(zip(truth.labels.columns, one_hot.T, strict=True)))
    sums, clusters = cluster_sums(replace(truth, table=table))
    resampled = class_scores(sums.resampled(bootstrap_weights(len(clusters), NUM_RESAMPLES, seed=0)).confusion)
    return {
        **plain_scores(truth.targets, predicted, len(truth.labels)),
        "interval": {name: _bounds(resampled[name]) for name in SCORES},
        "confusion": confusion_matrix(truth.targets, predicted, len(truth.labels)).tolist(),
    }


def _bounds(resampled: numpy.ndarray) -> list[float]:
    """The 2.5 % and 97.5 % quantiles of a score over its resamples."""
    return [float(bound) for bound in numpy.quantile(resampled, [0.025, 0.975])]


def plain_scores(targets: numpy.ndarray, predicted: numpy.ndarray, num_classes: int) -> dict[str, float]:
    """The four scores of predicted targets (utterances,) against the true ones (utterances,), without intervals."""
    confusion = confusion_matrix(targets, predicted, num_classes)[None]
    return {name: float(value[0]) for name, value in class_scores(confusion).items()}


def confusion_matrix(targets: numpy.ndarray, predicted: numpy.ndarray, num_classes: int) -> numpy.ndarray:
    """(classes, classes) counts; rows are the truth."""
    counts = numpy.bincount(targets * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def cluster_sums(predictions: Predictions) -> tuple[Sums, numpy.ndarray]:
    """The sums of each cluster, and the names of the clusters in the same order."""
    names, cluster = numpy.unique(predictions.clusters, return_inverse=True)
    probabilities, targets = predictions.probabilities, predictions.targets
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    confusion = numpy.zeros((len(names), len(predictions.labels), len(predictions.labels)))
    numpy.add.at(confusion, (cluster, targets, predicted), 1)
    truth = numpy.clip(probabilities[numpy.arange(len(targets)), targets], SMALLEST_PROBABILITY, None)
    nll = numpy.bincount(cluster, weights=-numpy.log(truth), minlength=len(names))
    bin_numbers = calibration_bins(confidence)
    bins = numpy.zeros((len(names), NUM_BINS, 2))
    numpy.add.at(bins[:, :, 0], (cluster, bin_numbers), confidence)
    numpy.add.at(bins[:, :, 1], (cluster, bin_numbers), predicted == targets)
    return Sums(confusion, nll, bins), names


def calibration_bins(confidence: numpy.ndarray) -> numpy.ndarray:
    """(utterances,) the bin of each confidence, from 0: half-open intervals ((k-1)/15, k/15], as in Guo et al. 2017."""
    # Rounding removes what float32 adds to a confidence of exactly k/15.
    return numpy.clip(numpy.ceil(numpy.round(confidence * NUM_BINS, 5)).astype(int) - 1, 0, NUM_BINS - 1)


def quality(probabilities: numpy.ndarray, targets: numpy.ndarray) -> dict[str, Any]:
    """Calibration of probabilities (utterances, classes): `ece`, `brier`, `nll` (nats), and the `bins` of a reliability diagram.

    `brier` is the squared error summed over the classes, from 0 to 2. Each bin is [count, mean confidence, accuracy].
    """
    truth = probabilities[numpy.arange(len(targets)), targets]
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    bins = calibration_bins(confidence)
    counts = numpy.bincount(bins, minlength=NUM_BINS)
    sums = numpy.bincount(bins, weights=confidence, minlength=NUM_BINS)
    hits = numpy.bincount(bins, weights=correct, minlength=NUM_BINS)
    brier = (probabilities**2).sum(axis=1) - 2 * truth + 1
    return {
        "ece": float(numpy.abs(sums - hits).sum() / len(targets)),
        "brier": float(brier.mean()),
        "nll": float(-numpy.log(numpy.maximum(truth, SMALLEST_PROBABILITY)).mean()),
        "bins": [
            [int(count), float(total / count), float(hit / count)]
            for count, total, hit in zip(counts, sums, hits, strict=True)
            if count
        ],
    }


def bootstrap_weights(num_clusters: int, num_resamples: int, seed: int) -> numpy.ndarray:
    """(resamples, clusters) how often each cluster is drawn: one draw per cluster, with replacement."""
    equal = numpy.full(num_clusters, 1 / num_clusters)
    return numpy.random.default_rng(seed).multinomial(num_clusters, equal, size=num_resamples).astype(numpy.float64)


def scores(sums: Sums) -> dict[str, numpy.ndarray]:
    """All scores, each (resamples,)."""
    total = sums.confusion.sum(axis=(1, 2))
    gaps = numpy.abs(sums.bins[:, :, 0] - sums.bins[:, :, 1]).sum(axis=1)
    return {**class_scores(sums.confusion), "nll": sums.nll / total, "ece": gaps / total}


def class_scores(confusion: numpy.ndarray) -> dict[str, numpy.ndarray]:
    """The four scores of confusion matrices (resamples, classes, classes), each (resamples,)."""
    hits = numpy.diagonal(confusion, axis1=1, axis2=2)
    support, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    return {name: count_score(name, hits, support, predicted) for name in SCORES}


def count_score(name: str, hits: numpy.ndarray, support: numpy.ndarray, predicted: numpy.ndarray) -> numpy.ndarray:
    """One of the four scores from counts per class, each (…, classes): hits, utterances in the truth, predictions.

    UAR is the mean over the classes that occur in the truth. The F1 scores follow scikit-learn: macro F1 is the mean over the
    classes that occur in the truth or among the predictions, weighted F1 weighs the classes by their support, and a class without
    a hit counts as zero.
    """
    if name == "accuracy":
        value = hits.sum(axis=-1) / support.sum(axis=-1)
    elif name == "uar":
        value = (hits / numpy.maximum(support, 1)).sum(axis=-1) / (support > 0).sum(axis=-1)
    else:
        either = support + predicted
        f1 = 2 * hits / numpy.maximum(either, 1)
        if name == "weighted_f1":
            value = (f1 * support).sum(axis=-1) / support.sum(axis=-1)
        else:
            value = f1.sum(axis=-1) / (either > 0).sum(axis=-1)
    return numpy.asarray(value)


def per_class(confusion: numpy.ndarray, labels: LabelSet) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each label; a ratio over nothing is zero."""
    hits, support, predicted = numpy.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return {
        label: {
            "precision": float(hits[i] / predicted[i]) if predicted[i] else 0.0,
            "recall": float(hits[i] / support[i]) if support[i] else 0.0,
            "f1": float(2 * hits[i] / (support[i] + predicted[i])) if support[i] + predicted[i] else 0.0,
            "support": int(support[i]),
        }
        for i, label in enumerate(labels)
    }


def per_corpus(predictions: Predictions) -> dict[str, dict[str, float]]:
    """The four scores and the number of utterances of each corpus."""
    return _per_group(predictions, predictions.table["corpus"])


def per_gender(predictions: Predictions, genders: pandas.Series) -> dict[str, dict[str, float]]:
    """The four scores and the number of utterances per gender of the speaker, where it is known.

    Args:
        predictions: of any utterances.
        genders: utterance id -> `female` or `male`, missing where it is unknown.
    """
    return _per_group(predictions, predictions.table["utterance_id"].map(genders))


def _per_group(predictions: Predictions, groups: pandas.Series) -> dict[str, dict[str, float]]:
    group_scores: dict[str, dict[str, float]] = {}
    predicted, targets = predictions.probabilities.argmax(axis=1), predictions.targets
    for group in sorted(groups.dropna().unique()):
        rows = (groups == group).fillna(False).to_numpy(bool)
        values = plain_scores(targets[rows], predicted[rows], len(predictions.labels))
        group_scores[str(group)] = {"n": int(rows.sum()), **values}
    return group_scores
