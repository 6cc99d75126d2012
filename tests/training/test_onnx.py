"""Export to ONNX of a model of one matrix: its files, its label set, and the comparison."""

import json

import pytest
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.errors import UsageError, WorkError
from emokit.training import onnx

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

LABELS = ("low", "medium", "high")


class Linear(PreTrainedModel):
    config_class = PretrainedConfig

    def __init__(self, config):
        super().__init__(config)
        torch.manual_seed(0)
        self.net = torch.nn.Linear(5, config.num_labels)

    def forward(self, inputs):
        return SequenceClassifierOutput(logits=self.net(inputs))


@pytest.fixture
def model():
    return Linear(PretrainedConfig(id2label=dict(enumerate(LABELS)), label2id={n: i for i, n in enumerate(LABELS)}))


BATCHES = [{"inputs": torch.randn(4, 5)}, {"inputs": torch.randn(1, 5)}]
DYNAMIC = {"inputs": {0: "batch"}}


def test_the_export_returns_the_logits_of_the_model_and_has_its_label_set(model, tmp_path):
    out = tmp_path / "onnx"
    difference = onnx.write_onnx(
        model, BATCHES, DYNAMIC, out, {"sample_rate": 16_000}, save_beside=lambda folder: (folder / "a.txt").touch()
    )
    assert difference <= onnx.TOLERANCE
    assert json.loads((out / "emokit.json").read_text()) == {
        "inputs": ["inputs"],
        "output": "logits",
        "labels": list(LABELS),
        "largest_difference": difference,
        "sample_rate": 16_000,
    }
    assert sorted(path.name for path in out.iterdir()) == ["a.txt", "emokit.json", "model.onnx"]
    inputs = torch.randn(7, 5)
    session = onnxruntime.InferenceSession(out / "model.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"inputs": inputs.numpy()})
    assert torch.allclose(torch.from_numpy(logits), model(inputs).logits, atol=onnx.TOLERANCE)
    with pytest.raises(UsageError, match="exists and is not empty"):
        onnx.write_onnx(model, BATCHES, DYNAMIC, out, {})


def test_an_export_that_differs_from_the_model_is_an_error(model, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "TOLERANCE", -1.0)
    with pytest.raises(WorkError, match=r"differs from the model by .*; export with another torch or onnx\.$"):
        onnx.write_onnx(model, BATCHES, DYNAMIC, tmp_path / "onnx", {})
    assert not (tmp_path / "onnx").exists()


def test_an_export_that_was_killed_is_marked(model, tmp_path):
    out, marks = tmp_path / "onnx", []

    def killed(folder):
        marks.append((folder / "emokit.json").read_text())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        onnx.write_onnx(model, BATCHES, DYNAMIC, out, {}, save_beside=killed)
    assert [json.loads(mark) for mark in marks] == [{"unfinished": "export again with --force"}]


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(onnx.importlib, "import_module", missing)
    with pytest.raises(UsageError) as error:
        onnx.check_packages()
    assert str(error.value) == (
        "onnxruntime is not installed; install it with `pip install '.[onnx]'` in a clone of emokit."
    )
