"""Export of a model to ONNX, for use without torch, and the comparison of the two; the same for every modality."""

import importlib
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch

from emokit.errors import UsageError, WorkError
from emokit.files import write_json
from emokit.locks import new_result
from emokit.run_files import OF_ONNX

ONNX = "model.onnx"
ABOUT = "emokit.json"
UNFINISHED = '{"unfinished": "export again with --force"}\n'
TOLERANCE = 1e-4  # largest accepted difference of a logit

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
    """Refuse to start unless the packages that export needs are installed.

    Raises:
        UsageError: a package is missing.
    """
    for name in ("onnxruntime", "onnxscript"):  # the first runs the export, torch.onnx needs the second
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(
                f"{name} is not installed; install it with `pip install '.[onnx]'` in a clone of emokit."
            ) from error


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
    """Write a model as ONNX into a new folder, with its label set, and compare it with the original.

    Args:
        model: returns an object with `logits`; on the CPU; its config has the label set.
        batches: inputs by name; the model is traced with the first, and compared on all.
        dynamic: input -> the dimensions of its shape that vary between batches, each with a name.
        out: the folder to make.
        about: further content of `emokit.json`.
        save_beside: writes further files of the model into the folder, such as a tokenizer.
        force: replace an export that exists.

    Returns:
        the largest difference of a logit between the two.

    Raises:
        UsageError: the folder exists.
        WorkError: the two differ by more than `TOLERANCE`.
    """
    import onnxruntime

    with new_result(out, force=force, what=ABOUT, unfinished=UNFINISHED, names=OF_ONNX):
        names = list(batches[0])
        logits = _Logits(model, names).eval()
        _export(logits, batches[0], dynamic, out / ONNX)
        session = onnxruntime.InferenceSession(out / ONNX, providers=["CPUExecutionProvider"])
        difference = 0.0
        for batch in batches:
            exported = session.run(None, {name: batch[name].numpy() for name in names})[0]
            with torch.inference_mode():
                original = logits(*batch.values()).numpy()
            difference = max(difference, float(numpy.abs(exported - original).max()))
        if not difference <= TOLERANCE:
            raise WorkError(
                f"{out / ONNX} differs from the model by {difference:.1g}; export with another torch or onnx."
            )
        if save_beside:
            save_beside(out)
        labels = [model.config.id2label[target] for target in range(model.config.num_labels)]
        content = {"inputs": names, "output": "logits", "labels": labels, "largest_difference": difference}
        write_json(out / ABOUT, content | dict(about))
    return difference


def _export(model: _Logits, batch: Inputs, dynamic: Mapping[str, Mapping[int, str]], path: Path) -> None:
    dims = {name: torch.export.Dim(name) for axes in dynamic.values() for name in axes.values()}
    shapes: Any = (tuple({axis: dims[name] for axis, name in dynamic[input_name].items()} for input_name in batch),)
    # The exporter warns of its own deprecated code, and of packages that are not installed.
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
