"""The ONNX engine."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from emokit.engines.by_onnx import OnnxEngine


def test_it_takes_inputs_by_name_and_leaves_others_out(export: Callable[[Path], None], tmp_path: Path) -> None:
    export(tmp_path / "out")
    engine = OnnxEngine(tmp_path / "out/model.onnx", {"rate": 1})
    inputs = numpy.array([[1.0, 2.0]], numpy.float32)

    assert engine({"inputs": inputs, "other": inputs}).tolist() == [[2.0, 1.0]]
    assert (engine.about, engine.batch_windows) == ({"rate": 1}, 16)


def test_threads_are_limited_as_those_of_torch_are(
    export: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tmp_path / "out")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    options = OnnxEngine(tmp_path / "out/model.onnx", {}).session.get_session_options()

    assert options.intra_op_num_threads == 1
