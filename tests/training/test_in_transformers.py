"""Emokit's own models as classes of transformers."""

import json

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.training.in_transformers import config_in_transformers, in_transformers, model_in_transformers
from tests.training.test_plain_model import Scale, ScaleConfig


def test_a_model_has_the_same_tensors_and_logits_and_shares_its_memory():
    model = Scale(ScaleConfig(size=4, num_labels=3)).eval()
    result = in_transformers(model)
    assert isinstance(result, PreTrainedModel)
    assert isinstance(result, Scale)
    assert not result.training
    assert result.state_dict().keys() == model.state_dict().keys()
    assert result.layer.weight.data_ptr() == model.layer.weight.data_ptr()
    values = torch.randn(2, 4)
    output = result(values=values, return_dict=True)
    assert isinstance(output, SequenceClassifierOutput)
    assert torch.equal(output.logits, model(values).logits)


def test_the_config_is_written_with_all_fields_and_labels(tmp_path):
    Scale(ScaleConfig(id2label={0: "low", 1: "high"}, label2id={"low": 0, "high": 1})).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    del written["transformers_version"]
    labels = {"id2label": {"0": "low", "1": "high"}, "label2id": {"low": 0, "high": 1}}
    assert written == {"architectures": ["Scale"], "dtype": "float32", "model_type": "scale", "size": 3, **labels}


def test_the_classes_are_made_once_and_read_the_folder(tmp_path):
    model_class = model_in_transformers(Scale)
    assert model_class is model_in_transformers(Scale)
    assert model_class.config_class is config_in_transformers(ScaleConfig)
    model = Scale(ScaleConfig(size=5)).eval()
    model.save_pretrained(tmp_path)
    loaded = model_class.from_pretrained(tmp_path)
    assert loaded.config.size == 5
    values = torch.randn(2, 5)
    assert torch.equal(loaded(values).logits, model(values).logits)
