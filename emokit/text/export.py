"""Export of a run of text to ONNX: token numbers in, seven logits out."""

from pathlib import Path

import torch

from emokit import runs
from emokit.errors import UsageError
from emokit.text.features import collate, tokenise
from emokit.text.passages import Passage
from emokit.text.predict import Encoder, load_classifier
from emokit.training.onnx import check_packages, write_onnx

# One batch of several lengths, and one of a single word: what is exported must take both.
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
    """Write a run's model as ONNX, with its tokenizer and the order of its labels, and compare it with the original.

    Returns:
        the largest difference of a logit between the two.

    Raises:
        UsageError: the folder exists, the run has no neural model of the seven, or the ONNX packages are not installed.
        DataError: the run is not complete or its model is damaged.
        WorkError: the two differ by more than `onnx.TOLERANCE`.
    """
    check_packages()
    classifier = load_classifier(run, torch.device("cpu"), trust_remote_code=trust_remote_code)
    if not isinstance(classifier, Encoder) or classifier.labels:
        kind = runs.read_settings(run)["model"]["kind"]
        raise UsageError(f"{run} has a model of the kind {kind}; only pretrained and tiny ones are exported.")
    tokenizer = classifier.tokenizer
    batches = [collate(tokenise([Passage(text) for text in texts], tokenizer).rows, tokenizer) for texts in SAMPLES]
    dynamic = {name: {0: "batch", 1: "length"} for name in batches[0]}
    about = {"max_length": tokenizer.model_max_length}
    save_beside = tokenizer.save_pretrained
    return write_onnx(classifier.model, batches, dynamic, out, about, save_beside=save_beside, force=force)
