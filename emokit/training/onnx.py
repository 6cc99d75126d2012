"""Export of a model to ONNX, for use without torch, and the comparison of the two; what sound and text share."""

import importlib
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch

from emokit.errors import UsageError, WorkError
from emokit.files import new_folder, write_json

ONNX = "model.onnx"
ABOUT = "emokit.json"
TOLERANCE = 1e-4  # of the logits

Inputs = Mapping[str, torch.Tensor]


class _Logits(torch.nn.Module):
    """The model as a function of its inputs in a fixed order."""

    def __init__(self, model: torch.nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits


def check_packages() -> None:
    """Refuse to begin where the packages that export needs are not installed.

    Raises:
        UsageError: names the one that is missing.
    """
    for name in ("onnxruntime", "onnxscript"):  # what runs it, and what torch.onnx translates with
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(f"{name} is not installed; install emokit with its extra onnx, emokit[onnx].") from error


def write_onnx(
    model: Any,
    batches: Sequence[Inputs],
    dynamic: Mapping[str, Mapping[int, str]],
    out: Path,
    about: Mapping[str, Any],
    *,
    save_beside: Callable[[Path], Any] | None = None,
    force: bool = False,
) -> float:
    """Write a model as ONNX into a new folder, with the order of its labels, and compare it with the original.

    Args:
        model: gives an object with `logits`; on the CPU.
        batches: inputs by name; the first is what the model is traced with, and all are compared.
        dynamic: of each input, the places of its shape that differ from batch to batch, each with a name.
        out: the folder to make.
        about: what else stands in `emokit.json`.
        save_beside: writes into the folder what belongs to the model, such as a tokenizer.
        force: replace an export that exists.

    Returns:
        the largest difference of a logit between the two.

    Raises:
        UsageError: the folder exists.
        WorkError: the two differ by more than `TOLERANCE`.
    """
    import onnxruntime

    new_folder(out, force=force, what=ABOUT)
    names = list(batches[0])
    logits = _Logits(model, names).eval()
    _export(logits, batches[0], dynamic, out / ONNX)
    session = onnxruntime.InferenceSession(out / ONNX, providers=["CPUExecutionProvider"])
    difference = 0.0
    for batch in batches:
        found = session.run(None, {name: batch[name].numpy() for name in names})[0]
        with torch.inference_mode():
            wanted = logits(*batch.values()).numpy()
        difference = max(difference, float(numpy.abs(found - wanted).max()))
    if not difference <= TOLERANCE:
        raise WorkError(f"{out / ONNX} differs from the model by {difference:.1g}; export with another torch or onnx.")
    if save_beside:
        save_beside(out)
    fixed = {
        "inputs": names,
        "output": "logits",
        "labels": [model.config.id2label[target] for target in range(model.config.num_labels)],
        "largest_difference": difference,
    }
    write_json(out / ABOUT, fixed | dict(about))
    return difference


def _export(model: _Logits, batch: Inputs, dynamic: Mapping[str, Mapping[int, str]], path: Path) -> None:
    dims = {name: torch.export.Dim(name) for places in dynamic.values() for name in places.values()}
    shapes: Any = (tuple({place: dims[dim] for place, dim in dynamic[name].items()} for name in batch),)
    # It deprecates its own parts, and tells of packages that it could translate and that are not there.
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(batch.values()),
            path,
            input_names=list(batch),
            output_names=["logits"],
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
