"""Emotion classifiers used without training: a table in the settings maps their labels to the labels of the data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy
from scipy.special import expit, softmax
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.text.model import load_tokenizer, load_weights, match_tokenizer
from emokit.text.settings import TextSettings
from emokit.training.hub import find_model


@dataclass(frozen=True)
class LabelMap:
    """The map from a classifier's labels to the labels of the data."""

    labels: LabelSet
    matrix: numpy.ndarray
    """(classifier's labels, classes) 1 where the label becomes the class."""
    is_multi_label: bool
    """Whether the classifier has a sigmoid per label, so that its probabilities need not sum to one."""

    @property
    def missing(self) -> list[str]:
        """Labels of the data that the classifier never predicts."""
        counts = self.matrix.sum(axis=0)
        return [label for label, count in zip(self.labels, counts, strict=True) if not count]

    def probabilities(self, logits: numpy.ndarray) -> numpy.ndarray:
        """Logits (texts, classifier's labels) -> (texts, classes): sums over each class's labels, normalised to one."""
        label_probabilities = expit(logits) if self.is_multi_label else softmax(logits, axis=1)
        # The floor gives probabilities to a text whose mapped labels all underflow.
        sums = numpy.maximum(label_probabilities @ self.matrix, 1e-30) * self.matrix.any(axis=0)
        return numpy.asarray(sums / sums.sum(axis=1, keepdims=True))


def classifier(
    settings: TextSettings, labels: LabelSet, *, trust_remote_code: bool = False
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The classifier that the settings name, with its head and labels, and its tokenizer.

    Raises:
        UsageError: as `model.pretrained` and `label_map`.
        DataError: as `model.pretrained`, or it has no head.
    """
    folder = find_model(settings.model.name, settings.model.revision)
    tokenizer = load_tokenizer(folder, settings.model, trust_remote_code=trust_remote_code)
    model, missing = load_weights(folder, settings.model, trust_remote_code=trust_remote_code)
    if missing:
        raise DataError(
            f"{settings.model.name} has no classification head ({missing[0]} is missing), so it needs training; "
            "fine-tune it with model.kind=pretrained."
        )
    label_map(model.config, settings.model.labels, settings.model.name, labels)
    match_tokenizer(tokenizer, model, settings)
    return model, tokenizer


def label_map(config: PretrainedConfig, mapping: Mapping[str, str | None], name: str, labels: LabelSet) -> LabelMap:
    """The map of a classifier.

    Args:
        config: of the classifier.
        mapping: `model.labels`.
        name: of the classifier, for errors.
        labels: the label set of the data.

    Raises:
        UsageError: the mapping names a label that the data lack, lacks a label of the classifier, or maps none of them.
    """
    for label, mapped in mapping.items():
        if mapped is not None and mapped not in labels:
            raise UsageError(
                f"model.labels maps {label} to {mapped}, and the data have {', '.join(labels)}; map it to one of them "
                "or to null."
            )
    classifier_labels = [config.id2label[number] for number in range(config.num_labels)]
    unmapped = [label for label in classifier_labels if label not in mapping]
    if unmapped:
        raise UsageError(
            f"{name} has the label {unmapped[0]}, which model.labels lacks; map it to one of {', '.join(labels)} or to null."
        )
    matrix = numpy.zeros((len(classifier_labels), len(labels)))
    for number, label in enumerate(classifier_labels):
        if (mapped := mapping[label]) is not None:
            matrix[number, labels.label2id[mapped]] = 1
    if not matrix.any():
        raise UsageError(
            f"{name} has the labels {', '.join(classifier_labels)}, and model.labels maps all of them to null; "
            f"map one or more to {', '.join(labels)}."
        )
    return LabelMap(labels, matrix, config.problem_type == "multi_label_classification")
