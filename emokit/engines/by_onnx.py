"""The engine that computes with ONNX Runtime, on the CPU and without torch."""

import os
from pathlib import Path
from typing import Any

import numpy

from emokit.engines.protocol import Engine, Inputs

BATCH_WINDOWS = 16
ERRORS_ONLY = 3
TYPES: dict[str, Any] = {
    "tensor(float)": numpy.float32,
    "tensor(int64)": numpy.int64,
    "tensor(int32)": numpy.int32,
    "tensor(bool)": numpy.bool_,
}


class OnnxEngine(Engine):
    """A model that `training.onnx.write_onnx` wrote.

    Attributes:
        about: the content of its `emokit.json`.
        folder: of the export.
    """

    batch_windows = BATCH_WINDOWS

    def __init__(self, model: Path, about: dict[str, Any]) -> None:
        """Load it.

        Args:
            model: the file.
            about: the content of the file beside it.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        # Idle threads wait instead of using up a processor; torch's limit of threads counts here too.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdecimal():
            options.intra_op_num_threads = int(threads)
        self.about, self.folder = about, model.parent
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.types = {entry.name: TYPES[entry.type] for entry in self.session.get_inputs()}

    def __call__(self, inputs: Inputs) -> numpy.ndarray:
        """As `Engine.__call__`."""
        typed = {name: inputs[name].astype(kind, copy=False) for name, kind in self.types.items()}
        logits: numpy.ndarray = self.session.run(None, typed)[0]
        return logits
