"""Somebody else's emotion classifier scored as it is: its labels mapped onto the seven by a table in the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy
from scipy.special import expit, softmax
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from emokit.errors import DataError, UsageError
from emokit.labels import LABELS, NUM_LABELS, TARGETS
from emokit.text.model import match, read_tokenizer, read_weights
from emokit.text.settings import TextSettings
from emokit.training.hub import find_model


@dataclass(frozen=True)
class LabelMap:
    """What becomes of a classifier's own labels."""

    matrix: numpy.ndarray
    """(its labels, classes) 1 where its label becomes the class."""
    several: bool
    """Whether its labels do not exclude one another (a sigmoid each), so that their probabilities need not sum to one."""

    @property
    def missing(self) -> list[str]:
        """Those of the seven that it never says."""
        return [label for label, there in zip(LABELS, self.matrix.sum(axis=0), strict=True) if not there]

    def probabilities(self, logits: numpy.ndarray) -> numpy.ndarray:
        """Logits (texts, its labels) -> (texts, classes): each class has its labels' sum, and what is left out is shared out."""
        own = expit(logits) if self.several else softmax(logits, axis=1)
        found: numpy.ndarray = numpy.maximum(own @ self.matrix, 1e-30) * self.matrix.any(axis=0)
        return found / found.sum(axis=1, keepdims=True)


def classifier(
    settings: TextSettings, *, trust_remote_code: bool = False
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The classifier that the settings name, with its own head and labels, and its tokenizer.

    Raises:
        UsageError, DataError: as `model.pretrained`; and where it has no head, or a label that `model.labels` lacks.
    """
    of = settings.model
    folder = find_model(of.name, of.revision)
    tokenizer = read_tokenizer(folder, of, trust_remote_code=trust_remote_code)
    model, missing = read_weights(folder, of, trust_remote_code=trust_remote_code)
    if missing:
        raise DataError(
            f"{of.name} has no classification head ({missing[0]} is missing), so it cannot be scored as it is; "
            "fine-tune it with model.kind=pretrained."
        )
    label_map(model.config, of.labels, of.name)
    match(tokenizer, model, settings)
    return model, tokenizer


def label_map(config: PretrainedConfig, labels: Mapping[str, str | None], name: str) -> LabelMap:
    """Make the map for a classifier's config.

    Raises:
        UsageError: the classifier has a label that the table lacks, or none that becomes one of the seven.
    """
    own = [config.id2label[number] for number in range(config.num_labels)]
    unknown = [label for label in own if label not in labels]
    if unknown:
        raise UsageError(
            f"{name} says {unknown[0]}, which model.labels lacks; map it to one of {', '.join(LABELS)}, or to null."
        )
    matrix = numpy.zeros((len(own), NUM_LABELS))
    for number, label in enumerate(own):
        if (mapped := labels[label]) is not None:
            matrix[number, TARGETS[mapped]] = 1
    if not matrix.any():
        raise UsageError(f"{name} says {', '.join(own)}, and model.labels maps none of them to one of the seven.")
    return LabelMap(matrix, config.problem_type == "multi_label_classification")
