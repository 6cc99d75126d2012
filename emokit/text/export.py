"""Export of a run of text to ONNX, for use without torch: token numbers in, seven logits out."""

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy
import torch

from emokit import runs
from emokit.errors import UsageError, WorkError
from emokit.files import new_folder, write_json
from emokit.labels import LABELS
from emokit.text.features import collate, tokenise
from emokit.text.passages import Passage
from emokit.text.predict import Encoder, load_classifier

ONNX = "model.onnx"
ABOUT = "emokit.json"
TOLERANCE = 1e-4  # of the logits

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


class _Logits(torch.nn.Module):
    """The model as a function of its inputs in a fixed order."""

    def __init__(self, model: torch.nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits


def export_onnx(run: Path, out: Path, *, force: bool = False, trust_remote_code: bool = False) -> float:
    """Write a run's model as ONNX, with its tokenizer and the order of its labels, and compare it with the original.

    Returns:
        the largest difference of a logit between the two.

    Raises:
        UsageError: the folder exists, the run has no neural model of the seven, or the ONNX packages are not installed.
        DataError: the run is not complete or its model is damaged.
        WorkError: the two differ by more than `TOLERANCE`.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  what torch.onnx translates with
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; install emokit with its extra onnx, emokit[onnx].") from error
    classifier = load_classifier(run, torch.device("cpu"), trust_remote_code=trust_remote_code)
    if not isinstance(classifier, Encoder) or classifier.labels:
        kind = runs.read_settings(run)["model"]["kind"]
        raise UsageError(f"{run} has a model of the kind {kind}; only pretrained and tiny ones are exported.")
    new_folder(out, force=force, what=ABOUT)
    batches = [
        collate(tokenise([Passage(text) for text in texts], classifier.tokenizer).rows, classifier.tokenizer)
        for texts in SAMPLES
    ]
    names = list(batches[0])
    model = _Logits(classifier.model, names).eval()
    _export(model, batches[0], out / ONNX)
    session = onnxruntime.InferenceSession(out / ONNX, providers=["CPUExecutionProvider"])
    difference = 0.0
    for batch in batches:
        found = session.run(None, {name: batch[name].numpy() for name in names})[0]
        with torch.inference_mode():
            wanted = model(*batch.values()).numpy()
        difference = max(difference, float(numpy.abs(found - wanted).max()))
    if not difference <= TOLERANCE:
        raise WorkError(f"{out / ONNX} differs from the model by {difference:.1g}; export with another torch or onnx.")
    classifier.tokenizer.save_pretrained(out)
    about = {"inputs": names, "output": "logits", "labels": list(LABELS), "largest_difference": difference}
    write_json(out / ABOUT, about | {"max_length": classifier.tokenizer.model_max_length})
    return difference


def _export(model: _Logits, batch: dict[str, torch.Tensor], path: Path) -> None:
    batch_size, length = torch.export.Dim("batch"), torch.export.Dim("length")
    shapes: Any = (tuple({0: batch_size, 1: length} for _ in batch),)
    # It deprecates its own parts, and tells of packages that it could translate and that are not there.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(batch.values()),
            path,
            input_names=model.names,
            output_names=["logits"],
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
