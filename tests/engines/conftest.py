"""A model of one matrix in a run folder, and its export."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

LABELS = ("low", "high")
# A command, and which of the modules named first it has imported.
IMPORTED = """
import sys
from emokit.cli.app import app
try:
    app(sys.argv[2:])
except SystemExit as end:
    if end.code:
        raise
sys.exit(" ".join(name for name in sys.argv[1].split() if name in sys.modules) or 0)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the test."""
    monkeypatch.setenv("EMOKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the files that decide what a run predicts."""
    (tmp_path / "run/model").mkdir(parents=True)
    (tmp_path / "run/settings.yaml").write_text("name: matrix\n")
    (tmp_path / "run/model/model.safetensors").write_bytes(b"weights")
    return tmp_path / "run"


@pytest.fixture
def export() -> Callable[[Path], None]:
    """Writes a graph that multiplies two numbers with a matrix, as an export is laid out."""
    onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

    def write(out: Path) -> None:
        helper, kind = onnx.helper, onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["inputs", "matrix"], ["logits"])],
            "matrix",
            [helper.make_tensor_value_info("inputs", kind, ["batch", 2])],
            [helper.make_tensor_value_info("logits", kind, ["batch", 2])],
            [helper.make_tensor("matrix", kind, [2, 2], [0.0, 1.0, 1.0, 0.0])],
        )
        out.mkdir()
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.save(model, out / "model.onnx")
        (out / "emokit.json").write_text(json.dumps({"labels": list(LABELS)}))

    return write
