"""Layer-wise learning rates, by hand."""

import pytest
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
)

from emokit.text.layers import layer_groups
from emokit.text.settings import TextTrainingSettings

SMALL = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 20}


def scales(model, decay):
    groups = layer_groups(model, TextTrainingSettings(layer_decay=decay, weight_decay=0.1))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert sum(len(group["params"]) for group in groups) == len(names)
    return {names[id(p)]: (group["lr_scale"], group["weight_decay"]) for group in groups for p in group["params"]}


def test_each_layer_has_a_lower_rate_than_the_one_above_it():
    scale_and_decay = scales(BertForSequenceClassification(BertConfig(num_hidden_layers=2, **SMALL)), 0.5)
    assert scale_and_decay["classifier.weight"] == (1.0, 0.1)
    assert scale_and_decay["bert.pooler.dense.bias"] == (1.0, 0.0)
    assert scale_and_decay["bert.encoder.layer.1.attention.self.query.weight"] == (0.5, 0.1)
    assert scale_and_decay["bert.encoder.layer.0.output.LayerNorm.weight"] == (0.25, 0.0)
    assert scale_and_decay["bert.embeddings.word_embeddings.weight"] == pytest.approx((0.125, 0.1))


def test_layers_of_other_encoders_are_recognised():
    scale_and_decay = scales(
        DistilBertForSequenceClassification(
            DistilBertConfig(dim=8, n_heads=2, hidden_dim=8, n_layers=3, vocab_size=20)
        ),
        0.5,
    )
    assert scale_and_decay["distilbert.transformer.layer.2.ffn.lin1.weight"][0] == 0.5
    assert scale_and_decay["distilbert.embeddings.word_embeddings.weight"][0] == 0.0625
    assert scale_and_decay["pre_classifier.weight"][0] == 1.0


def test_without_decay_the_default_groups_are_used():
    model = BertForSequenceClassification(BertConfig(num_hidden_layers=1, **SMALL))
    assert layer_groups(model, TextTrainingSettings()) is None
