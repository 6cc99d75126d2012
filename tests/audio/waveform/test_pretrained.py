"""Encoders found and loaded: their own weights, what does not suit is refused in a sentence, and each layer's learning rate."""

import json
import shutil

import pytest
import torch
from huggingface_hub import constants
from transformers import BertConfig, BertModel, SeamlessM4TFeatureExtractor, Wav2Vec2FeatureExtractor, Wav2Vec2Model

from emokit.audio.settings import AudioSettings, AudioTrainingSettings
from emokit.audio.waveform.pretrained import find_processor, layer_groups, pretrained
from emokit.errors import DataError, UsageError
from tests.audio.conftest import write_encoder


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """An empty cache, and no hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def settings(name, **groups):
    return AudioSettings.make({"model": {"name": str(name)}} | groups)


def refusal(kind, name, **groups):
    with pytest.raises(kind) as error:
        pretrained(settings(name, **groups))
    return str(error.value)


@pytest.fixture
def copied(encoder_of, tmp_path):
    """A small wav2vec 2.0 that may be damaged."""
    return shutil.copytree(encoder_of("wav2vec2"), tmp_path / "copy")


def test_the_encoders_weights_are_those_of_the_folder_and_the_heads_are_seeded(encoder_of):
    folder = encoder_of("wav2vec2")
    model, again = pretrained(settings(folder)), pretrained(settings(folder))
    other = pretrained(settings(folder, training={"seed": 1}))
    own, wanted = model.encoder.state_dict(), Wav2Vec2Model.from_pretrained(folder).state_dict()
    assert own.keys() == wanted.keys()
    assert all(torch.equal(own[name], wanted[name]) for name in wanted)
    assert torch.equal(model.head[0].weight, again.head[0].weight)
    assert not torch.equal(model.head[0].weight, other.head[0].weight)


def test_of_whisper_the_encoder_is_taken(encoder_of):
    model = pretrained(settings(encoder_of("whisper"), data={"window_seconds": 2.0}))
    assert not [name for name, _ in model.named_parameters() if "decoder" in name]
    assert len(model.layer_weights) == 3


def test_weights_without_safetensors_are_read_as_tensors_only(copied):
    model = Wav2Vec2Model.from_pretrained(copied)
    (copied / "model.safetensors").unlink()
    torch.save(model.state_dict(), copied / "pytorch_model.bin")
    own = pretrained(settings(copied)).encoder.state_dict()
    assert all(torch.equal(own[name], value) for name, value in model.state_dict().items())
    torch.save({"weights": SystemExit}, copied / "pytorch_model.bin")  # what would run code is refused
    assert refusal(DataError, copied).startswith(f"{copied} holds no whole model (")
    (copied / "pytorch_model.bin").unlink()
    assert refusal(DataError, copied) == (
        f"{copied} has no weights as safetensors or pytorch_model.bin, and emokit reads no others; convert them or choose others."
    )


def test_offline_and_in_no_cache_is_one_sentence():
    assert refusal(DataError, "some/encoder") == (
        "some/encoder is no folder and not in the cache of downloaded models, and the hub cannot be reached; "
        "fetch it where there is a network with `hf download some/encoder`."
    )


def test_another_sample_rate_than_the_encoders_is_refused_where_it_was_asked_for(copied):
    assert refusal(UsageError, copied, features={"sample_rate": 44_100}) == (
        f"features.sample_rate is 44100 and {copied} hears 16000 samples a second; leave it out: "
        "sound is resampled to what the encoder wants."
    )
    Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(copied)
    assert find_processor(settings(copied))[1].sample_rate == 8000
    assert refusal(UsageError, copied, features={"sample_rate": 16_000}).startswith(
        f"features.sample_rate is 16000 and {copied} hears 8000 samples a second; "
    )


def test_a_window_longer_than_whisper_hears_is_refused(encoder_of):
    assert refusal(UsageError, encoder_of("whisper"), data={"window_seconds": 3.0}) == (
        f"data.window_seconds is 3 and {encoder_of('whisper')} hears at most 2 s at a time; lower it."
    )
    short = {"data": {"window_seconds": 1.0}, "training": {"max_seconds_per_batch": 1.5}}
    assert refusal(UsageError, encoder_of("whisper"), **short) == (
        f"training.max_seconds_per_batch is 1.5 and {encoder_of('whisper')} takes every utterance as 2 s; raise it."
    )


def test_what_is_no_encoder_of_speech_is_refused(copied, tmp_path):
    shape = {
        "hidden_size": 8,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "vocab_size": 9,
    }
    BertModel(BertConfig(**shape)).save_pretrained(tmp_path / "bert")
    assert refusal(DataError, tmp_path / "bert") == (
        f"{tmp_path / 'bert'} has no preprocessor_config.json, so it is no encoder of speech; mend model.name."
    )
    SeamlessM4TFeatureExtractor().save_pretrained(copied)
    assert refusal(UsageError, copied) == (
        f"{copied} hears through a SeamlessM4TFeatureExtractor, and emokit knows those of wav2vec 2.0 and its kin and of "
        "Whisper; choose another model.name."
    )


def test_a_damaged_encoder_is_named(copied):
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert refusal(DataError, copied).startswith(f"{copied} holds no whole model (")
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoConfig": "x.C"}, "model_type": "own"}))
    assert refusal(UsageError, copied) == f"{copied} runs code that comes with it; choose another model.name."


def test_weights_that_are_not_there_are_not_drawn_by_chance(copied, tmp_path):
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    assert refusal(DataError, copied).startswith(
        f"{copied} lacks weights of its encoder, encoder.layers.2.attention.k_proj.bias"
    )


def test_masks_longer_than_the_shortest_sound_are_turned_off(tmp_path):
    encoder = write_encoder("wav2vec2", tmp_path, mask_time_length=12)
    assert not pretrained(settings(encoder)).encoder.config.apply_spec_augment
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"mask_time_length": 10}))
    assert pretrained(settings(encoder)).encoder.config.apply_spec_augment


@pytest.mark.parametrize(
    ("kind", "lowest"), [("wavlm", "encoder.feature_projection.projection"), ("whisper", "encoder.conv1")]
)
def test_each_layer_learns_slower_than_the_one_above_it_and_the_head_fastest(encoder_of, kind, lowest):
    model = pretrained(settings(encoder_of(kind), data={"window_seconds": 2.0}))
    recipe = AudioTrainingSettings(encoder_lr_multiplier=0.1, layer_decay=0.5, weight_decay=0.2)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {
        names[id(p)]: (group["lr_scale"], group["weight_decay"])
        for group in layer_groups(model, recipe)
        for p in group["params"]
    }
    layers = "encoder.encoder.layers" if kind == "wavlm" else "encoder.layers"
    assert found["head.3.weight"] == (1.0, 0.2)
    assert found["layer_weights"] == (1.0, 0.0)
    assert found[f"{layers}.1.final_layer_norm.weight" if kind == "wavlm" else f"{layers}.1.fc1.bias"][0] == 0.1
    assert {scale for name, (scale, _) in found.items() if name.startswith(f"{layers}.0.")} == {0.05}
    assert found[f"{lowest}.weight"] == pytest.approx((0.025, 0.2))
    frozen = pretrained(AudioSettings.make({"model": {"name": str(encoder_of("wavlm")), "frozen": True}}))
    assert layer_groups(frozen, recipe) is None
