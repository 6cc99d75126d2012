"""Parameter groups with layer-wise learning rates, by hand."""

import pytest
from torch import nn

from emokit.training.layer_decay import depth, scaled_groups


def test_each_scale_has_its_groups_and_only_matrices_decay():
    model = nn.ModuleDict({"low": nn.Linear(3, 2), "high": nn.Linear(2, 2), "frozen": nn.Linear(2, 2)})
    model["frozen"].requires_grad_(False)
    groups = scaled_groups(model, lambda name: 0.25 if name.startswith("low") else 1.0, 0.1)
    shapes = {(group["lr_scale"], group["weight_decay"]): [p.shape for p in group["params"]] for group in groups}
    assert shapes == {(0.25, 0.1): [(2, 3)], (0.25, 0.0): [(2,)], (1.0, 0.1): [(2, 2)], (1.0, 0.0): [(2,)]}


@pytest.mark.parametrize(
    ("name", "height"),
    [
        ("encoder.layers.0.fc.weight", 1),
        ("encoder.layers.11.fc.bias", 12),
        ("pos_embed.conv.0.weight", 0),
        ("head.weight", 13),
    ],
)
def test_layers_are_counted_from_below(name, height):
    assert depth(name, 12, r"\.layers\.(\d+)\.", "embed") == height
