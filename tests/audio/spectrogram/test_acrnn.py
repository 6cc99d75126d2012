"""ACRNN: the published shapes, and that it is a transformers model like any other."""

import json

import pytest
import torch

from emokit.audio.spectrogram.acrnn import (
    AcrnnConfig,
    AcrnnForAudioClassification,
    ChannelAttention,
    ResidualBlock,
    SpatialAttention,
)
from emokit.labels import DEFAULT_LABELS
from emokit.training.model_checks import load_pretrained

SMALL = {
    "n_mels": 32,
    "channels": (4, 8),
    "lstm_hidden_size": 8,
    "num_attention_heads": 2,
    "classifier_hidden_size": 8,
    "window_frames": 40,
    "id2label": DEFAULT_LABELS.id2label,
    "label2id": DEFAULT_LABELS.label2id,
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return AcrnnForAudioClassification(AcrnnConfig(**SMALL)).eval()


def shapes_of(module, inputs):
    seen = {}
    for name, inner in module.named_modules():
        inner.register_forward_hook(lambda _, __, output, name=name: seen.setdefault(name, output))
    module(inputs)
    return seen


def test_the_default_model_has_the_published_shapes():
    with torch.inference_mode():
        seen = shapes_of(AcrnnForAudioClassification(AcrnnConfig(num_labels=7)).eval(), torch.randn(2, 130, 128))
    assert seen["stem"].shape == (2, 64, 64, 65)
    assert [seen[f"blocks.{i}"].shape[1] for i in range(4)] == [64, 128, 256, 512]
    assert seen["blocks.3"].shape == (2, 512, 4, 4)
    assert seen["projection"].shape == (2, 4, 256)
    assert seen["lstm"][0].shape == (2, 4, 256)  # the 256 numbers that describe an utterance, at each of four steps
    assert seen[""].logits.shape == (2, 7)


def test_fewer_poolings_of_time_leave_more_steps():
    config = AcrnnConfig(channels=(4, 8, 16, 32), time_poolings=3, lstm_hidden_size=8, classifier_hidden_size=8)
    with torch.inference_mode():
        seen = shapes_of(AcrnnForAudioClassification(config).eval(), torch.randn(2, 130, 128))
    assert seen["stem"].shape == (2, 4, 64, 65)
    assert [seen[f"blocks.{i}"].shape[3] for i in range(4)] == [32, 16, 16, 16]
    assert seen["blocks.3"].shape[2] == 4  # mels are pooled in every block
    assert seen["lstm"][0].shape == (2, 16, 16)


def test_skip_connections_are_sums_that_are_normalised(model):
    skipping = AcrnnForAudioClassification(AcrnnConfig(**SMALL, skip_connections=True)).eval()
    skipping.load_state_dict(model.state_dict(), strict=False)
    inputs = torch.randn(2, 40, 32)
    seen = shapes_of(skipping, inputs)
    steps = torch.nn.functional.layer_norm(seen["projection"] + seen["lstm"][0], (16,))
    assert torch.allclose(seen["lstm_norm"], steps, atol=1e-5)
    attended, _ = skipping.attention(steps, steps, steps)
    expected = torch.nn.functional.layer_norm(steps + attended, (16,)).mean(dim=1)
    assert torch.allclose(seen["head.0"], skipping.head[0](expected), atol=1e-5)
    assert not torch.allclose(seen[""].logits, model(inputs).logits, atol=1e-3)


def test_skip_connections_pass_more_gradient_to_the_convolutions():
    def norm(skip_connections: bool) -> float:
        torch.manual_seed(0)
        new = AcrnnForAudioClassification(
            AcrnnConfig(n_mels=64, channels=(8, 16, 32, 64), skip_connections=skip_connections, num_labels=7)
        )
        logits = new(torch.randn(32, 130, 64)).logits
        torch.nn.functional.cross_entropy(logits, torch.arange(32) % 7).backward()
        convolutions = [*new.stem.parameters(), *new.blocks.parameters()]
        return float(torch.stack([parameter.grad.norm() for parameter in convolutions]).norm())

    assert norm(True) > 20 * norm(False)


def test_decibels_are_standardised_with_the_training_splits_mean(model):
    inputs = torch.randn(3, 40, 32) * 9 - 50
    before = model(inputs).logits
    model.standardise_with(torch.full((32,), -50.0), torch.full((32,), 9.0))
    after = model(inputs).logits
    model.standardise_with(torch.zeros(32), torch.ones(32))
    assert torch.allclose(after, model((inputs + 50) / 9).logits, atol=1e-5)
    assert not torch.allclose(before, after, atol=1e-3)


def test_a_bin_that_never_varies_does_not_divide_by_zero(model):
    model.standardise_with(torch.zeros(32), torch.zeros(32))
    assert torch.isfinite(model(torch.zeros(1, 40, 32)).logits).all()


def test_a_saved_model_is_the_same_model(model, tmp_path):
    model.standardise_with(torch.linspace(-60, -20, 32), torch.linspace(5, 15, 32))
    model.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    loaded = load_pretrained(AcrnnForAudioClassification, tmp_path)
    inputs = torch.randn(2, 40, 32) * 9 - 50
    assert torch.equal(model(inputs).logits, loaded(inputs).logits)
    assert [loaded.config.id2label[i] for i in range(7)] == list(DEFAULT_LABELS)


def test_a_config_without_skip_connections_and_poolings_means_the_studys_network(model, tmp_path):
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["skip_connections"], config["time_poolings"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = load_pretrained(AcrnnForAudioClassification, tmp_path)
    inputs = torch.randn(2, 40, 32)
    assert torch.equal(model(inputs).logits, loaded(inputs).logits)


def test_initial_weights_are_those_of_torch():
    torch.manual_seed(5)
    expected = torch.nn.Conv2d(1, 4, 3, padding=1, bias=False).weight
    torch.manual_seed(5)
    assert torch.equal(AcrnnForAudioClassification(AcrnnConfig(**SMALL)).stem[0].weight, expected)


def test_channel_attention_scales_each_channel_by_a_number_between_zero_and_one():
    torch.manual_seed(0)
    attention, maps = ChannelAttention(8, 4), torch.rand(2, 8, 5, 6) + 0.1
    ratio = attention(maps) / maps
    assert torch.allclose(ratio, ratio[:, :, :1, :1].expand_as(ratio), atol=1e-5)
    assert bool((ratio > 0).all())
    assert bool((ratio < 1).all())
    summary = attention.mlp(maps.mean((2, 3))) + attention.mlp(maps.flatten(2).max(2).values)
    assert torch.allclose(ratio[:, :, 0, 0], torch.sigmoid(summary), atol=1e-5)


def test_spatial_attention_scales_each_position_by_a_number():
    torch.manual_seed(0)
    attention, maps = SpatialAttention(), torch.rand(2, 8, 5, 6) + 0.1
    ratio = attention(maps) / maps
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio), atol=1e-5)
    summary = torch.stack([maps.mean(dim=1), maps.amax(dim=1)], dim=1)
    assert torch.allclose(ratio[:, :1], torch.sigmoid(attention.conv(summary)), atol=1e-5)


def test_a_residual_block_with_a_zero_convolution_is_its_pooled_shortcut():
    block = ResidualBlock(4, 4, 2).eval()
    torch.nn.init.zeros_(block.conv.weight)
    maps = torch.randn(1, 4, 6, 7)
    assert torch.equal(block(maps), torch.nn.functional.max_pool2d(maps, 2))


def test_an_utterance_alone_and_in_a_batch_has_the_same_logits(model):
    inputs = torch.randn(5, 40, 32)
    together = model(inputs).logits
    assert torch.allclose(together[2], model(inputs[2:3]).logits[0], atol=1e-6)


def test_the_mean_of_the_time_steps_through_the_head_gives_the_logits(model):
    windows = torch.randn(3, 40, 32)
    steps = model.time_steps(windows)
    assert steps.shape == (3, 5, 16)
    assert torch.equal(model.head(steps.mean(dim=1)), model(windows).logits)
