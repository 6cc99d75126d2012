"""The hash of an encoder: of its weights, not of its name nor of weights that no layer depends on."""

import torch

from emokit.training.encoder_hash import encoder_hash, used_config


def test_the_hash_is_of_the_used_weights_and_the_config():
    weights = {"layer.weight": torch.ones(2, 3), "pooler.weight": torch.zeros(2)}
    other = weights | {"pooler.weight": torch.ones(2)}
    about = [used_config({"_name_or_path": "somewhere", "hidden_size": 3})]
    assert about == [{"hidden_size": 3}]
    first = encoder_hash(about, weights, ["pooler."])
    assert len(first) == 16
    assert encoder_hash(about, other, ["pooler."]) == first
    assert encoder_hash(about, other) != encoder_hash(about, weights)
    assert encoder_hash([{"hidden_size": 4}], weights, ["pooler."]) != first
    assert encoder_hash(about, weights | {"layer.weight": torch.zeros(2, 3)}, ["pooler."]) != first
