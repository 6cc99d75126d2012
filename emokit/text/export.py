"""Export of a text run to ONNX: token ids in, one logit per label out."""

from pathlib import Path

import torch

from emokit import runs
from emokit.errors import DataError, UsageError
from emokit.text.classifier import EncoderClassifier, load_classifier
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
    classifier = load_classifier(run, settings, labels, torch.device("cpu"), trust_remote_code=trust_remote_code)
    if not isinstance(classifier, EncoderClassifier) or classifier.label_map:
        raise UsageError(f"{run} has a {settings.model.kind} model; only pretrained and tiny models can be exported.")
    tokenizer = classifier.tokenizer
    batches = [collate(tokenize([Passage(text) for text in texts], tokenizer).rows, tokenizer) for texts in SAMPLES]
    dynamic = {name: {0: "batch", 1: "length"} for name in batches[0]}
    about = {"labels": list(labels), "max_length": tokenizer.model_max_length}
    save_beside = tokenizer.save_pretrained
    return write_onnx(classifier.model, batches, dynamic, out, about, save_beside=save_beside, force=force)
