"""Models of emokit's own without transformers, and what `emokit.training.in_transformers` writes of them."""

import json

import pytest
import safetensors.torch
import torch

from emokit.errors import DataError
from emokit.training.model_checks import load_pretrained
from emokit.training.plain_model import Output, PlainConfig, PlainModel


class ScaleConfig(PlainConfig):
    model_type = "scale"

    def __init__(self, size=3, **kwargs):
        self.size = size
        super().__init__(**kwargs)


class Scale(PlainModel):
    """A model of one layer and a buffer."""

    config_class = ScaleConfig
    base_model_prefix = "scale"
    main_input_name = "values"

    def __init__(self, config):
        super().__init__(config)
        self.layer = torch.nn.Linear(config.size, config.num_labels)
        self.register_buffer("count", torch.tensor(7))

    def forward(self, values, return_dict=None, **_):
        return Output(self.layer(values))


def refusal(folder):
    with pytest.raises(DataError) as error:
        load_pretrained(Scale, folder)
    return str(error.value)


def test_labels_are_those_given_or_invented_and_other_values_are_attributes():
    assert (PlainConfig().num_labels, PlainConfig(num_labels=3).id2label[2]) == (2, "LABEL_2")
    config = PlainConfig(id2label={"0": "low", "1": "high"}, other=[4])
    assert (config.id2label, config.label2id, config.other) == ({0: "low", 1: "high"}, {"low": 0, "high": 1}, [4])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_saved_model_is_the_same_model_with_numbers_of_the_same_type(tmp_path, dtype):
    model = Scale(ScaleConfig(size=4, id2label={0: "low", 1: "middle", 2: "high"})).to(dtype)
    before = torch.get_rng_state()
    model.save_pretrained(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    loaded = load_pretrained(Scale, tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    values = torch.randn(2, 4, dtype=dtype)
    assert torch.equal(loaded(values).logits, model(values).logits)
    assert (loaded.config.size, loaded.config.num_labels, int(loaded.count)) == (4, 3, 7)
    assert (loaded.training, loaded.device.type) == (False, "cpu")


def test_what_is_not_whole_is_refused(tmp_path):
    Scale(ScaleConfig()).save_pretrained(tmp_path)
    file, advice = tmp_path / "model.safetensors", "train the run again with --force."
    weights = safetensors.torch.load_file(file)
    for changed, fault in (
        ({"count": weights["count"]}, "layer.bias is missing"),
        ({**weights, "more": torch.zeros(2)}, "more has no place in the model of its config.json"),
        ({**weights, "layer.bias": torch.zeros(5)}, "layer.bias has another shape than its config.json states"),
    ):
        safetensors.torch.save_file(changed, file)
        assert refusal(tmp_path) == f"{tmp_path} has a damaged model ({fault}); {advice}"
    file.write_bytes(b"cut")
    assert refusal(tmp_path).startswith(f"{tmp_path} holds no complete model (")


def test_a_config_of_a_size_beyond_any_memory_is_refused(tmp_path):
    Scale(ScaleConfig()).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"size": 10**14}))
    assert "layer.weight has another shape than its config.json states" in refusal(tmp_path)
