"""Encoders that are loaded: their weights, the sentences for those that do not suit, and each layer's learning rate."""

import json
import math
import shutil

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from transformers import AutoModel, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from emokit.audio.settings import AudioSettings, AudioTrainingSettings
from emokit.audio.waveform import pretrained as pretrained_module
from emokit.audio.waveform.pretrained import find_processor, layer_groups, pretrained
from emokit.errors import DataError, UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet
from tests.audio.conftest import write_encoder


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """An empty cache, and no hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def settings(name, **groups):
    return AudioSettings.make({"model": {"name": str(name)}} | groups)


def new_model(name, **groups):
    return pretrained(settings(name, **groups), DEFAULT_LABELS)


def refusal(kind, name, **groups):
    with pytest.raises(kind) as error:
        new_model(name, **groups)
    return str(error.value)


@pytest.fixture
def copied(encoder_of, tmp_path):
    """A small wav2vec 2.0 that a test may damage."""
    return shutil.copytree(encoder_of("wav2vec2"), tmp_path / "copy")


def test_the_encoders_weights_are_those_of_the_folder_and_the_heads_are_seeded(encoder_of):
    folder = encoder_of("wav2vec2")
    model, again = new_model(folder), new_model(folder)
    other = new_model(folder, training={"seed": 1})
    state, expected = model.encoder.state_dict(), Wav2Vec2Model.from_pretrained(folder).state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    assert torch.equal(model.head[0].weight, again.head[0].weight)
    assert not torch.equal(model.head[0].weight, other.head[0].weight)


def test_the_head_has_the_classes_of_the_label_set(encoder_of):
    labels = LabelSet(("positive", "negative"))
    model = pretrained(settings(encoder_of("wav2vec2")), labels)
    assert model.head[3].out_features == 2
    assert model.config.label2id == {"positive": 0, "negative": 1}


def test_of_whisper_the_encoder_is_used(encoder_of):
    model = new_model(encoder_of("whisper"), data={"window_seconds": 2.0})
    assert not [name for name, _ in model.named_parameters() if "decoder" in name]
    assert len(model.layer_weights) == 3


def test_weights_without_safetensors_are_read_as_tensors_only(copied):
    model = Wav2Vec2Model.from_pretrained(copied)
    (copied / "model.safetensors").unlink()
    torch.save(model.state_dict(), copied / "pytorch_model.bin")
    state = new_model(copied).encoder.state_dict()
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    torch.save({"weights": SystemExit}, copied / "pytorch_model.bin")  # a pickle that would run code is refused
    assert refusal(DataError, copied).startswith(f"{copied} holds no complete model (")
    (copied / "pytorch_model.bin").unlink()
    assert refusal(DataError, copied) == (
        f"{copied} has no weights as safetensors or pytorch_model.bin, and emokit reads no others; convert them or choose others."
    )


def test_an_encoder_that_is_not_cached_is_refused_offline_in_one_sentence():
    assert refusal(DataError, "some/encoder") == (
        "some/encoder is no folder and not in the cache of downloaded models, and the hub cannot be reached; "
        "fetch it where there is a network with `hf download some/encoder`."
    )


def test_another_sample_rate_than_the_encoders_is_refused_where_it_was_set(copied):
    assert refusal(UsageError, copied, features={"sample_rate": 44_100}) == (
        f"features.sample_rate is 44100 and {copied} takes 16000 Hz; leave it out: "
        "recordings are resampled to the encoder's rate."
    )
    Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(copied)
    assert find_processor(settings(copied))[1].sample_rate == 8000
    assert refusal(UsageError, copied, features={"sample_rate": 16_000}).startswith(
        f"features.sample_rate is 16000 and {copied} takes 8000 Hz; "
    )


def test_a_window_longer_than_whispers_input_is_refused(encoder_of):
    assert refusal(UsageError, encoder_of("whisper"), data={"window_seconds": 3.0}) == (
        f"data.window_seconds is 3 and {encoder_of('whisper')} takes at most 2 s; lower it."
    )


def test_a_damaged_encoder_is_named(copied):
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert refusal(DataError, copied).startswith(f"{copied} holds no complete model (")
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoConfig": "x.C"}, "model_type": "own"}))
    assert refusal(UsageError, copied) == f"{copied} runs code that comes with it; choose another model.name."


def test_missing_weights_are_not_replaced_by_random_ones(copied, tmp_path):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    assert refusal(DataError, copied).startswith(
        f"{copied} lacks weights of its encoder, encoder.layers.2.attention.k_proj.bias"
    )


@pytest.mark.parametrize(("kind", "key"), [("wav2vec2", "num_hidden_layers"), ("whisper", "encoder_layers")])
def test_a_config_of_fewer_layers_than_the_weights_is_refused(encoder_of, tmp_path, kind, key):
    folder = shutil.copytree(encoder_of(kind), tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    short = {"data": {"window_seconds": 2.0}}
    for layers in (1, 0, -1):
        (folder / "config.json").write_text(json.dumps(config | {key: layers, "num_hidden_layers": layers}))
        sentence = refusal(DataError, folder, **short)
        if layers == 1:
            assert sentence.startswith(f"{folder} has a damaged model (encoder.layers.1.")
            assert sentence.endswith(" has no place in the model of its config.json); make it again.")
        else:
            assert sentence == (
                f"{folder / 'config.json'} has num_hidden_layers = {layers} where a whole number above 0 was expected; "
                "make it again."
            )


def test_heads_of_pretraining_and_decoders_are_left_out(encoder_of, tmp_path):
    folder = shutil.copytree(encoder_of("whisper"), tmp_path / "copy")
    weights = load_file(folder / "model.safetensors")
    upper = {name.replace("decoder.layers.0.", "decoder.layers.1."): value.clone() for name, value in weights.items()}
    save_file(weights | upper | {"project_q.weight": torch.ones(2)}, folder / "model.safetensors", {"format": "pt"})
    assert len(new_model(folder, data={"window_seconds": 2.0}).layer_weights) == 3


def test_weights_that_are_not_finite_are_refused_before_a_training(copied):
    weights = load_file(copied / "model.safetensors")
    name = "encoder.layers.1.attention.k_proj.bias"
    weights[name] = weights[name] * math.nan
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    assert refusal(DataError, copied) == (
        f"{copied} has a damaged model ({name} has numbers that are not finite); make it again."
    )


def test_masks_longer_than_the_shortest_utterance_are_turned_off(tmp_path):
    encoder = write_encoder("wav2vec2", tmp_path, mask_time_length=12)
    assert not new_model(encoder).encoder.config.apply_spec_augment
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"mask_time_length": 10}))
    assert new_model(encoder).encoder.config.apply_spec_augment


@pytest.mark.parametrize(
    ("kind", "lowest"), [("wavlm", "encoder.feature_projection.projection"), ("whisper", "encoder.conv1")]
)
def test_each_layer_has_a_lower_learning_rate_than_the_one_above_it_and_the_head_the_highest(encoder_of, kind, lowest):
    model = new_model(encoder_of(kind), data={"window_seconds": 2.0})
    training = AudioTrainingSettings(encoder_lr_multiplier=0.1, layer_decay=0.5, weight_decay=0.2)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    rates = {
        names[id(p)]: (group["lr_scale"], group["weight_decay"])
        for group in layer_groups(model, training)
        for p in group["params"]
    }
    layers = "encoder.encoder.layers" if kind == "wavlm" else "encoder.layers"
    assert rates["head.3.weight"] == (1.0, 0.2)
    assert rates["layer_weights"] == (1.0, 0.0)
    assert rates[f"{layers}.1.final_layer_norm.weight" if kind == "wavlm" else f"{layers}.1.fc1.bias"][0] == 0.1
    assert {scale for name, (scale, _) in rates.items() if name.startswith(f"{layers}.0.")} == {0.05}
    assert rates[f"{lowest}.weight"] == pytest.approx((0.025, 0.2))
    frozen = pretrained(
        AudioSettings.make({"model": {"name": str(encoder_of("wavlm")), "frozen": True}}), DEFAULT_LABELS
    )
    assert layer_groups(frozen, training) is None


def test_an_encoder_without_all_of_its_weights_is_named(copied, monkeypatch):
    lacking = {"missing_keys": {"encoder.layers.0.attention.k_proj.weight"}}
    read = pretrained_module.read_pretrained
    monkeypatch.setattr(
        pretrained_module,
        "read_pretrained",
        lambda kind, *given, **how: (None, lacking) if kind is AutoModel else read(kind, *given, **how),
    )
    assert refusal(DataError, copied) == (
        f"{copied} lacks weights of its encoder, encoder.layers.0.attention.k_proj.weight among them; download or make it again."
    )
