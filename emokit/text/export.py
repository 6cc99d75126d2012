"""Export of a text run to ONNX: token ids in, one logit per label out."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from emokit import runs
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.text.classified import without_onnx
from emokit.text.classifier import EncoderClassifier, load_classifier
from emokit.text.fast_tokenizer import FastTokenizer, write_fast
from emokit.text.features import collate, tokenize
from emokit.text.passages import Passage
from emokit.text.settings import TextSettings
from emokit.training.onnx import check_packages, write_onnx

# One batch of several lengths, and one of a single word: the exported model must take both.
SAMPLES = (
    (
        "I did not expect that!",
        "Thanks.",
        "This is the worst day of my life, and it is only Monday morning.",
        "😂 مرحبا",
    ),
    ("No",),
)
# Of a dialogue, and of more tokens than any encoder takes.
CUT = [
    Passage("Why not?", "Anna", ("Ben: Come along!", "Anna: No.")),
    Passage("never " * 3000, "Anna", ("Ben: Come!",)),
]


def export_onnx(run: Path, out: Path, *, force: bool = False, trust_remote_code: bool = False) -> float:
    """Write a run's model as ONNX, with its tokenizer and its label set, and compare it with the original.

    Returns:
        the largest difference of a logit between the two.

    Raises:
        UsageError: the folder exists, the model is not a trained encoder, or the ONNX packages are not installed.
        DataError: the run is incomplete or its model is damaged.
        WorkError: the two differ by more than `onnx.TOLERANCE`.
    """
    check_packages()
    runs.check_complete(run)
    settings = TextSettings.make(runs.read_settings(run), str(run / runs.SETTINGS), DataError)
    labels = runs.read_labels(run)
    if without_onnx(settings):
        raise UsageError(
            f"{run} has a {settings.model.kind} model; only pretrained and tiny models and probes can be exported."
        )
    classifier = load_classifier(run, settings, labels, torch.device("cpu"), trust_remote_code=trust_remote_code)
    tokenizer = classifier.tokenizer
    return _write(classifier, labels, out, tokenizer.save_pretrained, force=force)


def export_classifier(classifier: EncoderClassifier, labels: LabelSet, out: Path) -> None:
    """Write the export that `OnnxClassifier` reads, with a tokenizer for it that is compared with the model's own.

    Raises:
        UsageError: the ONNX packages are not installed.
        WorkError: as `export_onnx`.
        ValueError: the two tokenizers differ, or there is none of the package `tokenizers`.
    """
    check_packages()
    _write(classifier, labels, out, partial(write_fast, classifier.tokenizer))
    fast = FastTokenizer(out)
    for passages in ([Passage(text) for texts in SAMPLES for text in texts], CUT):
        rows = [tokenize(passages, tokenizer).rows for tokenizer in (classifier.tokenizer, fast)]
        padded = collate(rows[0], classifier.tokenizer), fast.pad(rows[1])
        if rows[0] != rows[1] or any((padded[0][name].numpy() != padded[1][name]).any() for name in padded[0]):
            raise ValueError("its tokenizer and that of the package tokenizers differ")


def _write(
    classifier: EncoderClassifier,
    labels: LabelSet,
    out: Path,
    save_beside: Callable[[Path], Any],
    *,
    force: bool = False,
) -> float:
    tokenizer = classifier.tokenizer
    batches = [collate(tokenize([Passage(text) for text in texts], tokenizer).rows, tokenizer) for texts in SAMPLES]
    dynamic = {name: {0: "batch", 1: "length"} for name in batches[0]}
    about = {"labels": list(labels), "max_length": tokenizer.model_max_length}
    return write_onnx(classifier.model, batches, dynamic, out, about, save_beside=save_beside, force=force)
